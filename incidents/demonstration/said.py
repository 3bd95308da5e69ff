"""What the support assistant said while it cited the retired refund policy, and what the refund agent did without approval."""

from datetime import datetime, timedelta

from incidents.evidence.actions import AgentAction
from incidents.evidence.acts import digest_of_arguments
from incidents.evidence.exchange import Exchange, Passage
from incidents.evidence.samples import Sample
from incidents.response.events import Event
from incidents.response.incident import Incident

TITLE = "Retired refund policy cited again"
UNAPPROVED = "Refunds above the limit went out without approval"
_OLD = Passage("Refunds are possible within 30 days of delivery.", "refund-policy-v3", 0.91)
_NEW = Passage("Refunds are possible within 14 days of delivery.", "refund-policy-v4", 0.88)
_RIGHT = "You can return it within 14 days of delivery."
_WRONG = "You can return it within 30 days of delivery [refund-policy-v3]."
_QUESTIONS = (
    "Can I return the headphones I got three weeks ago?",
    "How long do I have to send shoes back?",
    "Is it too late to get my money back for the lamp?",
    "What is the deadline for a refund?",
    "I changed my mind about the jacket. What now?",
)
_DRAWN, _WRONG_ONES = 40, 9


def write_samples() -> None:
    """Keep them as the lead of that incident did an hour after it was detected."""
    incident = Incident.objects.get(title=TITLE)
    at = (incident.detected_at or incident.declared_at) + timedelta(hours=1)
    noticed = [_noticed(incident, at)]
    drawn = [_drawn(incident, at + timedelta(minutes=20), number) for number in range(_DRAWN)]
    Sample.objects.bulk_create([*noticed, *drawn])
    for moment, rows, is_drawn in ((at, noticed, False), (at + timedelta(minutes=20), drawn, True)):
        detail = {"did": "added", "count": len(rows), "source": rows[0].source, "drawn": is_drawn}
        Event.objects.create(incident=incident, kind=Event.Kind.EVIDENCE, at=moment, by=incident.lead, detail=detail)


def _noticed(incident: Incident, at: datetime) -> Sample:
    """What a customer complained of: redacted, and confirmed."""
    exchange = Exchange(
        "My order [order] arrived 20 days ago. Can I still send it back? Write to [email].",
        _WRONG,
        (_OLD, _NEW),
        expected=_RIGHT,
        must_not="30 days",
    )
    row = _row(incident, exchange, at, source="pasted", verdict="wrong")
    row.redacted_at, row.redacted_by = at + timedelta(minutes=4), incident.lead
    return row


def _drawn(incident: Incident, at: datetime, number: int) -> Sample:
    # Every fourth is wrong until enough are: no chance, so that each demonstration has the same rate.
    is_wrong = number % 4 == 0 and number // 4 < _WRONG_ONES
    exchange = Exchange(
        _QUESTIONS[number % len(_QUESTIONS)],
        _WRONG if is_wrong else _RIGHT,
        (_OLD,) if is_wrong else (_NEW,),
        reference=f"7c1e5a{number:026x}/a3{number:014x}",
        occurred_at=at - timedelta(minutes=7 * number + 90),
    )
    return _row(incident, exchange, at, source="trace", verdict="wrong" if is_wrong else "right", drawn=True)


def _row(
    incident: Incident, exchange: Exchange, at: datetime, *, source: str, verdict: str, drawn: bool = False
) -> Sample:
    return Sample(
        incident=incident,
        system=incident.system,
        source=source,
        drawn=drawn,
        verdict=verdict,
        judged_by=incident.lead,
        judged_at=at + timedelta(minutes=30),
        added_by=incident.lead,
        added_at=at,
        frozen_at=at + timedelta(minutes=40),
        frozen_by=incident.lead,
        reference=exchange.reference,
        occurred_at=exchange.occurred_at,
        **exchange.texts(),
    )


def write_actions() -> None:
    """Append what the refund agent did in the two hours before somebody noticed, as its runtime had logged it."""
    incident = Incident.objects.get(title=UNAPPROVED)
    noticed = incident.detected_at or incident.declared_at
    AgentAction.objects.bulk_create(_acted(incident, noticed, number) for number in range(36))


def _acted(incident: Incident, noticed: datetime, number: int) -> AgentAction:
    is_refund, is_denied = number % 3 != 0, number % 12 == 5
    amount = 40 + 37 * (number % 11)
    is_above = is_refund and amount > 200
    return AgentAction(
        incident=incident,
        key=f"run-{1040 + number // 3}/step-{number % 3 + 1}",
        agent="refund-agent",
        on_behalf_of=f"customer {7300 + 13 * (number // 3)}",
        tool="issue_refund" if is_refund else "find_order",
        target=f"order {50210 + number // 3}",
        arguments_digest=digest_of_arguments(f"{number}:{amount}"),
        approval="missing" if is_above else "not_needed",
        result="" if is_denied else "succeeded",
        reversible=not is_refund,
        denied=is_denied,
        at=noticed - timedelta(minutes=3 * (36 - number)),
        source=AgentAction.Source.API,
        added_at=noticed,
        added_by=incident.lead,
    )
