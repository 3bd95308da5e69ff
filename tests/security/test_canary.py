"""A private incident is private on every way: every address, asked by everybody else, tells nothing of it at all.

Three questions are put to each page: does it show a word, a number or an id of the private incident; is it the same as
before that incident existed; and is an address inside it answered as one that never was. Then every change is asked for.
"""

import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.utils import timezone

from incidents import tasks
from incidents.alerts import by_hand, merging
from incidents.alerts.models import Alert, Source
from incidents.models import Event, IncidentCounter, Postmortem
from incidents.notifications.upkeep import notify
from incidents.people.models import Membership, Role, Team, User
from incidents.reports.saved import SavedReport
from incidents.reports.scope import read as read_asked
from incidents.response.incident import Incident
from incidents.response.links import Link
from incidents.systems.models import System
from tests.security import asking, places
from tests.security.asking import Asker, filled, first_difference, plain, text_of, undone
from tests.security.changes import answered, nameless, sendings, state_of, taken
from tests.security.world import World, forget_what_waits, others, set_ids_apart, text_fields
from tests.tools import reported

NUMBER, ABSENT = 871_935_264, 871_935_299
FIRST_ID, ABSENT_ID, LATER_ID = 770_000_000, 779_999_999, 780_000_000
LEAK = re.compile(rf"zqcanary\w*|{NUMBER}|\b770000\d{{3}}\b", re.IGNORECASE)
MAY_MOST = ("jo", "sam", "ada", "jo’s key to write")
ASKED_FOR = "zqcanary000"  # the word that questions have in them, so that it stands in the log of requests


class Canaries:
    """A word for each text field, which says where it comes from; short enough for the shortest field."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}

    def __call__(self, model: type[Any], name: str) -> str:
        return self.fields.setdefault(f"{model.__name__}.{name}", f"zqcanary{len(self.fields):03d}")

    def place(self, word: str) -> str:
        """Where a leaked word stood."""
        return next((field for field, canary in self.fields.items() if canary == word.lower()), word)

    def in_text(self, text: str, asked: str = "") -> list[str]:
        """What of the private incident stands in a text, but for what was in the question."""
        found = {word.lower() for word in LEAK.findall(text)} - {word.lower() for word in LEAK.findall(asked)}
        return sorted(self.place(word) for word in found)


class Overheard(logging.Handler):
    """Lines of the log in which something private stands."""

    lines: list[str]

    def emit(self, record: logging.LogRecord) -> None:
        line = f"{record.getMessage()} {record.exc_info or ''}"
        if "zqcanary" in line.replace(ASKED_FOR, ""):
            self.lines.append(line)


@pytest.fixture
def overheard() -> Iterator[Overheard]:
    handler = Overheard()
    handler.lines = []
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


@pytest.fixture
def askers(
    jo: User, rui: User, lee: User, sam: User, ada: User, risk: Team, key_of: Callable[..., dict[str, str]]
) -> dict[str, Asker]:
    """Everybody whom the private incident does not name, in a browser and with keys of each scope."""
    kim = User.objects.create_user("kim@example.com", "faultline-demo", name="Kim Berg")
    Membership.objects.create(team=risk, user=kim, role=Role.LEAD)
    found = {"nobody": Asker("nobody", Client(enforce_csrf_checks=True))}
    people = {"jo": jo, "sam": sam, "rui": rui, "kim": kim, "lee": lee, "ada": ada}
    for name, person in people.items():
        client = Client(enforce_csrf_checks=True)
        client.force_login(person)
        found[name] = Asker(name, client)
    found["jo’s open page"] = Asker("jo’s open page", found["jo"].client, part=True)
    for name, scope in (("jo", "read"), ("jo", "write"), ("jo", "ingest"), ("ada", "write"), ("sam", "read")):
        who = f"{name}’s key to {scope}"
        found[who] = Asker(who, Client(), key_of(people[name], scope))
    return found


@pytest.fixture
def make(mara: User, jo: User, support_assistant: System, assistants: Team) -> Callable[..., World]:
    """Make an incident of the assistants in which Jo takes part, with everything that can hang on one."""
    source, _ = Source.objects.connect(kind="generic", name="Quality monitors", team=assistants)

    def world(number: int, words: Callable[..., str]) -> World:
        IncidentCounter.objects.update_or_create(only=True, defaults={"last": number - 1})
        incident = Incident.objects.declare(title="x", by=mara, system=support_assistant, severity="sev2")
        about = others(support_assistant, source, assistants)
        made = World(incident, words, Incident.objects.get(number=1), mara, jo, about)
        made.build()
        made.row(Postmortem).index()
        return made

    return world


def neighbours(mara: User, system: System, source: Source) -> Iterator[str]:
    """Two public incidents with an alert each, which have to do with the private one later; gives their addresses."""
    now = timezone.now()
    for title in ("A neighbour", "Merged and taken back"):
        incident = Incident.objects.declare(title=title, by=mara, system=system)
        times = dict.fromkeys(("starts_at", "newest_start_at", "first_received_at", "last_received_at"), now)
        alert = Alert.objects.create(
            source=source, fingerprint=title, title=f"Alert of {title}", system=system, **times
        )
        by_hand.link([alert], incident, by=mara)
        pages = (f"/incidents/{incident.number}/", f"/alerts/{alert.pk}/")
        yield from (*pages, *(f"{pages[0]}?show={show}" for show in ("log", "updates", "alerts")))
        yield from (f"/api/v1{page}" for page in (*pages, f"{pages[0]}events/"))
        yield from (f"{pages[0]}events/{event.pk}/" for event in incident.events.all())
        yield f"{pages[0]}similar/"


def entangle(private: Incident, *, by: User) -> None:
    """Let public incidents have to do with one that becomes private: linked, covered, merged and taken back."""
    neighbour, merged = Incident.objects.get(number=1), Incident.objects.get(number=2)
    Link.objects.link(neighbour, private, Link.Kind.CAUSED_BY, by=by)
    neighbour.record(Event.Kind.POSTMORTEM, by=by, covers=private.number)
    neighbour.record(Event.Kind.POSTMORTEM, by=by, covers_no_longer=private.number)
    neighbour.record(Event.Kind.POSTMORTEM, by=by, covered_by=private.number)
    merging.merge(merged, private, by=by)
    merged.refresh_from_db()
    merging.undo(merged, by=by)


def addresses(world: World | None, public: World) -> Iterator[tuple[str, bool]]:
    """Every address, and whether it names something of a world, or without one of a world that never was."""
    words = {"word": ASKED_FOR, "number": NUMBER, "alert": FIRST_ID + 1, "delivery": FIRST_ID + 1}
    for route in asking.routes():
        mine = places.values(route, public, absent=ABSENT, absent_id=ABSENT_ID)
        for values in _fillings(route, mine, places.values(route, world, absent=ABSENT, absent_id=ABSENT_ID)):
            path, inside = filled(route, values), values != mine and places.names_the_world(route)
            yield path, inside
            if "form" in values:
                yield filled(route, values | {"form": "json"}), inside
            if not inside:
                yield from ((path + query.format(**words), False) for query in asking.QUERIES.get(route, ()))


def _fillings(route: str, mine: dict[str, Any], hidden: dict[str, Any]) -> list[dict[str, Any]]:
    """With everything public; with everything of the world; and with a row of it inside a public place."""
    mixed = {name: hidden[name] if name == "pk" else value for name, value in mine.items()}
    fillings = [mine, hidden, mixed] if places.names_the_world(route) else [mine]
    return [filling for place, filling in enumerate(fillings) if filling not in fillings[:place]]


def read(asker: Asker, path: str) -> str:
    answer = asker.get(path)
    return plain(f"{answer.status_code}\n{text_of(answer)}")


def test_nothing_of_a_private_incident_gets_out(
    make: Callable[..., World],
    mara: User,
    support_assistant: System,
    askers: dict[str, Asker],
    overheard: Overheard,
    as_person: Callable[[User], Client],
) -> None:
    began, canaries, everybody, now = time.monotonic(), Canaries(), list(askers.values()), timezone.now()
    with time_machine.travel(now - timedelta(hours=1), tick=False):
        beside = list(neighbours(mara, support_assistant, Source.objects.get()))
        public = make(5, lambda model, name: f"plain{name}"[:20])
    with time_machine.travel(now, tick=False):
        paths = [path for path, inside in addresses(None, public) if not inside] + beside
        before = {
            (asker.name, path): read(asker, path)
            for asker in everybody
            for path in paths
            if asker.name in MAY_MOST and asker.may_ask(path) and path != "/reports/kept/"
        }
        set_ids_apart(FIRST_ID)
        private = make(NUMBER, canaries)
        with time_machine.travel(now - timedelta(hours=1), tick=False):
            entangle(private.incident, by=mara)
        set_ids_apart(LATER_ID)
        # Kept while everybody saw it; and remembered answers of reports know it.
        kept = SavedReport.objects.freeze(read_asked({"months": "3"}, today=now.date()), by=mara)
        askers["jo"].get("/reports/")
        private.incident.restrict([], by=mara)
        forget_what_waits()

        faults = words_missing(private)
        faults += changed(everybody, before, canaries)
        lists = [path for path in paths if "?" in path]
        faults += shown([asker for asker in everybody if asker.name not in MAY_MOST], lists, canaries)
        faults += shown(
            [asker for asker in everybody if asker.part], [path for path in paths if "?" not in path], canaries
        )
        faults += shown(everybody, [kept.get_absolute_url(), f"{kept.get_absolute_url()}report.pdf"], canaries)
        hidden = [path for path, _ in addresses(private, public)]
        absent = [path for path, _ in addresses(None, public)]
        faults += not_as_absent(everybody, hidden, absent, canaries)
        asked = list(sendings(hidden, absent, private, number=ABSENT, row=ABSENT_ID))
        faults += sent(askers, asked, private, canaries)
        faults += mailed(mara, canaries)
        seen = what_is_seen(as_person(mara), private, public, canaries)
    faults += [f"the log says {line}" for line in overheard.lines]
    requests = sum(asker.asked for asker in everybody)
    reported.append(
        f"Private: {requests} requests by {len(everybody)} askers to {len({*paths, *hidden})} addresses and"
        f" {len(asked)} changes; {len(canaries.fields)} words in {len(private.rows)} models, of which {len(seen)} are"
        f" read by whom it names; {time.monotonic() - began:.0f} s."
    )
    assert not faults, "\n".join(faults[:40])
    assert len(seen) > 0.7 * len(canaries.fields), "Whom it names reads too little of it for this to prove much."


def words_missing(private: World) -> list[str]:
    """Text fields of what hangs on the incident that hold no canary, so that nobody would see them leak."""
    return [
        f"{model.__name__}.{field.name} holds no canary: see tests/security/world.py"
        for model, row in private.rows.items()
        for field in text_fields(model)
        if "zqcanary" not in _written(getattr(row, field.name))
    ]


def _written(value: Any) -> str:
    return bytes(value).decode() if isinstance(value, bytes | memoryview) else str(value)


def changed(askers: Iterable[Asker], before: dict[tuple[str, str], str], canaries: Canaries) -> list[str]:
    """Where a page tells of the private incident, or is not what it was before there was one."""
    faults = []
    for asker in askers:
        for path in [path for who, path in before if who == asker.name]:
            was, text = before[asker.name, path], read(asker, path)
            if found := canaries.in_text(text, path):
                faults.append(f"{path} shows {asker.name} {', '.join(found)}")
            elif text != was:
                faults.append(f"{path} changed for {asker.name}: {first_difference(was, text)}")
    return faults


def shown(askers: Iterable[Asker], paths: list[str], canaries: Canaries) -> list[str]:
    """Where a page that there was not before tells of the private incident."""
    return [
        f"{path} shows {asker.name} {', '.join(found)}"
        for asker in askers
        for path in paths
        if asker.may_ask(path) and (found := canaries.in_text(read(asker, path), path))
    ]


def not_as_absent(askers: Iterable[Asker], hidden: list[str], absent: list[str], canaries: Canaries) -> list[str]:
    """Where an address inside the private incident is answered otherwise than one of an incident that never was."""
    faults = []
    for asker in askers:
        for path, same in zip(hidden, absent, strict=True):
            if path == same or not asker.may_ask(path):
                continue
            answer, expected = read(asker, path), read(asker, same)
            faults += _compared(f"{path} is answered to {asker.name}", path, answer, expected, canaries)
    return faults


def _compared(what: str, asked: str, answer: str, expected: str, canaries: Canaries) -> list[str]:
    if found := canaries.in_text(answer, asked):
        return [f"{what} with {', '.join(found)}"]
    one, other = nameless(expected, NUMBER, ABSENT), nameless(answer, NUMBER, ABSENT)
    return [] if one == other else [f"{what}: {first_difference(one, other)}"]


def sent(askers: dict[str, Asker], asked: list[Any], private: World, canaries: Canaries) -> list[str]:
    """Where asking for a change tells of the private incident, or changes anything of it."""
    faults = []
    pages, scripts = taken(askers["jo"], asked), taken(askers["jo’s key to write"], asked)
    stored = state_of(private)
    for asker in askers.values():
        # Who may do most asks for everything; the others for what is inside the private incident.
        takes = scripts if asker.key else pages
        inside = takes if asker.name in MAY_MOST else [take for take in takes if take[0][0] != take[0][1]]
        for (path, same, data, nothing), method in inside:
            answer, is_changed = answered(asker, method, path, data, private, stored)
            expected, _ = answered(asker, method, same, nothing, private, stored)
            what = f"{method} {path} by {asker.name}"
            faults += [f"{what} changes it"] if is_changed else []
            faults += _compared(what, f"{path} {data}", plain(answer), plain(expected), canaries)
    return faults


def mailed(named: User, canaries: Canaries) -> list[str]:
    """Mail that tells somebody else of it, now and in the next two weeks."""
    for days in (0, 8, 14):
        with time_machine.travel(timezone.now() + timedelta(days=days)):
            for task in (tasks.start_postmortems, tasks.share_learning, tasks.look_after_reports):
                task()
            tasks.remind_of_updates()
            notify()
    assert mail.outbox, "nobody was mailed anything, so this proves nothing"
    others_mail = [letter for letter in mail.outbox if letter.to != [named.email]]
    return [
        f"mail to {letter.to}: {', '.join(found)}"
        for letter in others_mail
        if (found := canaries.in_text(f"{letter.subject}\n{letter.body}\n{letter.message()}"))
    ]


def what_is_seen(client: Client, private: World, public: World, canaries: Canaries) -> set[str]:
    """Which of the words somebody reads whom the incident names."""
    asker = Asker("mara", client)
    with undone():
        Membership.objects.update(role=Role.LEAD)
        texts = [read(asker, path) for path, _ in addresses(private, public) if "/pdf/" not in path]
    return {word for text in texts for word in re.findall(r"zqcanary\d+", text)}
