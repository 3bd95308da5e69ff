"""What people and monitors wrote, shown in a browser: nothing of it runs, asks anybody or opens anything.

Pages come from the tests' own database, through the browser's network: no server runs. A trap is set in each before anything
of it is read. With the content security policy, it must have had nothing to refuse; without it, nothing may run either.
"""

import mimetypes
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.staticfiles import finders
from django.db import connections
from django.test import Client
from django.urls import reverse

from incidents.alerts.models import Alert, Delivery
from incidents.followups.models import FollowUp
from incidents.people.models import User
from incidents.response.events import Event, Note
from incidents.response.incident import Incident
from incidents.response.tasks import Task
from tests.pages import LEADS_PAGES, PAGES, numbers_in_database
from tests.tools import reported
from tests.vectors import VECTORS, write_everywhere

pytestmark = pytest.mark.browser

HOME = "http://testserver"
TRAP = """
    globalThis.caught = [];
    const trap = (name) => Object.defineProperty(globalThis, name, { set: (value) => caught.push(`${name} = ${value}`) });
    trap("ran");
    for (const name of ["alert", "confirm", "prompt", "print", "open"])
      globalThis[name] = (...given) => caught.push(`${name}(${given})`);
    document.addEventListener("securitypolicyviolation", (event) => {
      caught.push(`refused ${event.violatedDirective}: ${event.blockedURI} ${event.sample}`);
    });
"""
# What a click, a key or a pointer would run is not run by looking, so what the page has become is read too.
BECAME = """async () => {
    for (let frame = 0; frame < 2; frame++) await new Promise((done) => requestAnimationFrame(done));
    const found = [...caught];
    const never = new Set("iframe object embed base frame math animate applet".split(" "));
    const addresses = new Set("href src action formaction xlink:href data poster".split(" "));
    const leads = (value) => { try { return new URL(value, document.baseURI).protocol; } catch { return "none:"; } };
    for (const element of document.querySelectorAll("*")) {
      const tag = element.localName;
      if (never.has(tag)) found.push(`<${tag}>`);
      if (tag === "script" && element.type !== "application/json" && !element.src.startsWith(`${location.origin}/`))
        found.push(`<script> ${element.textContent.slice(0, 80)}`);
      for (const { name, value } of element.attributes) {
        if (name.startsWith("on") || name === "srcdoc") found.push(`<${tag} ${name}>`);
        if (addresses.has(name) && /^(javascript|vbscript|data|blob):/.test(leads(value)))
          found.push(`<${tag} ${name}=${value.slice(0, 80)}>`);
      }
    }
    return found;
}"""


CAUGHT = "async () => { while (!caught.length) await new Promise((done) => requestAnimationFrame(done)); }"


class Watched:
    """A browser whose network is the tests' own database, and what it did that it should not."""

    def __init__(self, browser: Any, person: User, *, policy: bool) -> None:
        self.found: list[str] = []
        self._connection = connections["default"]
        self._client = Client(raise_request_exception=False)
        self._client.force_login(person)
        self.context = browser.new_context(base_url=HOME, bypass_csp=not policy)
        self.context.add_init_script(TRAP)
        self.context.route("**/*", self._answer)
        self.page = self.context.new_page()
        self.page.on("dialog", self._dialog)
        self.context.on("page", lambda page: self.found.append(f"opened {page.url}"))

    def _dialog(self, dialog: Any) -> None:
        self.found.append(f"{dialog.type} said {dialog.message}")
        dialog.dismiss()

    def _answer(self, route: Any) -> None:
        asked, parts = route.request, urlsplit(route.request.url)
        if f"{parts.scheme}://{parts.netloc}" != HOME:
            self.found.append(f"asked {asked.url}")
            route.abort()
        elif parts.path.startswith("/static/"):
            file = Path(str(finders.find(parts.path.removeprefix("/static/"))))
            kind = mimetypes.guess_type(file.name)[0] or "text/plain"
            route.fulfill(body=file.read_bytes(), content_type=kind)
        else:
            self._fulfil(route, asked)

    def _fulfil(self, route: Any, asked: Any) -> None:
        connections["default"] = self._connection  # answers are given beside the test, where Django would open another
        path = asked.url.removeprefix(HOME)
        sent = {
            name: value for name, value in asked.headers.items() if name in ("hx-request", "hx-target", "x-csrftoken")
        }
        answer = self._client.generic(
            asked.method, path, asked.post_data_buffer or b"", asked.headers.get("content-type", ""), headers=sent
        )
        if answer.status_code >= 400:  # nobody asks for an address called x, but a picture that one of them made
            self.found.append(f"asked for {path[:120]} as a {asked.resource_type}: {answer.status_code}")
        headers = {name: value for name, value in answer.items() if name.lower() != "set-cookie"}
        route.fulfill(status=answer.status_code, headers=headers, body=answer.getvalue())

    def shows(self, path: str) -> list[str]:
        """Open a page and tell what happened there that should not."""
        self.page.goto(path)
        return self.look()

    def look(self) -> list[str]:
        found: list[str] = self.found + self.page.evaluate(BECAME)
        self.found = []
        return found


@pytest.fixture(autouse=True)
def _own_connection(browser: Any) -> Iterator[None]:
    """Beside the loop of the browser's driver Django opens another connection, which nobody else closes."""
    yield
    connections["default"].close()


@pytest.fixture
def watched(browser: Any, db: None) -> Iterator[Callable[..., Watched]]:
    opened = []

    def watch(person: User, *, policy: bool = True) -> Watched:
        opened.append(Watched(browser, person, policy=policy))
        return opened[-1]

    yield watch
    for one in opened:
        one.context.close()


@pytest.fixture
def ada(db: None) -> User:
    assert write_everywhere() > len(VECTORS)
    return User.objects.get(email="ada@example.com")


def full_of_them(incident: Incident, by: User) -> None:
    """Write every one of them into a note and a task of one incident, and give a colleague its name."""
    notes = Note.objects.bulk_create(Note(incident=incident, author=by, text=vector) for vector in VECTORS)
    Event.objects.bulk_create(Event(incident=incident, kind=Event.Kind.NOTE, by=by, note=note) for note in notes)
    Task.objects.bulk_create(Task(incident=incident, title=vector[:200], made_by=by) for vector in VECTORS)
    User.objects.bulk_create(User(email=f"{at}@example.com", name=vector[:120]) for at, vector in enumerate(VECTORS))
    Incident.objects.filter(pk=incident.pk).update(summary="\n\n".join(VECTORS)[:20_000])


def test_the_trap_catches_what_runs(watched: Callable[..., Watched], sam: User) -> None:
    for policy, sign in ((True, "refused script-src"), (False, "ran = 1")):
        watch = watched(sam, policy=policy)
        watch.shows("/incidents/")
        text = "<img src=x onerror='globalThis.ran=1'><a href='java&#10;script:globalThis.ran=1'>x</a>"
        watch.page.evaluate("(html) => { document.querySelector('main').innerHTML = html; }", text)
        watch.page.evaluate(CAUGHT)
        found = " ".join(watch.look())
        for part in (sign, "<img onerror>", "<a href=java", "asked for /incidents/x as a image: 404"):
            assert part in found, found


def test_nothing_of_them_runs(watched: Callable[..., Watched], ada: User) -> None:
    watch, numbers = watched(ada), numbers_in_database()
    rows: dict[str, Any] = {
        "alerts": Alert,
        "deliveries": Delivery,
        "follow-ups": FollowUp,
    }  # their ids do not begin at 1
    ids = {f"/{name}/1/": f"/{name}/{model.objects.latest('pk').pk}/" for name, model in rows.items()}
    # The last two: which entry, and a page that nobody has opened.
    every = [path for path in dict.fromkeys(PAGES + LEADS_PAGES) if not path.endswith(("/events/", "/home-feed/"))]
    paths = [ids.get(path, path) for path in numbers.paths(tuple(every))]
    wrong = {path: found[:3] for path in paths if (found := watch.shows(path))}
    assert not wrong, list(wrong.items())[:10]

    # Where all of them stand: each as a note, as a task and as the name of somebody to choose.
    incident = Incident.objects.get(number=numbers.triage)
    full_of_them(incident, ada)
    address = partial(reverse, args=[incident.number])
    dense = [f"{address('incident')}?show=notes&most=5000", address("incident-lead"), address("incident-describe")]
    for policy in (True, False):
        watch = watched(ada, policy=policy)
        wrong = {path: found[:3] for path in dense if (found := watch.shows(path))}
        assert not wrong, list(wrong.items())
    reported.append(
        f"scripts in texts: {len(VECTORS)} vectors on {len(paths)} pages in Chromium, and all on {len(dense)}"
    )

    # What our own scripts put on a page: what is found, chosen from and previewed.
    page = watch.page
    page.goto(address("incident"))
    assert page.locator("#tasks li").count() >= len(VECTORS)
    page.keyboard.press("Control+k")
    page.locator("#palette-words").fill("globalThis")
    page.locator("#palette-found .palette__item").first.wait_for()
    page.keyboard.press("Escape")
    page.locator("[aria-controls=edit-lead]").click()
    page.get_by_label("Find a person").fill("onerror")
    page.keyboard.press("Escape")
    page.locator("#compose-note summary").click()
    page.get_by_label("Write a note").fill("\n\n".join(VECTORS)[:20_000])
    page.get_by_role("button", name="Preview").click()
    page.locator("#note-preview p").first.wait_for()
    assert watch.look() == []
