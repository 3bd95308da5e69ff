"""What a turn makes of statements that are no plain firing or resolve."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import time_machine

from incidents.alerts.claims import Claim
from incidents.alerts.drain import drain
from incidents.alerts.models import Alert, Outcome, Source, Subscription
from incidents.alerts.sources import example
from incidents.alerts.sources.readers import READERS
from incidents.alerts.upkeep import expire
from incidents.systems.models import Change, System
from tests.alerts.tools import NOON, group, results, telling


class TestSpecialStatements:
    def test_ten_thousand_alerts_are_taken_at_once(
        self, connected: Callable[..., str], post: Callable[..., Any]
    ) -> None:
        token = connected("generic")
        many = [{"title": "Drift", "key": str(n), "severity": "info"} for n in range(10_000)]
        assert post(token, many).status_code == 200
        assert post(token, [*many, {"title": "x"}]).status_code == 413
        drain()
        assert Alert.objects.count() == 10_000

    def test_what_never_resolves_ends_after_its_sources_timer(
        self, connected: Callable[..., str], post: Callable[..., Any]
    ) -> None:
        token = connected("langsmith", auto_resolve_minutes=30)
        with time_machine.travel(NOON, tick=False) as clock:
            post(token, example("langsmith"))
            drain()
            clock.shift(timedelta(minutes=32))
            assert expire() == 1
        assert Alert.objects.get().status == "resolved"

    def test_missing_data_keeps_a_firing_alert_firing_and_opens_a_medium_one_otherwise(
        self, connected: Callable[..., str], post: Callable[..., Any]
    ) -> None:
        body = json.loads(example("datadog"))
        token = connected("datadog")
        post(token, body)
        post(token, body | {"alert_transition": "No Data"})
        post(token, body | {"alert_transition": "No Data", "alert_id": "2", "alert_priority": "P1"})
        drain()
        assert results() == ["opened", "repeated", "opened"]
        known, silent = Alert.objects.order_by("pk")
        assert (known.severity, known.condition) == ("high", "bad_value")
        assert (silent.severity, silent.condition) == ("medium", "no_data")

    def test_what_fires_under_the_name_of_an_older_recipe_goes_on_under_the_new_one(
        self, connected: Callable[..., str], post: Callable[..., Any]
    ) -> None:
        token = connected("gcp")
        said = json.loads(example("gcp"))
        post(token, said)
        drain()
        (claim,) = (one for one in READERS["gcp"](example("gcp"), {}) if isinstance(one, Claim))
        alert = Alert.objects.get()
        (former,) = claim.former_fingerprints(alert.source_id)
        Alert.objects.update(fingerprint=former)
        said["incident"] |= {"state": "closed", "ended_at": said["incident"]["started_at"] + 600}
        post(token, said)
        drain()
        ended = Alert.objects.get()
        assert (ended.status, ended.fingerprint) == ("resolved", claim.fingerprint(alert.source_id))

    def test_handshakes_and_changes_open_nothing(
        self, connected: Callable[..., str], post: Callable[..., Any], support_assistant: System
    ) -> None:
        post(connected("soda"), {"event": "validate", "sentAt": "2026-11-20T12:00:00Z"})
        post(connected("langfuse"), example("langfuse"))
        drain()
        assert sorted(results()) == ["change", "handshake"]
        assert Change.objects.get().title == "Prompt support-assistant version 14 created (production)"
        assert not Alert.objects.exists()

    def test_a_change_of_an_unknown_system_is_said(
        self, connected: Callable[..., str], post: Callable[..., Any]
    ) -> None:
        post(connected("langfuse"), example("langfuse"))
        drain()
        assert "no system is known as “support-assistant”" in Outcome.objects.get().reason

    def test_sns_asks_to_be_confirmed_and_waits(self, connected: Callable[..., str], post: Callable[..., Any]) -> None:
        asked = json.loads(example("aws_sns")) | {
            "Type": "SubscriptionConfirmation",
            "SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=1",
        }
        token = connected("aws")
        for _ in range(2):
            post(token, asked)
        drain()
        subscription = Subscription.objects.get()
        assert (subscription.topic, subscription.confirmed_at) == ("arn:aws:sns:eu-west-1:123456789012:ai-alarms", None)

    def test_an_alert_that_an_older_recipe_named_goes_on(
        self, connected: Callable[..., str], post: Callable[..., Any], monkeypatch: Any
    ) -> None:
        token = connected("honeycomb")
        post(token, example("honeycomb"))
        drain()
        today = READERS["honeycomb"]

        def renamed(body: bytes, headers: Any) -> list[Any]:
            return [
                replace(claim, identity=("honeycomb/2", "new", *claim.identity), former_identities=(claim.identity,))
                for claim in today(body, headers)
                if isinstance(claim, Claim)
            ]

        monkeypatch.setitem(READERS, "honeycomb", renamed)
        for _ in range(2):
            post(token, example("honeycomb"))
        drain()
        assert results() == ["opened", "repeated", "repeated"]
        assert Alert.objects.get().occurrences == 3

    def test_an_alert_whose_service_is_a_known_system_belongs_to_it(
        self, connected: Callable[..., str], post: Callable[..., Any], support_assistant: System
    ) -> None:
        post(connected("honeycomb"), example("honeycomb"))
        drain()
        assert Alert.objects.get().system == support_assistant


class TestFlapping:
    def test_each_return_within_ten_minutes_of_the_end_is_counted_until_it_rests_longer(
        self, tell: Callable[..., Alert]
    ) -> None:
        def flaps_after(minutes: float) -> int:
            """End it a minute after it began, and let it fire again so many minutes after that."""
            clock.shift(timedelta(minutes=1))
            tell("Recall fell", status="resolved")
            clock.shift(timedelta(minutes=minutes))
            return tell("Recall fell").flaps

        with time_machine.travel(NOON, tick=False) as clock:
            assert tell("Recall fell").flaps == 0
            assert [flaps_after(minutes) for minutes in (1, 10, 11, 2)] == [1, 2, 0, 1]

    def test_what_ends_and_returns_within_one_turn_is_counted(
        self, prometheus: tuple[Source, str], post: Callable[..., Any]
    ) -> None:
        minute = timedelta(minutes=1)
        post(prometheus[1], group(telling()))
        post(prometheus[1], group(telling("resolved", end=NOON + minute)))
        post(prometheus[1], group(telling(start=NOON + 2 * minute)))
        drain()
        assert list(Alert.objects.order_by("starts_at").values_list("flaps", flat=True)) == [0, 1]
