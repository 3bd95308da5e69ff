"""An address that somebody hands us in a link or a form leads nowhere but within this site; nor is an answer kept on the way."""

from collections.abc import Callable
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin, urlsplit

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.systems.models import System
from tests.pages import LEADS_PAGES, PAGES, numbers_in_database

AWAY = (
    "//evil.example/x",
    "https://evil.example/x",
    "https:evil.example",
    "/\\evil.example",
    "///evil.example",
    "\t//evil.example",
    "javascript:alert('evil.example')",
    "data:text/html,evil.example",
    "http://testserver@evil.example/",
)
OURS = ("http", "testserver")
# What addresses of ours may be handed in links, and what others call it.
NAMES = (
    "next",
    "back",
    "return",
    "redirect",
    "url",
    "to",
    "from",
    "cancel",
    "show",
    "q",
    "before",
    "after",
    "by",
    "order",
)


class Led(HTMLParser):
    """Where the links, forms and buttons of a page lead."""

    LEADING = frozenset({"href", "src", "action", "formaction", "hx-get", "hx-post"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.addresses += [value or "" for name, value in attrs if name in self.LEADING]
        if tag == "input" and given.get("name") == "next":
            self.addresses.append(given.get("value") or "")

    def away(self) -> list[str]:
        return [address for address in self.addresses if urlsplit(urljoin("http://testserver/", address))[:2] != OURS]


def test_no_page_links_to_an_address_it_was_handed(db: None) -> None:
    call_command("load_demo")
    browser = Client()
    browser.force_login(User.objects.get(email="ada@example.com"))
    pages = numbers_in_database().paths(tuple(path for path in PAGES + LEADS_PAGES if not path.endswith("/1/")))
    pages.append(reverse("change-new", args=["support-assistant"]))
    wrong = {}
    for path in dict.fromkeys(page.partition("?")[0] for page in pages):
        for away in (AWAY[0], AWAY[6]):
            answer = browser.get(path, dict.fromkeys(NAMES, away))
            found = [address for address in Led(answer.text).away() if "evil.example" in address]
            if found or ("Location" in answer.headers and "evil.example" in urlsplit(answer["Location"]).netloc):
                wrong[path] = found
    assert not wrong, wrong


@pytest.mark.parametrize("away", AWAY)
class TestNext:
    def test_signing_in(self, mara: User, away: str) -> None:
        answer = Client().post(
            f"{reverse('account_login')}?{urlencode({'next': away})}",
            {"login": mara.email, "password": "faultline-demo", "next": away},
        )
        assert (answer.status_code, answer["Location"]) == (302, "/")

    def test_a_change(self, mara: User, incident: Incident, as_person: Callable[[User], Client], away: str) -> None:
        ask = reverse("incidents-many")
        answer = as_person(mara).post(ask, {"act": "follow", "number": incident.number, "next": away})
        assert (answer.status_code, answer["Location"]) == (302, reverse("incidents"))

    def test_a_page_that_leads_back(
        self, mara: User, support_assistant: System, as_person: Callable[[User], Client], away: str
    ) -> None:
        client, page = as_person(mara), reverse("change-new", args=[support_assistant.slug])
        shown = client.get(page, {"next": away}).text
        assert "evil.example" not in shown
        assert f'href="{support_assistant.get_absolute_url()}">Cancel' in shown
        told = {"title": "A new prompt", "kind": "prompt", "happened_at": "2026-01-05T10:00", "next": away}
        assert client.post(page, told)["Location"] == support_assistant.get_absolute_url()


def test_an_address_of_ours_is_followed(
    mara: User, incident: Incident, support_assistant: System, as_person: Callable[[User], Client]
) -> None:
    page = f"{reverse('change-new', args=[support_assistant.slug])}?next={incident.get_absolute_url()}"
    assert f'href="{incident.get_absolute_url()}">Cancel' in as_person(mara).get(page).text


def test_no_cache_keeps_what_somebody_was_shown(
    mara: User, incident: Incident, as_person: Callable[[User], Client], key_of: Callable[..., dict[str, str]]
) -> None:
    client, api = as_person(mara), f"/api/v1{incident.get_absolute_url()}"
    answers = [client.get(path) for path in ("/incidents/", incident.get_absolute_url(), "/incidents/9999/")]
    answers.append(client.get(api, headers=key_of(mara)))
    answers.append(Client().get(incident.get_absolute_url()))
    for answer in answers:
        assert answer["Cache-Control"] in ("private, no-cache", "no-store"), answer.request["PATH_INFO"]
        assert "Last-Modified" not in answer.headers
        assert "ETag" not in answer.headers
