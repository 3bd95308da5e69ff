"""What reports know of incidents: counts and lengths, read in a few queries, which add up month by month.

What is counted is defined in response/measures.py, together with the list that shows its rows. Everything a report counts by
incident is in here, so that a month that is over can be stored (see months.py) and added
to others: adding the facts of two sets of incidents gives exactly the facts of both together.
"""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import chain
from typing import Any, Self
from zoneinfo import ZoneInfo

from django.db.models import BigIntegerField, Count, F, Q
from django.db.models.functions import Cast, Extract
from django.utils import timezone

from incidents.response.containments import Containment
from incidents.response.events import Event
from incidents.response.impact import Exposure, Impact
from incidents.response.incident import IncidentQuerySet
from incidents.response.links import Link
from incidents.response.measures import ACCEPTED, ORDERED, WORKED, hours_of, out_of_order
from incidents.response.vocabulary import OPEN, PHASES, Severity

Key = tuple[str, ...]


LONGEST = 2**32 - 1  # seconds that four bytes hold: 136 years


def _whole_seconds(microseconds: int) -> int:
    """Whole seconds within what is stored: one absurd clock in the database must not take the report from everybody."""
    return min(max(microseconds // 1_000_000, 0), LONGEST)


def _seconds() -> "array[int]":
    return array("I")


ALL: Key = ("all",)
NAMED = 400  # lengths up to which each keeps its incident, to be drawn as a dot of its own

# How the columns of an incident are called in counts; they are also what a chart can be split by.
DIMENSIONS = ("severity", "category", "failure_mode", "system", "team", "noticed_by")


@dataclass(slots=True)
class ReportFacts:
    """Counts by key, and lengths in seconds by phase and category; ("", …) is every category."""

    counts: Counter[Key] = field(default_factory=Counter)
    lengths: "defaultdict[Key, array[int]]" = field(default_factory=lambda: defaultdict(_seconds))
    # By phase: (seconds, incident number, category) of each, as long as they are few.
    named: defaultdict[str, list[tuple[int, int, str]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, other: "ReportFacts") -> Self:
        self.counts.update(other.counts)
        for key, values in other.lengths.items():
            self.lengths[key].extend(values)
        for phase, dots in other.named.items():
            self.named[phase].extend(dots)
        return self

    @classmethod
    def sum(cls, parts: Iterable["ReportFacts"]) -> Self:
        total = cls()
        for part in parts:
            total.add(part)
        return total

    @property
    def all(self) -> int:
        return self.counts[ALL]

    def of(self, name: str) -> dict[str, int]:
        """Give the counts of one measure by its code, such as of("severity")."""
        return {key[1]: count for key, count in self.counts.items() if len(key) == 2 and key[0] == name and count}

    def length(self, phase: str, category: str | None = None) -> list[int]:
        """Every length of a phase, in seconds and in order; of one category, or of all."""
        kinds = [values for key, values in self.lengths.items() if key[0] == phase and category in (None, key[1])]
        return sorted(chain.from_iterable(kinds))

    def how_many(self, phase: str) -> int:
        return sum(len(values) for key, values in self.lengths.items() if key[0] == phase)

    def pack(self) -> tuple[dict[str, Any], bytes]:
        """Write it down: counts and what the lengths are of, and the lengths themselves in order, four bytes each."""
        keys = sorted(key for key, values in self.lengths.items() if values)
        ordered = [array("I", sorted(self.lengths[key])) for key in keys]
        keyed = {
            "counts": sorted([*key, count] for key, count in self.counts.items() if count),
            "lengths": [[*key, len(values)] for key, values in zip(keys, ordered, strict=True)],
        }
        return keyed, b"".join(values.tobytes() for values in ordered)

    @classmethod
    def unpack(cls, keyed: dict[str, Any], lengths: bytes | memoryview) -> Self:
        facts = cls()
        facts.counts.update({tuple(row[:-1]): row[-1] for row in keyed["counts"]})
        every, at = array("I", bytes(lengths)), 0
        for *key, count in keyed["lengths"]:
            facts.lengths[tuple(key)] = every[at : at + count]
            at += count
        return facts


_OUTCOMES = {worked: code for code, worked in WORKED.items()}
_COLUMNS = [
    "pk",
    "number",
    "status",
    "severity",
    "category",
    "failure_mode",
    "system_id",
    "team_id",
    "noticed_by",
    "opened_by",
    "lead",
    "lead__time_zone",
    "is_range",
]
_TEAM = _COLUMNS.index("team_id") - 1  # what comes after the key
# As microseconds since 1970: a datetime takes ten times as long to read, and there are six of them.
_MICROSECONDS = {
    f"{clock}_us": Cast(Extract(clock, "epoch") * 1_000_000, BigIntegerField()) for clock in ("declared_at", *ORDERED)
}


def by_month_and_team(rows: IncidentQuerySet, declined: IncidentQuerySet) -> dict[tuple[date, int], ReportFacts]:
    """Read the facts of incidents by the month (UTC) in which they were declared and by team, 0 for none; in eight queries.

    `rows` are those that count; of `declined` only how many an alert had opened.
    """
    facts_by: dict[tuple[date, int], ReportFacts] = defaultdict(ReportFacts)
    facts_of: dict[int, ReportFacts] = {}
    columns = rows.order_by().annotate(**_MICROSECONDS, is_range=Q(impact_started_until__isnull=False))
    for pk, *row, declared, impact, detected, acknowledged, contained, resolved in columns.values_list(
        *_COLUMNS, *_MICROSECONDS
    ):
        declared_at = datetime.fromtimestamp(declared // 1_000_000, UTC)
        month = date(declared_at.year, declared_at.month, 1)
        facts_of[pk] = facts = facts_by[month, row[_TEAM] or 0]
        _count(facts, row, declared_at, (impact, detected, acknowledged, contained, resolved))
    for pk, of, currency, estimate, low, high, corrected in _columns_of(
        rows, Exposure, "of", "currency", "estimate", "low", "high", "corrected"
    ):
        _expose(facts_of[pk].counts, currency or of, estimate, low, high, corrected)
    for pk, harm in _columns_of(rows, Impact, "harm"):
        facts_of[pk].counts["harm", harm] += 1
    used = set(_columns_of(rows, Containment, "action", "worked", done_at__isnull=False))
    for pk, action, worked in used:
        facts_of[pk].counts["containment", action, _OUTCOMES[worked]] += 1
    for pk, action in {(pk, action) for pk, action, _ in used}:
        facts_of[pk].counts["used", action] += 1
    repeats = Link.objects.filter(incident__in=rows, kind=Link.Kind.REPEAT_OF)
    for pk in repeats.values_list("incident", flat=True).distinct():
        facts_of[pk].counts["repeat",] += 1
    for pk, people, edits in _events(rows):
        facts_of[pk].lengths["people", ""].append(people)
        facts_of[pk].counts["edited",] += bool(edits)
    for declared_at, team in declined.filter(opened_by=None).order_by().values_list("declared_at", "team_id"):
        facts_by[date(declared_at.year, declared_at.month, 1), team or 0].counts["triage", "declined"] += 1
    return dict(facts_by)


def _columns_of(rows: IncidentQuerySet, model: Any, *names: str, **conditions: object) -> Any:
    """The incident and some columns of what belongs to these incidents."""
    return model.objects.filter(incident__in=rows.values("pk"), **conditions).order_by().values_list("incident", *names)


def _events(rows: IncidentQuerySet) -> Any:
    """By incident: how many people acted before it was resolved, and how often a clock was corrected afterwards."""
    before = Q(incident__resolved_at=None) | Q(at__lte=F("incident__resolved_at"))
    return (
        Event.objects.filter(incident__in=rows.values("pk"))
        .order_by()
        .values("incident")
        .annotate(
            people=Count("by", distinct=True, filter=before),
            edits=Count("pk", filter=Q(kind=Event.Kind.CLOCK, at__gt=F("incident__resolved_at"))),
        )
        .values_list("incident", "people", "edits")
    )


def _count(facts: ReportFacts, row: list[Any], declared_at: datetime, clocks: tuple[int | None, ...]) -> None:
    number, status, severity, category, mode, system, team, noticed_by, opened_by, lead, zone, is_range = row
    impact, _, _, contained, resolved = clocks
    counts = facts.counts
    is_open = status in OPEN
    codes = (severity, category, mode, str(system or ""), str(team or ""), noticed_by)
    counts[ALL] += 1
    for name, code in zip(DIMENSIONS, codes, strict=True):
        counts[name, code] += 1
    counts["cell", category, str(system or "")] += 1
    counts["signal", mode, noticed_by] += bool(mode)
    counts["open",] += is_open
    counts["range",] += is_range
    counts["triage", "accepted"] += opened_by is None and status in ACCEPTED
    counts["missing", "impact_started_at"] += impact is None
    counts["missing", "noticed_by"] += not noticed_by
    counts["missing", "category"] += not category
    counts["missing", "order"] += bool(out_of_order(clocks))
    hours = hours_of(declared_at, _zone(zone or "UTC"))
    counts["hours", hours] += 1
    if lead and hours != "business":
        counts["called", str(lead)] += 1
    if severity == Severity.SEV1:
        facts.lengths["sev1", ""].append(_whole_seconds(int(declared_at.timestamp()) * 1_000_000))
    ended = resolved if contained is None else contained
    if impact is not None and ended is not None and ended >= impact:
        facts.lengths["wrong", ""].append(_whole_seconds(ended - impact))
    elif impact is not None and ended is None and is_open:
        facts.lengths["running:wrong", ""].append(_whole_seconds(impact))
    known = dict(zip(ORDERED, clocks, strict=True))
    for phase, (start, end) in PHASES.items():
        _measure(facts, phase, category, number, known[start], known[end], is_open=is_open)


def _measure(
    facts: ReportFacts, phase: str, category: str, number: int, start: int | None, end: int | None, *, is_open: bool
) -> None:
    if start is None:
        return
    if end is None:
        if is_open:
            facts.lengths[f"running:{phase}", category].append(_whole_seconds(start))
        return
    if end >= start:
        seconds = _whole_seconds(end - start)
        facts.lengths[phase, category].append(seconds)
        facts.named[phase].append((seconds, number, category))


def _expose(
    counts: Counter[Key], unit: str, estimate: int, low: int | None, high: int | None, corrected: int | None
) -> None:
    counts["exposed", unit] += 1
    counts["affected", unit] += estimate
    counts["affected_low", unit] += estimate if low is None else low
    counts["affected_high", unit] += estimate if high is None else high
    counts["corrected", unit] += corrected or 0
    counts["correction_known", unit] += corrected is not None


def running_for(facts: ReportFacts, phase: str, category: str | None = None) -> list[float]:
    """How long each has been in a phase that is not over yet, in seconds, up to now; of one category, or of all."""
    now = timezone.now().timestamp()
    return [max(0.0, now - start) for start in facts.length(f"running:{phase}", category)]


@lru_cache(maxsize=600)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
