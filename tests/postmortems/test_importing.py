"""Postmortems from elsewhere: what a file would become is shown, and nothing is made of it before somebody says so."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from incidents.people.models import User
from incidents.postmortems.document import Postmortem
from incidents.postmortems.importing import ImportBatch, read
from incidents.response.incident import Incident
from incidents.systems.models import System

WHOLE = b"""---
title: Answers quoted the old price list
date: 2025-03-14
resolved: 2025-03-15T09:30:00Z
severity: SEV2
system: support-assistant
category: retrieval
factors: [Stale cache or index, Something of our own]
---
# Postmortem: Answers quoted the old price list

Prices of last year were quoted for a day.

## Impact
About 900 answers.

## Root cause
The alias.

### Detail
```
# not a heading
```

## Funding
Something else.
"""


def test_front_matter_and_headings_are_understood() -> None:
    found = read("old.md", WHOLE)
    assert found.trouble == ""
    incident, sections = found.incident, found.document.sections
    said = (found.title, incident.severity, incident.category)
    assert said == ("Answers quoted the old price list", "sev2", "retrieval")
    assert found.happened == datetime(2025, 3, 14, tzinfo=UTC)
    assert incident.clocks == {"resolved_at": datetime(2025, 3, 15, 9, 30, tzinfo=UTC)}, "no other clock is invented"
    assert sections["summary"] == "Prices of last year were quoted for a day."
    assert sections["impact"] == "About 900 answers."
    assert "# not a heading" in sections["factors"]
    assert sections["learning"].startswith("## Funding")


@pytest.mark.parametrize(
    ("raw", "trouble"),
    [
        (b"---\ndate: 2025-03-14\n---\n", "no text"),
        (b"\xff\xfe", "not UTF-8"),
        (b"x" * 1_000_001, "larger than"),
    ],
)
def test_what_cannot_be_taken_says_why(raw: bytes, trouble: str) -> None:
    assert trouble in read("x.md", raw).trouble


@pytest.mark.parametrize(
    ("matter", "remark"),
    [
        ("severity: apocalypse", "is not known; the severity stays unknown"),
        ("resolved: 2025-01-01", "ends before it begins"),
        ("category: gremlins", "stays unclassified"),
        ("x: [", "not valid YAML"),
        ("a: &a [x]\nb: *a", ""),
    ],
)
def test_what_is_left_out_is_told(matter: str, remark: str) -> None:
    found = read("x.md", f"---\ndate: 2025-03-14\n{matter}\n---\nText".encode())
    assert not remark or any(remark in told for told in found.remarks)


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_no_file_breaks_it(raw: bytes) -> None:
    read("x.md", raw)
    read("x.md", b"---\n" + raw + b"\n---\n" + raw)


def test_files_are_previewed_then_taken_once(
    jo: User, mara: User, rui: User, support_assistant: System, as_person: Callable[[User], Client]
) -> None:
    files = [SimpleUploadedFile("old.md", WHOLE), SimpleUploadedFile("bad.md", b"# No date\n\nText")]
    assert as_person(mara).post("/postmortems/import/", {"files": files}).status_code == 403
    for file in files:
        file.seek(0)
    lead = as_person(jo)
    preview = lead.post("/postmortems/import/", {"files": files})["Location"]
    page = lead.get(preview).content.decode()
    assert "1 of 2 can be imported" in page
    assert "The file does not say." in page
    assert not Postmortem.objects.exists()
    assert as_person(rui).get(preview).status_code == 404, "whose files they are sees them"
    for _ in range(2):
        lead.post(f"{preview}take/")
    made = Postmortem.objects.get()
    incident = Incident.objects.get()
    assert (made.state, incident.kind, incident.system) == ("published", "backfilled", support_assistant)
    assert [factor.kind.name for factor in made.factors.all()] == ["Stale cache or index"]
    assert "old price list" in lead.get("/postmortems/?q=price+list").content.decode()
    assert ImportBatch.objects.get().files == []


def test_nothing_chosen_is_said(jo: User, as_person: Callable[[User], Client]) -> None:
    answer = as_person(jo).post("/postmortems/import/", {})
    assert answer.status_code == 422
    assert "Choose at least one Markdown file" in answer.content.decode()


class TestYears:
    OLD = b"---\ntitle: Old\ndate: %d-03-14\nstarted: %d-03-14T08:00:00Z\n---\n## Summary\nStale.\n"

    def _batch(self, jo: User, *years: int) -> ImportBatch:
        files = [(f"{year}.md", self.OLD % (year, year)) for year in years]
        return ImportBatch.keep(files, by=jo, team=None)

    def test_a_start_long_ago_is_asked_about_and_taken_once_somebody_confirms_it(
        self, jo: User, as_person: Callable[[User], Client]
    ) -> None:
        year, lately = datetime.now(UTC).year - 8, datetime.now(UTC).year - 2
        batch = self._batch(jo, year, lately)
        old, young = batch.read()
        assert old.year_question.endswith("years ago. Is the year right?")
        assert (old.is_fit, young.year_question, young.is_fit) == (False, "", True)
        page = as_person(jo).get(f"/postmortems/import/{batch.pk}/").content.decode()
        assert page.count("Is the year right?") == 1
        made = batch.take(by=jo, answers={"year-0": "right"})
        starts = [one.postmortem.incident.impact_started_at for one in made]
        assert [start.year for start in starts if start] == [year, lately]

    def test_one_that_nobody_confirms_is_left_out(self, jo: User) -> None:
        year = datetime.now(UTC).year - 8
        assert self._batch(jo, year).take(by=jo, answers={}) == []
        assert not Incident.objects.exists()

    def test_what_faultline_wrote_is_not_asked_about(self) -> None:
        found = read(
            "x.md", b"---\nfaultline: 1\nincidents: [{clocks: {impact_started_at: 2010-01-01T00:00:00Z}}]\n---\n"
        )
        assert (found.incident.clocks["impact_started_at"].year, found.year_question) == (2010, "")

    def test_a_clock_before_2000_is_not_taken(self) -> None:
        found = read("x.md", self.OLD % (1999, 1999))
        assert (found.incident.clocks, found.happened) == ({}, None)
        assert any("before 2000" in remark for remark in found.remarks)
