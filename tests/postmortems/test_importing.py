"""Postmortems from elsewhere: what a file would become is shown, and nothing is made of it before somebody says so."""

import base64
import io
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

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


class TestTwice:
    """A file that is a postmortem already is left out unless somebody asks for it again."""

    def imported(self, client: Client, *files: tuple[str, bytes], **answers: str) -> str:
        """Preview the files, then take them; returns the preview as it was."""
        uploads = [SimpleUploadedFile(name, raw) for name, raw in files]
        preview = client.post("/postmortems/import/", {"files": uploads})["Location"]
        page = client.get(preview).content.decode()
        client.post(f"{preview}take/", answers)
        return page

    def test_the_same_text_under_another_name_is_known_again(
        self, jo: User, as_person: Callable[[User], Client]
    ) -> None:
        lead = as_person(jo)
        assert "This seems to be" not in self.imported(lead, ("old.md", WHOLE))
        made = Postmortem.objects.get()
        Incident.objects.filter(pk=made.incident_id).update(title="Renamed since")
        again = self.imported(lead, ("new.md", WHOLE.replace(b"\n", b"\r\n")))
        assert "0 of 1 can be imported" in again
        assert f'href="{made.get_absolute_url()}"' in again
        assert Postmortem.objects.count() == 1
        self.imported(lead, ("new.md", WHOLE), **{"again-0": "1"})
        assert Postmortem.objects.count() == 2

    @pytest.mark.parametrize(
        ("change", "known"),
        [
            ((b"About 900 answers.", b"About 950 answers."), True),
            ((b"date: 2025-03-14", b"date: 2025-03-13"), False),
            ((b"Answers quoted the old price list", b"Answers quoted another list"), False),
            ((b"title: Answers quoted", b"title: answers  QUOTED"), True),
        ],
    )
    def test_so_is_an_incident_of_the_same_title_and_day(
        self, jo: User, as_person: Callable[[User], Client], change: tuple[bytes, bytes], known: bool
    ) -> None:
        lead = as_person(jo)
        self.imported(lead, ("old.md", WHOLE))
        assert change[0] in WHOLE
        self.imported(lead, ("other.md", WHOLE.replace(*change)))
        assert Postmortem.objects.count() == (1 if known else 2)

    def test_so_is_one_that_was_written_here(
        self, postmortem: Postmortem, jo: User, as_person: Callable[[User], Client]
    ) -> None:
        incident = postmortem.incident
        raw = f"---\ndate: {incident.declared_at:%Y-%m-%d}\n---\n# {incident.title}\n\nText".encode()
        assert "This seems to be" in self.imported(as_person(jo), ("it.md", raw))

    def test_two_of_one_upload_that_are_the_same_are_one(self, jo: User, as_person: Callable[[User], Client]) -> None:
        page = self.imported(as_person(jo), ("a.md", WHOLE), ("b.md", WHOLE))
        assert "the same as “a.md” above" in " ".join(page.split())
        assert Postmortem.objects.count() == 1

    def test_nothing_is_told_of_one_that_somebody_may_not_see(
        self, mara: User, jo: User, as_person: Callable[[User], Client]
    ) -> None:
        lead = as_person(jo)
        self.imported(lead, ("old.md", WHOLE))
        hidden = Incident.objects.get()
        hidden.restrict([], by=mara)
        assert not Postmortem.objects.visible_to(jo).exists()
        assert "This seems to be" not in self.imported(lead, ("old.md", WHOLE))


def test_pictures_within_the_text_are_kept_like_uploads(jo: User, as_person: Callable[[User], Client]) -> None:
    drawn = io.BytesIO()
    Image.new("RGB", (3, 2), "red").save(drawn, format="PNG")
    picture = base64.b64encode(drawn.getvalue()).decode()
    broken = base64.b64encode(b"no picture at all").decode()
    raw = (
        WHOLE
        + (
            f"\n![A chart](data:image/png;base64,{picture})\n\n![Again](data:image/png;base64,{picture})\n"
            f"\n![Broken](data:image/png;base64,{broken})\n\n![Drawn](data:image/svg+xml;base64,{picture})\n"
            f"\n```\n![In code](data:image/png;base64,{picture})\n```\n"
        ).encode()
    )
    lead = as_person(jo)
    preview = lead.post("/postmortems/import/", {"files": [SimpleUploadedFile("old.md", raw)]})["Location"]
    assert "A file within the text (image/svg+xml) was not taken" in lead.get(preview).text
    lead.post(f"{preview}take/")
    made = Postmortem.objects.get()
    (kept,) = made.incident.attachments.all()
    assert (kept.content_type, kept.is_picture) == ("image/png", True)
    text = made.sections.get(key="learning").text
    address = f"/incidents/{made.incident.number}/files/{kept.pk}/"
    assert f"![A chart]({address})" in text
    assert f"![Again]({address})" in text
    assert f"![In code](data:image/png;base64,{picture})" in text, "code is left as it is"
    assert any("is not a readable picture" in note for note in made.provenance.notes)


def test_no_more_than_twenty_pictures_of_one_text_are_taken() -> None:
    pictures = "\n".join(f"![n](data:image/png;base64,{base64.b64encode(bytes([n])).decode()})" for n in range(1, 22))
    found = read("x.md", f"---\ndate: 2025-03-14\n---\nText\n{pictures}".encode())
    assert len(found.files) == 20
    assert [remark for remark in found.remarks if "only the first 20" in remark]


def test_a_text_may_be_large_by_its_pictures_alone() -> None:
    picture = base64.b64encode(bytes(3_000_000)).decode()
    found = read("x.md", f"---\ndate: 2025-03-14\n---\n![n](data:image/png;base64,{picture})".encode())
    assert (found.trouble, len(found.files)) == ("", 1)
    assert "larger than 1 MB" in read("x.md", b"x" * 1_000_001).trouble
    assert "larger than 15 MB" in read("x.md", b"x" * 15_000_001).trouble
