"""Postmortems in the forms that people write elsewhere, and files that mean harm."""

import io
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents.followups.models import FollowUp
from incidents.people.models import User
from incidents.postmortems.archives import unpack
from incidents.postmortems.document import Postmortem
from incidents.postmortems.importing import ImportBatch, ImportedFile, read
from incidents.postmortems.portable import outside_marks, parse
from incidents.response.incident import Incident
from incidents.systems.models import System

As = Callable[[User], Client]

BOOK = b"""Old prices were quoted
======================

**Date:** 14 March 2025
**Authors**: Kit Stranger, jo@example.com
**Status:** Complete
**Severity:** SEV2

**Summary:** Prices of last year were quoted.

Root Causes
-----------
The alias.

## Action Items

| Action Item | Type | Owner | Due | Bug |
|---|---|---|---|---|
| Alert on index age | mitigate | Jo Lindqvist | 2025-04-01 | #12 |
| Rebuild nightly | prevent | Kit | soon | |

- [x] P1 Tell the customers (owner: jo@example.com, due 2025-03-20)
- Write the runbook
  with the numbers
Some words.
"""


def _said(text: str) -> ImportedFile:
    return read("x.md", text.encode())


def test_lines_underlined_headings_and_action_items_are_read() -> None:
    found = read("book.md", BOOK)
    document = found.document
    assert (found.trouble, found.title) == ("", "Old prices were quoted")
    assert found.happened == datetime(2025, 3, 14, tzinfo=UTC)
    assert document.authors == ["Kit Stranger", "jo@example.com"]
    assert found.incident.severity == "sev2"
    assert document.sections["summary"] == "**Status:** Complete\n\nPrices of last year were quoted."
    assert document.sections["factors"] == "The alias."
    assert document.sections["again"] == "Some words."
    told = [(row.title, row.owner, row.due_on, row.state) for row in document.follow_ups]
    assert told == [
        ("Alert on index age", "Jo Lindqvist", date(2025, 4, 1), "open"),
        ("Rebuild nightly", "Kit", None, "open"),
        ("Tell the customers", "jo@example.com", date(2025, 3, 20), "done"),
        ("Write the runbook", "", None, "open"),
    ]
    assert document.follow_ups[0].description == "Type: mitigate\nBug: #12"
    assert document.follow_ups[1].description == "Type: prevent\nDue: soon", "a day that is none is not dropped"
    assert document.follow_ups[2].priority == "P1"
    assert document.follow_ups[3].description == "with the numbers"
    assert found.incident.clocks == {}, "a date is no clock"


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("2025-03-14", date(2025, 3, 14)),
        ("2025/3/14", date(2025, 3, 14)),
        ("14/03/2025", date(2025, 3, 14)),
        ("03/14/2025", date(2025, 3, 14)),
        ("04/04/2025", date(2025, 4, 4)),
        ("14.03.2025", date(2025, 3, 14)),
        ("Friday, March 14th, 2025", date(2025, 3, 14)),
        ("14 Mar 2025 at 09:30 UTC", date(2025, 3, 14)),
    ],
)
def test_days_are_read_as_people_write_them(words: str, day: date) -> None:
    found = _said(f"---\ndate: '{words}'\n---\nText")
    assert found.happened
    assert found.happened.date() == day


@pytest.mark.parametrize("words", ["sometime", "14 March 2025 09:30 PST", "31/31/2025", "2025-02-30", "'1' * 9"])
def test_what_is_no_day_is_told_and_asked(words: str) -> None:
    found = _said(f'---\ndate: "{words}"\n---\nText')
    assert found.lacks_date
    assert any(words in remark for remark in found.remarks)


def test_a_line_that_is_not_understood_stays_in_the_text() -> None:
    assert "**Date:** sometime" in _said("**Date:** sometime\n\nText").document.sections["summary"]


def test_what_is_missing_is_asked_and_taken(jo: User, support_assistant: System, as_person: As) -> None:
    lead = as_person(jo)
    files = [
        SimpleUploadedFile("a.md", b"# One\n\nDate: 03/04/2025\n\nText"),
        SimpleUploadedFile("b.md", b"# Two\n\nText"),
        SimpleUploadedFile("c.md", b"# Three\n\nText"),
    ]
    preview = lead.post("/postmortems/import/", {"files": files})["Location"]
    page = " ".join(lead.get(preview).content.decode().split())
    assert "Which day was it?" in page
    assert "3 April 2025" in page
    assert "4 March 2025" in page
    answers = {
        "date-0": "2025-04-03",
        "date-1": "2025-05-01",
        "system-1": support_assistant.name,
        "severity-1": "sev3",
        "date-2": "never",
    }
    lead.post(f"{preview}take/", answers)
    one, two = Incident.objects.order_by("number")
    assert (one.title, one.declared_at) == ("One", datetime(2025, 4, 3, tzinfo=UTC))
    assert (two.system, two.severity) == (support_assistant, "sev3")
    assert (one.impact_started_at, one.detected_at, one.acknowledged_at, one.contained_at) == (None,) * 4
    shown = lead.get(Postmortem.objects.get(incident=one).get_absolute_url()).content.decode()
    assert "Declared: unknown. The date in the file stands in for it." in shown
    clocks = lead.get(one.get_absolute_url()).content.decode()
    assert "Declared: unknown. The date in the file stands in for it." in clocks
    one.set_clock("declared_at", datetime(2025, 4, 3, 8, tzinfo=UTC), by=jo)
    assert "Declared: unknown" not in lead.get(one.get_absolute_url()).content.decode(), "somebody knew"
    assert "no monitor reported it" not in shown, "the file says nothing of monitors"


def test_owners_are_found_by_name_and_who_is_not_is_listed(jo: User, as_person: As) -> None:
    lead = as_person(jo)
    preview = lead.post("/postmortems/import/", {"files": [SimpleUploadedFile("book.md", BOOK)]})["Location"]
    page = lead.get(preview).content.decode()
    assert "Owner of the follow-up “Rebuild nightly”, “Kit” has no account here." in page
    lead.post(f"{preview}take/")
    owners = dict(FollowUp.objects.values_list("title", "owner__name"))
    assert owners["Alert on index age"] == owners["Tell the customers"] == "Jo Lindqvist"
    assert owners["Rebuild nightly"] is None
    shown = lead.get(Postmortem.objects.get().get_absolute_url()).content.decode()
    assert "Owner of a follow-up: Kit" in shown
    assert "Author: Kit Stranger" in shown


def test_nothing_of_front_matter_is_dropped_without_a_word() -> None:
    found = _said("---\ndate: 2025-03-14\nreviewed: yes\nowner: [a]\naction_items: [{a: b}]\ntags: [x]\n---\nText")
    told = " ".join(found.remarks)
    assert all(words in told for words in ("reviewed", "owner", "action item"))
    assert found.document.tags == ["x"]


def _zip(**entries: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return packed.getvalue()


def test_front_matter_that_is_no_yaml_is_read_line_by_line_and_the_rest_is_listed() -> None:
    matter = "title: Prices: of last year\ndate: 2025-03-14\nseverity: SEV2\nkey: OPS-12\n? [a\ntags: [prices, b"
    file = read("broken.md", f"---\n{matter}\n---\n## Summary\nOld prices.\n".encode())
    assert (file.document.title, file.incident.severity) == ("Prices: of last year", "sev2")
    assert file.happened
    assert file.happened.date() == date(2025, 3, 14)
    assert file.document.tags == ["prices", "b"]
    told_of = " ".join(file.remarks)
    assert "not valid YAML. It was read line by line." in told_of
    assert "OPS-12" in told_of
    assert "? [a" in told_of
    assert file.document.sections["summary"] == "Old prices."


def test_broken_front_matter_of_any_length_is_bounded_and_claims_no_format_of_ours() -> None:
    file = read("long.md", b"---\nfaultline: [\n" + b"[x\n" * 20_000 + b"---\nText.\n")
    assert not file.is_own
    assert len(file.remarks) < 250
    assert any("more" in remark for remark in file.remarks)


def test_a_table_of_action_items_drops_no_cell_and_no_row() -> None:
    table = "| Action | Owner |\n|---|---|\n| Watch it | kit | and the mail |\n| | nobody knows |\n| | |"
    file = read("table.md", f"# Slow\n\n## Action items\n{table}\n".encode())
    (follow_up,) = file.document.follow_ups
    assert (follow_up.title, follow_up.owner, follow_up.description) == ("Watch it", "kit", "and the mail")
    assert file.document.sections["again"] == "| | nobody knows |"


def test_an_archive_that_means_harm_is_refused_or_found_harmless() -> None:
    many = _zip(**{f"{number}.md": b"x" for number in range(600)})
    bomb = _zip(**{f"{number}.bin": b"\0" * 5_000_000 for number in range(20)}, **{"a.md": b"x"})
    assert "more than 500 files" in unpack("many.zip", many)[0].trouble
    assert "unpacks to more than" in unpack("bomb.zip", bomb)[0].trouble
    assert unpack("broken.zip", b"PK\x03\x04" + bytes(50))[0].trouble
    assert "no Markdown" in unpack("empty.zip", _zip(**{"a.png": b"x"}))[0].trouble
    (chosen,) = unpack("path.zip", _zip(**{"../../a.png": b"x", "/etc/b.png": b"x", "a.md": b"x", "c.png": b"x"}))
    assert set(chosen.files) == {"c.png"}


def test_a_picture_that_is_none_is_told_and_not_kept(jo: User) -> None:
    archive = _zip(**{"a.md": b"---\ndate: 2025-03-14\n---\n![x](files/1-x.png)", "files/1-x.png": b"<script>"})
    (made,) = ImportBatch.keep([("a.zip", archive)], by=jo, team=None).take(by=jo)
    assert not made.postmortem.incident.attachments.exists()
    assert any("not a readable picture" in told for told in made.not_taken)


HOSTILE = """---
faultline: 1
title: {deep}
state: published
incidents: [{{number: 1, title: "<script>alert(1)</script>", severity: sev1, clocks: {{declared_at: {moment}, odd: 1}}}}]
factors: [{{group: data, factor: "{long}", text: ""}}, 7]
follow_ups: [{{title: x, priority: P9, state: odd, due_on: {moment}, incident: 99}}, {{}}]
facts: [{{section: summary, label: a, text: "<img src=x onerror=alert(1)>"}}]
amendments: [{{section: summary, text: "[x](javascript:alert(1))", at: {moment}}}]
---
<!-- text-1 summary -->
<script>alert(1)</script>
<!-- text-1 end -->
"""


@pytest.mark.parametrize("moment", ["2025-03-14T08:00:00Z", "0001-01-01", "99999999999", "[[]]", "2999-01-01"])
@pytest.mark.parametrize("long", ["x" * 9000, "\\u0000", "%s"])
def test_hostile_front_matter_is_text_or_told(jo: User, as_person: As, moment: str, long: str) -> None:
    raw = HOSTILE.format(deep="[" * 5 + "]" * 5, moment=moment, long=long).encode()
    lead = as_person(jo)
    preview = lead.post("/postmortems/import/", {"files": [SimpleUploadedFile("x.md", raw)]})["Location"]
    page = lead.get(preview)
    assert page.status_code == 200
    assert b"<script>alert(1)" not in page.content
    lead.post(f"{preview}take/", {"date-0": "2025-03-14"})
    shown = lead.get(Postmortem.objects.get().get_absolute_url())
    assert shown.status_code == 200
    for harm in (b"<script>alert(1)", b"<img src=x", b'href="javascript:'):
        assert harm not in shown.content


_words = st.sampled_from(
    "--- \n: - [ ] { } | # ## **Date:** 2025-03-14 04/03/2025 faultline: 1 title: incidents: follow_ups: clocks: ``` === "
    "\x00 \u2028 <!-- text-1 summary --> <!-- text-1 end --> & * !!binary ![x](files/1-a.png) owner: @jo (due | --- |".split(
        " "
    )
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=200),
        st.lists(_words, max_size=40).map(lambda words: " ".join(words).encode()),
        st.lists(_words, max_size=40).map(lambda words: "\n".join(["---", *words]).encode()),
    ),
    st.booleans(),
)
def test_no_bytes_break_the_import(jo: User, raw: bytes, packed: bool) -> None:
    lead = Client()
    lead.force_login(jo)
    content = _zip(**{"x.md": raw, "files/1-a.png": raw}) if packed else raw
    answer = lead.post(
        "/postmortems/import/", {"files": [SimpleUploadedFile("x.zip" if packed else "x.md", content or b"x")]}
    )
    assert answer.status_code == 302
    assert lead.get(answer["Location"]).status_code == 200
    lead.post(f"{answer['Location']}take/", {"date-0": "2025-03-14"})
    for made in Postmortem.objects.order_by("-pk")[:1]:
        assert lead.get(made.get_absolute_url()).status_code == 200


@pytest.mark.parametrize(
    "text",
    [
        "---\nfaultline: 1\n---\n" + "<!-- text-1 a -->\n" * 50_000,
        "---\nfaultline: 1\n---\n" + "<!-- text-1 end -->\n" * 50_000,
        "# a" + " #" * 450_000 + "x",
        "---\n" + "a\n" * 400_000,
        "# T\n## Actions\n" + "- x (a, b, c)\n  more\n" * 40_000,
        "# T\n## Actions\n" + "| action | x |\n|---|---|\n" * 30_000,
        "**a" * 300_000,
        "---\nx: " + "[" * 500_000 + "\n---\nx",
    ],
    ids=["begun", "ended", "hashes", "front", "items", "tables", "bold", "deep"],
)
def test_a_megabyte_of_one_thing_is_read_in_one_pass(text: str) -> None:
    """Each took minutes, or would, where a pattern looks for an end from every beginning."""
    found = read("x.md", text.encode()[:1_000_000])
    assert found.trouble or found.remarks, "it says what it did not take"


def test_marks_without_an_end_are_text() -> None:
    body = "<!-- text-1 summary -->\nIt broke.\n<!-- text-2 end -->\n"
    assert outside_marks(body) == body
    whole = "before\n<!-- text-1 summary -->\nIt broke.\n<!-- text-2 end -->\n<!-- text-1 end -->\nafter"
    assert outside_marks(whole) == "before\n\nafter"
    assert parse({"faultline": 1, "mark": "text-1"}, whole)[0].sections == {"summary": "It broke.\n<!-- text-2 end -->"}
