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
from incidents.reports.document import Phase, Remark, Share, Tile, Trends, share
from incidents.reports.facts import DIMENSIONS, ReportFacts, running_for
from incidents.reports.known import Known, know
from incidents.reports.scope import BY, COMPARISONS, Asked, ReportScope
from incidents.reports.statistics import UNUSUAL, Proportion
from incidents.reports.volume import volume
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
    findings = wording.findings(known, rows, phases[0])
    hours, near_misses = breakdowns.hours(known), breakdowns.near_misses(known)
    judged = [*(row for lines in rows.values() for row in lines), *hours]
    scope = asked.scope.words
    return Trends(
        title=title_of(asked.scope),
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
        draft=tuple(finding.text for finding in findings),
        draft_how=tuple(finding.how for finding in findings),
        tiles=_tiles(known, phases[0], noticed, repeats),
        volume=volume(known),
        breakdowns=tuple((name, BY[name], rows[name]) for name in DIMENSIONS if name != "noticed_by"),
        luck=wording.luck(known, judged, phases, noticed=bool(noticed and share_of_noticed(known.before))),
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
        near_misses=near_misses,
        hours=hours,
        people=durations.Spread.of(now.length("people")).length(lambda value: f"{value:.3g}"),
        called_often=breakdowns.called_often(known),
    )


def share_of_noticed(facts: ReportFacts) -> Proportion | None:
    """Of those that say who noticed first, how many a monitor or an evaluation noticed."""
    return statistics.proportion(noticed_by_us(facts), facts.all - facts.counts["noticed_by", ""])


def _noticed(known: Known) -> Share | None:
    return share(share_of_noticed(known.now), known.link(noticed_by="us"), known.link(noticed_by="anybody"))


def title_of(scope: ReportScope) -> str:
    return "Trends" if scope.is_everything else f"Trends: {scope.words}"


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
    now, before = known.now.all, known.before.all
    p = known.p(now, before)
    note = wording.compared(known, now, before).capitalize()
    note = f"{note}: {wording.certainty(p)}." if known.earlier else f"{note}."
    how = wording.how_counts(known, now, before)
    return Tile("Incidents", f"{now:,}", note, known.link(), p < UNUSUAL, how=how)


def _how_long_wrong(known: Known) -> Tile:
    """All of it, with what is not over yet as it is so far. Where incidents overlap, each counts."""
    ended, running = known.now.length("wrong"), running_for(known.now, "wrong")
    n, label, url = len(ended) + len(running), "Output was wrong for", known.link(known="wrong")
    if not n:
        return Tile(label, "unknown", "No incident says since when, in an order that is possible.", url)
    so_far = Remark(f"{len(running):,} not over yet, counted so far", known.link(running="wrong"))
    return Tile(
        label,
        f"{span(sum(ended) + sum(running))}{' so far' if running else ''}",
        f"In all, across the {n:,} of {known.now.all:,} incidents that say since when.",
        url,
        more=(so_far,) if running else (),
        how=(
            "From when the impact started until it was contained, or else resolved.",
            "Of incidents at the same time each counts. Trust by system counts such time once, and only within its period.",
        ),
    )


def _how_long_silent(silence: Phase) -> Tile:
    if not silence.length:
        return Tile("Silence, median", "unknown", f"{wording.why_unknown(silence).capitalize()}.", silence.url)
    note = f"Until anyone noticed{'; ' + silence.verdict if silence.verdict else ''}."
    return Tile("Silence, median", silence.length.value, note, silence.url, silence.unusual, how=silence.how)


def _who_noticed(known: Known, noticed: Share | None) -> Tile:
    if not noticed:
        unknown = known.link(missing="noticed_by")
        return Tile("Noticed by us first", "unknown", "No incident says who noticed first.", unknown)
    was = share_of_noticed(known.before)
    note, how = "By a monitor or an evaluation", [wording.how_shares(noticed)]
    p = statistics.share_change_p(was.k, was.n, noticed.k, noticed.n) if was else 1.0
    if was:
        note += f"; was {was.k:,} of {was.n:,}: {wording.certainty(p)}"
        how.append(f"Fisher’s exact test: p = {wording.chance(p)}.")
    return Tile("Noticed by us first", str(noticed), f"{note}.", noticed.url, p < UNUSUAL, how=tuple(how))


def _what_came_back(known: Known, repeats: Share | None) -> Tile:
    if not repeats:
        return Tile("Repeats", "0 of 0", "", known.link())
    how = (wording.how_shares(repeats),)
    return Tile("Repeats", str(repeats), "Linked as a repeat of an earlier incident.", repeats.url, how=how)
