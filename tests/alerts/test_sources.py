"""Connecting a monitor, as the person who does it sees it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils.html import escape

from incidents.alerts import sns
from incidents.alerts.drain import drain
from incidents.alerts.models import Alert, Delivery, Source, Subscription
from incidents.alerts.models.source import LONGEST_TIMER
from incidents.alerts.sources import KINDS, example, mapped
from incidents.people.models import Team, User

JOB = {
    "run": {"id": 7, "name": "Nightly evaluation", "phase": "FAILED", "level": "P1"},
    "facts": ["system:support-assistant"],
}
MAP = {
    "title": "run.name",
    "key": "to_string(run.id)",
    "status": "run.phase",
    "severity": "run.level",
    "labels": "facts",
}


@pytest.fixture
def lead(jo: User, as_person: Callable[[User], Client]) -> Client:
    return as_person(jo)


class TestConnectingFromAShell:
    def test_a_timer_ends_what_the_monitor_never_says_is_over(self, db: None, capsys: Any) -> None:
        call_command("create_source", "litellm", "LiteLLM", "--timer", "60")
        made = json.loads(capsys.readouterr().out)
        assert Source.objects.get(slug=made["slug"]).auto_resolve_minutes == 60

    @pytest.mark.parametrize("minutes", [0, -1, LONGEST_TIMER + 1])
    def test_a_timer_that_cannot_be_meant_is_one_sentence(self, db: None, minutes: int) -> None:
        with pytest.raises(CommandError, match="1 to 43200 minutes"):
            call_command("create_source", "litellm", "LiteLLM", f"--timer={minutes}")
        assert not Source.objects.exists()


class TestConnecting:
    def test_every_kind_is_offered_and_has_a_guide(self, lead: Client) -> None:
        page = lead.get("/sources/new/").text
        for kind in KINDS.values():
            assert f'href="/sources/new/{kind.slug}/"' in page
            assert lead.get(f"/sources/new/{kind.slug}/").status_code == 200, kind.slug

    def test_the_address_is_shown_once_in_the_guide_too(self, lead: Client, assistants: Team) -> None:
        answer = lead.post("/sources/new/alertmanager/", {"name": "Prometheus", "team": assistants.pk})
        source = Source.objects.get()
        assert answer["Cache-Control"] == "no-store"
        assert "&lt;token&gt;" not in answer.text
        assert answer.text.count(source.hint) >= 3
        assert "Waiting for the first delivery" in answer.text
        again = lead.get(f"{source.get_absolute_url()}setup/").text
        assert "&lt;token&gt;" in again

    def test_it_says_connected_once_something_has_come(
        self, lead: Client, evaluations: tuple[Source, str], post: Callable[..., Any]
    ) -> None:
        source, token = evaluations
        path = f"{source.get_absolute_url()}connected/"
        assert "hx-get" in lead.get(path).text
        post(token, {"title": "Groundedness is low"})
        assert "A delivery has arrived" in lead.get(path).text
        drain()
        page = lead.get(path).text
        assert "Connected" in page
        assert "hx-get" not in page, "it has stopped asking"

    def test_it_says_so_where_what_comes_is_not_understood(
        self, lead: Client, evaluations: tuple[Source, str], post: Callable[..., Any]
    ) -> None:
        post(evaluations[1], {"nothing": "known"})
        drain()
        assert "has no “title”" in lead.get(f"{evaluations[0].get_absolute_url()}connected/").text

    def test_only_a_lead_connects(self, mara: User, as_person: Callable[[User], Client]) -> None:
        assert as_person(mara).get("/sources/new/").status_code == 403
        assert as_person(mara).get("/sources/new/generic/").status_code == 403

    def test_a_kind_that_is_none_is_404_and_a_bad_form_keeps_what_was_typed(self, lead: Client) -> None:
        assert lead.get("/sources/new/fax/").status_code == 404
        answer = lead.post("/sources/new/generic/", {"name": "Evals of mine", "team": ""})
        assert answer.status_code == 422
        assert "Evals of mine" in answer.text

    def test_a_source_called_new_has_a_page(self, assistants: Team, lead: Client) -> None:
        source, _ = Source.objects.connect(kind="generic", name="New", team=assistants)
        assert lead.get(source.get_absolute_url()).status_code == 200


class TestTheTestButton:
    @pytest.mark.parametrize("slug", KINDS)
    def test_it_shows_what_was_understood_and_opens_nothing(
        self, slug: str, assistants: Team, mara: User, as_person: Callable[[User], Client]
    ) -> None:
        source, _ = Source.objects.connect(kind=slug, name="A monitor", team=assistants)
        client = as_person(mara)
        answer = client.post(f"{source.get_absolute_url()}test/")
        drain()
        delivery = Delivery.objects.get()
        assert answer["Location"] == delivery.get_absolute_url()
        assert delivery.status == "processed"
        assert not Alert.objects.exists()
        assert "test" in client.get(delivery.get_absolute_url()).text

    def test_a_stranger_may_not(
        self, evaluations: tuple[Source, str], rui: User, as_person: Callable[[User], Client]
    ) -> None:
        as_person(rui).post(f"{evaluations[0].get_absolute_url()}test/")
        assert not Delivery.objects.exists()


class TestTheFieldMap:
    def test_it_is_tried_before_it_is_kept_and_used_from_then_on(
        self, lead: Client, evaluations: tuple[Source, str], post: Callable[..., Any]
    ) -> None:
        source, token = evaluations
        path = f"{source.get_absolute_url()}map/"
        post(token, JOB)
        drain()
        assert Delivery.objects.get().status == "dead"
        assert "Nightly evaluation" in lead.get(path).text, "what it last sent is there to try"
        tried = lead.post(path, {**MAP, "sample": json.dumps(JOB), "preview": "1"}, headers={"HX-Request": "true"})
        assert "critical" in tried.text
        assert "support-assistant" in tried.text
        source.refresh_from_db()
        assert source.field_map == {}
        assert lead.post(path, {**MAP, "sample": "{}"}).status_code == 302
        Delivery.objects.get().retry()
        post(token, JOB | {"run": JOB["run"] | {"phase": "PASSED"}})  # type: ignore[operator]  # it is an object
        drain()
        alert = Alert.objects.get()
        assert (alert.title, alert.status, alert.severity, alert.system_name) == (
            "Nightly evaluation",
            "resolved",
            "critical",
            "support-assistant",
        )

    def test_saving_it_reads_the_delivery_again_that_it_was_made_for(
        self, lead: Client, evaluations: tuple[Source, str], post: Callable[..., Any]
    ) -> None:
        source, token = evaluations
        for name in ("Nightly evaluation", "Weekly evaluation"):
            post(token, JOB | {"run": {"id": 7, "name": name}})
        drain()
        first, second = Delivery.objects.order_by("pk")
        page = lead.get(f"{source.get_absolute_url()}map/?delivery={first.pk}").text
        assert "Nightly evaluation" in page
        assert f'name="delivery" value="{first.pk}"' in page
        answer = lead.post(f"{source.get_absolute_url()}map/", {**MAP, "sample": "{}", "delivery": first.pk})
        assert answer["Location"] == first.get_absolute_url()
        drain()
        page = lead.get(first.get_absolute_url()).text
        assert "Opened an alert" in page
        assert "1 other delivery of" in page
        lead.post("/deliveries/retry/", {"source": source.slug})
        drain()
        second.refresh_from_db()
        assert second.status == "processed"
        assert "Read the others again" not in lead.get(first.get_absolute_url()).text

    @pytest.mark.parametrize("delivery", ["", "x", "9" * 30, "1"])
    def test_a_delivery_that_is_none_changes_nothing(
        self, lead: Client, evaluations: tuple[Source, str], delivery: str
    ) -> None:
        path = evaluations[0].get_absolute_url()
        answer = lead.post(f"{path}map/", {**MAP, "sample": "{}", "delivery": delivery})
        assert answer["Location"] == path

    def test_whoever_may_map_is_led_there_from_what_was_not_understood(
        self,
        lead: Client,
        mara: User,
        as_person: Callable[[User], Client],
        evaluations: tuple[Source, str],
        post: Callable[..., Any],
    ) -> None:
        source, token = evaluations
        post(token, JOB)
        drain()
        delivery = Delivery.objects.get()
        own = source.get_absolute_url()
        link = f"{own}map/?delivery={delivery.pk}"
        places = (delivery.get_absolute_url(), "/deliveries/", "/deliveries/?show=dead", own, f"{own}connected/")
        for place in places:
            assert link in lead.get(place).text, place
            assert link not in as_person(mara).get(place).text, place

    @pytest.mark.parametrize(
        ("changes", "error"), [({"title": "run["}, "run["), ({"title": ""}, "needs a title"), ({"key": "f("}, "Key")]
    )
    def test_an_expression_that_cannot_be_is_said_and_what_was_typed_is_kept(
        self, lead: Client, evaluations: tuple[Source, str], changes: dict[str, str], error: str
    ) -> None:
        answer = lead.post(f"{evaluations[0].get_absolute_url()}map/", {**MAP, **changes, "sample": "{}"})
        assert answer.status_code == 422
        assert error in answer.text
        typed = [escape(expression) for expression in (MAP | changes).values()]
        assert [expression for expression in typed if expression not in answer.text] == []
        evaluations[0].refresh_from_db()
        assert evaluations[0].field_map == {}

    @pytest.mark.parametrize("sample", ["", "{", "7", "[" * 5000, "\x00", json.dumps({"run": {"name": "x" * 100_000}})])
    def test_any_sample_can_be_tried(self, lead: Client, evaluations: tuple[Source, str], sample: str) -> None:
        answer = lead.post(
            f"{evaluations[0].get_absolute_url()}map/",
            {**MAP, "sample": sample, "preview": "1"},
            headers={"HX-Request": "true"},
        )
        assert answer.status_code in (200, 400)

    @pytest.mark.parametrize("preset", mapped.PRESETS)
    def test_one_can_start_from_a_map_that_exists(
        self, lead: Client, evaluations: tuple[Source, str], preset: str
    ) -> None:
        page = lead.get(f"{evaluations[0].get_absolute_url()}map/?preset={preset}")
        assert page.status_code == 200
        assert "needs a title" not in page.text

    def test_no_expression_at_all_is_no_map(self, lead: Client, evaluations: tuple[Source, str]) -> None:
        evaluations[0].map_fields(MAP)
        lead.post(f"{evaluations[0].get_absolute_url()}map/", {"sample": "{}"})
        evaluations[0].refresh_from_db()
        assert evaluations[0].field_map == {}

    def test_a_responder_may_not(
        self, evaluations: tuple[Source, str], mara: User, as_person: Callable[[User], Client]
    ) -> None:
        assert as_person(mara).get(f"{evaluations[0].get_absolute_url()}map/").status_code == 403


class TestTheSourcesPage:
    def test_it_counts_what_was_not_taken_and_says_why(
        self, lead: Client, evaluations: tuple[Source, str], post: Callable[..., Any]
    ) -> None:
        source, token = evaluations
        for body in (b"{", b"{", b"{}", b'{"title": "x", "key": "k"}', b'{"title": "x", "key": "k"}'):
            post(token, body)
        drain()
        page = lead.get(source.get_absolute_url()).text
        assert "The body is not JSON" in page
        assert "has no “title”" in page
        assert "2.0×" in page, "told twice, shown once"

    def test_a_secret_is_added_and_removed(self, lead: Client, evaluations: tuple[Source, str]) -> None:
        source = evaluations[0]
        lead.post(f"{source.get_absolute_url()}secrets/", {"secret": "a-secret-of-ours"})
        secret = source.signing_secrets.get()
        page = lead.get(source.get_absolute_url()).text
        assert "…ours" in page
        assert "a-secret-of-ours" not in page
        lead.post(f"{source.get_absolute_url()}secrets/{secret.pk}/remove/")
        assert not source.signing_secrets.exists()

    def test_its_settings_are_changed(self, lead: Client, evaluations: tuple[Source, str]) -> None:
        source = evaluations[0]
        path = f"{source.get_absolute_url()}settings/"
        sent = {
            "name": "Evals",
            "auto_resolve_minutes": "30",
            "max_bytes": "",
            "max_alerts": "5",
            "scheme": "standard",
            "system": "",
        }
        assert lead.post(path, sent).status_code == 302
        source.refresh_from_db()
        assert (source.name, source.auto_resolve_minutes, source.alert_limit, source.signing_scheme) == (
            "Evals",
            30,
            5,
            "standard",
        )
        for wrong in (
            {"auto_resolve_minutes": "0"},
            {"max_bytes": "-1"},
            {"name": "  "},
            {"scheme": "rot13"},
            {"system": "x"},
        ):
            assert lead.post(path, sent | wrong).status_code == 422, wrong

    def test_a_subscription_is_confirmed_once_somebody_approved_it(
        self, assistants: Team, lead: Client, mara: User, as_person: Callable[[User], Client], monkeypatch: Any
    ) -> None:
        source, _ = Source.objects.connect(kind="aws", name="CloudWatch", team=assistants)
        url = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=1"
        asked = Subscription.objects.create(source=source, topic="arn:aws:sns:eu-west-1:1:t", url=url)
        path = f"{source.get_absolute_url()}subscriptions/{asked.pk}/approve/"
        called: list[str] = []
        monkeypatch.setattr(sns, "_ask", called.append)
        as_person(mara).post(path)
        assert called == [], "a responder may not"
        lead.post(path)
        asked.refresh_from_db()
        assert called == [url]
        assert asked.confirmed_at
        assert asked.topic in lead.get(source.get_absolute_url()).text

    def test_a_subscription_to_somewhere_else_is_never_asked(
        self, assistants: Team, lead: Client, monkeypatch: Any
    ) -> None:
        source, _ = Source.objects.connect(kind="aws", name="CloudWatch", team=assistants)
        asked = Subscription.objects.create(
            source=source, topic="t", url="http://169.254.169.254/?Action=ConfirmSubscription&Token=1"
        )
        monkeypatch.setattr(sns, "_ask", lambda address: pytest.fail(f"asked {address}"))
        lead.post(f"{source.get_absolute_url()}subscriptions/{asked.pk}/approve/")
        asked.refresh_from_db()
        assert (asked.confirmed_at, asked.error) == (None, "The address to confirm is not one of Amazon SNS.")

    def test_a_refused_delivery_whose_body_was_not_kept_says_so(
        self, lead: Client, evaluations: tuple[Source, str], post: Callable[..., Any]
    ) -> None:
        post(evaluations[1], json.dumps([{"title": "x"}] * 10_001).encode())
        page = lead.get(Delivery.objects.get().get_absolute_url())
        assert "Not stored: its signature was missing or wrong, or it was too large." in page.text

    def test_an_example_is_understood_through_the_map_that_a_source_has(
        self, lead: Client, evaluations: tuple[Source, str], post: Callable[..., Any]
    ) -> None:
        source, token = evaluations
        post(token, JOB)
        source.map_fields(MAP)
        lead.post(f"{source.get_absolute_url()}test/")
        drain()
        assert "Nightly evaluation" in Delivery.objects.latest("pk").outcomes.get().reason
        assert example("generic") != bytes(Delivery.objects.latest("pk").body)
