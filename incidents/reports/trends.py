"""The trend report: every number with its n, how sure it is, and the address of exactly its rows.

Scoped like every list: a private incident is counted only for those whom it names, so two people may see different
numbers, and nobody can tell from theirs what they may not see. The result is plain data: it is drawn, exported and
frozen as it is. Days and months are UTC.
"""

from datetime import UTC

from django.utils import timezone

from incidents.people.models import User
from incidents.reports import breakdowns, durations, statistics, wording
from incidents.reports.dimensions import noticed_by_us
from incidents.reports.document import Phase, Share, Tile, Trends, share
from incidents.reports.facts import DIMENSIONS
from incidents.reports.known import Known, know
from incidents.reports.scope import BY, COMPARISONS, Asked
from incidents.reports.statistics import UNUSUAL
from incidents.reports.volume import volume
from incidents.response.vocabulary import Severity
from incidents.web.durations import span


def trends(user: User, asked: Asked) -> Trends:
    """Work out the report, in a number of queries that does not grow with what there is."""
    return put_together(know(user, asked))


def put_together(known: Known) -> Trends:
    """Make the report of what is known; asks the database nothing but the names of a narrower scope."""
    asked, now, before = known.asked, known.now, known.before
    phases = tuple(durations.phase(known, *phase) for phase in durations.PHASES)
    rows = {dimension: breakdowns.breakdown(known, dimension) for dimension in DIMENSIONS}
    noticed, repeats = _noticed(known), _repeats(known)
    scope = asked.scope.words
    return Trends(
        title="Trends" if asked.scope.is_everything else f"Trends: {scope}",
        period=str(asked.period),
        days=asked.period.days,
        compared=str(known.earlier) if known.earlier else "",
        compared_how=COMPARISONS[asked.compare],
        scope=scope,
        as_of=timezone.now().astimezone(UTC).isoformat(timespec="seconds"),
        n=now.all,
        before=before.all,
        url=known.link(),
        quality=wording.quality(known),
        draft=wording.draft(known, rows, phases[0], noticed, repeats),
        tiles=_tiles(known, phases[0], noticed, repeats),
        volume=volume(known),
        breakdowns=tuple((name, BY[name], rows[name]) for name in DIMENSIONS if name != "noticed_by"),
        luck=wording.luck(known, [row for lines in rows.values() for row in lines]),
        phases=phases,
        by_category=durations.by_category(known),
        grid=breakdowns.grid(known),
        noticed_by_us=noticed,
        noticed=rows["noticed_by"],
        missed=breakdowns.missed(known),
        precision=breakdowns.precision(known),
        exposure=breakdowns.exposure(known),
        repeats=repeats,
        used=breakdowns.containment_use(known),
        near_misses=breakdowns.near_misses(known),
        hours=breakdowns.hours(known),
        people=durations.Spread.of(now.length("people")).length(lambda value: f"{value:.3g}"),
        called_often=breakdowns.called_often(known),
    )


def _noticed(known: Known) -> Share | None:
    """Of those that say who noticed first, how many a monitor or an evaluation noticed."""
    somebody = known.now.all - known.now.counts["noticed_by", ""]
    return share(
        statistics.proportion(noticed_by_us(known.now), somebody),
        known.link(noticed_by="us"),
        known.link(noticed_by="anybody"),
    )


def _repeats(known: Known) -> Share | None:
    return share(
        statistics.proportion(known.now.counts["repeat",], known.now.all), known.link(repeat="true"), known.link()
    )


# Tiles


def _tiles(known: Known, silence: Phase, noticed: Share | None, repeats: Share | None) -> tuple[Tile, ...]:
    if not known.now.all:
        return (_how_many(known),)  # of none there is nothing to say, and nothing is unknown
    return (
        _how_many(known),
        _how_long_wrong(known),
        _how_long_silent(silence),
        _who_noticed(known, noticed),
        _what_came_back(known, repeats),
    )


def _how_many(known: Known) -> Tile:
    now, before = known.now, known.before
    counts = [(Severity(code).label, now.counts["severity", code]) for code in ("sev1", "sev2", "sev3", "sev4")]
    by_severity = ", ".join(f"{count:,} {label}" for label, count in counts if count)
    note = f"{by_severity + '; ' if by_severity else ''}{wording.compared(known, now.all, before.all)}"
    return Tile("Incidents", f"{now.all:,}", note, known.link(), known.p(now.all, before.all) < UNUSUAL)


def _how_long_wrong(known: Known) -> Tile:
    wrong = known.now.length("wrong")
    note = f"in all, across the {len(wrong):,} of {known.now.all:,} incidents that say when it started"
    return Tile("Output was wrong for", span(sum(wrong)) if wrong else "unknown", note, known.link(known="wrong"))


def _how_long_silent(silence: Phase) -> Tile:
    if not silence.length:
        return Tile("Silence, median", "unknown", "no incident says when the impact started", silence.url)
    note = f"{wording.interval(silence.length)}{'; ' + silence.verdict if silence.verdict else ''}"
    return Tile("Silence, median", silence.length.value, note, silence.url, silence.unusual)


def _who_noticed(known: Known, noticed: Share | None) -> Tile:
    if not noticed:
        unknown = known.link(missing="noticed_by")
        return Tile("Noticed by us first", "unknown", "no incident says who noticed first", unknown)
    note = f"95 %: {noticed.low}–{noticed.high} %{_change_of_who_noticed(known)}"
    return Tile("Noticed by us first", str(noticed), note, noticed.url)


def _change_of_who_noticed(known: Known) -> str:
    before = known.before.all - known.before.counts["noticed_by", ""]
    now = known.now.all - known.now.counts["noticed_by", ""]
    if not before:
        return ""
    was, became = noticed_by_us(known.before), noticed_by_us(known.now)
    p = statistics.share_change_p(was, before, became, now)
    return f"; was {was:,} of {before:,}: {wording.verdict(p)}"


def _what_came_back(known: Known, repeats: Share | None) -> Tile:
    if not repeats:
        return Tile("Repeats", "0 of 0", "", known.link())
    return Tile("Repeats", str(repeats), f"95 %: {repeats.low}–{repeats.high} %; of an earlier incident", repeats.url)
