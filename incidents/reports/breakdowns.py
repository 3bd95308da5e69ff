"""What, where and who: counts by code, detection, exposure, containment, and the load on people."""

from collections import Counter

from incidents import taxonomy
from incidents.reports import statistics
from incidents.reports.dimensions import condition, drawn, label
from incidents.reports.document import BreakdownRow, ContainmentUse, ExposureRow, Grid, MissedSignal, Share, share
from incidents.reports.known import Known
from incidents.reports.statistics import UNUSUAL
from incidents.response.impact import UNITS, label_of
from incidents.response.measures import HARMLESS, HOURS, US
from incidents.response.vocabulary import Severity


def breakdown(known: Known, dimension: str) -> tuple[BreakdownRow, ...]:
    """One line for each code of a dimension, most first; severities from the worst on."""
    now, before = known.now.of(dimension), known.before.of(dimension)
    rows = [
        _row(
            known,
            label(known, dimension, code),
            code,
            now.get(code, 0),
            before.get(code, 0),
            condition(known, dimension, code),
        )
        for code in {**before, **now}
    ]
    if dimension == "severity":
        return tuple(sorted(rows, key=lambda row: Severity.values.index(row.code)))
    return tuple(sorted(rows, key=lambda row: (-row.count, -row.before, row.label)))


def _row(known: Known, label: str, code: str, now: int, before: int, conditions: dict[str, str]) -> BreakdownRow:
    p = known.p(now, before)
    url_before = known.asked.incidents(known.earlier, **conditions) if known.earlier else ""
    rates = (known.rate(now), known.rate_before(before)) if known.differs_in_length else ("", "")
    return BreakdownRow(label, code, now, before, known.link(**conditions), url_before, p, p < UNUSUAL, *rates)


def grid(known: Known) -> Grid:
    """Which system fails in which way: the twelve systems with most."""
    categories = drawn(known.now.of("category"), "category")
    systems = known.now.of("system")
    most = sorted(systems, key=lambda pk: (-systems[pk], pk))[:12]
    rows = []
    for pk in most:
        where = condition(known, "system", pk)
        cells = tuple(
            (known.now.counts["cell", code, pk], known.link(**where, category=code or "none")) for code in categories
        )
        rows.append((label(known, "system", pk), cells, systems[pk], known.link(**where)))
    names = tuple((code or "none", taxonomy.category(code).name) for code in categories)
    return Grid(names, tuple(rows), len(systems) - len(most))


# Detection


def missed(known: Known) -> tuple[MissedSignal, ...]:
    """The failure modes that others noticed before we did, with the signals that show them."""
    noticed: dict[str, Counter[str]] = {}
    for key, count in known.now.counts.items():
        if key[0] == "signal" and key[2]:
            noticed.setdefault(key[1], Counter())["us" if key[2] in US else "others"] += count
    rows = []
    for code, by in noticed.items():
        mode = taxonomy.find(code)
        if not isinstance(mode, taxonomy.FailureMode):
            continue  # one that an earlier taxonomy had
        others = share(
            statistics.proportion(by["others"], by.total()),
            known.link(failure_mode=code, noticed_by="others"),
            known.link(failure_mode=code, noticed_by="anybody"),
        )
        if others and others.k:
            rows.append(MissedSignal(mode.name, others, ", ".join(mode.signals).replace("_", " ")))
    return tuple(sorted(rows, key=lambda row: (-row.others.k, row.label))[:8])


def precision(known: Known) -> Share | None:
    """Of what alerts opened, how much was an incident."""
    accepted, declined = (known.now.counts["triage", verdict] for verdict in ("accepted", "declined"))
    return share(
        statistics.proportion(accepted, accepted + declined),
        known.link(opened_by="alert", status="accepted"),
        known.link(opened_by="alert", status="triaged"),
    )


# Exposure and containment


def exposure(known: Known) -> tuple[ExposureRow, ...]:
    """How many were affected, by what they are: the sum of what incidents say, and how many say it."""
    counts, rows = known.now.counts, []
    for unit in UNITS:
        if not counts["exposed", unit]:
            continue
        known_of = share(
            statistics.proportion(counts["exposed", unit], known.now.all), known.link(exposed=unit), known.link()
        )
        if known_of and known_of.k:
            sums = ("affected", "affected_low", "affected_high", "corrected", "correction_known")
            rows.append(ExposureRow(label_of(unit), known_of, unit, *(counts[key, unit] for key in sums)))
    return tuple(rows)


def containment_use(known: Known) -> tuple[ContainmentUse, ...]:
    """Each containment that was carried out: in how many incidents, and whether it worked there."""
    results = {"yes": "worked", "no": "did not", "unchecked": "not checked"}
    rows = []
    for action, count in known.now.of("used").items():
        outcomes = tuple(
            (words, known.now.counts["containment", action, code], known.link(containment=action, worked=code))
            for code, words in results.items()
        )
        rows.append(ContainmentUse(_action(action), count, known.link(containment=action), outcomes))
    return tuple(sorted(rows, key=lambda row: (-row.count, row.label)))


def _action(code: str) -> str:
    """The name of a containment; its code where an earlier taxonomy had it."""
    return {action.code: action.name for action in taxonomy.all_containments()}.get(code, code)


def near_misses(known: Known) -> BreakdownRow:
    now, before = (sum(facts.counts["harm", harm.value] for harm in HARMLESS) for facts in (known.now, known.before))
    return _row(known, "Near misses and hazards caught in time", "none_came", now, before, {"harm": "none_came"})


# Load on people


def hours(known: Known) -> tuple[BreakdownRow, ...]:
    now, before = known.now.of("hours"), known.before.of("hours")
    return tuple(
        _row(known, name, code, now.get(code, 0), before.get(code, 0), {"hours": code}) for code, name in HOURS.items()
    )


def called_often(known: Known) -> str:
    """Whether the same few are called at night: how many, never who."""
    called = known.now.of("called")
    often = sum(count >= 3 for count in called.values())
    if not called:
        return "Nobody led an incident declared outside business hours."
    people = f"{len(called)} {'person' if len(called) == 1 else 'people'}"
    return f"{people} led incidents declared outside business hours; {often} of them led three or more."
