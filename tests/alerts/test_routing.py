"""Where alerts go: by rules and their versions, past silences, by what people corrected, in groups and after a flap."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test import Client

from incidents.alerts import by_hand
from incidents.alerts.drain import drain
from incidents.alerts.models import Alert, Outcome, Source
from incidents.alerts.policies import Correction, RulesVersion, Silence
from incidents.alerts.routing import facts_of
from incidents.alerts.upkeep import release_silenced
from incidents.errors import Refused
from incidents.people.models import Team, User
from incidents.response.incident import Incident
from incidents.systems.models import System

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def tell(evaluations: tuple[Source, str], post: Callable[..., Any]) -> Callable[..., None]:
    """Deliver one alert of the nightly evaluations and process it."""

    def deliver(title: str = "Groundedness is low", **fields: Any) -> None:
        body = {
            "title": title,
            "key": title,
            "metric": "groundedness",
            "system": "support-assistant",
            "severity": "high",
        } | fields
        assert post(evaluations[1], body).status_code == 200
        drain()

    return deliver


@pytest.fixture
def in_force(ada: User) -> Callable[..., RulesVersion]:
    """Publish these rules."""

    def publish(*rows: dict[str, Any]) -> RulesVersion:
        draft = RulesVersion.objects.begin_draft(by=ada)
        draft.rewrite([{"name": f"Rule {n}"} | row for n, row in enumerate(rows, start=1)], by=ada)
        draft.publish(by=ada)
        return draft

    return publish


def results() -> list[str]:
    return list(Outcome.objects.order_by("pk").values_list("result", flat=True))


class TestRules:
    def test_a_rule_sets_system_severity_and_category_and_says_so(
        self, tell: Callable[..., None], in_force: Callable[..., Any], support_assistant: System, policy_index: System
    ) -> None:
        in_force(
            {
                "name": "It is the index",
                "matchers": 'metric="groundedness"',
                "set_system": "policy-index",
                "set_severity": "critical",
                "set_failure_mode": "data_quality.freshness",
            }
        )
        tell()
        alert, incident = Alert.objects.get(), Incident.objects.get()
        assert (alert.system, alert.severity, alert.category) == (policy_index, "critical", "data_quality")
        assert (incident.system, incident.category) == (policy_index, "data_quality")
        assert "Rule “It is the index”" in alert.routed_because
        assert "Rule “It is the index”" in alert.classified_because

    def test_only_recorded(
        self, tell: Callable[..., None], in_force: Callable[..., Any], support_assistant: System
    ) -> None:
        in_force({"name": "Staging", "matchers": 'environment="staging"', "act": "record"})
        tell(environment="staging")
        alert = Alert.objects.get()
        assert (alert.held, alert.incident) == ("recorded", None)
        assert "Rule “Staging”" in alert.routed_because

    def test_dropped_with_a_counter(self, tell: Callable[..., None], in_force: Callable[..., Any]) -> None:
        in_force({"name": "Noise", "matchers": 'title=~"Heartbeat.*"', "act": "drop"})
        for _ in range(3):
            tell("Heartbeat of the job")
        tell("Heartbeat of the job", status="resolved")
        assert not Alert.objects.exists()
        assert results() == ["dropped"] * 4
        assert Outcome.objects.filter(rule="Noise").count() == 4

    def test_information_opens_where_a_rule_says_so(
        self, tell: Callable[..., None], in_force: Callable[..., Any], support_assistant: System
    ) -> None:
        tell("A", severity="info")
        in_force({"act": "open"})
        tell("B", severity="info")
        assert Incident.objects.get().title == "B"

    def test_it_opens_once_it_was_told_often_enough_and_takes_with_it_what_waited(
        self, tell: Callable[..., None], in_force: Callable[..., Any], support_assistant: System
    ) -> None:
        in_force({"name": "Three", "act": "wait", "times": 3, "within_minutes": 10})
        with time_machine.travel(NOON, tick=False) as clock:
            tell("A")
            assert "Reported 1 of 3 times within 10 min" in Alert.objects.get().routed_because
            clock.shift(timedelta(minutes=11))
            tell("A")
            tell("B")
            assert not Incident.objects.exists(), "the first telling is too old to count"
            clock.shift(timedelta(minutes=1))
            tell("A")
        assert Incident.objects.get().alerts.count() == 2
        assert not Alert.objects.exclude(held="").exists()

    def test_groups_open_incidents_of_their_own(
        self, tell: Callable[..., None], in_force: Callable[..., Any], support_assistant: System
    ) -> None:
        in_force({"group_by": "model"})
        for model in ("a", "b", "a"):
            tell(f"Groundedness of {model}", labels={"model": model})
        assert Incident.objects.count() == 2

    def test_after_a_quiet_time_a_new_incident_is_opened_while_the_old_one_is_still_open(
        self, tell: Callable[..., None], in_force: Callable[..., Any], support_assistant: System
    ) -> None:
        in_force({"join_minutes": 60})
        with time_machine.travel(NOON, tick=False) as clock:
            tell("A")
            clock.shift(timedelta(minutes=50))
            tell("B")
            clock.shift(timedelta(minutes=50))
            tell("C")
            assert Incident.objects.count() == 1, "each alert keeps it awake"
            clock.shift(timedelta(minutes=61))
            tell("D")
        assert [incident.alerts.count() for incident in Incident.objects.order_by("number")] == [3, 1]

    def test_what_was_resolved_just_now_is_taken_up_again(
        self, tell: Callable[..., None], in_force: Callable[..., Any], support_assistant: System, mara: User
    ) -> None:
        in_force({"reopen_minutes": 30})
        with time_machine.travel(NOON, tick=False) as clock:
            tell("A")
            incident = Incident.objects.get()
            incident.acknowledge(by=mara)
            incident.resolve(by=mara)
            clock.shift(timedelta(minutes=29))
            tell("B")
            incident.refresh_from_db()
            assert (incident.status, incident.alerts.count()) == ("investigating", 2)
            incident.resolve(by=mara)
            clock.shift(timedelta(minutes=31))
            tell("C")
        assert Incident.objects.count() == 2

    def test_drafts_are_published_as_versions_and_gone_back_to(
        self, tell: Callable[..., None], in_force: Callable[..., Any], ada: User
    ) -> None:
        first = in_force({"name": "Drop all", "act": "drop"})
        second = in_force({"name": "Record all", "act": "record"})
        assert (first.number, second.number) == (1, 2)
        draft = RulesVersion.objects.begin_draft(by=ada)
        assert draft.rules == second.rules, "a draft begins with what is in force"
        assert RulesVersion.objects.begin_draft(by=ada) == draft
        tell("A")
        assert Alert.objects.get().held == "recorded", "a draft does nothing"
        again = first.publish_again(by=ada)
        assert (again.number, again.note) == (3, "As version 1 was.")
        tell("B")
        assert Alert.objects.count() == 1
        with pytest.raises(Refused, match="never change"):
            first.rewrite([], by=ada)

    @pytest.mark.parametrize(
        ("row", "said"),
        [
            ({"set_system": "nobody"}, "no system"),
            ({"set_category": "weather"}, "the taxonomy has no"),
            ({"matchers": "x"}, "no matcher"),
        ],
    )
    def test_a_rule_that_cannot_be_used_is_not_kept(self, ada: User, row: dict[str, Any], said: str) -> None:
        draft = RulesVersion.objects.begin_draft(by=ada)
        with pytest.raises(Refused, match=said):
            draft.rewrite([{"name": "Mine", **row}], by=ada)

    def test_there_is_one_draft(self, ada: User) -> None:
        RulesVersion.objects.begin_draft(by=ada)
        with pytest.raises(IntegrityError), transaction.atomic():
            RulesVersion.objects.create(made_by=ada)


class TestSilences:
    def silence(self, by: User, *, hours: float = 1, text: str = 'metric="groundedness"') -> Silence:
        from django.utils import timezone

        return Silence.make(
            text=text, ends_at=timezone.now() + timedelta(hours=hours), reason="The index is rebuilt", by=by
        )

    def test_what_matches_opens_nothing_and_what_still_fires_at_the_end_comes_through(
        self, tell: Callable[..., None], support_assistant: System, mara: User
    ) -> None:
        with time_machine.travel(NOON, tick=False) as clock:
            silence = self.silence(mara)
            tell("A")
            tell("B")
            tell("B", status="resolved")
            tell("C", metric="latency_p99")
            assert [alert.held for alert in Alert.objects.order_by("title")] == ["silenced", "silenced", ""]
            assert Incident.objects.count() == 1
            assert release_silenced() == 0
            clock.shift(timedelta(hours=1, seconds=1))
            assert release_silenced() == 1
            assert release_silenced() == 0
        assert Alert.objects.get(title="A").incident
        assert Alert.objects.get(title="B").incident is None
        silence.refresh_from_db()
        assert silence.released_at

    def test_ended_early_it_lets_through_at_once(
        self, tell: Callable[..., None], support_assistant: System, mara: User
    ) -> None:
        silence = self.silence(mara)
        tell("A")
        silence.end()
        assert release_silenced() == 1
        assert Incident.objects.count() == 1

    def test_another_silence_may_still_hold_it(
        self, tell: Callable[..., None], support_assistant: System, mara: User
    ) -> None:
        first, second = self.silence(mara), self.silence(mara, hours=5)
        tell("A")
        first.end()
        release_silenced()
        alert = Alert.objects.get()
        assert (alert.held, alert.silence) == ("silenced", second)

    @pytest.mark.parametrize(
        ("text", "hours", "reason", "said"),
        [
            ("", 1, "x", "silence everything"),
            ("x", 1, "x", "no matcher"),
            ('a="b"', -1, "x", "ends before"),
            ('a="b"', 1, " ", "Give a reason"),
            ('a="b"', 9000, "x", "a year"),
        ],
    )
    def test_one_that_makes_no_sense_is_refused(
        self, mara: User, text: str, hours: float, reason: str, said: str
    ) -> None:
        from django.utils import timezone

        with pytest.raises(Refused, match=said):
            Silence.make(text=text, ends_at=timezone.now() + timedelta(hours=hours), reason=reason, by=mara)


class TestCorrections:
    def test_what_somebody_said_holds_for_that_name_of_that_source_until_it_is_undone(
        self,
        tell: Callable[..., None],
        prometheus: tuple[Source, str],
        post: Callable[..., Any],
        support_assistant: System,
        mara: User,
    ) -> None:
        tell("A", metric="weird_number")
        alert = Alert.objects.get()
        assert alert.category == ""
        assert by_hand.classify([alert], category="", failure_mode="drift.covariate", remember=True, by=mara) == 1
        tell("B", metric="weird_number")
        again = Alert.objects.get(title="B")
        assert (again.category, again.failure_mode) == ("drift", "drift.covariate")
        assert "Mara Okafor classified" in again.classified_because
        post(prometheus[1], {"alerts": [{"status": "firing", "labels": {"alertname": "X", "metric": "weird_number"}}]})
        drain()
        assert Alert.objects.get(source=prometheus[0]).category == "", "another source may mean something else"
        Correction.objects.get().undo(by=mara)
        tell("C", metric="weird_number")
        assert Alert.objects.get(title="C").category == ""

    def test_a_newer_correction_replaces_the_older(
        self, tell: Callable[..., None], support_assistant: System, mara: User, jo: User
    ) -> None:
        tell("A", metric="weird_number")
        alert = Alert.objects.get()
        by_hand.classify([alert], category="drift", remember=True, by=mara)
        by_hand.classify([alert], category="retrieval", remember=True, by=jo)
        assert [correction.category for correction in Correction.objects.standing()] == ["retrieval"]

    def test_without_remembering_it_is_about_these_alerts_only(
        self, tell: Callable[..., None], support_assistant: System, mara: User
    ) -> None:
        tell("A", metric="weird_number")
        by_hand.classify(list(Alert.objects.all()), category="drift", remember=False, by=mara)
        assert Alert.objects.get().category == "drift"
        assert not Correction.objects.exists()


class TestGroupsAndFlaps:
    def group(self, status: str, *names: str, truncated: int = 0) -> dict[str, Any]:
        return {
            "version": "4",
            "receiver": "faultline",
            "groupKey": "{}:{g}",
            "status": status,
            "truncatedAlerts": truncated,
            "alerts": [
                {"status": status, "labels": {"alertname": name, "severity": "critical"}, "startsAt": NOON.isoformat()}
                for name in names
            ],
        }

    def test_the_end_of_a_truncated_group_ends_what_was_not_listed(
        self, prometheus: tuple[Source, str], post: Callable[..., Any]
    ) -> None:
        post(prometheus[1], self.group("firing", "A", "B", truncated=3))
        post(prometheus[1], self.group("firing", "C", "D", truncated=3))
        drain()
        post(prometheus[1], self.group("resolved", "A", "B", truncated=3))
        drain()
        assert not Alert.objects.firing().exists()
        assert results()[-1] == "group_over"

    def test_the_end_of_a_whole_group_ends_only_what_it_lists(
        self, prometheus: tuple[Source, str], post: Callable[..., Any]
    ) -> None:
        post(prometheus[1], self.group("firing", "A", "B"))
        post(prometheus[1], self.group("resolved", "A"))
        drain()
        assert Alert.objects.firing().count() == 1

    def test_what_comes_back_within_ten_minutes_flaps_and_takes_its_incident_up_again(
        self, tell: Callable[..., None], support_assistant: System, mara: User
    ) -> None:
        with time_machine.travel(NOON, tick=False) as clock:
            tell("A")
            incident = Incident.objects.get()
            incident.acknowledge(by=mara)
            tell("A", status="resolved")
            incident.resolve(by=mara)
            clock.shift(timedelta(minutes=9))
            tell("A")
            newest = Alert.objects.latest("pk")
            assert (newest.flaps, newest.incident) == (1, incident)
            incident.refresh_from_db()
            assert incident.status == "investigating"
            tell("A", status="resolved")
            clock.shift(timedelta(minutes=11))
            tell("A")
            assert Alert.objects.latest("pk").flaps == 0


@pytest.mark.django_db(transaction=True)
def test_two_first_alerts_of_two_sources_at_the_same_instant_make_one_incident() -> None:
    team = Team.objects.create(slug="a", name="A")
    System.objects.create(slug="bot", name="bot", kind="rag", team=team)
    tokens = [Source.objects.connect(kind="generic", name=f"Source {n}", team=team)[1] for n in range(8)]

    def send_and_drain(token: str) -> None:
        try:
            body = json.dumps({"title": "Groundedness is low", "metric": "groundedness", "system": "bot"})
            Client().post(f"/ingest/{token}", body, content_type="application/json")
            drain()
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send_and_drain, tokens))
    drain()
    assert Alert.objects.count() == 8
    assert Incident.objects.get().alerts.count() == 8


def test_a_worse_alert_raises_the_severity_until_somebody_has_taken_the_incident(
    tell: Callable[..., None], policy_index: System, mara: User
) -> None:
    """From then on it is theirs to decide: nothing changes it behind their back."""

    def worsen(title: str, severity: str) -> Incident:
        tell(title, severity=severity, system="policy-index", metric="recall@10")
        return Incident.objects.get()

    assert worsen("Recall dips", "low").severity == "sev4"
    assert worsen("Recall falls", "medium").severity == "sev3"
    Incident.objects.get().acknowledge(by=mara)
    incident = worsen("Recall is nought", "critical")
    assert (incident.severity, Alert.objects.filter(incident=incident).count()) == ("sev3", 3)


class TestWords:
    def test_what_opened_and_what_joined_says_why(
        self, tell: Callable[..., None], in_force: Callable[..., Any], support_assistant: System
    ) -> None:
        in_force({"name": "Mine", "set_severity": "low"})
        tell("A")
        tell("B")
        rule = "Rule “Mine”: severity low."
        assert [alert.routed_because for alert in Alert.objects.order_by("pk")] == [
            f"{rule} Opened INC-1: nothing was open for the system support-assistant, retrieval.",
            f"{rule} Joined INC-1, which is open for the system support-assistant, retrieval.",
        ]
        linked = Incident.objects.get().events.filter(kind="alert_linked").order_by("pk")
        assert [(event.by, event.detail) for event in linked] == [
            (None, {"count": 1, "alerts": [{"id": alert.pk, "title": alert.title}]})
            for alert in Alert.objects.order_by("pk")
        ]

    def test_without_a_known_system_it_names_what_the_monitor_said_or_the_monitor(
        self, tell: Callable[..., None]
    ) -> None:
        for title, name in (("A", "Helpdesk Bot"), ("B", "helpdesk bot "), ("C", ""), ("D", "")):
            tell(title, system=name)
        assert [alert.routed_because for alert in Alert.objects.order_by("pk")] == [
            "Opened INC-1: nothing was open for the unknown system “Helpdesk Bot”, retrieval.",
            "Joined INC-1, which is open for the unknown system “helpdesk bot”, retrieval.",
            "Opened INC-2: nothing was open for “groundedness” from Nightly evaluations, retrieval.",
            "Joined INC-2, which is open for “groundedness” from Nightly evaluations, retrieval.",
        ]


class TestOpening:
    @pytest.mark.parametrize(
        ("system", "severity", "suggested"),
        [
            ("support-assistant", "critical", "sev1"),
            ("support-assistant", "high", "sev2"),
            ("support-assistant", "medium", "sev3"),
            ("support-assistant", "low", "sev4"),
            ("policy-index", "critical", "sev2"),
            ("", "critical", "sev2"),
        ],
    )
    def test_the_severity_follows_the_alert_and_how_much_hangs_on_the_system(
        self,
        tell: Callable[..., None],
        support_assistant: System,
        policy_index: System,
        system: str,
        severity: str,
        suggested: str,
    ) -> None:
        tell(system=system, severity=severity)
        assert Incident.objects.get().severity == suggested

    def test_it_brings_the_kind_of_failure_and_the_team_of_its_system_else_of_its_source(
        self, tell: Callable[..., None], assistants: Team, risk: Team, fraud_scorer: System
    ) -> None:
        tell("A", system="fraud-scorer")
        tell("B", system="")
        opened = Incident.objects.order_by("number")
        assert [incident.team for incident in opened] == [risk, assistants]
        assert {incident.failure_mode for incident in opened} == {"retrieval.ungrounded"}


class TestOneTurn:
    def test_the_worst_of_several_gives_the_incident_its_name_and_the_first_its_time(
        self, evaluations: tuple[Source, str], post: Callable[..., Any], support_assistant: System
    ) -> None:
        with time_machine.travel(NOON, tick=False) as clock:
            for title, severity in (("A", "low"), ("B", "critical"), ("C", "medium")):
                body = {"title": title, "metric": "groundedness", "system": "support-assistant", "severity": severity}
                post(evaluations[1], body)
                clock.shift(timedelta(seconds=1))
            drain()
        incident = Incident.objects.get()
        assert (incident.title, incident.severity, incident.noticed_by) == ("B", "sev1", "monitor")
        assert (incident.detected_at, incident.team) == (NOON, support_assistant.team)
        assert incident.events.get(kind="alert_linked").detail["count"] == 3

    def test_the_worst_of_several_that_join_raises_the_severity(
        self, evaluations: tuple[Source, str], tell: Callable[..., None], post: Callable[..., Any], policy_index: System
    ) -> None:
        tell("A", system="policy-index", severity="low")
        for title, severity in (("B", "medium"), ("C", "critical"), ("D", "low")):
            body = {"title": title, "metric": "groundedness", "system": "policy-index", "severity": severity}
            post(evaluations[1], body)
        drain()
        incident = Incident.objects.get()
        assert incident.severity == "sev2", "only a tier-1 system’s critical alert is the worst there is"
        event = incident.events.get(kind="severity")
        assert (event.by, event.detail["reason"]) == (None, "A more severe alert joined.")


class TestGathering:
    def test_what_was_resolved_just_now_stays_so_when_something_else_of_its_kind_fires(
        self, tell: Callable[..., None], support_assistant: System, mara: User
    ) -> None:
        tell("A")
        Incident.objects.get().acknowledge(by=mara)
        Incident.objects.get().resolve(by=mara)
        tell("B")
        assert [incident.status for incident in Incident.objects.order_by("number")] == ["resolved", "triage"]

    @pytest.mark.parametrize(("seconds", "incidents"), [(0, 1), (1, 2)])
    def test_a_rule_takes_it_up_again_until_its_time_is_over(
        self,
        tell: Callable[..., None],
        in_force: Callable[..., Any],
        support_assistant: System,
        mara: User,
        seconds: int,
        incidents: int,
    ) -> None:
        in_force({"reopen_minutes": 30})
        with time_machine.travel(NOON, tick=False) as clock:
            tell("A")
            Incident.objects.get().acknowledge(by=mara)
            Incident.objects.get().resolve(by=mara)
            clock.shift(timedelta(minutes=30, seconds=seconds))
            tell("B")
        assert Incident.objects.count() == incidents

    def test_what_is_closed_stays_closed(
        self, tell: Callable[..., None], in_force: Callable[..., Any], support_assistant: System, mara: User
    ) -> None:
        in_force({"reopen_minutes": 30})
        tell("A")
        incident = Incident.objects.get()
        incident.acknowledge(by=mara)
        incident.resolve(by=mara)
        incident.close(by=mara)
        tell("B")
        assert Incident.objects.count() == 2

    def test_groups_that_are_long_to_write_are_kept_apart_as_well(
        self, tell: Callable[..., None], in_force: Callable[..., Any], support_assistant: System
    ) -> None:
        in_force({"group_by": "model"})
        for title, model in (("A", "a"), ("B", "b"), ("C", "a")):
            tell(title, labels={"model": "m" * 60 + model})
        assert [incident.alerts.count() for incident in Incident.objects.order_by("number")] == [2, 1]

    @pytest.mark.parametrize(
        "matcher",
        [
            'severity="high"',
            'severity_raw="high"',
            'source="nightly-evaluations"',
            'kind="generic"',
            'system="support-assistant"',
            'service="answers"',
            'environment="staging"',
            'category="retrieval"',
            'failure_mode="retrieval.ungrounded"',
            'title="A"',
            'metric="groundedness"',
            'region="eu"',
        ],
    )
    def test_a_rule_sees_what_is_known_of_an_alert(
        self, tell: Callable[..., None], in_force: Callable[..., Any], support_assistant: System, matcher: str
    ) -> None:
        in_force({"matchers": matcher, "act": "record"})
        tell("A", service="answers", environment="staging", labels={"region": "eu", "severity": "none"})
        assert Alert.objects.get().held == "recorded"


class TestChanges:
    def test_one_is_recorded_once_however_often_and_however_it_is_announced(
        self, evaluations: tuple[Source, str], post: Callable[..., Any], support_assistant: System
    ) -> None:
        change = {
            "title": "Deploy",
            "kind": "prompt",
            "system": "support-assistant",
            "version": "v9",
            "url": "https://x.example/9",
        }
        for happened_at in ("2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z", "2026-11-20T11:00:00Z", ""):
            post(evaluations[1], {"change": change | {"happened_at": happened_at}})
            drain()
        recorded = support_assistant.changes.order_by("happened_at")
        assert [(row.title, row.kind, row.version, row.url) for row in recorded] == [
            ("Deploy", "prompt", "v9", "https://x.example/9")
        ] * 2
        assert [row.happened_at for row in recorded] == [NOON - timedelta(hours=2), NOON - timedelta(hours=1)]
        assert list(Outcome.objects.order_by("pk").values_list("reason", flat=True)) == [
            "“Deploy” is recorded as a change of support-assistant.",
            "“Deploy” is recorded as a change of support-assistant.",
            "“Deploy” is recorded already as a change of support-assistant.",
            "“Deploy” is recorded already as a change of support-assistant.",
        ]


class TestFacts:
    def test_a_label_shows_through_where_nothing_else_is_known_by_its_name(
        self, evaluations: tuple[Source, str], support_assistant: System
    ) -> None:
        alert = Alert(
            source=evaluations[0],
            labels={"metric": "gini", "environment": "eu", "severity": "page", "team": "feeds"},
            environment="",
            severity="high",
            measured={"metric": ""},
        )
        facts = facts_of(alert)
        assert (facts["metric"], facts["environment"], facts["team"]) == ("gini", "eu", "feeds")
        assert facts["severity"] == "high", "what is known stands above the label"
