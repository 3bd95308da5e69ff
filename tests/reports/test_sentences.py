"""Every sentence that a report writes by itself stands where it is true, and not in a world where it would be false.

SENTENCES has each with a world of either kind. The last test reads the templates and the modules that write them, so
that a sentence cannot be added without its worlds.
"""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.template.base import Lexer, TokenType
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone

from incidents.followups.models import FollowUp
from incidents.people.models import User
from incidents.postmortems.document import Postmortem
from incidents.postmortems.factors import Factor, FactorKind
from incidents.postmortems.guide import Guide
from incidents.postmortems.reading import Reading
from incidents.reports.cache import worked_out
from incidents.reports.decisions import Decision
from incidents.reports.saved import SavedReport
from incidents.reports.scope import Asked, Period, ReportScope
from incidents.reports.views.shared import context_of
from incidents.response.containments import Containment
from incidents.response.impact import Exposure
from incidents.response.incident import Incident
from incidents.response.links import Link
from incidents.systems.models import System
from tests.reports.conftest import at

HERE = Path(__file__).resolve().parent.parent.parent
GOING_ON: dict[str, Any] = {"status": "investigating", "contained_at": None, "resolved_at": None}


class World:
    """What happened, in verbs short enough to be listed."""

    def __init__(
        self,
        happened: Callable[..., Incident],
        people: list[User],
        system: System,
        client: Client,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.happened, self.system, self.client, self.monkeypatch = happened, system, client, monkeypatch
        self.mara, self.jo, self.lee = people
        # Two periods of the same length that begin on no first of a month, which would make months of them.
        days = 60 if (at(59).day, at(119).day) != (1, 1) and at(59).day != 1 else 61
        tomorrow = timezone.now().date() + timedelta(days=1)
        self.period = Period(tomorrow - timedelta(days=days), tomorrow)
        self.asked = Asked(self.period, ReportScope(), months="own")
        self.report: SavedReport | None = None
        self.query = ""

    def now(self, count: int = 1, **facts: Any) -> Incident:
        """So many in the period, an hour and more apart; gives the last."""
        return [self.happened(2 + number / 20, **facts) for number in range(count)][-1]

    def before(self, count: int = 1, **facts: Any) -> list[Incident]:
        """So many in the period before, which is on record from its first day on."""
        return [self.happened(2 * self.period.days - 1 - number / 2, **facts) for number in range(count)]

    def shortly_before(self) -> None:
        """One in the period before, of which no more than these 40 days are on record."""
        self.happened(self.period.days + 40)

    def many(self) -> None:
        """Let so few count as many that each can no longer be drawn, or tested, by itself."""
        self.monkeypatch.setattr("incidents.reports.durations.NAMED", 0)
        self.monkeypatch.setattr("incidents.reports.durations.FEW", 1)

    def going_on(self, **facts: Any) -> Incident:
        return self.now(**GOING_ON | facts)

    def promise(self, incident: Incident | None = None, *, due: int | None = 9, **fields: Any) -> FollowUp:
        day = None if due is None else timezone.now().date() + timedelta(days=due)
        usual = {"title": "Mend it", "owner": self.mara, "due_on": day, "priority": 1}
        return FollowUp.objects.add(incident or self.now(), by=self.mara, **usual | fields)  # type: ignore[arg-type]

    def write(self, state: str = "published", *, factors: int = 0, due: int = 3, **facts: Any) -> Postmortem:
        incident = self.now(**facts)
        postmortem = Postmortem.objects.create(
            incident=incident,
            slug=str(incident.number),
            guide=Guide.objects.current(),
            due_on=timezone.now().date() + timedelta(days=due),
            state=state,
            started_at=at(2),
            published_at=at(1) if state == "published" else None,
        )
        kinds = FactorKind.objects.all()[:factors]
        Factor.objects.bulk_create(Factor(postmortem=postmortem, kind=kind, text="It did") for kind in kinds)
        return postmortem

    def contain(
        self, days: float = 2, *, worked: bool | None = None, remove: bool = False, **facts: Any
    ) -> Containment:
        incident = self.happened(days, **GOING_ON | facts)
        containment = incident.contain(by=self.mara, action="rollback_index", at=at(days - 0.5))
        if worked is not None:
            containment.verify(by=self.mara, worked=worked)
        if remove:
            Containment.objects.filter(pk=containment.pk).update(remove_by=at(1))
        return containment

    def lead_at(self, hour: int, count: int = 1) -> None:
        """Let Mara lead incidents that were declared at that hour of a working day, where she lives."""
        User.objects.filter(pk=self.mara.pk).update(time_zone="UTC")
        day = timezone.now().date() - timedelta(days=10)
        day -= timedelta(days=max(0, day.weekday() - 4))
        for number in range(count):
            declared = datetime.combine(day - timedelta(weeks=number), time(hour), UTC)
            incident = self.now()
            Incident.objects.filter(pk=incident.pk).update(lead=self.mara, declared_at=declared)

    def worst(self, *days: float) -> None:
        for each in days:
            self.happened(each, severity="sev1")

    def objective(self, percent: str | None) -> None:
        System.objects.update(objective=None if percent is None else Decimal(percent))

    def tier(self, tier: int) -> None:
        System.objects.update(tier=tier)

    def save(self, **fields: Any) -> SavedReport:
        self.report = SavedReport.objects.freeze(self.asked, by=self.jo)
        SavedReport.objects.filter(pk=self.report.pk).update(**fields)
        self.report.refresh_from_db()
        return self.report

    def read(self, where: str) -> str:
        """What a page says, in words."""
        cache.clear()
        if where == "report":
            page = str(render_to_string("reports/print.html", context_of(*worked_out(self.lee, self.asked))))
        else:
            saved = self.report.get_absolute_url() if self.report else ""
            pages = {"trust": f"/reports/trust/{self.query}", "system": f"/reports/trust/{self.system.slug}/"}
            page = self.client.get((pages | {"saved": saved, "list": "/reports/kept/"})[where]).content.decode()
        page = re.sub(r"<style.*?</style>|<title.*?</title>|<desc.*?</desc>", " ", page, flags=re.DOTALL)
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split()).replace(" .", ".").replace(" ,", ",")


Build = Callable[[World], object]


@dataclass(frozen=True)
class Sentence:
    words: str  # a regular expression
    true: Build
    false: Build
    where: str = "report"


def both(*builds: Build) -> Build:
    return lambda world: [build(world) for build in builds]


def compared(now: int, before: int) -> Build:
    return lambda world: (world.before(before), world.now(now))


def nothing(_: World) -> None:
    """Let nothing happen."""


def once(world: World) -> None:
    world.now()


S = Sentence
OPENING = [
    S("compared with .* the period before", compared(1, 1), once),
    S("with nothing earlier on record to compare with", once, compared(1, 1)),
    S("1 of 1 do not say when the impact started", lambda w: w.now(impact_started_at=None), once),
    S("1 of 1 do not say who noticed first", lambda w: w.now(noticed_by=""), once),
    S("1 of 1 are unclassified", lambda w: w.now(category="", failure_mode=""), once),
    S("1 of 1 have clocks in an impossible order", lambda w: w.now(impact_started_at=at(1)), once),
    S(
        "1 of 1 had a clock corrected after they were resolved",
        lambda w: w.now().set_clock("impact_started_at", at(3), by=w.mara),
        once,
    ),
    S("1 of 1 are still open; their times count as they are so far", World.going_on, once),
    S("1 incident, as often as before", compared(1, 1), compared(1, 2)),
    S("incident.* less often than before", compared(1, 9), compared(9, 1)),
    S("incident.* more often than before", compared(9, 1), compared(1, 9)),
    S(r"incidents, [^:]*: likely real\.", compared(20, 1), compared(2, 2)),
    S(r"incidents, [^:]*: borderline\.", compared(11, 2), compared(20, 1)),
    S(r"incidents, [^:]*: within normal variation\.", compared(2, 2), compared(20, 1)),
    S(r"1 incident in 6[01] days, [^:]* per 30 days, was", both(World.shortly_before, once), compared(1, 1)),
    S("1 incident; there is no earlier period on record to compare with", once, compared(1, 1)),
    S("There is no earlier period on record.", once, compared(1, 1)),
    S("No incidents were declared from", nothing, once),
    S("; 2 were in the period before", lambda w: w.before(2), nothing),
    S("Output was wrong for 1 h .median of 1. before anyone noticed", once, lambda w: w.now(impact_started_at=None)),
    S(
        "is unknown: no incident has both clocks, in an order that is possible",
        lambda w: w.now(impact_started_at=None),
        once,
    ),
    S("is unknown: of most it is not over yet", lambda w: w.going_on(detected_at=None, acknowledged_at=None), once),
    S("; it was 1 h: within normal variation", compared(9, 9), compared(2, 2)),
    S("; it was 1 h, and there are too few to compare", compared(2, 2), compared(9, 9)),
    S("What changed most is SEV2: more often than before", compared(40, 1), compared(2, 2)),
    S("No severity, category or system changed by more than chance", compared(2, 2), compared(40, 1)),
    S("Nothing can be said of changes yet", once, compared(1, 1)),
]
TO_DECIDE = [
    S("Nothing: no P0 or P1 follow-up is late or unplanned", once, lambda w: w.promise(due=-1)),
    S("1 P0 or P1 follow-up overdue since", lambda w: w.promise(due=-1), lambda w: w.promise(due=0)),
    S(
        "overdue, the longest since",
        lambda w: (w.promise(due=-1), w.promise(due=-2)),
        lambda w: w.promise(due=-1),
    ),
    S(
        "% of its budget used: output was wrong for 2 h in 90 days, and its objective allows 12 min",
        both(once, lambda w: w.objective("99.99")),
        both(once, lambda w: w.objective("50")),
    ),
    S(
        "at least .* % of its budget used: output was wrong for at least",
        both(lambda w: w.now(impact_started_at=None), lambda w: w.objective("99.99")),
        both(once, lambda w: w.objective("99.99")),
    ),
    S("more systems over budget", lambda w: over_budget(w, 8), lambda w: over_budget(w, 6)),
    S(
        "asked on .* of Lee Tan, due on",
        lambda w: Decision.objects.ask(w.save(), "Buy", by=w.jo, owner=w.lee, due_on=date(2030, 1, 1)),
        lambda w: Decision.objects.ask(w.save(), "Buy", by=w.jo, owner=None, due_on=None),
    ),
    S("asked on .* of nobody yet", lambda w: ask(w, 1), lambda w: ask(w, 1)[0].decide("Yes", by=w.lee)),
    S("more decisions not taken yet", lambda w: ask(w, 8), lambda w: ask(w, 6)),
    S(
        "1 postmortem waits for its review since",
        lambda w: review(w),
        lambda w: w.write("draft"),
    ),
    S(
        "2 postmortems wait for their reviews, the longest since",
        lambda w: [review(w) for _ in range(2)],
        lambda w: review(w),
    ),
    S("follow-up without an owner or a day since", lambda w: w.promise(owner=None), lambda w: w.promise()),
    S(
        "without an owner or a day, the oldest since",
        lambda w: (w.promise(owner=None), w.promise(due=None)),
        lambda w: w.promise(due=None),
    ),
    S(
        "1 incident with a containment to keep or remove, past its day since",
        lambda w: w.contain(remove=True),
        lambda w: w.contain(),
    ),
    S(
        "past its day, the oldest since",
        lambda w: (w.contain(remove=True), w.contain(3, remove=True)),
        lambda w: w.contain(remove=True),
    ),
    S("was done, and the failure came back in the period", lambda w: came_back(w), lambda w: came_back(w, late=True)),
    S("were done, and their failures came back", lambda w: came_back(w, done=2), lambda w: came_back(w)),
    S(
        "did not work in 2 of the 2 incidents it was used in",
        lambda w: [w.contain(days, worked=False) for days in (2, 3)],
        lambda w: [w.contain(days, worked=days > 2) for days in (2, 3)],
    ),
]
TILES = [
    S("Nothing to compare with", once, compared(1, 1)),
    S(
        "In all, across the 1 of 2 incidents that say since when",
        lambda w: (w.now(), w.now(impact_started_at=None)),
        lambda w: w.now(2),
    ),
    S("1 not over yet, counted so far", World.going_on, once),
    S(r"2 d 1 h so far", World.going_on, once),
    S("No incident says since when", lambda w: w.now(impact_started_at=None), once),
    S("No incident says who noticed first", lambda w: w.now(noticed_by=""), once),
    S("By a monitor or an evaluation; was 1 of 1: within normal variation", compared(1, 1), once),
    S("By a monitor or an evaluation. ", once, lambda w: w.now(noticed_by="")),
    S("Until anyone noticed", once, lambda w: w.now(impact_started_at=None)),
    S("Follow-ups on time none due", once, lambda w: w.promise(due=-1)),
    S("done by their day", lambda w: w.promise(due=-1), once),
    S("Postmortems in time none due", once, lambda w: w.write(due=-3)),
    S("published by their day", lambda w: w.write(due=-3), once),
    S("Postmortems read none published", once, lambda w: w.write()),
    S(
        "Of those published in the period, by 1 person",
        lambda w: Reading.objects.create(postmortem=w.write(), person=w.lee),
        lambda w: [Reading.objects.create(postmortem=w.write(), person=person) for person in (w.lee, w.jo)],
    ),
    S("Nine in ten took at most", lambda w: w.now(10), lambda w: w.now(9)),
    S("too few for an interval", lambda w: w.now(5), lambda w: w.now(9, acknowledged_at=None)),
    S("Mann–Whitney test of 9 that ended now and 9 before", compared(9, 9), compared(2, 2)),
    S("Chosen among 3 lines", compared(2, 2), once),
    S("times as often as before", compared(2, 2), once),
    S("The 95 % intervals of the two medians overlap", both(World.many, compared(9, 9)), compared(9, 9)),
    S(
        "The 95 % intervals of the two medians do not overlap",
        both(World.many, lambda w: w.before(9), lambda w: w.now(9, impact_started_at=at(5))),
        both(World.many, compared(9, 9)),
    ),
    S("so its chance was multiplied by 3", compared(2, 2), once),
]
SECTIONS = [
    S("No month is outside it", compared(2, 2), compared(60, 1)),
    S(r"Outside it: .* usual 0 to", compared(60, 1), compared(2, 2)),
    S("There is nothing to compare with, so nothing is called usual", once, compared(1, 1)),
    S("Dotted:", compared(12, 8), compared(1, 30)),
    S("would be usual, judged by the period before", compared(1, 1), once),
    S("With 2 incidents to compare with, .* % of the time, and a true doubling", compared(1, 2), once),
    S("The last SEV1 was declared on", lambda w: w.worst(2, 5, 9, 20), lambda w: w.worst(2, 5)),
    S("SEV1 was declared on .*, 2 days ago", lambda w: w.worst(2, 5, 9, 20), lambda w: w.worst(0.1, 5, 9, 20)),
    S(
        "days between two would be usual",
        lambda w: w.worst(2, 9, 20, 30, 41),
        lambda w: w.worst(50, 50.1, 50.2, 50.3, 50.4),
    ),
    S(
        "So long without one is more than chance would explain",
        lambda w: w.worst(50, 50.1, 50.2, 50.3, 50.4),
        lambda w: w.worst(2, 9, 20, 30, 41),
    ),
    S(
        "Now covers 6[01] days, before covers .*: numbers in parentheses are per 30 days",
        both(World.shortly_before, once),
        compared(1, 1),
    ),
    S(
        r"This report judges 12 changes, 9 of them in tables. “Likely real” means a chance of less than 1 in 100 if nothing had "
        r"changed, so about 0\.1 of them would be called so by chance alone",
        compared(1, 1),
        nothing,
    ),
    S("One dot per incident, one row per category", once, both(World.many, once)),
    S("Each bar leads to its incidents", both(World.many, once), once),
    S("1 not over yet", World.going_on, once),
    S("1 unknown", lambda w: w.now(acknowledged_at=None), once),
    S(
        "The twelve systems with the most incidents; 1 more had some",
        lambda w: systems(w, 13),
        lambda w: systems(w, 12),
    ),
    S("A monitor or an evaluation came first in 1 of 1", once, lambda w: w.now(noticed_by="user")),
    S("Median silence unknown, detected to resolved", lambda w: w.now(impact_started_at=None), once),
    S("1 of 1 repeat an earlier incident", lambda w: again(w), once),
    S("1 postmortem published, 0 of them read", lambda w: w.write(), once),
    S("None published", once, lambda w: w.write()),
    S("no incident says who noticed", lambda w: w.now(noticed_by=""), once),
    S("Of what alerts opened, nothing triaged yet", once, lambda w: opened_by_alert(w)),
    S("Others noticed first, though a signal could have", lambda w: w.now(noticed_by="user"), once),
    S("No postmortem was published in the period", once, lambda w: w.write()),
    S("A postmortem may name several factors", lambda w: w.write(), once),
    S("No factor named 1", lambda w: w.write(), lambda w: w.write(factors=1)),
    S("None was named", lambda w: w.write(), lambda w: w.write(factors=1)),
    S(r"What set it off, and what let it happen", lambda w: w.write(factors=1), lambda w: w.write()),
    S("No incident says how much it hit, or what it cost", once, lambda w: expose(w)),
    S("Sums of estimates", lambda w: expose(w), once),
    S("known for 1", lambda w: expose(w, corrected=3), lambda w: expose(w)),
    S("No containment is on record", once, lambda w: w.contain()),
    S("Acknowledged to contained: 55 min", once, lambda w: w.going_on()),
    S(
        "1 incident with a containment that is past its removal date",
        lambda w: w.contain(remove=True),
        lambda w: w.contain(),
    ),
    S("no tier 1 or 2 systems", both(once, lambda w: w.tier(3)), both(once, lambda w: w.tier(1))),
    S("last on", both(lambda w: w.contain(100), once), once),
    S("not within half a year", once, lambda w: w.contain()),
    S("1 open and past its day", lambda w: w.promise(due=-1), lambda w: w.promise()),
    S("2 open and past their day", lambda w: (w.promise(due=-1), w.promise(due=-1)), lambda w: w.promise(due=-1)),
    S("None are open", once, lambda w: w.promise()),
    S("Oldest open", lambda w: w.promise(), once),
    S("median of 1 Approved", lambda w: w.write(), once),
    S("Nobody led an incident declared outside business hours", lambda w: w.lead_at(11), lambda w: w.lead_at(3)),
    S(
        "1 person led incidents declared outside business hours; 0 of them",
        lambda w: w.lead_at(3),
        lambda w: w.lead_at(3, 3),
    ),
    S("; 1 of them led three or more", lambda w: w.lead_at(3, 3), lambda w: w.lead_at(3, 2)),
    S("People who took part in an incident", once, nothing),
    S("in nine of ten at most", lambda w: w.now(10), lambda w: w.now(9)),
    S("Worth ten minutes", lambda w: w.write(), once),
    S("SEV2, read by 0", lambda w: w.write(), lambda w: Reading.objects.create(postmortem=w.write(), person=w.lee)),
    S("Either all was well, or nothing was watching", nothing, once),
    S("likely real SEV2", compared(40, 1), compared(2, 2)),
]
PAGES = [
    S("Only some systems are listed", lambda w: narrow(w, "?system=nobody"), nothing, "trust"),
    S("No system matches", lambda w: narrow(w, "?system=nobody"), nothing, "trust"),
    S("An administrator adds AI systems", lambda w: System.objects.all().delete(), nothing, "trust"),
    S("Every incident says when it started", once, lambda w: w.now(impact_started_at=None), "system"),
    S("At least: not every incident says when it started", lambda w: w.now(impact_started_at=None), once, "system"),
    S("when it was noticed", lambda w: w.now(impact_started_at=None), once, "system"),
    S("Never, as far as anyone noticed", nothing, once, "system"),
    S("so far", World.going_on, once, "system"),
    S("at an objective of 99.00 %", lambda w: w.objective("99"), once, "system"),
    S("no objective is set", once, lambda w: w.objective("99"), "system"),
    S("exceeded", both(once, lambda w: w.objective("99.99")), both(once, lambda w: w.objective("50")), "system"),
    S("drill overdue", lambda w: w.tier(1), lambda w: w.contain(), "system"),
    S("not within half a year", lambda w: w.tier(3), lambda w: w.contain(), "system"),
    S("SEV1 or SEV2 never", lambda w: w.now(severity="sev3"), once, "system"),
    S("under a day", lambda w: w.happened(0.5), once, "system"),
    S("Silent for unknown", lambda w: w.now(impact_started_at=None), once, "system"),
    S("known for 1 of 1", once, lambda w: w.now(impact_started_at=None), "system"),
    S(
        "Counted differently today Corrections and late entries since then",
        lambda w: (w.save(), w.now()),
        lambda w: w.save(),
        "saved",
    ),
    S(
        "Counted again today, every number would be the same",
        lambda w: w.save(),
        lambda w: (w.save(), w.now()),
        "saved",
    ),
    S("by schedule; its numbers never change", lambda w: w.save(made_by=None), lambda w: w.save(), "saved"),
    S(
        "Drafted by Faultline, neutral on purpose",
        lambda w: w.save(),
        lambda w: w.save().write("So.", by=w.jo),
        "saved",
    ),
    S("Written by Jo Lindqvist", lambda w: w.save().write("So.", by=w.jo), lambda w: w.save(), "saved"),
    S("Carried over from", lambda w: (ask(w, 1), w.save()), lambda w: ask(w, 1), "saved"),
    S("A saved report never changes, so you can look up", nothing, lambda w: w.save(), "list"),
    S("No saved reports yet", nothing, lambda w: w.save(), "list"),
    S("A team lead saves one, or you subscribe by email", nothing, lambda w: w.save(), "list"),
    S("Decisions still open", lambda w: ask(w, 1), lambda w: w.save(), "list"),
]
SENTENCES = [*OPENING, *TO_DECIDE, *TILES, *SECTIONS, *PAGES]


def over_budget(world: World, count: int) -> None:
    systems(world, count)
    world.objective("99.99")


def systems(world: World, count: int) -> None:
    team = world.system.team
    for number in range(count):
        system = System.objects.create(slug=f"s{number}", name=f"S {number}", kind=System.Kind.RAG, team=team)
        world.now(system=system)


def ask(world: World, count: int) -> list[Decision]:
    report = world.save()
    texts = (f"Buy {number}" for number in range(count))
    return [Decision.objects.ask(report, text, by=world.jo, owner=None, due_on=None) for text in texts]


def review(world: World) -> Postmortem:
    postmortem = world.write("draft")
    postmortem.send_to_review(by=world.mara, missing=[])
    return postmortem


def came_back(world: World, *, done: int = 1, late: bool = False) -> None:
    first, repeat = world.happened(20), world.happened(5)
    for _ in range(done):
        follow_up = world.promise(first)
        follow_up.complete(by=world.mara, outcome="It fired")
        FollowUp.objects.filter(pk=follow_up.pk).update(finished_at=at(1 if late else 10))
    Link.objects.link(repeat, first, Link.Kind.REPEAT_OF, by=world.mara)


def again(world: World) -> None:
    """Let the only one of the period be a repeat of an earlier one."""
    Link.objects.link(world.now(), world.before()[0], Link.Kind.REPEAT_OF, by=world.mara)


def opened_by_alert(world: World) -> None:
    Incident.objects.filter(pk=world.now().pk).update(opened_by=None)


def expose(world: World, corrected: int | None = None) -> None:
    Exposure.objects.create(incident=world.now(), of="outputs", estimate=9, how="log", corrected=corrected)


def narrow(world: World, query: str) -> None:
    world.query = query


@pytest.fixture
def world(
    happened: Callable[..., Incident],
    mara: User,
    jo: User,
    lee: User,
    support_assistant: System,
    as_person: Callable[[User], Client],
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    return World(happened, [mara, jo, lee], support_assistant, as_person(lee), monkeypatch)


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda sentence: f"{sentence.where}: {sentence.words}")
def test_a_sentence_stands_where_it_is_true_and_nowhere_else(world: World, sentence: Sentence) -> None:
    written = []
    for build in (sentence.true, sentence.false):
        with transaction.atomic():
            build(world)
            written.append(bool(re.search(sentence.words, world.read(sentence.where))))
            transaction.set_rollback(True)
        world.monkeypatch.undo()
        world.report, world.query = None, ""
    assert written == [True, False]


# No sentence without its worlds

WRITERS = ("learning", "wording", "decide", "trends", "volume", "durations", "breakdowns")
# What stands in a branch and cannot be false there: a label, how to read something, what to do, or the name of a test.
LABELS = (
    "See which monitors are connected",
    "What was decided",
    "Request a decision",
    "What to decide",
    "Faultline’s neutral draft",
    "Write your own",
    "Three sentences, one per line",
    "How many incidents took how long",
    "Save today’s report, or subscribe to one by email",
    "or subscribe to one by email",
    "Save the report to replace it with your own words",
    "Show all systems",
    "Days between SEV1 incidents",
    "days before the SEV1 of",
    "since the last SEV1",
    "Longer is better",
    "Above the dotted line is longer than chance explains",
    "Exact conditional test of two Poisson rates",
    "Fisher’s exact test",
    "Noticed by us first",
    "Linked as a repeat of an earlier incident",  # what the number beside it counts, of zero too
    "Of incidents at the same time each counts",
    "Near misses and hazards caught in time",
    "impact started → detected",
    "With an owner and a date",
    "Did not hold",
    "Shown to work",
)


def words_of(text: str) -> list[str]:
    return re.findall(r"[A-Za-zÀ-ž’–-]*[a-z][A-Za-zÀ-ž’–-]*", text)


def windows(text: str) -> set[tuple[str, ...]]:
    words = words_of(text)
    return {tuple(words[start : start + 3]) for start in range(len(words) - 2)}


def conditional_text(file: Path) -> Iterator[str]:
    """The pieces of a template that stand only where a condition holds, without their marks."""
    text, marks = "", {"if": "\x01", "endif": "\x02", "else": "\x03", "elif": "\x03", "empty": "\x03"}
    for token in Lexer(file.read_text()).tokenize():
        if token.token_type == TokenType.TEXT:
            text += token.contents
        elif token.token_type == TokenType.BLOCK:
            text += marks.get(token.contents.split()[0], "\x04")
        elif token.token_type == TokenType.VAR:
            text += "\x04"
    depth = 0
    for piece in re.split("([\x01-\x04])", re.sub("<[^>]*>", "\x04", text)):
        depth += {"\x01": 1, "\x02": -1}.get(piece, 0)
        if depth and words_of(piece):
            yield piece


def written_text(file: Path) -> Iterator[str]:
    """The strings of a module, without those that explain it."""
    tree = ast.parse(file.read_text())
    explained = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in explained:
            yield node.value


def test_no_sentence_is_without_its_worlds() -> None:
    tested = {window for sentence in SENTENCES for window in windows(sentence.words)}
    labels = {window for label in LABELS for window in windows(label)}
    templates = sorted((HERE / "templates/reports").rglob("*.html"))
    modules = [HERE / "incidents/reports" / f"{name}.py" for name in WRITERS]
    untested = [
        f"{file.name}: {' '.join(piece.split())}"
        for file, pieces in [(file, conditional_text(file)) for file in templates]
        + [(file, written_text(file)) for file in modules]
        for piece in pieces
        if " " in piece.strip() and len(words_of(piece)) > 2 and not windows(piece) & (tested | labels)
    ]
    assert untested == []
