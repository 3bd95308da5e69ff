"""Programs make webhooks, see what was delivered, and have it sent again; the API's description lists the events."""

import json
from collections.abc import Callable
from typing import Any

import jsonschema_rs
import pytest
from django.test import Client
from standardwebhooks import Webhook

from incidents.notifications import lanes
from incidents.notifications.announcing import announce
from incidents.notifications.destinations import Destination
from incidents.notifications.rules import every_topic
from incidents.notifications.topics import HEARD
from incidents.notifications.transmissions import Transmission
from incidents.people.models import Team, User
from incidents.response.incident import Incident
from tests.notifications.receivers import Desk

KeyOf = Callable[..., dict[str, str]]
BASE = "/api/v1/webhooks/"


@pytest.fixture
def ask(client: Client, key_of: KeyOf) -> Callable[..., Any]:
    def send(person: User, method: str, path: str = "", body: object = None) -> Any:
        return client.generic(
            method,
            BASE + path,
            data="" if body is None else json.dumps(body),
            content_type="application/json",
            headers=key_of(person),
        )

    return send


def test_a_webhook_is_made_changed_and_removed_and_its_secret_given_once(
    ask: Callable[..., Any], jo: User, assistants: Team
) -> None:
    made = ask(jo, "POST", body={"name": "Warehouse", "url": "https://hooks.example.com/in", "team": "assistants"})
    assert made.status_code == 201
    secret, pk = made.json()["secret"], made.json()["id"]
    assert secret.startswith("whsec_")
    assert made["Cache-Control"] == "no-store"
    seen = ask(jo, "GET", f"{pk}/")
    assert secret not in seen.content.decode()
    assert seen.json()["topics"] == every_topic()
    changed = ask(jo, "PATCH", f"{pk}/", {"topics": ["incident.opened"], "least_severity": "sev2"})
    assert (changed.json()["topics"], changed.json()["name"]) == (["incident.opened"], "Warehouse")
    assert ask(jo, "PATCH", f"{pk}/", {"team": None}).status_code == 400
    assert ask(jo, "POST", f"{pk}/rotate/").json()["secret"] != secret
    assert ask(jo, "DELETE", f"{pk}/").status_code == 204
    assert ask(jo, "GET", f"{pk}/").status_code == 404


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"url": "https://user:pass@hooks.example.com/"}, "url"),
        ({"url": "http://127.0.0.1/"}, "url"),
        ({"topics": ["incident.unheard_of"]}, "topics.0"),
        ({"topics": []}, "topics"),
        ({"categories": ["no such kind"]}, "categories"),
        ({"secret": "mine"}, "secret"),
        ({"name": " "}, "name"),
    ],
)
def test_what_is_wrong_is_named(
    fields: dict[str, object], wrong: str, ask: Callable[..., Any], jo: User, assistants: Team
) -> None:
    good = {"name": "Warehouse", "url": "https://hooks.example.com/in", "team": "assistants"}
    answer = ask(jo, "POST", body=good | fields)
    assert answer.status_code == 400
    assert wrong in answer.json()["errors"]


def test_only_leads_make_them_and_only_administrators_for_everybody(
    ask: Callable[..., Any], jo: User, mara: User, ada: User, assistants: Team
) -> None:
    own = {"name": "W", "url": "https://hooks.example.com/in", "team": "assistants"}
    everybodys = own | {"team": None}
    assert ask(mara, "POST", body=own).status_code == 403
    assert ask(jo, "POST", body=everybodys).status_code == 403
    assert ask(ada, "POST", body=everybodys).status_code == 201


def test_other_kinds_of_channels_are_not_among_them(
    ask: Callable[..., Any], ada: User, connect: Callable[..., Destination]
) -> None:
    row = connect(url="https://hooks.slack.com/services/T/B/x")
    assert ask(ada, "GET").json()["results"] == []
    assert ask(ada, "GET", f"{row.pk}/").status_code == 404


def test_deliveries_are_listed_and_sent_again(
    ask: Callable[..., Any],
    client: Client,
    key_of: KeyOf,
    receiver: Desk,
    connect: Callable[..., Destination],
    jo: User,
    rui: User,
    incident: Incident,
) -> None:
    row = connect("webhook", url=f"{receiver.url}/in")
    receiver.status = 422
    announce()
    lanes.work()
    listed = client.get(f"/api/v1/webhook-deliveries/?webhook={row.pk}", headers=key_of(jo)).json()["results"]
    assert [(one["topic"], one["outcome"], one["status"]) for one in listed] == [("incident.opened", "failed", 422)]
    assert client.get("/api/v1/webhook-deliveries/", headers=key_of(rui)).json()["results"] == []
    assert client.get("/api/v1/webhook-deliveries/?webhook=x", headers=key_of(jo)).status_code == 400
    receiver.status = 200
    assert ask(jo, "POST", f"{row.pk}/replay/", {}).status_code == 400
    assert ask(jo, "POST", f"{row.pk}/replay/", {"failed": True}).json() == {"count": 1}
    lanes.work()
    again = {"since": "2020-01-01T00:00:00Z", "until": "2199-01-01T00:00:00Z"}
    assert ask(jo, "POST", f"{row.pk}/replay/", again).json() == {"count": 1}
    assert ask(jo, "POST", f"{row.pk}/replay/", {"ids": [listed[0]["id"]]}).json() == {"count": 0}  # it waits
    assert ask(jo, "POST", f"{row.pk}/test/").json()["outcome"] == "delivered"
    assert ask(jo, "POST", f"{row.pk}/pause/").json()["paused_at"]
    assert ask(jo, "POST", f"{row.pk}/replay/", {"failed": True}).status_code == 400
    assert ask(jo, "POST", f"{row.pk}/resume/").json()["paused_at"] is None


def test_what_became_private_is_not_listed(
    client: Client, key_of: KeyOf, connect: Callable[..., Destination], jo: User, mara: User, incident: Incident
) -> None:
    connect("webhook", url="https://hooks.example.com/in")
    announce()
    incident.restrict([mara], by=mara)
    assert client.get("/api/v1/webhook-deliveries/", headers=key_of(jo)).json()["results"] == []
    assert len(client.get("/api/v1/webhook-deliveries/", headers=key_of(mara)).json()["results"]) == 1


class TestTheDescription:
    @pytest.fixture
    def described(self, client: Client, db: None) -> dict[str, Any]:
        found: dict[str, Any] = client.get("/api/v1/schema/?format=json").json()
        return found

    def test_it_lists_each_event_with_an_example_that_fits(self, described: dict[str, Any]) -> None:
        assert described["openapi"].startswith("3.1")
        assert set(described["webhooks"]) == {f"faultline.{topic}" for topic in HEARD}
        event = jsonschema_rs.validator_for(described["components"]["schemas"]["IncidentEvent"])
        for webhook in described["webhooks"].values():
            event.validate(webhook["post"]["requestBody"]["content"]["application/cloudevents+json"]["example"])

    def test_what_is_sent_is_as_it_is_described(
        self, described: dict[str, Any], receiver: Desk, connect: Callable[..., Destination], incident: Incident
    ) -> None:
        row = connect("webhook", url=f"{receiver.url}/in")
        announce()
        lanes.work()
        event = Webhook((row.config() or {})["secret"]).verify(receiver.got[0].body, receiver.got[0].headers)
        jsonschema_rs.validator_for(described["components"]["schemas"]["IncidentEvent"]).validate(event)
        assert Transmission.objects.get().sent_at
