"""Cases: written once, changed as versions, shown to whoever may see where they came from, and their pages."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from django.test import Client

from incidents.errors import Refused, WrongStatus
from incidents.evaluations import checks
from incidents.evaluations.cases import CaseVersion, Content, EvaluationCase
from incidents.evidence.exchange import Exchange
from incidents.evidence.samples import Sample
from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.systems.models import System
from tests.evaluations.conftest import content

LIST = "/systems/support-assistant/cases/"
FORM = {
    "input": "How long do refunds take?",
    "checks": "contains: 30 days",
    "severity": "sev2",
    "tags": "Refunds, fast",
}


def test_an_edit_of_what_is_tested_is_a_new_version_and_the_old_one_stays(refunds: EvaluationCase, mara: User) -> None:
    assert refunds.edit(content(rules="contains: 14 days"), by=mara, base=1, title="Refunds take 14 days")
    assert (refunds.version, refunds.current.content.checks) == (2, checks.parse("contains: 14 days"))
    assert refunds.versions.get(number=1).content.checks == checks.parse("contains: 30 days")


def test_a_new_title_is_no_new_version(refunds: EvaluationCase, mara: User) -> None:
    assert not refunds.edit(content(), by=mara, base=1, title="Refunds", tags=["money"])
    assert (refunds.version, refunds.title, refunds.tags) == (1, "Refunds", ["money"])


def test_of_two_who_edit_at_once_one_is_told(refunds: EvaluationCase, mara: User) -> None:
    refunds.edit(content(rules="contains: 14 days"), by=mara, base=1, title="x")
    with pytest.raises(WrongStatus, match="meanwhile"):
        refunds.edit(content(rules="contains: 7 days"), by=mara, base=1, title="x")


def test_nobody_changes_a_version(refunds: EvaluationCase) -> None:
    changes: list[Callable[[Any], object]] = [lambda rows: rows.update(input="x"), lambda rows: rows.delete()]
    for change in changes:
        with pytest.raises(DatabaseError, match="case_versions_are_append_only"), transaction.atomic():
            change(CaseVersion.objects.filter(case=refunds))


@pytest.mark.parametrize(
    "text", ["how long do REFUNDS take", "How long, do refunds take??", " How  long do\nrefunds take? "]
)
def test_the_same_question_is_found_however_it_is_written(refunds: EvaluationCase, text: str) -> None:
    assert list(EvaluationCase.objects.same_input(refunds.system, text)) == [refunds]


def test_a_duplicate_is_shown_and_may_be_added_anyway(
    refunds: EvaluationCase, mara: User, as_person: Callable[[User], Client]
) -> None:
    client = as_person(mara)
    answer = client.post(f"{LIST}new/", FORM)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "The same is asked already" in page
    assert f'href="{refunds.get_absolute_url()}"' in page
    assert client.post(f"{LIST}new/", FORM | {"anyway": "yes"}).status_code == 302
    assert EvaluationCase.objects.get(number=2).tags == ["refunds", "fast"]


def test_a_case_that_tests_nothing_is_refused(support_assistant: System, mara: User) -> None:
    with pytest.raises(Refused, match="a good answer"):
        EvaluationCase.objects.add(support_assistant, Content(input="x"), title="", by=mara)


def test_retired_with_a_reason_it_leaves_the_list_and_stays_readable(
    refunds: EvaluationCase, mara: User, as_person: Callable[[User], Client]
) -> None:
    client = as_person(mara)
    client.post(f"{LIST}1/retire/", {"reason": ""})
    refunds.refresh_from_db()
    assert not refunds.is_retired
    client.post(f"{LIST}1/retire/", {"reason": "The policy is gone."})
    assert refunds.title not in client.get(LIST).content.decode()
    assert refunds.title in client.get(f"{LIST}?show=retired").content.decode()
    assert "The policy is gone." in client.get(refunds.get_absolute_url()).content.decode()


def test_only_responders_of_the_team_write(
    refunds: EvaluationCase, rui: User, as_person: Callable[[User], Client]
) -> None:
    client = as_person(rui)
    assert client.get(refunds.get_absolute_url()).status_code == 200
    for path, fields in ((f"{LIST}new/", FORM), (f"{LIST}1/edit/", FORM), (f"{LIST}1/retire/", {"reason": "x"})):
        assert client.post(path, fields).status_code in (302, 403)
    refunds.refresh_from_db()
    assert (EvaluationCase.objects.count(), refunds.version, refunds.is_retired) == (1, 1, False)


def test_a_private_incidents_case_is_nowhere_for_others(
    refunds: EvaluationCase, incident: Incident, mara: User, sam: User, ada: User, as_person: Callable[[User], Client]
) -> None:
    incident.restrict([], by=mara)
    for stranger in (sam, ada):
        client = as_person(stranger)
        for path in (LIST, f"{LIST}grid/", f"{LIST}export/jsonl/", "/systems/support-assistant/"):
            assert "Refunds take 30 days" not in client.get(path).content.decode(), path
        assert client.get(refunds.get_absolute_url()).status_code == 404
        # Nor does the form tell that the same is asked already.
        assert "asked already" not in client.post(f"{LIST}new/", FORM).content.decode()
    assert as_person(mara).get(refunds.get_absolute_url()).status_code == 200


def test_an_output_can_be_tried_and_nothing_of_it_is_kept(
    refunds: EvaluationCase, rui: User, as_person: Callable[[User], Client]
) -> None:
    client = as_person(rui)
    good = client.post(refunds.get_absolute_url(), {"output": "It takes 30 days."}).content.decode()
    bad = client.post(refunds.get_absolute_url(), {"output": "It takes <b>90</b> days."}).content.decode()
    assert "This output passes." in good
    assert "This output does not pass." in bad
    assert "<b>90</b>" not in bad
    assert "90" not in client.get(refunds.get_absolute_url()).content.decode()


def test_the_list_is_searched_and_narrowed(
    refunds: EvaluationCase, mara: User, as_person: Callable[[User], Client]
) -> None:
    EvaluationCase.objects.add(refunds.system, content("Who are you?"), title="Says who it is", by=mara, tags=["tone"])
    client = as_person(mara)
    for query, found in (
        ("q=refunds", 1),
        ("q=case-2", 2),
        ("tag=tone", 2),
        ("severity=sev2", 1),
        ("show=never&q=who", 2),
    ):
        page = client.get(f"{LIST}?{query}").content.decode()
        assert (">Refunds take 30 days<" in page, ">Says who it is<" in page) == (found == 1, found == 2), query


def test_a_sample_becomes_a_case_once_somebody_confirmed_it_as_redacted(
    incident: Incident, mara: User, as_person: Callable[[User], Client]
) -> None:
    wrong = Exchange(input="Refund for order 12?", output="90 days", expected="30 days", must_not="90 days")
    (sample,) = Sample.objects.add(incident, [wrong], by=mara, source="pasted")
    with pytest.raises(Refused, match="redacted"):
        EvaluationCase.objects.from_sample(sample, by=mara)
    client = as_person(mara)
    assert client.get(f"{LIST}new/?sample={sample.pk}").status_code == 302
    Sample.objects.filter(pk=sample.pk).update(redacted_at=sample.added_at, redacted_by=mara)
    page = client.get(sample.get_absolute_url()).content.decode()
    assert f"{LIST}new/?sample={sample.pk}" in page
    form = client.get(f"{LIST}new/?sample={sample.pk}").content.decode()
    assert "not contains: 90 days" in form
    case = EvaluationCase.objects.from_sample(sample, by=mara)
    assert (case.incident, case.sample, case.current.input) == (incident, sample, "Refund for order 12?")
    assert case.current.content.checks == checks.parse("not contains: 90 days")


def test_an_incident_offers_to_make_a_case_and_shows_it(
    refunds: EvaluationCase, incident: Incident, mara: User, as_person: Callable[[User], Client]
) -> None:
    page = as_person(mara).get(incident.get_absolute_url()).content.decode()
    assert f"{LIST}new/?from={incident.number}" in page
    assert refunds.get_absolute_url() in page


def test_a_case_is_not_made_of_an_incident_that_one_may_not_see(
    support_assistant: System, incident: Incident, mara: User, jo: User
) -> None:
    incident.restrict([], by=mara)
    with pytest.raises(ValidationError):
        EvaluationCase.objects.add(support_assistant, content(), title="x", by=jo, incident=incident)
