"""An evaluation case that passes on later runs shows that a follow-up holds; one that gets worse, that it does not."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from incidents.errors import Refused
from incidents.evaluations import checks
from incidents.evaluations.cases import Content, EvaluationCase
from incidents.followups.models import FollowUp
from incidents.followups.proofs import Proof, judge_due
from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.systems.models import System

Ran = Callable[..., None]


def written(system: System, by: User, **labels: Any) -> EvaluationCase:
    rules = checks.parse("contains: 30 days")
    content = Content(input="How long do refunds take?", checks=rules)
    return EvaluationCase.objects.add(system, content, title="Refunds", by=by, **labels)


@pytest.fixture
def ran(mara: User, key_of: Callable[..., dict[str, str]]) -> Ran:
    """A CI job has run the only case of the assistant, and reports in how many of ten tries it passed."""
    headers, count = key_of(mara), iter(range(1, 100))

    def report(passed: int) -> None:
        body = {"run_id": f"run-{next(count)}", "results": [{"case": "case-1", "passed": passed, "tries": 10}]}
        path = "/api/v1/systems/support-assistant/evaluation-runs"
        answer = Client().post(path, json.dumps(body), content_type="application/json", headers=headers)
        assert answer.status_code in {200, 201}, answer.text

    return report


@pytest.fixture
def follow_up(incident: Incident, support_assistant: System, mara: User) -> FollowUp:
    incident.set_system(support_assistant, by=mara)
    made = FollowUp.objects.add(incident, title="Index the refund policy nightly", by=mara, owner=mara)
    Proof.objects.plan(made, by=mara, kind="case", case=written(support_assistant, mara))
    return made


def standing(follow_up: FollowUp) -> str:
    return Proof.objects.get(follow_up=follow_up).standing().sentence


def test_it_is_verified_once_the_case_passed_in_three_runs_in_a_row(follow_up: FollowUp, ran: Ran, mara: User) -> None:
    assert follow_up.proof.plan == "case-1 passes in 3 runs in a row after it is done."
    for _ in range(5):
        ran(10)
    assert standing(follow_up) == "Counted once it is done: case-1 must pass in 3 runs in a row."
    follow_up.complete(by=mara)
    assert standing(follow_up).startswith("case-1 passed in 0 of the 3 runs"), "what ran before shows nothing"
    ran(10)
    ran(9)
    ran(10)
    ran(10)
    assert standing(follow_up).startswith("case-1 passed in 2 of the 3 runs"), "a try that failed begins the row anew"
    assert judge_due() == 0
    ran(10)
    assert (judge_due(), judge_due()) == (1, 0)
    follow_up.refresh_from_db()
    assert follow_up.state == "verified"
    assert follow_up.verified_because == "case-1 passed in each of the newest 3 runs since it was done."


def test_a_case_that_gets_worse_says_that_it_did_not_hold(follow_up: FollowUp, ran: Ran, mara: User) -> None:
    for _ in range(3):
        ran(10)
    follow_up.complete(by=mara)
    ran(1)
    assert judge_due() == 1
    follow_up.refresh_from_db()
    assert follow_up.state == "did_not_hold"


def test_an_easier_version_and_a_retired_case_show_nothing(
    follow_up: FollowUp, ran: Ran, mara: User, support_assistant: System
) -> None:
    follow_up.complete(by=mara)
    for _ in range(2):
        ran(10)
    case = EvaluationCase.objects.get()
    easier = Content(input="How long do refunds take?", checks=checks.parse("contains: days"))
    case.edit(easier, base=case.version, by=mara, title=case.title)
    ran(10)
    assert standing(follow_up).startswith("case-1 passed in 1 of the 3 runs")
    EvaluationCase.objects.get().retire(by=mara, because="Covered elsewhere")
    assert standing(follow_up) == "case-1 is run no more. Choose another."
    assert judge_due() == 0


def test_only_a_case_of_its_system_that_one_may_see_is_offered_and_taken(
    follow_up: FollowUp,
    fraud_scorer: System,
    support_assistant: System,
    mara: User,
    jo: User,
    as_person: Callable[[User], Client],
    key_of: Callable[..., dict[str, str]],
) -> None:
    with pytest.raises(Refused, match="another system"):
        Proof.objects.plan(follow_up, by=mara, kind="case", case=written(fraud_scorer, mara))
    secret = Incident.objects.declare(title="Only for Mara", by=mara, system=support_assistant)
    secret.restrict([], by=mara)
    hidden = written(support_assistant, mara, incident=secret)
    page = as_person(jo).get(f"/follow-ups/{follow_up.pk}/proof/").text
    assert ("case-1 Refunds" in page, hidden.key in page) == (True, False)
    path = f"/api/v1/follow-ups/{follow_up.pk}/proof/"
    body = json.dumps({"kind": "case", "case": hidden.key})
    refused = Client().post(path, body, content_type="application/json", headers=key_of(jo))
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["case"])
    body = json.dumps({"kind": "case", "case": "case-1", "runs": 5})
    taken = Client().post(path, body, content_type="application/json", headers=key_of(jo)).json()
    assert (taken["proof"]["case"], taken["proof"]["runs"]) == ("case-1", 5)


def test_the_form_asks_for_the_case(follow_up: FollowUp, mara: User, as_person: Callable[[User], Client]) -> None:
    client = as_person(mara)
    asked = client.post(f"/follow-ups/{follow_up.pk}/proof/", {"proof": "case", "runs": 2})
    assert (asked.status_code, "Choose the case that must pass." in asked.text) == (422, True)
    case = EvaluationCase.objects.get()
    client.post(f"/follow-ups/{follow_up.pk}/proof/", {"proof": "case", "case": case.pk, "runs": 2})
    assert "case-1 passes in 2 runs in a row" in client.get(f"/follow-ups/{follow_up.pk}/").text
