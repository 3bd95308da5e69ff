"""What people decide about alerts: the words, the times and the names that are kept with it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from incidents.alerts import by_hand
from incidents.alerts.models import Alert
from incidents.alerts.policies import Correction
from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.systems.models import System, SystemName

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)

Tell = Callable[..., Alert]


@pytest.fixture
def recorded(tell: Tell, support_assistant: System) -> Callable[..., Alert]:
    """An alert that opened nothing, because it was only information, and that somebody judges to be worse."""

    def record(title: str, severity: str, **facts: str) -> Alert:
        alert = tell(title, severity="info", system="support-assistant", **facts)
        Alert.objects.filter(pk=alert.pk).update(severity=severity)
        return Alert.objects.get(pk=alert.pk)

    return record


def test_an_incident_opened_from_several_is_called_by_the_worst_and_detected_with_the_first(
    recorded: Callable[..., Alert], mara: User, support_assistant: System
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        first = recorded("Recall dips", "low")
        clock.shift(timedelta(minutes=5))
        worst = recorded("Answers are made up", "critical", metric="groundedness")
        incident = by_hand.open_incident(first, worst, by=mara)
    assert (incident.title, incident.severity, incident.system) == ("Answers are made up", "sev1", support_assistant)
    assert (incident.failure_mode, incident.classified_because) == (worst.failure_mode, worst.classified_because)
    assert (incident.opened_by, incident.lead, incident.noticed_by) == (mara, mara, "monitor")
    assert (incident.detected_at, incident.declared_at) == (NOON, NOON + timedelta(minutes=5))
    event = incident.events.get(kind="alert_linked")
    assert (event.by, event.detail["count"]) == (mara, 2)
    assert set(incident.alerts.all()) == {first, worst}


def test_alerts_linked_by_hand_say_who_did_it(recorded: Callable[..., Alert], mara: User, incident: Incident) -> None:
    alert = recorded("Recall dips", "low")
    by_hand.link([alert], incident, by=mara)
    alert.refresh_from_db()
    assert (alert.incident, alert.held) == (incident, "")
    event = incident.events.get(kind="alert_linked")
    assert (event.by, event.detail) == (mara, {"count": 1, "alerts": [{"id": alert.pk, "title": "Recall dips"}]})


def test_a_classification_says_who_made_it_and_who_replaced_it(
    recorded: Callable[..., Alert], mara: User, jo: User
) -> None:
    alert = recorded("Odd", "low", metric="weird_number")
    by_hand.classify([alert], category="", failure_mode="drift.covariate", remember=True, by=mara)
    alert.refresh_from_db()
    assert (alert.category, alert.failure_mode, alert.confidence) == ("drift", "drift.covariate", "high")
    assert alert.classified_because == "Classified by Mara Okafor."
    by_hand.classify([alert], category="retrieval", remember=True, by=jo)
    first, second = Correction.objects.order_by("pk")
    assert (first.made_by, first.category, first.undone_by) == (mara, "drift", jo)
    assert (second.made_by, second.category, second.failure_mode, second.undone_at) == (jo, "retrieval", "", None)


def test_a_name_is_settled_for_what_is_open_and_of_that_name(tell: Tell, mara: User, support_assistant: System) -> None:
    for name in ("Helpdesk Bot", "Another Bot"):
        tell(f"Recall of {name}", system=name, severity="high")
    by_hand.settle_system(" Helpdesk Bot ", support_assistant, by=mara)
    settled = SystemName.objects.get(system=support_assistant, settled_by=mara)
    assert settled.name == "helpdesk bot"
    assert [incident.system for incident in Incident.objects.order_by("number")] == [support_assistant, None]
    assert [alert.system for alert in Alert.objects.order_by("pk")] == [support_assistant, None]
    event = Incident.objects.get(system=support_assistant).events.get(kind="system")
    assert event.by == mara
