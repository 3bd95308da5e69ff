"""Exports: one canonical form that its schema describes, the same in the formats of tools, asked for by ETag."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from jsonschema_rs import validator_for

from incidents.evaluations import checks
from incidents.evaluations.cases import CasePassage, Content, EvaluationCase
from incidents.evaluations.formats import junit
from incidents.evaluations.formats.exports import FORMATS, SCHEMA
from incidents.evaluations.formats.reports import CaseReport
from incidents.people.models import User
from incidents.response.incident import Incident
from tests.evaluations.conftest import CASES

AWKWARD = "'''\"\"\" \\ {{input}} @CASES@ file:///etc/passwd ☃\n- a"


@pytest.fixture
def awkward(refunds: EvaluationCase, mara: User) -> EvaluationCase:
    """A case whose texts would break out of every format."""
    rules = (
        'equals: {{x}}\njson schema: {"type": "object"}\nretrieved: p-1\ntool called: t\ntool not called: u\nregex: a+'
    )
    awkward = Content(
        input=AWKWARD,
        context=(CasePassage("p-1", AWKWARD),),
        must_not=AWKWARD,
        rubric=AWKWARD,
        checks=checks.parse(rules),
    )
    return EvaluationCase.objects.add(refunds.system, awkward, title=AWKWARD, by=mara, tags=["odd"])


def test_each_line_is_as_the_schema_says(
    awkward: EvaluationCase, mara: User, key_of: Callable[..., dict[str, str]]
) -> None:
    answer = Client().get(CASES, headers=key_of(mara))
    assert answer["Content-Type"].startswith("application/x-ndjson")
    lines = [json.loads(line) for line in answer.content.decode().splitlines()]
    validator = validator_for(json.loads(SCHEMA.read_text()))
    assert [list(validator.iter_errors(line)) for line in lines] == [[], []]
    assert lines[1]["input"] == AWKWARD
    assert [line["incident"] for line in lines] == ["INC-1", None]


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_every_format_names_each_case_and_keeps_its_words(
    awkward: EvaluationCase, mara: User, key_of: Callable[..., dict[str, str]], form: str
) -> None:
    answer = Client().get(f"{CASES}?format={form}", headers=key_of(mara))
    body = answer.content.decode()
    assert answer.status_code == 200
    assert "case-1" in body
    if form == "pytest":
        compile(body, "test_cases.py", "exec")
    else:
        rows = json.loads(body) if form == "deepeval" else [json.loads(line) for line in body.splitlines()]
        assert len(rows) == 2
        assert AWKWARD in json.dumps(rows[1], ensure_ascii=False).encode().decode("unicode_escape", "ignore") or (
            json.dumps(AWKWARD, ensure_ascii=False)[1:-1] in json.dumps(rows[1], ensure_ascii=False)
        )


def test_what_was_not_changed_is_answered_with_304(
    refunds: EvaluationCase, mara: User, key_of: Callable[..., dict[str, str]]
) -> None:
    key = key_of(mara)
    etag = Client().get(CASES, headers=key)["ETag"]
    for asked in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = Client().get(CASES, headers=key | {"If-None-Match": asked})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", etag)
    refunds.retire(because="Gone.", by=mara)
    assert Client().get(CASES, headers=key | {"If-None-Match": etag}).status_code == 200


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("tags=odd", ["case-2"]),
        ("tags=odd,refunds", []),
        ("severity=sev2", ["case-1"]),
        ("severity=sev2,sev3", ["case-1", "case-2"]),
    ],
)
def test_cases_are_chosen_by_tag_and_severity(
    awkward: EvaluationCase, mara: User, key_of: Callable[..., dict[str, str]], query: str, ids: list[str]
) -> None:
    body = Client().get(f"{CASES}?{query}", headers=key_of(mara)).content.decode()
    assert [json.loads(line)["id"] for line in body.splitlines()] == ids


@pytest.mark.parametrize("query", ["format=xml", "severity=sev9", "tags=", "nonsense=1", "tags=a&tags=b"])
def test_what_is_asked_wrongly_is_said(
    refunds: EvaluationCase, mara: User, key_of: Callable[..., dict[str, str]], query: str
) -> None:
    assert Client().get(f"{CASES}?{query}", headers=key_of(mara)).status_code == 400


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_a_key_exports_what_its_person_may_see(
    refunds: EvaluationCase,
    incident: Incident,
    mara: User,
    ada: User,
    key_of: Callable[..., dict[str, str]],
    form: str,
) -> None:
    incident.restrict([], by=mara)
    assert "case-1" not in Client().get(f"{CASES}?format={form}", headers=key_of(ada)).content.decode()
    assert "refunds" in Client().get(f"{CASES}?format={form}", headers=key_of(mara)).content.decode()


def test_pytest_runs_the_export_and_its_report_is_read(
    awkward: EvaluationCase, mara: User, key_of: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    """Real pytest, in a process of its own: the first case passes two times of two, the awkward one fails."""
    exported = Client().get(f"{CASES}?format=pytest", headers=key_of(mara)).content
    (tmp_path / "test_cases.py").write_bytes(exported)
    (tmp_path / "answering.py").write_text('def answer(case):\n    return "It takes 30 days."\n')
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:django", "-p", "no:xdist", "--junitxml=report.xml"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "DJANGO"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=tmp_path,
        env=environment | {"REPEAT": "2"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    report = junit.read((tmp_path / "report.xml").read_bytes())
    assert [(one.number, one.version, one.passed, one.tries) for one in report.results] == [
        (1, 1, 2, 2),
        (2, 1, 0, 2),
    ], done.stdout
    assert isinstance(report.results[0], CaseReport)
