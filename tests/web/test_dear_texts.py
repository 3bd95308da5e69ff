"""No text keeps the server busy: what would take long to format is shown as it was written, wherever it is shown."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape
from markdown import Markdown

from incidents.people.models import User
from incidents.postmortems.document import Postmortem
from incidents.postmortems.sections import Section
from incidents.response.incident import Incident
from incidents.response.public_pages import PublicPage
from incidents.systems.models import System
from incidents.web import markdown
from incidents.web.markdown import render
from incidents.web.markdown_bounds import LONGEST, is_too_much

SAYS_SO = "shown as written"

DEAR = {
    "brackets": "[" * 10_000,
    "brackets with text": "[a" * 9000 + "]" * 9000,
    "links without end": "[a](" * 5000,
    "pictures without end": "![" * 8000,
    "reference links": "[a][" * 5000,
    "footnotes without text": "[^1]" * 5000,
    "footnotes": " ".join(f"[^{n}]" for n in range(1000)) + "".join(f"\n\n[^{n}]: note" for n in range(1000)),
    "definitions": "[a]: b\n" * 10_000,
    "quotes on one line": ">" * 5000,
    "spaced quotes on one line": "> " * 20_000 + "a",
    "items on one line": "- " * 5000 + "a",
    "ordered items on one line": "1. " * 5000 + "a",
    "quoted items on one line": "> - " * 5000 + "a",
    "nested lists": "\n".join(f"{'  ' * depth}- a" for depth in range(300)),
    "deeply nested lists": "\n".join(f"{'    ' * depth}- a" for depth in range(200)),
    "empty items": "\n- " * 20_000 + "a",
    "rules": "***\n" * 20_000,
    "underlines": "a\n=\n" * 20_000,
    "headings": "# \n" * 20_000 + "a",
    "backticks": "`a " * 20_000,
    "growing backticks": " ".join("`" * n for n in range(1, 400)),
    "fences": "```\n" * 20_001,
    "stars": "*a" * 20_000,
    "stars and lines": "*_" * 20_000,
    "lines": "_" * 50_000 + "a",
    "tildes": "~~a" * 20_000,
    "tags without end": "<a " * 9000,
    "attributes without end": '<a href="' * 9000,
    "signs of tags": "<" * 20_000,
    "comments without end": "<!--" * 10_000,
    "declarations": "<![ " * 2500,
    "ampersands": "&" * 50_000,
    "backslashes": "\\" * 50_000 + "a",
    "cells in one row": "|a" * 20_000 + "\n" + "|-" * 20_000,
    "cells in many rows": "|a|b|\n|-|-|\n" + "|1|2|\n" * 10_000,
    "paragraphs": "a\n\n" * 30_000,
    "a fence that is closed in a quote": "```\n> ```\n" + "[" * 10_000 + "\n> ```",
    "a fence that is closed by a longer one": "```\n````\n" + "[" * 10_000,
    "a fence with an option": "``` {nonsense\n" + "[" * 10_000 + "\n```",
    "a fence in a quote": "> ```\n" + "[" * 10_000 + "\n```",
    "lines that only look like lines": "a" + "[\u2028\u2028" * 10_000,
    "bullets within a number": "1. a\n" + "- [\n" * 4000,
    "bullets below a paragraph": "a\n" + "- [\n" * 4000,
    "a table without columns": "a|b\n-\n" + "[\n" * 4000,
    "a table with other columns": "a|b\n-|-|-\n" + "[\n" * 4000,
    "a table with a bar in code": "`a|b` | c\n-|-|-\n" + "[\n" * 4000,
    "one character too many": "x" * (LONGEST + 1),
}


@pytest.mark.parametrize("text", DEAR.values(), ids=DEAR.keys())
def test_it_is_kept_from_the_parser_and_shown_whole(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markdown, "_markdown", lambda: pytest.fail("the parser was asked"))
    assert is_too_much(text)
    html = render(text)
    assert SAYS_SO in html
    assert html.count("&") >= text.count("&") + text.count("<")
    assert len(html) > len(text)


REAL = {
    "a long report": (
        "## What happened\n\nThe **index** was rebuilt at `03:00` ([INC-12](https://example.com/12)). See [^1].\n\n"
        "- one\n- two\n  - three\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> quoted\n\n```python\nx = [1]\n```\n\n"
    )
    * 250,
    "a long list of things to do": "- [ ] **Do** it in `module.py`, see [the docs](https://example.com/x/y) (@mara)\n"
    * 1000,
    "a long program": "```python\n" + "x = [1, 2, 3] * y[a](b) < c\n" * 3000 + "```\n",
    "indented code in a fence": "```\n" + " " * 80 + "deep()\n```\n",
    "a long table": "| a | b | c |\n|---|---|---|\n" + "| 1 | `x` | *y* |\n" * 1500,
    "long paragraphs": ("Some words that say *what* happened and `how`. " * 40 + "\n\n") * 50,
    "a table's border": "|" + "-" * 300 + "|\n",
    "a rule": "- " * 40 + "\n",
}


@pytest.mark.parametrize("text", REAL.values(), ids=REAL.keys())
def test_what_people_write_is_formatted_however_long(text: str) -> None:
    assert len(text) <= LONGEST
    assert not is_too_much(text)
    assert SAYS_SO not in render(text)


def test_what_the_parser_trips_over_is_shown_as_written_too(monkeypatch: pytest.MonkeyPatch) -> None:
    class Tripping:
        def convert(self, text: str) -> str:
            raise RecursionError

    monkeypatch.setattr(markdown, "_markdown", Tripping)
    assert render("what *trips* <it>").endswith('<pre class="plain">what *trips* &lt;it&gt;</pre>')


def test_all_of_them_together_take_no_minutes() -> None:
    """In a process of its own, so that one that never ends is ended; without the bounds several take minutes each."""
    program = (
        "import django; django.setup()\n"
        "from incidents.web.markdown import render\n"
        "from tests.web.test_dear_texts import DEAR, REAL\n"
        "for text in [*DEAR.values(), *REAL.values()]: render(text)\n"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True, timeout=300)


# Wherever text is rendered: (what is posted to, with what, most characters, where it is read)
Case = tuple[str, Callable[[str], dict[str, Any]], int, str]


@pytest.fixture
def places(incident: Incident, mara: User, jo: User, support_assistant: System) -> dict[str, Case]:
    over = Incident.objects.declare(title="Recall fell", by=mara, system=support_assistant)
    over.resolve(by=mara)
    document = Postmortem.objects.begin(over, by=mara).get_absolute_url()
    page = incident.get_absolute_url()
    note = incident.add_note("Before", by=mara)
    event = incident.events.filter(note=note).get()
    PublicPage.objects.create(system=support_assistant, name="Help assistant", is_on=True)
    reopened = {"kind": "prevent", "priority": "2", "title": "Alert on index age"}
    desk = reverse("public-desk", args=[support_assistant.slug])
    return {
        "summary": (f"{page}describe/", lambda text: {"title": "Wrong", "summary": text}, 20_000, page),
        "note": (f"{page}notes/", lambda text: {"text": text}, 20_000, page),
        "entry": (f"{page}events/{event.pk}/", lambda text: {"text": text, "marker": ""}, 5000, page),
        "update": (f"{page}updates/", lambda text: {"text": text}, 5000, page),
        "hand-over": (f"{page}hand-over/", lambda text: {"role": "lead", "to": jo.pk, "summary": text}, 5000, page),
        "public post": (f"{desk}posts/", lambda text: {"text": text, "state": "problem"}, 5000, desk),
        "preview": (reverse("preview"), lambda text: {"text": text}, 100_000, ""),
        "follow-up": (
            f"{page}follow-ups/new/",
            lambda text: reopened | {"description": text},
            10_000,
            "/follow-ups/{}/",
        ),
        "section": (
            f"{document}sections/summary/",
            lambda text: {"text": text, "base": ""},
            100_000,
            f"{document}print/",
        ),
        "postmortem preview": (f"{document}preview/", lambda text: {"text": text}, 100_000, ""),
        "external version": (f"{document}external/", lambda text: {"text": text}, 50_000, f"{document}share/"),
    }


def test_every_field_that_is_rendered_takes_it_and_shows_it_whole(
    places: dict[str, Case], mara: User, jo: User, as_person: Callable[[User], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []
    convert = Markdown.convert

    def listening(self: Markdown, source: str) -> str:
        parsed.append(source)
        return convert(self, source)

    monkeypatch.setattr(Markdown, "convert", listening)
    writer, reader = as_person(mara), as_person(jo)
    for field, (posted_to, data, most, read_at) in places.items():
        for mark in ("[", "[a](", "![", "<a ", "> - "):
            text = (mark * most)[: min(most, 15_000) - 1].rstrip() + "."
            answer = writer.post(posted_to, data(text))
            assert answer.status_code in (200, 302), (field, mark)
            if read_at and answer.status_code == 302:
                answer = reader.get(answer["Location"] if "{}" in read_at else read_at)
            page = answer.content.decode()
            assert SAYS_SO in page, (field, mark)
            assert escape(text) in page, (field, mark)
            if field == "section":
                section = Section.objects.get(key="summary")
                section.write("", by=mara, base=section.text)
    assert not [text for text in parsed if len(text) > 1000]
