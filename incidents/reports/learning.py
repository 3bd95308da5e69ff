"""What was learnt and done: follow-ups, postmortems, factors, what came back, and what nobody has practised.

These are read from their rows each time. Dates are UTC; what was due, raised or published in the period says so.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q
from django.utils import timezone

from incidents.followups.models import AGES, ON_TIME, STAGES, FollowUp, FollowUpQuerySet, judged
from incidents.people.models import Team, User
from incidents.postmortems import reviews
from incidents.postmortems.factors import Factor, FactorGroup
from incidents.postmortems.models import Postmortem, PostmortemQuerySet, Section
from incidents.postmortems.reading import Reading
from incidents.reports import statistics
from incidents.reports.scope import Asked
from incidents.reports.trends import Length, Part, part
from incidents.response.links import Link
from incidents.response.models import Containment, Incident, Kind
from incidents.systems.models import Change, System
from incidents.templatetags.ui import span


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of the way from a promise to its proof."""

    label: str
    count: int
    url: str


@dataclass(frozen=True, slots=True)
class Old:
    incident: str
    title: str
    url: str
    days: int
    owner: str


@dataclass(frozen=True, slots=True)
class Shared:
    """A factor: in how many of the published postmortems."""

    label: str
    group: str
    count: int
    percent: int
    url: str


@dataclass(frozen=True, slots=True)
class Returned:
    """Incidents that are repeats of each other: the first, those that followed, and what would have covered them."""

    title: str
    members: tuple[tuple[str, str, str], ...]  # number, address, day
    open_follow_ups: int
    url: str


@dataclass(frozen=True, slots=True)
class Story:
    title: str
    text: str
    url: str
    told: str


@dataclass(frozen=True, slots=True)
class Learning:
    on_time: Part | None
    overdue: int
    overdue_url: str
    funnel: tuple[Step, ...]
    dropped: Step
    ages: tuple[tuple[str, tuple[tuple[int, str], ...]], ...]  # team, one cell for each of AGES
    age_names: tuple[str, ...]
    oldest: tuple[Old, ...]
    published: int
    published_url: str
    in_time: Part | None
    days_to_publish: Length | None
    reviewed_outside: Part | None
    read: Part | None
    reads: int
    readers: int
    excused: int
    factors: tuple[Shared, ...]
    unnamed: int
    factor_groups: tuple[tuple[str, tuple[int, ...]], ...]  # trigger, one count for each group
    group_names: tuple[str, ...]
    returned: tuple[Returned, ...]
    to_remove: int
    to_remove_url: str
    drills: Part | None
    undrilled: tuple[tuple[str, str, str], ...]  # system, address, when it was last practised
    stories: tuple[Story, ...]


def learn(user: User, asked: Asked) -> Learning:
    follow_ups = asked.scope.of_follow_ups(FollowUp.objects.visible_to(user))
    written = asked.scope.of_postmortems(Postmortem.objects.visible_to(user))
    since, until = asked.period.bounds()
    published = written.published().filter(published_at__gte=since, published_at__lt=until)
    return Learning(
        **_follow_through(follow_ups, asked),
        **_postmortems(written, published, asked),
        **_factors(published, asked),
        returned=_returned(user, asked),
        **_practised(user, asked),
        stories=_stories(published),
    )


def _follow_through(rows: FollowUpQuerySet, asked: Asked) -> dict[str, Any]:
    period = asked.period
    since, until = period.bounds()
    due = rows.filter(due_on__gte=period.since, due_on__lt=period.until)
    told = due.aggregate(n=Count("pk", filter=judged()), k=Count("pk", filter=ON_TIME))
    raised = rows.filter(created_at__gte=since, created_at__lt=until)
    stages = raised.aggregate(**{name: Count("pk", filter=condition) for name, condition in STAGES.items() if condition}, raised=Count("pk"))  # fmt: skip
    names = {
        "raised": "Raised",
        "owned": "With an owner",
        "dated": "And a date",
        "done": "Done",
        "verified": "Shown to work",
    }
    steps = [Step(names[name], stages[name], asked.follow_ups(stage=name, **asked.dated("created"))) for name in names]
    today = timezone.now().date()
    return {
        "on_time": part(
            statistics.share(told["k"], told["n"]),
            asked.follow_ups(on_time="yes", **asked.due()),
            asked.follow_ups(on_time="known", **asked.due()),
        ),
        "overdue": rows.overdue().count(),
        "overdue_url": asked.follow_ups(show="overdue"),
        "funnel": tuple(steps),
        "dropped": Step("Decided against", stages["dropped"], asked.follow_ups(stage="dropped", **asked.dated("created"))),
        "ages": _ages(rows, asked),
        "age_names": tuple(f"{name.replace('over-', 'over ').replace('-', '–')} days" for name in AGES),
        "oldest": tuple(
            Old(str(row.incident), row.title, row.get_absolute_url(), (today - row.created_at.astimezone(UTC).date()).days, str(row.owner or "nobody"))
            for row in rows.open().select_related("owner", "incident").order_by("created_at", "pk")[:10]
        ),
    }  # fmt: skip


def _ages(rows: FollowUpQuerySet, asked: Asked) -> tuple[tuple[str, tuple[tuple[int, str], ...]], ...]:
    """How old what is open is, by team."""
    now = timezone.now()
    within = {}
    for name, (least, most) in AGES.items():
        condition = Q(created_at__lte=now - timedelta(days=least))
        within[name] = condition & Q(created_at__gt=now - timedelta(days=most)) if most else condition
    ages = {f"age_{name}": Count("pk", filter=condition) for name, condition in within.items()}
    counted = rows.open().order_by().values("incident__team__slug").annotate(**ages)
    names = dict(Team.objects.values_list("slug", "name"))
    told = [
        (
            names.get(team or "", "No team"),
            tuple((count, asked.follow_ups(show="open", age=name, team=team or "none")) for name, count in zip(within, counts, strict=True)),
        )
        for team, *counts in counted.values_list("incident__team__slug", *ages)
    ]  # fmt: skip
    return tuple(sorted(told, key=lambda row: row[0]))


def _postmortems(rows: PostmortemQuerySet, published: PostmortemQuerySet, asked: Asked) -> dict[str, Any]:
    period = asked.period
    due = rows.filter(due_on__gte=period.since, due_on__lt=period.until)
    read = Reading.objects.filter(postmortem=OuterRef("pk"))
    n_due, in_time = due.judged().count(), due.in_time().count()
    told = published.aggregate(
        n=Count("pk"),
        outside=Count("pk", filter=Q(reviews.approved_outside())),
        read=Count("pk", filter=Q(Exists(read))),
    )
    readings = Reading.objects.filter(postmortem__in=published.values("pk")).aggregate(
        reads=Count("pk"), readers=Count("person", distinct=True)
    )
    took = [
        (published_at - resolved_at).total_seconds()
        for published_at, resolved_at in published.order_by().values_list("published_at", "incident__resolved_at")
        if published_at and resolved_at and published_at >= resolved_at
    ]
    median = statistics.quantile(took)
    all_url = asked.postmortems(show="published", **asked.dated("published"))
    return {
        "published": told["n"],
        "published_url": all_url,
        "in_time": part(
            statistics.share(in_time, n_due),
            asked.postmortems(in_time="yes", **asked.due()),
            asked.postmortems(in_time="known", **asked.due()),
        ),
        "days_to_publish": Length(span(median.value), span(median.low) if median.low is not None else "", span(median.high) if median.high is not None else "", "", median.n) if median else None,
        "reviewed_outside": part(statistics.share(told["outside"], told["n"]), all_url + "&outside=yes", all_url),
        "read": part(statistics.share(told["read"], told["n"]), all_url + "&read=yes", all_url),
        "reads": readings["reads"],
        "readers": readings["readers"],
        "excused": due.filter(state=Postmortem.State.NOT_REQUIRED).count(),
    }  # fmt: skip


def _factors(published: PostmortemQuerySet, asked: Asked) -> dict[str, Any]:
    """Which factors the postmortems published in the period name, and under which trigger."""
    n = published.count()
    rows = Factor.objects.filter(postmortem__in=published.values("pk"))
    named = (
        rows.order_by().values("kind", "kind__name", "kind__group").annotate(n=Count("pk")).order_by("-n", "kind__name")
    )
    url = asked.postmortems(show="published", **asked.dated("published"))
    shared = [
        Shared(row["kind__name"], FactorGroup(row["kind__group"]).label, row["n"], round(100 * row["n"] / n), f"{url}&factor={row['kind']}")
        for row in named[:12]
    ]  # fmt: skip
    cells: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    triggered = rows.order_by().values("postmortem__triggered_by", "postmortem__trigger__kind", "kind__group").annotate(n=Count("postmortem", distinct=True))  # fmt: skip
    for row in triggered:
        cells[_trigger(row["postmortem__triggered_by"], row["postmortem__trigger__kind"])][row["kind__group"]] += row[
            "n"
        ]
    return {
        "factors": tuple(shared),
        "unnamed": published.exclude(Exists(Factor.objects.filter(postmortem=OuterRef("pk")))).count(),
        "factor_groups": tuple((name, tuple(counts[group] for group in FactorGroup.values)) for name, counts in sorted(cells.items())),
        "group_names": tuple(str(label) for label in FactorGroup.labels),
    }  # fmt: skip


def _trigger(triggered_by: str, kind: str | None) -> str:
    if triggered_by == Postmortem.Trigger.CHANGE and kind:
        return f"A change: {Change.Kind(kind).label.lower()}"
    return str(Postmortem.Trigger(triggered_by).label)


def _returned(user: User, asked: Asked) -> tuple[Returned, ...]:
    """What came back in the period: each chain of repeats from its first incident on, the longest first."""
    since, until = asked.period.bounds()
    seen = Incident.objects.visible_to(user)
    here = asked.scope.of(seen.filter(declared_at__gte=since, declared_at__lt=until))
    links = Link.objects.filter(kind=Link.Kind.REPEAT_OF, incident__in=here.values("pk"), other__in=seen.values("pk"))
    first: dict[int, int] = {}

    def root(pk: int) -> int:
        while pk in first:
            pk = first[pk]
        return pk

    members: set[int] = set()
    for incident, other in links.order_by("-incident__declared_at").values_list("incident", "other")[:500]:
        members |= {incident, other}
        a, b = root(incident), root(other)
        if a != b:
            first[max(a, b)] = min(a, b)
    groups: dict[int, list[Incident]] = defaultdict(list)
    for row in Incident.objects.filter(pk__in=members).order_by("declared_at"):
        groups[root(row.pk)].append(row)
    largest = sorted(groups.values(), key=lambda rows: (-len(rows), -rows[-1].declared_at.timestamp()))[:8]
    waiting = dict(
        FollowUp.objects.open().filter(incident__in=[row.pk for rows in largest for row in rows]).values_list("incident").annotate(Count("pk"))
    )  # fmt: skip
    return tuple(
        Returned(
            title=rows[0].title,
            members=tuple((str(row), row.get_absolute_url(), f"{row.declared_at:%-d %b %Y}") for row in rows),
            open_follow_ups=sum(waiting.get(row.pk, 0) for row in rows),
            url=rows[0].get_absolute_url(),
        )
        for rows in largest
    )


DRILL_EVERY = {1: 90, 2: 180}  # days, by tier


def practised_at(user: User) -> dict[int, datetime]:
    """When a containment was last carried out on each system, in an incident or in a drill: an incident of kind “test”."""
    done = Containment.objects.filter(
        done_at__isnull=False, incident__in=Incident.objects.visible_to(user).exclude(kind=Kind.BACKFILLED).values("pk"),
        incident__system__isnull=False, done_at__gte=timezone.now() - timedelta(days=max(DRILL_EVERY.values())),
    )  # fmt: skip
    found: dict[int, datetime] = {}
    for system, done_at in done.order_by("done_at").values_list("incident__system", "done_at"):
        if system is not None and done_at is not None:
            found[system] = done_at
    return found


def drill_overdue(system: System, last: datetime | None) -> bool:
    """Whether nobody has practised containing it for too long; supporting systems need not be."""
    days = DRILL_EVERY.get(system.tier)
    return days is not None and (last is None or timezone.now() - last > timedelta(days=days))


def _practised(user: User, asked: Asked) -> dict[str, Any]:
    systems = System.objects.filter(tier__in=DRILL_EVERY).order_by("tier", "name")
    if asked.scope.system:
        systems = systems.filter(slug=asked.scope.system)
    if asked.scope.team:
        systems = systems.filter(team__slug=asked.scope.team)
    rows, last = list(systems), practised_at(user)
    late = [row for row in rows if drill_overdue(row, last.get(row.pk))]
    late_to_remove = Containment.objects.overdue().filter(
        incident__in=asked.scope.of(Incident.objects.visible_to(user)).values("pk")
    )
    return {
        "to_remove": late_to_remove.values("incident").distinct().count(),
        "to_remove_url": asked.incidents(containment="overdue", since="", until=""),
        "drills": part(statistics.share(len(late), len(rows)), "/reports/trust/", "/reports/trust/"),
        "undrilled": tuple(
            (row.name, f"/reports/trust/{row.slug}/", f"{last[row.pk]:%-d %b %Y}" if row.pk in last else "")
            for row in late[:8]
        ),
    }


def _stories(published: PostmortemQuerySet) -> tuple[Story, ...]:
    """Three worth ten minutes: the worst first, and of those the most read."""
    rows = list(
        published.select_related("incident", "incident__system")
        .alias(n=Count("readings", distinct=True))
        .order_by("incident__severity", "-n", F("published_at").desc())[:3]
    )
    readers = Counter(Reading.objects.filter(postmortem__in=rows).values_list("postmortem", flat=True))
    summaries = dict(Section.objects.filter(postmortem__in=rows, key="summary").values_list("postmortem", "text"))
    return tuple(
        Story(
            title=f"{row.incident} {row.name}",
            text=_first_paragraph(summaries.get(row.pk) or row.incident.summary),
            url=row.get_absolute_url(),
            told=f"{row.incident.get_severity_display()}, read by {readers[row.pk]}",
        )
        for row in rows
    )


def _first_paragraph(text: str) -> str:
    paragraph = next((part.strip() for part in text.split("\n\n") if part.strip() and not part.startswith("#")), "")
    return paragraph if len(paragraph) <= 600 else paragraph[:599].rsplit(" ", 1)[0] + " …"
