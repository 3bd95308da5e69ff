"""What was learnt and done: follow-ups, postmortems, factors, what came back, and what nobody has practised.

These are read from their rows each time. Dates are UTC; what was due, raised or published in the period says so.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import BigIntegerField, Count, F, Max, Q, Value
from django.db.models.functions import Cast, Extract
from django.utils import timezone

from incidents.followups.models import AGES, ON_TIME, STAGES, FollowUp, FollowUpQuerySet, judged
from incidents.people.models import Team, User
from incidents.postmortems import reviews
from incidents.postmortems.deadlines import IN_TIME, can_be_judged
from incidents.postmortems.document import Postmortem, PostmortemQuerySet
from incidents.postmortems.factors import Factor, FactorGroup, FactorKind
from incidents.postmortems.reading import Reading
from incidents.postmortems.reviews import Review
from incidents.postmortems.sections import Section
from incidents.reports import statistics
from incidents.reports.scope import Asked
from incidents.reports.trends import Length, Part, part
from incidents.response.containments import Containment
from incidents.response.incident import Incident
from incidents.response.links import Link
from incidents.response.vocabulary import IncidentKind, Severity
from incidents.systems.models import Change, System
from incidents.web.durations import span


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
    follow_ups, written = asked.scope.follow_ups(user), asked.scope.postmortems(user)
    since, until = asked.period.bounds()
    published = written.published().filter(published_at__gte=since, published_at__lt=until)
    wrote = _postmortems(written, published, asked)
    return Learning(
        **_follow_through(follow_ups, asked),
        **wrote,
        **_factors(published, asked, count=wrote["published"]),
        returned=_returned(user, asked),
        **_practised(user, asked),
        stories=_stories(published),
    )


def _follow_through(rows: FollowUpQuerySet, asked: Asked) -> dict[str, Any]:
    period = asked.period
    since, until = period.bounds()
    due = Q(due_on__gte=period.since, due_on__lt=period.until)
    raised = Q(created_at__gte=since, created_at__lt=until)
    stages = rows.order_by().aggregate(
        overdue=Count("pk", filter=Q(state__in=["open", "in_progress"], due_on__lt=timezone.now().date())),
        due=Count("pk", filter=due & judged()), on_time=Count("pk", filter=due & ON_TIME),
        **{name: Count("pk", filter=raised & condition) for name, condition in STAGES.items()},
    )  # fmt: skip
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
            statistics.share(stages["on_time"], stages["due"]),
            asked.follow_ups(on_time="yes", **asked.due()),
            asked.follow_ups(on_time="known", **asked.due()),
        ),
        "overdue": stages["overdue"],
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
    since, until = period.bounds()
    due = Q(due_on__gte=period.since, due_on__lt=period.until)
    out = Q(published_at__gte=since, published_at__lt=until)
    took = Cast(Extract(F("published_at") - F("started_at"), "epoch"), BigIntegerField())
    told = rows.order_by().aggregate(
        due=Count("pk", filter=due & can_be_judged()), in_time=Count("pk", filter=due & IN_TIME),
        excused=Count("pk", filter=due & Q(state=Postmortem.State.NOT_REQUIRED)), n=Count("pk", filter=out),
        took=ArrayAgg(took, filter=out & Q(published_at__gte=F("started_at")), default=Value([])),
    )  # fmt: skip
    approved = Review.objects.filter(postmortem__in=published.values("pk"), verdict="approved")
    outside = published.filter(pk__in=approved.values("postmortem")).filter(reviews.approved_outside()).count()
    readings = Reading.objects.filter(postmortem__in=published.values("pk")).aggregate(
        reads=Count("pk"), readers=Count("person", distinct=True), read=Count("postmortem", distinct=True)
    )
    median = statistics.quantile(told["took"])
    all_url = asked.postmortems(show="published", **asked.dated("published"))
    return {
        "published": told["n"],
        "published_url": all_url,
        "in_time": part(
            statistics.share(told["in_time"], told["due"]),
            asked.postmortems(in_time="yes", **asked.due()),
            asked.postmortems(in_time="known", **asked.due()),
        ),
        "days_to_publish": Length(span(median.value), span(median.low) if median.low is not None else "", span(median.high) if median.high is not None else "", "", median.n) if median else None,
        "reviewed_outside": part(statistics.share(outside, told["n"]), all_url + "&outside=yes", all_url),
        "read": part(statistics.share(readings["read"], told["n"]), all_url + "&read=yes", all_url),
        "reads": readings["reads"],
        "readers": readings["readers"],
        "excused": told["excused"],
    }  # fmt: skip


def _factors(published: PostmortemQuerySet, asked: Asked, *, count: int) -> dict[str, Any]:
    """Which factors the `count` postmortems published in the period name, and under which trigger."""
    rows = Factor.objects.filter(postmortem__in=published.values("pk")).order_by()
    named: Counter[int] = Counter()
    cells: dict[str, Counter[str]] = defaultdict(Counter)
    kinds = {
        pk: (name, FactorGroup(group)) for pk, name, group in FactorKind.objects.values_list("pk", "name", "group")
    }
    for kind, triggered_by, change, naming in rows.values_list(
        "kind", "postmortem__triggered_by", "postmortem__trigger__kind"
    ).annotate(naming=Count("pk")):
        named[kind] += naming
        cells[_trigger(triggered_by, change)][kinds[kind][1].value] += naming
    url = asked.postmortems(show="published", **asked.dated("published"))
    most = sorted(named.items(), key=lambda pair: (-pair[1], kinds[pair[0]][0]))[:12]
    return {
        "factors": tuple(
            Shared(kinds[kind][0], kinds[kind][1].label, naming, round(100 * naming / count), f"{url}&factor={kind}")
            for kind, naming in most
        ),
        "unnamed": count - rows.aggregate(naming=Count("postmortem", distinct=True))["naming"],
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
    for incident, other in links.order_by("-incident__declared_at").values_list("incident", "other")[:200]:
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
        done_at__gte=timezone.now() - timedelta(days=max(DRILL_EVERY.values())), incident__system__isnull=False
    ).exclude(incident__kind=IncidentKind.BACKFILLED)  # fmt: skip
    seen = done.exclude(incident__in=list(Incident.objects.hidden_from(user).values_list("pk", flat=True)))
    return dict(seen.order_by().values_list("incident__system").annotate(Max("done_at")))


def drill_overdue(system: System, last: datetime | None) -> bool:
    """Whether nobody has practised containing it for too long; supporting systems need not be."""
    days = DRILL_EVERY.get(system.tier)
    return days is not None and (last is None or timezone.now() - last > timedelta(days=days))


def _practised(user: User, asked: Asked) -> dict[str, Any]:
    systems = System.objects.visible_to(user).filter(tier__in=DRILL_EVERY).order_by("tier", "name")
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
        "drills": part(statistics.share(len(late), len(rows)), asked.trust(drill="overdue"), asked.trust(drill="due")),
        "undrilled": tuple(
            (row.name, f"/reports/trust/{row.slug}/", f"{last[row.pk]:%-d %b %Y}" if row.pk in last else "")
            for row in late[:8]
        ),
    }


def _stories(published: PostmortemQuerySet) -> tuple[Story, ...]:
    """Three worth ten minutes: the worst first, and of those the most read."""
    worst: list[Postmortem] = []
    for severity in Severity.values:  # one after the other, because each is found at once by the index of publications
        if len(worst) < 3:
            of_this = published.filter(incident__severity=severity).order_by("-published_at")
            worst += of_this.select_related("incident")[:30]
    readers = Counter(Reading.objects.filter(postmortem__in=worst).values_list("postmortem", flat=True))
    rows = sorted(worst, key=lambda row: (row.incident.severity, -readers[row.pk]))[:3]
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
