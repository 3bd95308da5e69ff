"""The log of what agents did: appended once, changed by nobody, paged and filtered."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from incidents.errors import Refused
from incidents.evidence.actions import AgentAction, counts
from incidents.evidence.acts import AgentAct, digest_of_arguments
from incidents.evidence.readers.reading import read
from incidents.people.models import User
from incidents.response.incident import Incident
from tests.evidence.test_readers import ROOT, TRACE, otlp, span

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def act(key: str, minute: int = 0, **more: Any) -> AgentAct:
    return AgentAct(key=key, agent="refund-agent", tool="refund", at=NOON + timedelta(minutes=minute), **more)


@pytest.fixture
def append(incident: Incident, mara: User) -> Callable[..., int]:
    return lambda *acts: AgentAction.objects.append(incident, acts, by=mara, source="api")


def test_what_is_sent_twice_is_there_once_and_the_first_stays(append: Callable[..., int]) -> None:
    assert append(act("1", target="order 1"), act("1", target="order 2"), act("2")) == 2
    assert append(act("1", target="order 3"), act("3")) == 1
    assert AgentAction.objects.get(key="1").target == "order 1"


def test_of_several_one_that_cannot_be_stored_keeps_all_out(append: Callable[..., int]) -> None:
    for wrong in (act("x" * 121), act("2", arguments_digest="abc"), act("2", denied=True, result="succeeded"), act("")):
        with pytest.raises(Refused):
            append(act("1"), wrong)
    assert not AgentAction.objects.exists()


def test_the_database_lets_nobody_change_or_delete_it(append: Callable[..., int]) -> None:
    append(act("1"))
    with pytest.raises(DatabaseError), transaction.atomic():
        AgentAction.objects.update(denied=True)
    with pytest.raises(DatabaseError), transaction.atomic():
        AgentAction.objects.all().delete()


def test_pages_follow_each_other_without_a_gap_even_at_the_same_moment(append: Callable[..., int]) -> None:
    append(*(act(str(number), minute=number // 4) for number in range(14)))
    rows = AgentAction.objects.newest_first()
    seen, place = [], ""
    while page := list(rows.after(place)[:3]):
        seen += [row.key for row in page]
        place = page[-1].place
    assert seen == [row.key for row in rows]
    assert len(set(seen)) == 14


@pytest.mark.parametrize("place", ["", "x", "1", "99999999999999999_1", "-1_2", "٣_١"])
def test_a_place_that_is_none_breaks_nothing(append: Callable[..., int], place: str) -> None:
    append(act("1"))
    assert len(AgentAction.objects.newest_first().after(place)) == 1


def test_each_number_leads_to_its_rows(
    append: Callable[..., int], incident: Incident, mara: User, as_person: Callable[[User], Client]
) -> None:
    append(
        act("1", denied=True),
        act("2", reversible=False, result="succeeded"),
        act("3", approval="missing", reversible=False),
        act("4", result="failed"),
    )
    found = counts(AgentAction.objects.all())
    assert found == {"": 4, "denied": 1, "failed": 1, "irreversible": 2, "unapproved": 1}
    client = as_person(mara)
    for show, count in found.items():
        steps = client.get(f"/incidents/{incident.number}/actions/?show={show}").context["steps"]
        assert len([step for step in steps if step.action]) == count
    page = client.get(f"/incidents/{incident.number}/").content.decode()
    assert "What the agent did" in page
    assert "2 cannot be undone" in page


def test_the_clocks_of_the_incident_stand_between_its_acts(
    append: Callable[..., int], incident: Incident, mara: User, as_person: Callable[[User], Client]
) -> None:
    before, after = incident.declared_at - timedelta(hours=1), incident.declared_at + timedelta(hours=1)
    append(AgentAct("1", "a", "refund", before), AgentAct("2", "a", "refund", after))
    steps = as_person(mara).get(f"/incidents/{incident.number}/actions/").context["steps"]
    told = [step.clock or step.action.key for step in steps]
    assert (told[0], told[-1]) == ("2", "1")
    assert "Declared" in told


def test_spans_of_tools_become_acts_and_their_arguments_a_digest() -> None:
    agent = span(ROOT, {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "refund-agent"})
    called = span(
        "b" * 16,
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "refund",
            "gen_ai.tool.call.arguments": '{"order": 7}',
        },
        ROOT,
        status={"code": 2},
    )
    [done] = read(otlp(agent, called)).acts
    assert (done.key, done.agent, done.tool, done.result) == (f"{TRACE}/{'b' * 16}", "refund-agent", "refund", "failed")
    assert done.arguments_digest == digest_of_arguments('{"order": 7}')
    assert "order" not in json.dumps(str(done))


def test_programs_append_and_read(
    incident: Incident, mara: User, rui: User, client: Client, key_of: Callable[..., Any]
) -> None:
    path = f"/api/v1/incidents/{incident.number}/actions/"
    body: dict[str, Any] = {
        "actions": [{"key": "1", "tool": "refund", "at": "2026-03-01T12:00:00Z", "reversible": False}]
    }
    send: dict[str, Any] = {"content_type": "application/json", "headers": key_of(mara)}
    assert client.post(path, body, **send).json() == {"added": 1}
    assert client.post(path, body, **send).json() == {"added": 0}
    [row] = client.get(path, headers=key_of(mara)).json()["results"]
    assert (row["tool"], row["reversible"], row["added_by"]) == ("refund", False, "mara@example.com")
    assert client.post(path, body, content_type="application/json", headers=key_of(rui)).status_code == 403
    awful: list[dict[str, Any]] = [{}, {"key": "2"}, body["actions"][0] | {"denied": "maybe"}]
    for wrong in awful:
        assert client.post(path, {"actions": [wrong]}, **send).status_code == 400


def test_a_private_incident_shows_its_log_to_nobody_else(
    append: Callable[..., int], incident: Incident, mara: User, jo: User
) -> None:
    append(act("1"))
    incident.restrict([], by=mara)
    assert not AgentAction.objects.visible_to(jo).exists()
    assert AgentAction.objects.visible_to(mara).exists()
