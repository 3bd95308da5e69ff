"""What leaders made of it: a report that was saved with sentences of a person, what to know beside it, and its decisions."""

from datetime import datetime, timedelta

from incidents.demonstration.cast import Cast
from incidents.reports.decisions import Decision
from incidents.reports.saved import ReportInterval, ReportNote, ReportSubscription, SavedReport
from incidents.reports.scope import Asked, Period, ReportScope

_SENTENCES = (
    "Our own monitors saw most of it before anybody else did.",
    "What an agent does costs money within minutes, and its approvals do not grow with what it proposes.",
    "We ask for one decision: up to which amount the refund agent may act alone.",
)


def write_saved_report(cast: Cast, now: datetime) -> None:
    jo, lee = cast.people["jo"], cast.people["lee"]
    report = SavedReport.objects.freeze(Asked(Period.last(12, today=now.date()), ReportScope(), months="own"), by=jo)
    report.write("\n".join(_SENTENCES), by=jo)
    text = "The contract test with the gateway waits for the provider’s test environment; a daily comparison stands in."
    ReportNote.objects.create(report=report, text=text, by=jo)
    asked = Decision.objects.ask
    due_on = now.date() + timedelta(days=16)
    asked(report, "Up to which amount the refund agent may act without an approval", by=jo, owner=lee, due_on=due_on)
    practice = asked(
        report, "Practise a containment of each tier 1 system every quarter", by=jo, owner=lee, due_on=None
    )
    practice.decide("Yes. Each team puts its drills into its calendar.", by=lee)
    ReportSubscription.objects.create(person=lee, cadence=ReportInterval.QUARTERLY)
