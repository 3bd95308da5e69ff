"""The demonstration is believable to somebody from the trade, and tells one story on every page."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from incidents.alerts.claims import Claim
from incidents.alerts.matchers import all_hold, parse
from incidents.alerts.models import Alert, Delivery, Outcome, Source
from incidents.alerts.policies import RulesVersion, Silence
from incidents.alerts.reading import understand
from incidents.alerts.routing import facts_of
from incidents.followups.models import FollowUp
from incidents.people.models import User
from incidents.postmortems.document import Postmortem
from incidents.postmortems.readiness import missing
from incidents.reports.export import rows
from incidents.reports.learning import learn
from incidents.reports.saved import SavedReport
from incidents.reports.scope import read
from incidents.reports.trends import trends
from incidents.response.events import Event
from incidents.response.impact import suggested_for
from incidents.response.incident import Incident
from incidents.response.measures import ORDERED, out_of_order
from incidents.response.updates import Cadence, next_update_due
from incidents.response.vocabulary import NoticedBy, Severity, Status
from incidents.systems.models import Change, System

YEAR = timedelta(days=365)


@pytest.fixture(scope="module", autouse=True)
def _loaded(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Load it once for all tests here, which only read, and take it back."""
    with django_db_blocker.unblock(), transaction.atomic():
        call_command("load_demo")
        yield
        transaction.set_rollback(True)


def _real() -> list[Incident]:
    return list(Incident.objects.counted().select_related("system", "impact").prefetch_related("exposures", "events"))


class TestTheYears:
    def test_two_whole_years_can_be_compared(self) -> None:
        lee = User.objects.get(email="lee@example.com")
        report = trends(lee, read({"months": "12"}, today=timezone.localdate()))
        assert min(incident.declared_at for incident in _real()) < timezone.now() - timedelta(days=725)
        assert report.n > 20
        assert report.before
        assert 0.5 < report.n / report.before < 2

    def test_some_months_are_busier_and_none_has_most_of_it(self) -> None:
        months = Counter(incident.declared_at.strftime("%Y-%m") for incident in _real())
        assert max(months.values()) >= 2 * median(months.values())
        assert max(months.values()) < len(_real()) / 4

    def test_what_was_wrong_is_noticed_sooner_and_more_often_by_monitors(self) -> None:
        now = timezone.now()
        older = [incident for incident in _real() if YEAR < now - incident.declared_at < 2 * YEAR]
        newer = [incident for incident in _real() if now - incident.declared_at <= YEAR]
        assert _median_silence(newer) < _median_silence(older)
        assert _share_by_monitors(newer) > _share_by_monitors(older)

    def test_not_everything_is_known(self) -> None:
        """A record without gaps is made up."""
        incidents = _real()
        assert 0.6 < sum(incident.impact_started_at is not None for incident in incidents) / len(incidents) < 0.95
        assert 0.6 < sum(bool(incident.exposures.all()) for incident in incidents) / len(incidents) < 0.95


def _median_silence(incidents: list[Incident]) -> timedelta:
    return timedelta(seconds=median(incident.silence.total_seconds() for incident in incidents if incident.silence))


def _share_by_monitors(incidents: list[Incident]) -> float:
    return sum(incident.noticed_by == NoticedBy.MONITOR for incident in incidents) / len(incidents)


class TestAnIncident:
    def test_its_severity_fits_what_it_did_or_says_why_not(self) -> None:
        for incident in _real():
            impact = getattr(incident, "impact", None)
            if suggested_for(incident, impact=impact, exposures=list(incident.exposures.all())):
                reasons = [e.detail.get("reason") for e in incident.events.all() if e.kind == Event.Kind.SEVERITY]
                assert any(reasons), f"{incident} {incident.title}: {incident.severity}"

    def test_the_worst_are_few(self) -> None:
        severities = Counter(incident.severity for incident in _real())
        assert 1 <= severities[Severity.SEV1] <= 5
        assert severities[Severity.SEV1] < severities[Severity.SEV2] < severities[Severity.SEV3]
        assert Severity.UNKNOWN not in severities

    def test_its_clocks_are_in_order_and_nothing_lies_ahead(self) -> None:
        now = timezone.now()
        for incident in Incident.objects.all():
            clocks = [getattr(incident, clock) for clock in ORDERED]
            assert not out_of_order(clocks), incident
            assert all(clock <= now for clock in clocks if clock), incident
        assert not Event.objects.filter(at__gt=now).exists()
        assert not Change.objects.filter(happened_at__gt=now).exists()

    def test_its_log_was_written_as_it_happened_and_begins_with_its_opening(self) -> None:
        logs: dict[int, list[tuple[str, datetime]]] = {}
        for pk, kind, at in Event.objects.order_by("at", "pk").values_list("incident", "kind", "at"):
            logs.setdefault(pk, []).append((kind, at))
        for incident in Incident.objects.all():
            events = logs[incident.pk]
            assert events[0][0] == Event.Kind.OPENED, incident
            assert incident.changed_at == events[-1][1], incident

    def test_its_statuses_follow_each_other_in_the_log(self) -> None:
        for incident in Incident.objects.prefetch_related("events"):
            moves = [event.detail for event in incident.events.all() if event.detail.get("became") in Status.values]
            moves = [move for move in moves if move.get("was") in Status.values]
            for before, after in pairwise(moves):
                assert before["became"] == after["was"], (incident, moves)
            if moves:
                assert moves[-1]["became"] == incident.status, incident

    def test_no_two_tell_the_same(self) -> None:
        summaries = Counter(incident.summary for incident in _real() if incident.summary)
        assert [summary for summary, times in summaries.items() if times > 1] == []

    def test_what_repeats_another_comes_after_it(self) -> None:
        repeats = [link for incident in _real() for link in incident.links.all()]
        assert len(repeats) >= 3
        assert all(link.other.declared_at < link.incident.declared_at for link in repeats)


class TestNow:
    def test_there_is_something_to_do_at_every_stage(self) -> None:
        open_ones = Counter(Incident.objects.open().values_list("status", flat=True))
        assert set(open_ones) == {Status.TRIAGE, Status.INVESTIGATING, Status.CONTAINED}
        assert sum(open_ones.values()) <= 8
        assert Incident.objects.open().filter(severity__in=["sev1", "sev2"], status=Status.INVESTIGATING).count() == 1

    def test_nobody_leaves_one_in_triage(self) -> None:
        for incident in Incident.objects.filter(status=Status.TRIAGE):
            assert timezone.now() - incident.declared_at < timedelta(hours=1), incident

    def test_what_is_bad_was_taken_within_minutes(self) -> None:
        for incident in Incident.objects.open().filter(severity__in=["sev1", "sev2"]).exclude(status=Status.TRIAGE):
            assert incident.acknowledged_at
            assert incident.acknowledged_at - incident.declared_at < timedelta(minutes=10)

    def test_an_update_is_due_soon_or_a_little_late(self) -> None:
        cadences = Cadence.by_severity()
        due = [moment for incident in Incident.objects.open() if (moment := next_update_due(incident, cadences))]
        ahead = [moment - timezone.now() for moment in due]
        assert len(ahead) >= 2
        assert all(timedelta(minutes=-20) < left < timedelta(hours=4) for left in ahead)

    def test_the_first_alert_of_the_readme_opens_an_incident_of_its_own(self) -> None:
        open_ones = Incident.objects.open().filter(system__slug="policy-index")
        assert all(incident.correlation_key is None for incident in open_ones)


class TestWhatWasLearnt:
    def test_very_late_is_an_exception_with_a_story(self) -> None:
        late = list(FollowUp.objects.open().filter(due_on__lt=timezone.localdate() - timedelta(days=60)))
        assert len(late) <= 1
        for follow_up in late:
            assert len(follow_up.description) > 100
            events = follow_up.incident.events.filter(kind=Event.Kind.FOLLOW_UP, detail__id=follow_up.pk)
            assert events.filter(detail__has_key="due_on").count() >= 2, "it was put off twice, and the log says so"

    def test_few_are_late_by_days_and_most_were_done_in_time_and_proved(self) -> None:
        late = FollowUp.objects.overdue().filter(due_on__gte=timezone.localdate() - timedelta(days=60))
        assert 1 <= late.count() <= 3
        assert all(
            timezone.localdate() - follow_up.due_on < timedelta(days=14) for follow_up in late if follow_up.due_on
        )
        judged = FollowUp.objects.judged()
        assert judged.on_time().count() / judged.count() > 0.7
        done, verified = FollowUp.objects.in_stage("done"), FollowUp.objects.in_stage("verified")
        assert 0.4 < verified.count() / done.count() < 0.9, "proof is earned: not by everything that is done"
        assert not verified.filter(verified_because="").exists()
        assert FollowUp.objects.filter(proof__kind="quiet", state="done").exists(), "quiet that says too little yet"
        came_back = FollowUp.objects.filter(state="did_not_hold")
        assert came_back.count() >= 1
        assert all(follow_up.recurrences.exists() for follow_up in came_back)

    def test_there_is_something_to_do_and_to_review(self) -> None:
        assert FollowUp.objects.open().filter(due_on__gte=timezone.localdate()).count() >= 2
        assert Postmortem.objects.unfinished().exists()
        assert Postmortem.objects.overdue().count() <= 3

    def test_what_is_published_lacks_nothing_and_was_reviewed_by_others(self) -> None:
        for postmortem in Postmortem.objects.published():
            assert missing(postmortem) == [], postmortem
            approvals = postmortem.reviews.filter(verdict="approved")
            assert approvals.exists(), postmortem
            assert not approvals.filter(reviewer=postmortem.owner).exists(), postmortem

    def test_a_review_was_asked_for_before_it_was_given_and_not_only_now(self) -> None:
        for postmortem in Postmortem.objects.filter(reviews__isnull=False).distinct():
            sent = postmortem.incident.events.get(kind=Event.Kind.POSTMORTEM, detail__became="in_review").at
            for review in postmortem.reviews.all():
                assert postmortem.started_at < review.asked_at == sent < timezone.now() - timedelta(hours=1), postmortem
                assert review.decided_at is None or review.asked_at < review.decided_at, postmortem

    def test_leaders_have_a_saved_report_with_a_decision_that_is_open(self) -> None:
        (report,) = SavedReport.objects.all()
        assert report.written_by
        assert report.notes.exists()
        assert set(report.decisions.values_list("state", flat=True)) == {"asked", "taken"}
        assert report.changes_since() == []

    def test_its_numbers_are_those_on_record(self) -> None:
        for postmortem in Postmortem.objects.published():
            exposures = list(postmortem.incident.exposures.all())
            impact = postmortem.sections.get(key="impact").text
            assert all(exposure.words in impact for exposure in exposures), postmortem
            assert exposures or impact.startswith("Unknown"), postmortem

    def test_what_it_cost_is_in_the_record_the_postmortem_the_report_and_its_rows(self) -> None:
        lee = User.objects.get(email="lee@example.com")
        asked = read({"months": "24"}, today=timezone.localdate())
        reported = {row.unit: row for row in trends(lee, asked).exposure}
        assert {"EUR", "GBP", "hours", "tokens"} <= set(reported)
        assert reported["EUR"].said.k >= 5
        (row,) = (row for row in rows(lee, asked) if row["title"] == "A loop of apologies cost €900")
        assert "912.40" in str(row)
        loop = Incident.objects.get(number=row["number"])
        assert any(event.detail.get("words") == "912.40 EUR" for event in loop.events.all())
        frozen = [postmortem.frozen_facts for postmortem in Postmortem.objects.published().filter(incident=loop)]
        assert all("912.40 EUR" in str(facts) for facts in frozen)

    def test_the_report_has_something_to_say(self) -> None:
        lee = User.objects.get(email="lee@example.com")
        learnt = learn(lee, read({"months": "12"}, today=timezone.localdate()))
        assert learnt.in_time
        assert 0.6 < learnt.in_time.k / learnt.in_time.n <= 1
        assert learnt.drills
        assert learnt.drills.k < learnt.drills.n


class TestMonitors:
    def test_many_kinds_watch_and_each_was_heard_lately(self) -> None:
        assert len(set(Source.objects.values_list("kind", flat=True))) >= 6
        heard = set(Delivery.objects.values_list("source", flat=True))
        assert heard == set(Source.objects.values_list("pk", flat=True))

    def test_what_they_posted_is_read_as_it_was(self) -> None:
        """A body says today what its alert says, with its metric."""
        metrics: Counter[bool] = Counter()
        outcomes = Outcome.objects.filter(result="opened").select_related(
            "delivery__source", "alert__source", "alert__system"
        )
        for outcome in (outcome for outcome in outcomes if outcome.delivery.body):
            statements = understand(outcome.delivery.source, outcome.delivery)
            claims = [statement for statement in statements if isinstance(statement, Claim)]
            assert outcome.alert
            assert outcome.alert.fingerprint in [claim.fingerprint(outcome.delivery.source_id) for claim in claims]
            metrics[bool(outcome.alert.measured.get("metric"))] += 1
        assert metrics[True] > metrics[False]

    def test_a_rule_by_metric_matches(self) -> None:
        version = RulesVersion.objects.current()
        assert version
        by_metric = [rule.matchers for rule in version.read() if any(m.name == "metric" for m in rule.matchers)]
        alerts = list(Alert.objects.select_related("source", "system"))
        for matchers in by_metric:
            assert any(all_hold(matchers, facts_of(alert)) for alert in alerts), matchers
        assert any(all_hold(parse('metric="groundedness_p50"'), facts_of(alert)) for alert in alerts)

    def test_some_are_kept_quiet_each_for_a_reason(self) -> None:
        held = set(Alert.objects.firing().filter(incident=None).values_list("held", flat=True))
        assert held == {Alert.Held.SILENCED, Alert.Held.RECORDED, Alert.Held.WAITING}
        assert Silence.objects.in_force().count() == 1
        assert Alert.objects.filter(occurrences__gte=20).exists(), "one is noisy"
        assert Alert.objects.filter(flaps__gte=1).exists(), "one flaps"
        assert Alert.objects.unsettled().exists(), "one names a system that nobody knows"
        assert Delivery.objects.filter(status=Delivery.Status.DEAD).count() == 1

    def test_what_is_over_fires_no_more_and_what_is_open_does(self) -> None:
        firing = Alert.objects.firing().exclude(incident=None)
        assert all(alert.incident and alert.incident.is_open for alert in firing.select_related("incident"))
        by_alert = Incident.objects.open().filter(opened_by=None)
        assert all(incident.alerts.firing().exists() for incident in by_alert)

    def test_deliveries_lie_in_the_order_in_which_they_came(self) -> None:
        times: list[datetime] = list(Delivery.objects.order_by("pk").values_list("received_at", flat=True))
        assert times == sorted(times)
        assert all(system.alerts.exists() for system in System.objects.all())
