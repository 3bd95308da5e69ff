"""Finds the pages of the product as a visitor does, by following links, with the forms on them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from django.test import Client
from django.urls import Resolver404, resolve

STARTS = """
    / /incidents/ /alerts/ /deliveries/ /sources/ /rules/ /silences/ /systems/ /status/ /reports/ /reports/trust/ /postmortems/
    /on-call/ /follow-ups/ /account/ /incidents/new/ /admin/
    """
PAGES_A_VIEW = 2  # the same page of two rows shows what the page can hold
LEFT_ALONE = ("/accounts/logout/", "/static/", "/admin/logout/", "/admin/jsi18n/")


@dataclass
class Form:
    """A form as a page shows it: where it goes, and what it would send untouched."""

    method: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> tuple[str, str, tuple[str, ...]]:
        """What makes two forms the same: the view they go to and the names of their fields."""
        return self.method, view_of(self.action), tuple(sorted(self.fields))


class Page(HTMLParser):
    """The links and forms of a page; fields outside, that name their form, are among them."""

    def __init__(self, url: str, html: str) -> None:
        super().__init__()
        self.url, self.html = url, html
        self.links: list[str] = []
        self.forms: list[Form] = []
        self._open: Form | None = None
        self._by_id: dict[str, Form] = {}
        self._stray: list[tuple[str, str, str]] = []
        self.feed(html)
        for form, name, value in self._stray:
            if form in self._by_id:
                self._by_id[form].fields.setdefault(name, value)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        for name in ("href", "hx-get"):
            if address := given.get(name):
                self.links.append(urljoin(self.url, address))
        if tag == "form":
            action = urljoin(self.url, given.get("action") or given.get("hx-post") or "")
            self._open = Form(given.get("method", "get").lower(), action)
            self.forms.append(self._open)
            self._by_id[given.get("id", "")] = self._open
        elif tag in {"input", "select", "textarea", "button"} and given.get("name"):
            self._note(given)
        elif "hx-post" in given:
            self.forms.append(Form("post", urljoin(self.url, given["hx-post"])))

    def _note(self, given: dict[str, str]) -> None:
        name, value = given["name"], given.get("value", "")
        if "formaction" in given:
            self.forms.append(Form("post", urljoin(self.url, given["formaction"]), {name: value}))
        elif "form" in given:
            self._stray.append((given["form"], name, value))
        elif self._open is not None:
            self._open.fields.setdefault(name, value)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None


def view_of(address: str) -> str:
    try:
        return resolve(urlsplit(address).path).view_name
    except Resolver404:
        return ""


def crawl(browser: Client) -> Iterator[Page]:
    """Every page that links lead to, at most a few of each view."""
    waiting, seen, counts = STARTS.split(), set[str](), dict[str, int]()
    while waiting:
        url = waiting.pop(0)
        parts = urlsplit(url)
        view = view_of(parts.path)
        key = f"{view}?{'' if not parts.query else parts.query.partition('=')[0]}"
        if url in seen or not view or parts.path.startswith(LEFT_ALONE) or counts.get(key, 0) >= PAGES_A_VIEW:
            continue
        seen.add(url)
        counts[key] = counts.get(key, 0) + 1
        answer = browser.get(url)
        assert answer.status_code < 500, url
        if answer.status_code == 200 and answer.get("Content-Type", "").startswith("text/html"):
            page = Page(parts.path, answer.content.decode())
            waiting += [link for link in page.links if not urlsplit(link).netloc]
            yield page
