"""What can be counted of incidents and listed: each measure with its condition, and with the counts that it explains.

Lists are filtered by `condition(parameter, value)`; reports count by `keys` (see reports/facts.py) and lead to the list by
`query`. A test goes over all of them, so that a number in a report and the rows behind it do not differ.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import combinations, pairwise
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import CharField, DateTimeField, Exists, F, Func, Model, OuterRef, Q, Value
from django.db.models.functions import Coalesce, ExtractHour, ExtractIsoWeekDay
from django.db.models.lookups import GreaterThanOrEqual, LessThan

from incidents import taxonomy
from incidents.response.containments import Containment
from incidents.response.events import Event
from incidents.response.impact import UNITS, Exposure, Harm, columns_of, label_of
from incidents.response.links import Link
from incidents.response.vocabulary import CLOCKS, COUNTED, OPEN, PHASES, NoticedBy, Status

ORDERED = tuple(clock for clock in CLOCKS if clock != "declared_at")  # the clocks that follow each other
US = (NoticedBy.MONITOR, NoticedBy.EVALUATION)
HARMLESS = (Harm.NEAR_MISS, Harm.ISSUE)
ACCEPTED = tuple(status for status in COUNTED if status != Status.TRIAGE)
HOURS = {"business": "In business hours", "off": "Evenings and weekends", "sleep": "At night"}
WORKED = {"yes": True, "no": False, "unchecked": None}


@dataclass(frozen=True, slots=True)
class Measure:
    label: str
    query: dict[str, str]  # the parameters of the list that show its rows
    made_of: Q | Callable[[], Q]  # later, where it asks other tables: models are not ready yet when this module is read
    keys: tuple[tuple[str, ...], ...] = ()  # which counts of a report add up to it
    lengths: tuple[str, ...] = ()  # or of which lengths there are as many

    @property
    def q(self) -> Q:
        """The condition on incidents in the database."""
        return self.made_of if isinstance(self.made_of, Q) else self.made_of()


def hours_of(moment: datetime, zone: ZoneInfo) -> str:
    """Whose time a call takes, in the time zone of who is called: business is Monday to Friday from 8 to 18, sleep 22 to 8."""
    local = moment.astimezone(zone)
    if local.hour >= 22 or local.hour < 8:
        return "sleep"
    return "business" if local.hour < 18 and local.weekday() < 5 else "off"


def _in_hours(code: str) -> Q:
    """The same as hours_of(), of when an incident was declared and where its lead lives."""
    zone = Coalesce(F("lead__time_zone"), Value("UTC"), output_field=CharField())
    local = Func(zone, F("declared_at"), function="timezone", output_field=DateTimeField())
    hour, day = ExtractHour(local, tzinfo=UTC), ExtractIsoWeekDay(local, tzinfo=UTC)
    asleep = Q(GreaterThanOrEqual(hour, 22)) | Q(LessThan(hour, 8))
    business = ~asleep & Q(LessThan(hour, 18)) & Q(LessThan(day, 6))
    return {"sleep": asleep, "business": business, "off": ~asleep & ~business}[code]


def out_of_order(clocks: Sequence[Any]) -> list[tuple[int, int]]:
    """Give the positions of neighbours that stand in an impossible order; an unknown clock is skipped, not believed."""
    known = [(position, moment) for position, moment in enumerate(clocks) if moment is not None]
    return [(first, second) for (first, before), (second, after) in pairwise(known) if after < before]


def _is_out_of_order() -> Q:
    """The same as out_of_order(): where any known clock is later than one that follows it, two neighbours are."""
    wrong = Q()
    for first, second in combinations(ORDERED, 2):
        wrong |= Q(**{f"{first}__gt": F(second)})
    return wrong


def _missing() -> Iterator[Measure]:
    def measure(code: str, label: str, q: Q) -> Measure:
        return Measure(label, {"missing": code}, q, (("missing", code),))

    yield measure("impact_started_at", "Impact start unknown", Q(impact_started_at=None))
    yield measure("noticed_by", "Unknown who noticed", Q(noticed_by=NoticedBy.UNKNOWN))
    yield measure("category", "Unclassified", Q(category=""))
    yield measure("order", "Clocks out of order", _is_out_of_order())


def _noticed() -> Iterator[Measure]:
    others = tuple(code for code in NoticedBy if code not in (*US, NoticedBy.UNKNOWN))
    groups: dict[str, tuple[str, tuple[NoticedBy, ...]]] = {
        code.value: (str(code.label), (code,)) for code in (*US, *others)
    }
    groups["us"] = ("A monitor or an evaluation", US)
    groups["others"] = ("Someone else", others)
    groups["anybody"] = ("Anyone known", (*US, *others))
    for code, (label, members) in groups.items():
        keys = tuple(("noticed_by", member.value) for member in members)
        yield Measure(label, {"noticed_by": code}, Q(noticed_by__in=members), keys)


def _known() -> Iterator[Measure]:
    for clock, label in CLOCKS.items():
        yield Measure(label, {"known": clock}, Q(**{f"{clock}__isnull": False}))
    both = Q(impact_started_at__isnull=False, detected_at__isnull=False)
    yield Measure("Silence", {"known": "silence"}, both)
    wrong = ("wrong", "running:wrong")
    yield Measure("How long output was wrong", {"known": "wrong"}, _WAS_WRONG | _IS_WRONG, lengths=wrong)
    yield Measure("Output still wrong", {"running": "wrong"}, _IS_WRONG, lengths=wrong[1:])


# Until it was contained, else resolved.
_WAS_WRONG = Q(contained_at__gte=F("impact_started_at")) | Q(contained_at=None, resolved_at__gte=F("impact_started_at"))
_IS_WRONG = Q(impact_started_at__isnull=False, contained_at=None, resolved_at=None, status__in=OPEN)


def _phases() -> Iterator[Measure]:
    for code, (start, end) in PHASES.items():
        known = Q(**{f"{start}__isnull": False, f"{end}__gte": F(start)})
        yield Measure(f"{code} known", {"phase": code}, known, lengths=(code,))
        running = Q(**{f"{start}__isnull": False, f"{end}__isnull": True, "status__in": OPEN})
        yield Measure(f"{code} running", {"running": code}, running, lengths=(f"running:{code}",))


def _hours() -> Iterator[Measure]:
    for code, label in HOURS.items():
        yield Measure(label, {"hours": code}, _in_hours(code), (("hours", code),))


def _harm() -> Iterator[Measure]:
    for harm in Harm:
        if harm:
            yield Measure(harm.label, {"harm": harm.value}, Q(impact__harm=harm), (("harm", harm.value),))
    keys = tuple(("harm", harm.value) for harm in HARMLESS)
    yield Measure("No harm occurred", {"harm": "none_came"}, Q(impact__harm__in=HARMLESS), keys)


def _exposed() -> Iterator[Measure]:
    for unit in UNITS:
        has = partial(_has, Exposure, **columns_of(unit))
        yield Measure(label_of(unit), {"exposed": unit}, has, (("exposed", unit),))
    yield Measure("Anything", {"exposed": "any"}, partial(_has, Exposure))


def _has(model: type[Model], **fields: Any) -> Q:
    return Q(Exists(model._default_manager.filter(incident=OuterRef("pk"), **fields)))


def used(action: str, worked: str = "") -> Q:
    """In which a containment was carried out, and with `worked` (yes, no, unchecked) whether it limited the harm."""
    checked = {"worked": WORKED[worked]} if worked else {}
    return _has(Containment, done_at__isnull=False, action=action, **checked)


def _containments() -> Iterator[Measure]:
    for action in taxonomy.all_containments():
        code, name = action.code, action.name
        yield Measure(name, {"containment": code}, partial(used, code), (("used", code),))
        for worked in WORKED:
            query = {"containment": code, "worked": worked}
            yield Measure(f"{name}: {worked}", query, partial(used, code, worked), (("containment", code, worked),))


def _triage() -> Iterator[Measure]:
    by_alert = Q(opened_by=None)
    query = {"opened_by": "alert", "status": "accepted"}
    yield Measure("Accepted", query, by_alert & Q(status__in=ACCEPTED), (("triage", "accepted"),))
    query = {"opened_by": "alert", "status": "declined"}
    yield Measure("Declined", query, by_alert & Q(status=Status.DECLINED), (("triage", "declined"),))


def _others() -> Iterator[Measure]:
    repeats = partial(_has, Link, kind=Link.Kind.REPEAT_OF)
    yield Measure("Repeats", {"repeat": "true"}, repeats, (("repeat",),))
    later = partial(_has, Event, kind=Event.Kind.CLOCK, at__gt=OuterRef("resolved_at"))
    yield Measure("A clock was corrected after it was resolved", {"edited": "true"}, later, (("edited",),))


MEASURES: tuple[Measure, ...] = tuple(
    measure
    for group in (
        _missing,
        _noticed,
        _known,
        _phases,
        _hours,
        _harm,
        _exposed,
        _containments,
        _triage,
        _others,
    )
    for measure in group()
)

# Those of which one parameter of the list is enough, by that parameter and its value.
_BY_PARAMETER = {next(iter(measure.query.items())): measure for measure in MEASURES if len(measure.query) == 1}


def condition(parameter: str, value: str) -> Q:
    """The condition on incidents that a parameter of the list stands for. Raises KeyError for what is no measure."""
    return _BY_PARAMETER[parameter, value].q


def choices(parameter: str) -> list[tuple[str, str]]:
    """The values that a parameter of the list can have, each with its label."""
    return [(value, measure.label) for (name, value), measure in _BY_PARAMETER.items() if name == parameter]
