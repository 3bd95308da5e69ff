"""What people and monitors wrote is text: 1,500 ways to make it a script, in every field that is shown."""

from html.parser import HTMLParser

import pytest
from django.test import Client

from incidents.people.models import User
from incidents.web.markdown import render
from tests.crawler import crawl
from tests.tools import reported
from tests.vectors import RUN, VECTORS, write_everywhere


class Dangerous(HTMLParser):
    """What of a page could run, or lead to where something runs."""

    ADDRESSES = frozenset(
        {"href", "src", "action", "formaction", "xlink:href", "data", "hx-get", "hx-post", "poster", "srcset"}
    )
    NEVER = frozenset(
        {"iframe", "object", "embed", "base", "applet", "frame", "frameset", "math", "style", "template", "noscript"}
    )

    def __init__(self, html: str, *, ours: bool) -> None:
        super().__init__()
        self.found: list[str] = []
        self._ours = ours  # a whole page of ours has scripts and metadata, what Markdown became has none
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name.lower(): value or "" for name, value in attrs}
        if tag in self.NEVER or (tag == "meta" and "http-equiv" in given):
            self.found.append(f"<{tag}>")
        if tag in {"script", "link"} and not (self._ours and self._is_ours(given)):
            self.found.append(f"<{tag} {given}>")
        for name, value in given.items():
            if name.startswith("on") or name == "srcdoc" or name == "style":
                self.found.append(f"<{tag} {name}={value[:60]!r}>")
            if name in self.ADDRESSES and _runs(value):
                self.found.append(f"<{tag} {name}={value[:60]!r}>")

    @staticmethod
    def _is_ours(given: dict[str, str]) -> bool:
        return (given.get("src") or given.get("href") or "/static/").startswith(
            ("/static/", "/admin/jsi18n/", "/incidents/", "/postmortems/", "/public/")
        )


def _runs(address: str) -> bool:
    """As browsers read it, and a little worse: what is blank in any script does not stand in front of a scheme."""
    plain = address.translate(dict.fromkeys(map(ord, "\t\n\r")))
    while plain and (plain[0] <= " " or plain[0].isspace()):
        plain = plain[1:]
    return plain.lower().startswith(("javascript:", "vbscript:", "data:text", "data:application", "data:image/svg"))


def test_there_are_enough_of_them() -> None:
    assert len(VECTORS) >= 1500
    assert Dangerous(f"<img src=x onerror={RUN}>", ours=False).found
    assert Dangerous(f"<a href='\u2028javascript:{RUN}'>", ours=False).found
    assert not Dangerous("<a href='/incidents/1/'>x</a>", ours=False).found


def test_markdown_makes_nothing_of_them_that_runs() -> None:
    wrong = {vector: found for vector in VECTORS if (found := Dangerous(str(render(vector)), ours=False).found)}
    assert not wrong, list(wrong.items())[:5]


@pytest.fixture
def written_on(db: None) -> int:
    return write_everywhere()


def test_no_page_makes_anything_of_them_that_runs(written_on: int) -> None:
    assert written_on > len(VECTORS)
    browser = Client(raise_request_exception=False)
    browser.force_login(User.objects.get(email="ada@example.com"))
    wrong, pages, shown_on = {}, 0, 0
    for page in crawl(browser):
        pages += 1
        shown_on += "globalThis" in page.html
        if found := Dangerous(page.html, ours=True).found:
            wrong[page.url] = found[:3]
    reported.append(
        f"scripts in texts: {len(VECTORS)} vectors in {written_on} texts, shown on {shown_on} of {pages} pages"
    )
    assert not wrong, list(wrong.items())[:10]
    assert shown_on > 40
