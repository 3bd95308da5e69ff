"""Where people work on an incident: its call and its channel."""

from typing import Any

import pytest
from django.test import Client

from incidents.errors import Refused
from incidents.people.models import User
from incidents.response.incident import Incident

CALL = "https://meet.example/inc-1?pwd=a%20b"


def last_event(incident: Incident) -> tuple[str, User | None, dict[str, Any]]:
    event = incident.events.order_by("-pk")[0]
    return event.kind, event.by, event.detail


def test_a_call_and_a_channel_are_set_once_told_and_removed(incident: Incident, mara: User) -> None:
    for _ in range(2):
        incident.set_call(f" {CALL} ", by=mara)
    assert last_event(incident) == ("place", mara, {"was": {"call_url": ""}, "became": {"call_url": CALL}})
    assert incident.events.filter(kind="place").count() == 1
    incident.set_channel("  #inc-1  of us ", "", by=mara)
    assert (incident.channel_name, incident.channel_url) == ("#inc-1 of us", "")
    assert last_event(incident)[2]["became"] == {"channel_name": "#inc-1 of us", "channel_url": ""}
    incident.set_call("", by=mara)
    assert last_event(incident)[2] == {"was": {"call_url": CALL}, "became": {"call_url": ""}}


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "ftp://meet.example/a",
        "meet.example/a",
        "https://",
        "https://meet.example/\x00",
        "https://meet.example/" + "a" * 1000,
    ],
)
def test_what_is_no_web_address_or_is_too_long_is_refused(incident: Incident, mara: User, url: str) -> None:
    with pytest.raises(Refused, match="The address of the call"):
        incident.set_call(url, by=mara)
    with pytest.raises(Refused, match="The address of the channel"):
        incident.set_channel("#a", url, by=mara)
    incident.refresh_from_db()
    assert (incident.call_url, incident.channel_url, incident.events.filter(kind="place").count()) == ("", "", 0)


class TestApi:
    @pytest.fixture
    def post(self, incident: Incident, mara: User, key_of: Any) -> Any:
        client, path = Client(), f"/api/v1/incidents/{incident.number}/"

        def send(act: str, *, by: User = mara, **fields: Any) -> Any:
            return client.post(f"{path}{act}/", fields, content_type="application/json", headers=key_of(by))

        return send

    def test_a_script_sets_and_reads_them(self, post: Any, incident: Incident, mara: User, key_of: Any) -> None:
        assert post("call", url=CALL).json()["call_url"] == CALL
        assert post("channel", name="#inc-1", url="https://chat.example/c/1").status_code == 200
        read = Client().get(f"/api/v1/incidents/{incident.number}/", headers=key_of(mara)).json()
        assert (read["call_url"], read["channel_name"]) == (CALL, "#inc-1")
        assert read["channel_url"] == "https://chat.example/c/1"
        assert post("channel", name="#other").json()["channel_url"] == "", "what is left out is emptied"

    @pytest.mark.parametrize(
        ("act", "fields"),
        [("call", {"url": "javascript:alert(1)"}), ("call", {}), ("channel", {"name": "#" * 81}), ("call", {"url": 7})],
    )
    def test_what_is_wrong_answers_400_and_changes_nothing(
        self, post: Any, incident: Incident, act: str, fields: dict[str, Any]
    ) -> None:
        assert post(act, **fields).status_code == 400
        assert not incident.events.filter(kind="place").exists()

    def test_only_who_may_respond_sets_them_and_who_may_not_see_it_finds_nothing(
        self, post: Any, incident: Incident, mara: User, rui: User
    ) -> None:
        assert post("call", by=rui, url=CALL).status_code == 403
        incident.restrict([], by=mara)
        assert post("call", by=rui, url=CALL).status_code == 404
