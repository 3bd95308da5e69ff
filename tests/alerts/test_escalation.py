"""What a repeat may change: the worst stays, and a person's severity does."""

from collections.abc import Callable
from typing import Any

import pytest

from incidents.alerts.drain import drain
from incidents.alerts.models import Alert, Outcome, Source
from incidents.alerts.policies import RulesVersion
from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.systems.models import System


@pytest.fixture
def tell(evaluations: tuple[Source, str], post: Callable[..., Any]) -> Callable[..., None]:
    """Deliver one statement about the refunds of the support assistant and process it."""

    def deliver(severity: str = "low", **fields: Any) -> None:
        body = {"title": "Refunds", "key": "refunds", "system": "support-assistant", "severity": severity} | fields
        assert post(evaluations[1], body).status_code == 200
        drain()

    return deliver


def reason() -> str:
    return Outcome.objects.order_by("-pk")[0].reason


def test_a_worse_repeat_raises_the_alert_and_its_incident(tell: Callable[..., None], support_assistant: System) -> None:
    tell("low", title="Refunds: warning")
    tell("critical", title="Refunds: critical")
    alert, incident = Alert.objects.get(), Incident.objects.get()
    assert (alert.severity, alert.severity_raw, alert.title) == ("critical", "critical", "Refunds: critical")
    assert (incident.severity, incident.title) == ("sev1", "Refunds: critical")
    assert reason() == "It is firing already. Worse: critical, was low. Now called “Refunds: critical”."
    assert incident.events.get(kind="severity").detail["reason"] == "Its alert “Refunds: critical” got worse."


def test_a_title_that_a_person_wrote_stays(tell: Callable[..., None], support_assistant: System, mara: User) -> None:
    tell("low", title="Refunds: warning")
    Incident.objects.get().describe(title="Double refunds", summary="", by=mara)
    tell("critical", title="Refunds: critical")
    assert Incident.objects.get().title == "Double refunds"


def test_a_milder_repeat_lowers_nothing(tell: Callable[..., None], support_assistant: System) -> None:
    tell("critical", title="Refunds: critical")
    tell("low", title="Refunds: warning")
    alert = Alert.objects.get()
    assert (alert.severity, alert.title) == ("critical", "Refunds: critical")
    assert reason().endswith("Now low; the worst while it fires, critical, stays.")
    assert Incident.objects.get().severity == "sev1"


def test_a_new_title_is_taken_over_and_the_incident_keeps_its_own(
    tell: Callable[..., None], support_assistant: System
) -> None:
    tell("high")
    tell("high", title="Refunds of 400 customers")
    assert Alert.objects.get().title == "Refunds of 400 customers"
    assert Incident.objects.get().title == "Refunds"


def test_both_in_one_turn_open_one_incident_of_the_worst(
    evaluations: tuple[Source, str], post: Callable[..., Any], support_assistant: System
) -> None:
    for severity in ("low", "critical"):
        post(evaluations[1], {"title": "Refunds", "key": "r", "system": "support-assistant", "severity": severity})
    drain()
    assert Alert.objects.get().severity == "critical"
    assert Incident.objects.get().severity == "sev1"


@pytest.mark.parametrize("status", ["triage", "investigating"])
def test_a_severity_that_a_person_set_stays_in_every_status(
    tell: Callable[..., None], support_assistant: System, mara: User, status: str
) -> None:
    tell("low")
    incident = Incident.objects.get()
    if status == "investigating":
        incident.acknowledge(by=mara)
    incident.set_severity("sev3", by=mara, reason="Nobody was harmed.")
    tell("critical")
    tell("critical", key="another", title="Refunds again")
    incident.refresh_from_db()
    assert (incident.severity, incident.status) == ("sev3", status)
    told = incident.events.filter(kind="worse_alert").order_by("pk")
    assert [(event.detail["reason"], event.detail["suggests"], event.detail["alert"]["title"]) for event in told] == [
        ("Its alert “Refunds” got worse.", "sev1", "Refunds"),
        ("A more severe alert joined.", "sev1", "Refunds again"),
    ]


def test_the_same_repeat_says_it_once(tell: Callable[..., None], support_assistant: System, mara: User) -> None:
    tell("low")
    Incident.objects.get().set_severity("sev3", by=mara)
    for _ in range(3):
        tell("critical")
    assert Incident.objects.get().events.filter(kind="worse_alert").count() == 1


def test_what_a_rule_sets_is_set_again_and_not_taken_for_the_monitors_word(
    tell: Callable[..., None], support_assistant: System, ada: User
) -> None:
    draft = RulesVersion.objects.begin_draft(by=ada)
    draft.rewrite([{"name": "Calm", "matchers": 'severity="critical"', "set_severity": "low"}], by=ada)
    draft.publish(by=ada)
    tell("high")
    tell("critical")
    alert = Alert.objects.get()
    assert (alert.severity, alert.claimed_severity) == ("low", "critical")
    tell("critical")
    assert Outcome.objects.order_by("-pk")[0].reason == "It is firing already."


def test_information_that_turns_bad_opens_an_incident(tell: Callable[..., None], support_assistant: System) -> None:
    tell("info")
    assert not Incident.objects.exists()
    tell("high")
    assert (Alert.objects.get().held, Incident.objects.get().severity) == ("", "sev2")


def test_what_gets_worse_after_it_was_resolved_is_open_again(
    tell: Callable[..., None], support_assistant: System, mara: User
) -> None:
    tell("low")
    incident = Incident.objects.get()
    incident.acknowledge(by=mara)
    incident.resolve(by=mara)
    tell("critical")
    incident.refresh_from_db()
    assert incident.is_open
    assert Incident.objects.count() == 1


def test_what_gets_worse_after_its_incident_was_declined_opens_another(
    tell: Callable[..., None], support_assistant: System, mara: User
) -> None:
    tell("low")
    Incident.objects.get().decline(by=mara, reason="Noise.")
    tell("critical")
    assert [incident.severity for incident in Incident.objects.order_by("number")] == ["sev4", "sev1"]


class TestConditions:
    @pytest.mark.parametrize(
        ("said", "title", "severity", "opens"),
        [
            ("firing", "Recall", "critical", True),
            ("no data", "No data: Recall", "medium", True),
            ("query error", "Check failed to run: Recall", "low", False),
            ("notice", "Recall", "info", False),
        ],
    )
    def test_each_has_its_title_its_severity_and_its_consequence(
        self, tell: Callable[..., None], support_assistant: System, said: str, title: str, severity: str, opens: bool
    ) -> None:
        tell("critical", title="Recall", status=said, metric="recall_at_10")
        alert = Alert.objects.get()
        assert (alert.title, alert.severity) == (title, severity)
        assert Incident.objects.exists() is opens
        assert bool(alert.category) is (said == "firing")

    def test_a_check_that_fails_to_run_opens_an_incident_where_a_rule_says_so(
        self, tell: Callable[..., None], support_assistant: System, ada: User
    ) -> None:
        draft = RulesVersion.objects.begin_draft(by=ada)
        draft.rewrite([{"name": "Blind", "matchers": 'condition="check_failed"', "act": "open"}], by=ada)
        draft.publish(by=ada)
        tell(status="query error")
        assert Incident.objects.get().title == "Check failed to run: Refunds"

    def test_a_value_that_comes_after_silence_says_what_failed(
        self, tell: Callable[..., None], support_assistant: System
    ) -> None:
        tell("critical", title="Recall", status="no data", metric="recall_at_10")
        tell("critical", title="Recall", status="firing", metric="recall_at_10")
        alert = Alert.objects.get()
        assert (alert.condition, alert.title, alert.severity) == ("bad_value", "Recall", "critical")
        assert alert.category
        assert Incident.objects.get().severity == "sev1"

    def test_silence_after_a_bad_value_changes_nothing(
        self, tell: Callable[..., None], support_assistant: System
    ) -> None:
        tell("critical")
        tell("critical", status="no data")
        assert Alert.objects.get().condition == "bad_value"
        assert reason().endswith("Now “no data”, which says nothing new about the value.")


class TestWithoutASystem:
    def test_unrelated_alerts_of_one_source_are_two_incidents(self, tell: Callable[..., None]) -> None:
        for title in ("Disk full on node a", "Payment webhook answers 500"):
            tell(title=title, key=title, system="")
        assert [incident.title for incident in Incident.objects.order_by("number")] == [
            "Disk full on node a",
            "Payment webhook answers 500",
        ]

    def test_the_same_alert_of_many_nodes_is_one(self, tell: Callable[..., None]) -> None:
        for node in range(3):
            tell(title=f"Disk full on node {node}", key=str(node), system="")
        assert Incident.objects.count() == 1

    def test_one_service_is_one_place(self, tell: Callable[..., None]) -> None:
        for title in ("Slow", "Wrong"):
            tell(title=title, key=title, system="", service="ranker")
        (first, second) = Alert.objects.order_by("pk")
        assert first.incident == second.incident
        assert second.routed_because == "Joined INC-1, which is open for the service “ranker”, unclassified."
