"""What is forgotten by policy, and what is wiped because somebody asked."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from incidents.alerts.drain import drain
from incidents.alerts.models import Alert, Delivery, Outcome, Source
from incidents.alerts.retention import prune, wipe
from incidents.errors import Refused
from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.systems.models import System


@pytest.fixture
def told(evaluations: tuple[Source, str], support_assistant: System, post: Callable[..., Any]) -> None:
    """One alert with an incident, one without, and one that nobody understood."""
    token = evaluations[1]
    for body in (
        {
            "title": "Ada’s answer was wrong",
            "key": "a",
            "system": "support-assistant",
            "severity": "high",
            "description": "She wrote …",
        },
        {"title": "Only information", "key": "b", "severity": "info"},
        {"title": "Only information", "key": "b", "severity": "info", "status": "resolved"},
        {"nothing": "known"},
    ):
        post(token, body)
    drain()


def age(days: int) -> None:
    moment = timezone.now() - timedelta(days=days)
    Delivery.objects.update(received_at=moment)
    Alert.objects.update(last_received_at=moment)


def test_bodies_go_first_then_deliveries_then_alerts_and_what_an_incident_is_made_of_stays(told: None) -> None:
    age(29)
    assert prune().bodies == 0
    age(31)
    assert prune().bodies == 4
    assert {bytes(body) for body in Delivery.objects.values_list("body", flat=True)} == {b""}
    assert Delivery.objects.exclude(pruned_at=None).count() == 4
    age(91)
    assert prune().deliveries == 4
    assert not Outcome.objects.exists()
    age(401)
    assert prune().alerts == 1
    assert Alert.objects.get().incident == Incident.objects.get()


def test_what_is_not_processed_yet_is_never_pruned(evaluations: tuple[Source, str], post: Callable[..., Any]) -> None:
    post(evaluations[1], {"title": "Waiting"})
    age(500)
    prune()
    assert bytes(Delivery.objects.get().body)


def test_it_works_in_batches_and_stops_where_it_is_told(told: None, monkeypatch: Any) -> None:
    monkeypatch.setattr("incidents.alerts.retention.BATCH", 2)
    age(31)
    assert prune(most=2).bodies == 2
    assert prune().bodies == 2


def test_a_wiped_delivery_says_nothing_any_more_but_that_it_was_wiped(told: None, jo: User) -> None:
    delivery = Delivery.objects.order_by("pk").first()
    assert delivery is not None
    wipe(delivery, by=jo, reason="Ada asked for it")
    assert (bytes(delivery.body), delivery.wiped_by, delivery.wiped_because) == (b"", jo, "Ada asked for it")
    alert = Alert.objects.get(incident__isnull=False)
    assert (alert.title, alert.description, alert.labels) == ("(wiped)", "", {})
    assert alert.status == "firing", "what it did stays"
    with pytest.raises(Refused, match="already"):
        wipe(delivery, by=jo, reason="Again")


def test_an_alert_that_others_told_of_too_keeps_what_they_said(told: None, jo: User) -> None:
    first = Outcome.objects.filter(alert__title="Only information").order_by("pk")[0].delivery
    wipe(first, by=jo, reason="Asked")
    assert Alert.objects.get(incident=None).title == "Only information"


def test_a_wipe_needs_a_reason(told: None, jo: User) -> None:
    with pytest.raises(Refused, match="Say why"):
        wipe(Delivery.objects.all()[0], by=jo, reason=" ")
