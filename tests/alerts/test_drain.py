"""What becomes of deliveries."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from incidents.alerts.drain import drain
from incidents.alerts.models import Alert, Delivery, Outcome, Source
from incidents.people.models import Team, User
from incidents.response.events import Event
from incidents.response.incident import Incident
from incidents.systems.models import System
from tests.alerts.tools import NOON, group, telling


class TestOneAlert:
    def test_a_firing_alert_opens_a_classified_incident_and_says_why(
        self, prometheus: tuple[Source, str], support_assistant: System, post: Callable[..., Any]
    ) -> None:
        answer = post(prometheus[1], group(telling()))
        assert answer.status_code == 200
        assert answer.json()["status_url"].endswith(f"/api/v1/deliveries/{answer.json()['delivery']}/")
        assert drain() == 1
        incident = Incident.objects.get()
        assert (incident.number, incident.status, incident.severity) == (1, "triage", "sev1")
        assert (incident.system, incident.category, incident.failure_mode) == (
            support_assistant,
            "retrieval",
            "retrieval.ungrounded",
        )
        assert "GroundednessLow" in incident.classified_because
        alert = Alert.objects.get()
        assert alert.incident == incident
        assert alert.routed_because.startswith("Opened INC-1")
        assert [event.kind for event in incident.events.all()] == ["opened", "alert_linked"]
        assert incident.detected_at == alert.first_received_at
        assert incident.acknowledged_at is None, "nobody took it yet: the time to acknowledge is still running"

    def test_the_same_delivery_twice_makes_one_alert_seen_twice(
        self, prometheus: tuple[Source, str], support_assistant: System, post: Callable[..., Any]
    ) -> None:
        for _ in range(2):
            post(prometheus[1], group(telling()))
        drain()
        assert Alert.objects.get().occurrences == 2
        assert Incident.objects.count() == 1
        assert sorted(Outcome.objects.values_list("result", flat=True)) == ["opened", "repeated"]

    def test_a_resolve_clears_the_alert_and_leaves_the_incident_to_people(
        self, prometheus: tuple[Source, str], support_assistant: System, post: Callable[..., Any]
    ) -> None:
        post(prometheus[1], group(telling()))
        post(prometheus[1], group(telling("resolved", end=NOON + timedelta(minutes=5))))
        drain()
        alert = Alert.objects.get()
        assert (alert.status, alert.ends_at) == ("resolved", NOON + timedelta(minutes=5))
        incident = Incident.objects.get()
        assert incident.status == "triage"
        assert incident.events.filter(kind=Event.Kind.ALERTS_CLEARED).count() == 1

    def test_a_stale_firing_after_the_resolve_reopens_nothing(
        self, prometheus: tuple[Source, str], support_assistant: System, post: Callable[..., Any]
    ) -> None:
        for said in (telling(), telling("resolved", end=NOON + timedelta(minutes=5)), telling()):
            post(prometheus[1], group(said))
            drain()
        assert Alert.objects.get().status == "resolved"
        assert Outcome.objects.order_by("-pk").values_list("result", flat=True)[0] == "stale"

    def test_a_resolve_that_comes_before_its_firing_opens_nothing(
        self, prometheus: tuple[Source, str], support_assistant: System, post: Callable[..., Any]
    ) -> None:
        for said in (telling("resolved", end=NOON + timedelta(minutes=5)), telling()):
            post(prometheus[1], group(said))
            drain()
        assert Incident.objects.count() == 0
        assert Alert.objects.get().status == "resolved"

    def test_it_fires_again_with_a_newer_start_as_a_new_episode_of_the_same_incident(
        self, prometheus: tuple[Source, str], support_assistant: System, post: Callable[..., Any]
    ) -> None:
        for said in (
            telling(),
            telling("resolved", end=NOON + timedelta(minutes=5)),
            telling(start=NOON + timedelta(minutes=9)),
        ):
            post(prometheus[1], group(said))
        drain()
        assert [alert.status for alert in Alert.objects.order_by("starts_at")] == ["resolved", "firing"]
        assert Incident.objects.count() == 1

    def test_information_is_recorded_and_opens_no_incident(
        self, prometheus: tuple[Source, str], support_assistant: System, post: Callable[..., Any]
    ) -> None:
        post(prometheus[1], group(telling(severity="info")))
        drain()
        assert Incident.objects.count() == 0
        assert "no incident" in Alert.objects.get().routed_because


class TestRouting:
    def test_alerts_of_one_system_and_category_share_an_incident(
        self, prometheus: tuple[Source, str], support_assistant: System, post: Callable[..., Any]
    ) -> None:
        post(prometheus[1], group(telling(severity="warning")))
        drain()
        post(prometheus[1], group(telling(instance="b")))
        drain()
        incident = Incident.objects.get()
        assert incident.alerts.count() == 2
        assert incident.severity == "sev1", "a worse alert raises the severity while nobody has taken the incident"

    def test_a_more_severe_alert_raises_the_severity_while_nobody_has_taken_the_incident(
        self, prometheus: tuple[Source, str], support_assistant: System, post: Callable[..., Any]
    ) -> None:
        post(prometheus[1], group(telling(severity="warning")))
        drain()
        assert Incident.objects.get().severity == "sev3"
        post(prometheus[1], group(telling(instance="b")))
        drain()
        post(prometheus[1], group(telling(instance="c", severity="warning")))
        drain()
        assert Incident.objects.get().severity == "sev1", "it rises, and a milder alert does not lower it"

    def test_a_joining_alert_leaves_alone_the_severity_of_an_incident_that_somebody_took(
        self, prometheus: tuple[Source, str], support_assistant: System, post: Callable[..., Any], mara: User
    ) -> None:
        post(prometheus[1], group(telling(severity="warning")))
        drain()
        Incident.objects.get().acknowledge(by=mara)
        post(prometheus[1], group(telling(instance="b")))
        drain()
        assert Incident.objects.get().severity == "sev3"

    def test_after_the_resolution_the_next_alert_opens_a_new_incident(
        self, prometheus: tuple[Source, str], support_assistant: System, post: Callable[..., Any], mara: User
    ) -> None:
        post(prometheus[1], group(telling()))
        drain()
        first = Incident.objects.get()
        first.acknowledge(by=mara)
        first.resolve(by=mara)
        post(prometheus[1], group(telling(instance="b")))
        drain()
        assert Incident.objects.count() == 2

    def test_alerts_follow_an_incident_that_somebody_classified_otherwise(
        self, prometheus: tuple[Source, str], support_assistant: System, post: Callable[..., Any], mara: User
    ) -> None:
        post(prometheus[1], group(telling(alertname="SomethingOdd")))
        drain()
        incident = Incident.objects.get()
        assert incident.category == "retrieval", "the summary speaks of groundedness"
        incident.classify("", "data_quality.freshness", by=mara)
        post(prometheus[1], group(telling(alertname="FreshnessLagHigh")))
        drain()
        assert Incident.objects.get().alerts.count() == 2

    def test_of_two_incidents_that_become_the_same_each_keeps_its_own_alerts(
        self, prometheus: tuple[Source, str], support_assistant: System, post: Callable[..., Any], mara: User
    ) -> None:
        post(prometheus[1], group(telling(), telling(alertname="FeatureDriftHigh")))
        drain()
        first, second = Incident.objects.order_by("number")
        keys = {first.correlation_key, second.correlation_key}
        second.classify(first.category, by=mara)
        assert {first.correlation_key, Incident.objects.get(pk=second.pk).correlation_key} == keys

    def test_an_unknown_system_is_kept_and_settled_once_for_later_alerts_too(
        self, prometheus: tuple[Source, str], support_assistant: System, post: Callable[..., Any], mara: User
    ) -> None:
        from incidents.alerts.by_hand import settle_system

        post(prometheus[1], group(telling(system="Helpdesk Bot")))
        drain()
        alert = Alert.objects.get()
        assert (alert.system, alert.system_name) == (None, "Helpdesk Bot")
        assert settle_system("Helpdesk Bot", support_assistant, by=mara) == 1
        assert Incident.objects.get().system == support_assistant
        post(prometheus[1], group(telling(system="helpdesk bot", instance="b")))
        drain()
        assert Alert.objects.filter(system=support_assistant).count() == 2

    def test_an_unknown_service_is_asked_for_in_the_inbox_and_settled_once(
        self,
        evaluations: tuple[Source, str],
        support_assistant: System,
        post: Callable[..., Any],
        jo: User,
        as_person: Callable[[User], Client],
    ) -> None:
        for number in range(2):
            post(evaluations[1], {"title": f"Slow {number}", "service": "helpdesk-api", "key": str(number)})
        post(evaluations[1], {"title": "Nameless"})
        drain()
        client = as_person(jo)
        page = client.get("/alerts/?show=unsettled").text
        assert page.count("helpdesk-api</a>") == 1, "one name, once"
        newest = Alert.objects.filter(service="helpdesk-api").latest("pk")
        client.post(f"/alerts/{newest.pk}/settle/", {"system": support_assistant.pk})
        post(evaluations[1], {"title": "Slow again", "service": "Helpdesk-API"})
        drain()
        assert Alert.objects.filter(system=support_assistant).count() == 3
        assert "helpdesk-api</a>" not in client.get("/alerts/?show=unsettled").text
        nameless = Alert.objects.get(title="Nameless")
        assert "set it on the source" in client.get(nameless.get_absolute_url()).text
        assert client.post(f"/alerts/{nameless.pk}/settle/", {"system": support_assistant.pk}).status_code < 500

    def test_the_sources_own_system_is_used_where_the_alert_names_none(
        self, evaluations: tuple[Source, str], support_assistant: System, post: Callable[..., Any]
    ) -> None:
        Source.objects.update(system=support_assistant)
        post(evaluations[1], {"title": "Nightly evaluation failed", "metric": "hit_rate@5"})
        drain()
        assert Incident.objects.get().system == support_assistant


class TestOddDeliveries:
    @pytest.mark.parametrize(
        ("body", "error"), [(b'{"alerts": [', "not JSON"), (b"\xff\xfe{}", "not JSON"), (b"[" * 100_000, "nested")]
    )
    def test_what_is_not_json_is_refused_and_kept_once_with_the_reason(
        self, body: bytes, error: str, prometheus: tuple[Source, str], post: Callable[..., Any]
    ) -> None:
        for _ in range(3):
            answer = post(prometheus[1], body)
            assert answer.status_code == 400
            assert error in answer.json()["detail"]
        delivery = Delivery.objects.get()
        assert (delivery.status, delivery.repeats) == ("refused", 2)
        assert error in delivery.error
        assert bytes(delivery.body) == body
        assert drain() == 0

    @pytest.mark.parametrize(
        ("body", "error"),
        [
            (b'"text"', "no list"),
            (b'{"alerts": 7}', "no list"),
            (b'{"alerts":' + b"[" * 90 + b"]" * 90 + b"}", "nested"),
        ],
    )
    def test_what_cannot_be_understood_is_kept_with_the_reason(
        self, body: bytes, error: str, prometheus: tuple[Source, str], post: Callable[..., Any]
    ) -> None:
        assert post(prometheus[1], body).status_code == 200
        drain()
        delivery = Delivery.objects.get()
        assert delivery.status == "dead"
        assert error in delivery.error
        assert bytes(delivery.body) == body

    @pytest.mark.parametrize(
        "title", [r"\u0000 nul", r"\ud83d alone", "x" * 5000, "   ", "<script>alert(1)</script>", "‮gnp"]
    )
    def test_strange_text_is_taken(self, title: str, evaluations: tuple[Source, str], post: Callable[..., Any]) -> None:
        body = f'{{"title": "{title}", "message": "m", "value": NaN, "key": "k", "n": {"9" * 5000}}}'
        assert post(evaluations[1], body.encode()).status_code == 200
        drain()
        assert Delivery.objects.get().status == "processed"
        assert Alert.objects.get().title

    def test_a_dead_delivery_can_be_tried_again(
        self, evaluations: tuple[Source, str], post: Callable[..., Any]
    ) -> None:
        post(evaluations[1], b"{}")
        drain()
        delivery = Delivery.objects.get()
        Delivery.objects.update(body=b'{"title": "mended"}')
        delivery.retry()
        drain()
        delivery.refresh_from_db()
        assert (delivery.status, delivery.error, delivery.claim_count) == ("processed", "", 1)

    def test_a_busy_source_does_not_keep_the_others_waiting(
        self,
        evaluations: tuple[Source, str],
        prometheus: tuple[Source, str],
        post: Callable[..., Any],
        monkeypatch: Any,
    ) -> None:
        monkeypatch.setattr("incidents.alerts.drain.DELIVERIES_A_TURN", 2)
        for n in range(6):
            post(evaluations[1], {"title": f"Busy {n}", "key": str(n)})
        post(prometheus[1], group(telling()))
        drain(limit=3)
        assert Alert.objects.filter(source=prometheus[0]).count() == 1

    def test_one_poisoned_delivery_does_not_stop_the_ones_behind_it(
        self, evaluations: tuple[Source, str], post: Callable[..., Any]
    ) -> None:
        post(evaluations[1], {"title": "Before"})
        post(evaluations[1], b"[7]")
        post(evaluations[1], {"title": "After"})
        drain()
        assert sorted(Alert.objects.values_list("title", flat=True)) == ["After", "Before"]

    def test_a_test_notification_opens_nothing(self, evaluations: tuple[Source, str], post: Callable[..., Any]) -> None:
        post(evaluations[1], {"title": "Hello", "test": True})
        drain()
        assert not Alert.objects.exists()
        assert Outcome.objects.get().result == "test"


@pytest.mark.django_db(transaction=True)
def test_a_storm_of_simultaneous_deliveries_makes_each_alert_once() -> None:
    """400 new fingerprints × 8 simultaneous deliveries, drained by four at once."""
    team = Team.objects.create(slug="a", name="A")
    for n in range(4):
        System.objects.create(slug=f"system-{n}", name=f"system-{n}", kind="rag", team=team)
    _source, token = Source.objects.connect(kind="alertmanager", name="Prometheus", team=team)
    kinds = ["GroundednessLow", "FeatureDriftHigh"]
    bodies = [
        json.dumps(group(telling(system=f"system-{n % 4}", alertname=kinds[n // 4 % 2], instance=str(n)))).encode()
        for n in range(400)
    ]

    def send(body: bytes) -> int:
        try:
            return Client().post(f"/ingest/{token}", body, content_type="application/json").status_code
        finally:
            connection.close()

    def work(_: int) -> int:
        try:
            return sum(drain() for _ in range(3))
        finally:
            connection.close()

    with ThreadPoolExecutor(12) as pool:
        drains = [pool.submit(work, n) for n in range(4)]
        answers = list(pool.map(send, [body for body in bodies for _ in range(8)]))
        [drained.result() for drained in drains]
    drain()
    assert set(answers) == {200}
    assert not Delivery.objects.exclude(status="processed").exists()
    assert Alert.objects.count() == 400
    assert sum(Alert.objects.values_list("occurrences", flat=True)) == 3200
    assert Outcome.objects.count() == 3200
    assert Incident.objects.count() == 8, "one for each system and category"
    assert sorted(Incident.objects.values_list("number", flat=True)) == list(range(1, 9)), "numbers have no gap"


class TestChanges:
    def test_a_build_tells_of_a_change_at_a_generic_address(
        self, evaluations: tuple[Source, str], support_assistant: System, post: Callable[..., Any]
    ) -> None:
        told = {"change": {"title": "Prompt v42", "kind": "prompt", "system": "support-assistant", "version": "v42"}}
        post(evaluations[1], [told, {"change": {"title": "?", "kind": "weather"}}, {"change": {}}])
        drain()
        change = support_assistant.changes.get()
        assert (change.kind, change.title, change.version) == ("prompt", "Prompt v42", "v42")
        reasons = list(Delivery.objects.get().outcomes.order_by("position").values_list("reason", flat=True))
        assert "“weather” is no kind" in reasons[1]
        assert "has no “title”" in reasons[2]
