"""Programs read who is on call, and override it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client

from incidents.oncall.cover import on_call
from incidents.oncall.overrides import Override
from incidents.oncall.rota import Rota
from incidents.people.models import Team, User
from incidents.systems.models import System
from tests.oncall.conftest import at

WriteRota = Callable[..., Rota]
Key = Callable[..., dict[str, str]]
NOW = at("2026-01-07T12:00")
JSON = "application/json"
SECOND_WEEK = {"starts_at": "2026-01-12T08:00:00Z", "ends_at": "2026-01-19T08:00:00Z"}


@pytest.fixture(autouse=True)
def _in_the_first_week() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def test_who_is_on_call_now_and_at_a_moment(
    client: Client,
    mara: User,
    jo: User,
    sam: User,
    support_assistant: System,
    risk: Team,
    write_rota: WriteRota,
    key_of: Key,
) -> None:
    write_rota(mara, jo)

    def ask(query: str = "") -> Any:
        return client.get(f"/api/v1/on-call/{query}", headers=key_of(sam, "read")).json()["results"]

    [assistants, other] = ask()
    assert assistants == {
        "team": "assistants",
        "by": "rota",
        "people": ["mara@example.com"],
        "until": "2026-01-12T08:00:00Z",
        "next": ["jo@example.com"],
    }
    assert (other["team"], other["by"], other["people"], other["until"]) == ("risk", "nobody", [], None)
    assert [row["team"] for row in ask("?team=risk")] == ["risk"]
    [later] = ask("?system=support-assistant&at=2026-01-14T00:00:00Z")
    assert later["people"] == ["jo@example.com"]


def test_shifts_gaps_and_double_cover_are_listed(
    client: Client, assistants: Team, mara: User, jo: User, write_rota: WriteRota, key_of: Key
) -> None:
    write_rota(mara)
    override = Override.objects.add(
        assistants, person=jo, starts_at=NOW, ends_at=at("2026-01-08T12:00"), by=jo, replaces=False
    )
    path = "/api/v1/on-call/assistants/shifts/?since=2026-01-01T00:00:00Z&until=2026-01-09T00:00:00Z"
    found = client.get(path, headers=key_of(mara)).json()
    assert found["gaps"] == [{"start": "2026-01-01T00:00:00Z", "end": "2026-01-05T08:00:00Z"}]
    assert found["double_cover"] == [
        {
            "start": "2026-01-07T12:00:00Z",
            "end": "2026-01-08T12:00:00Z",
            "people": ["mara@example.com", "jo@example.com"],
        }
    ]
    assert [(row["person"], row["because"], row["override"]) for row in found["shifts"]] == [
        ("mara@example.com", "rota", None),
        ("jo@example.com", "override", override.pk),
    ]


def test_overrides_are_made_listed_and_taken_back(
    client: Client, assistants: Team, mara: User, jo: User, tom: User, write_rota: WriteRota, key_of: Key
) -> None:
    write_rota(mara, jo)
    path = "/api/v1/on-call/assistants/overrides/"

    def post(user: User, person: str, **more: str) -> Any:
        body = SECOND_WEEK | {"person": f"{person}@example.com"} | more
        return client.post(path, body, content_type=JSON, headers=key_of(user))

    assert post(tom, "mara").status_code == 403
    made = post(tom, "tom", note="Jo is away")
    assert (made.status_code, made.json()["by"], made.json()["note"]) == (201, "tom@example.com", "Jo is away")
    assert on_call(assistants, at("2026-01-14T12:00")) == [tom]
    [listed] = client.get(path, headers=key_of(mara)).json()["results"]
    assert listed["id"] == made.json()["id"]
    one = f"{path}{listed['id']}/"
    assert client.delete(one, headers=key_of(mara)).status_code == 403
    assert client.delete(one, headers=key_of(tom)).status_code == 204
    assert client.delete(one, headers=key_of(tom)).status_code == 404
    assert on_call(assistants, at("2026-01-14T12:00")) == [jo]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/v1/on-call/?at=1026-01-01T00:00:00Z", "at"),
        ("/api/v1/on-call/?team=nobody", "team"),
        ("/api/v1/on-call/?tema=assistants", "tema"),
        ("/api/v1/on-call/assistants/shifts/?since=2026-01-01T00:00:00Z&until=2027-01-01T00:00:00Z", "until"),
        ("/api/v1/on-call/assistants/shifts/?until=2025-01-01T00:00:00Z", "until"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_its_field(
    client: Client, mara: User, key_of: Key, path: str, field: str
) -> None:
    answer = client.get(path, headers=key_of(mara))
    assert answer.status_code == 400
    assert field in answer.json()["errors"]


def test_times_that_cannot_be_are_refused_in_words(
    client: Client, mara: User, write_rota: WriteRota, key_of: Key
) -> None:
    write_rota(mara)
    body = {"person": "mara@example.com", "starts_at": "2026-01-09T08:00:00Z", "ends_at": "2026-01-08T08:00:00Z"}
    answer = client.post("/api/v1/on-call/assistants/overrides/", body, content_type=JSON, headers=key_of(mara))
    assert answer.status_code == 400
    assert answer.json()["errors"] == {"ends_at": ["The end must be after the start."]}
    assert client.get("/api/v1/on-call/nobody/shifts/", headers=key_of(mara)).status_code == 404
