"""What was learnt and done: follow-ups, postmortems, factors, repeats, and what nobody has practised.

These are read from their rows each time. Dates are UTC; what was due, raised or published in the period says so.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import BigIntegerField, Count, F, Q, Value
from django.db.models.functions import Cast, Extract
from django.urls import reverse
from django.utils import timezone

from incidents.followups.models import FollowUp
from incidents.followups.rows import FollowUpQuerySet
from incidents.followups.states import AGES, ON_TIME, STAGES, UNFINISHED, judged
from incidents.people.models import Team, User
from incidents.postmortems import reviews
from incidents.postmortems.deadlines import IN_TIME, can_be_judged
from incidents.postmortems.document import Postmortem, PostmortemQuerySet
from incidents.postmortems.factors import Factor, FactorGroup, FactorKind
from incidents.postmortems.reading import Reading
from incidents.postmortems.reviews import Review
from incidents.postmortems.sections import Section
from incidents.reports import statistics
from incidents.reports.document import Length, Share, share
from incidents.reports.drills import DRILL_EVERY, is_drill_overdue, practised_at
from incidents.reports.durations import length_of
from incidents.reports.scope import Asked
from incidents.response.containments import Containment
from incidents.response.incident import Incident
from incidents.response.links import Link
from incidents.response.vocabulary import Severity
from incidents.systems.models import Change, System


@dataclass(frozen=True, slots=True)
class FunnelStage:
    """One stage of the way from a promise to its proof."""

    label: str
    count: int
    url: str


@dataclass(frozen=True, slots=True)
class OldFollowUp:
    incident: str
    title: str
    url: str
    days: int
    owner: str


@dataclass(frozen=True, slots=True)
class FactorCount:
    """A factor: in how many of the published postmortems."""

    label: str
    group: str
    count: int
    percent: int
    url: str


@dataclass(frozen=True, slots=True)
class RepeatChain:
    """Incidents that are repeats of each other: the first, those that followed, and how many follow-ups are open."""

    title: str
    members: tuple[tuple[str, str, str], ...]  # number, address, day
    open_follow_ups: int
    url: str


@dataclass(frozen=True, slots=True)
class LearningStory:
    title: str
    text: str
    url: str
    told: str  # how bad it was, and how many read it


@dataclass(frozen=True, slots=True)
class Learning:
    on_time: Share | None
    overdue: int
    overdue_url: str
    funnel: tuple[FunnelStage, ...]
    dropped: FunnelStage
    failed: FunnelStage  # done once, and seen not to hold
    ages: tuple[tuple[str, tuple[tuple[int, str], ...]], ...]  # team, one cell for each of AGES
    age_names: tuple[str, ...]
    oldest: tuple[OldFollowUp, ...]
    published: int
    published_url: str
    in_time: Share | None
    days_to_publish: Length | None
    reviewed_outside: Share | None
    read: Share | None
    reads: int
    readers: int
    excused: int
    factors: tuple[FactorCount, ...]
    unnamed: int
    factor_groups: tuple[tuple[str, tuple[int, ...]], ...]  # trigger, one count for each group
    group_names: tuple[str, ...]
    returned: tuple[RepeatChain, ...]
    to_remove: int
    to_remove_url: str
    drills: Share | None
    undrilled: tuple[tuple[str, str, str], ...]  # system, address, when it was last practised
    stories: tuple[LearningStory, ...]


def learn(user: User, asked: Asked) -> Learning:
    follow_ups, written = asked.scope.follow_ups(user), asked.scope.postmortems(user)
    since, until = asked.period.bounds()
    published = written.published().filter(published_at__gte=since, published_at__lt=until)
    wrote = _postmortems(written, published, asked)
    return Learning(
        **_follow_through(follow_ups, asked),
        **wrote,
        **_factors(published, asked, count=wrote["published"]),
        returned=_repeats(user, asked),
        **_practised(user, asked),
        stories=_stories(published),
    )


def _follow_through(rows: FollowUpQuerySet, asked: Asked) -> dict[str, Any]:
    period = asked.period
    since, until = period.bounds()
    due = Q(due_on__gte=period.since, due_on__lt=period.until)
    raised = Q(created_at__gte=since, created_at__lt=until)
    stages = rows.order_by().aggregate(
        overdue=Count("pk", filter=Q(state__in=UNFINISHED, due_on__lt=timezone.now().date())),
        due=Count("pk", filter=due & judged()),
        on_time=Count("pk", filter=due & ON_TIME),
        **{name: Count("pk", filter=raised & condition) for name, condition in STAGES.items()},
    )
    names = {
        "raised": "Raised",
        "owned": "With an owner",
        "dated": "With an owner and a date",
        "done": "Done",
        "verified": "Shown to work",
        "dropped": "Decided against",
        "did_not_hold": "Did not hold",
    }
    *funnel, dropped, failed = (
        FunnelStage(names[name], stages[name], asked.follow_ups(stage=name, **asked.dated("created"))) for name in names
    )
    return {
        "on_time": share(
            statistics.proportion(stages["on_time"], stages["due"]),
            asked.follow_ups(on_time="yes", **asked.due()),
            asked.follow_ups(on_time="known", **asked.due()),
        ),
        "overdue": stages["overdue"],
        "overdue_url": asked.follow_ups(show="open", due_until=str(timezone.now().date())),
        "funnel": tuple(funnel),
        "dropped": dropped,
        "failed": failed,
        "ages": _ages(rows, asked),
        "age_names": tuple(f"{name.replace('over-', 'over ').replace('-', '–')} days" for name in AGES),
        "oldest": _oldest(rows),
    }


def _oldest(rows: FollowUpQuerySet) -> tuple[OldFollowUp, ...]:
    today = timezone.now().date()
    return tuple(
        OldFollowUp(
            incident=str(follow_up.incident),
            title=follow_up.title,
            url=follow_up.get_absolute_url(),
            days=(today - follow_up.created_at.astimezone(UTC).date()).days,
            owner=str(follow_up.owner or "nobody"),
        )
        for follow_up in rows.open().select_related("owner", "incident").order_by("created_at", "pk")[:10]
    )


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
    teams = []
    for team, *counts in counted.values_list("incident__team__slug", *ages):
        urls = (asked.follow_ups(show="open", age=name, team=team or "none") for name in within)
        teams.append((names.get(team or "", "No team"), tuple(zip(counts, urls, strict=True))))
    return tuple(sorted(teams, key=lambda row: row[0]))


def _postmortems(rows: PostmortemQuerySet, published: PostmortemQuerySet, asked: Asked) -> dict[str, Any]:
    period = asked.period
    since, until = period.bounds()
    due = Q(due_on__gte=period.since, due_on__lt=period.until)
    out = Q(published_at__gte=since, published_at__lt=until)
    took = Cast(Extract(F("published_at") - F("started_at"), "epoch"), BigIntegerField())
    counts = rows.order_by().aggregate(
        due=Count("pk", filter=due & can_be_judged()),
        in_time=Count("pk", filter=due & IN_TIME),
        excused=Count("pk", filter=due & Q(state=Postmortem.State.NOT_REQUIRED)),
        published=Count("pk", filter=out),
        took=ArrayAgg(took, filter=out & Q(published_at__gte=F("started_at")), default=Value([])),
    )
    approved = Review.objects.filter(postmortem__in=published.values("pk"), verdict="approved")
    outside = published.filter(pk__in=approved.values("postmortem")).filter(reviews.approved_outside()).count()
    readings = Reading.objects.filter(postmortem__in=published.values("pk")).aggregate(
        reads=Count("pk"), readers=Count("person", distinct=True), read=Count("postmortem", distinct=True)
    )
    n = counts["published"]
    in_period = {"show": "published"} | asked.dated("published")
    all_url = asked.postmortems(**in_period)
    return {
        "published": n,
        "published_url": all_url,
        "in_time": share(
            statistics.proportion(counts["in_time"], counts["due"]),
            asked.postmortems(in_time="yes", **asked.due()),
            asked.postmortems(in_time="known", **asked.due()),
        ),
        "days_to_publish": length_of(statistics.quantile(counts["took"])),
        "reviewed_outside": share(
            statistics.proportion(outside, n), asked.postmortems(outside="yes", **in_period), all_url
        ),
        "read": share(statistics.proportion(readings["read"], n), asked.postmortems(read="yes", **in_period), all_url),
        "reads": readings["reads"],
        "readers": readings["readers"],
        "excused": counts["excused"],
    }


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
    in_period = {"show": "published"} | asked.dated("published")
    most = sorted(named.items(), key=lambda pair: (-pair[1], kinds[pair[0]][0]))[:12]
    return {
        "factors": tuple(
            FactorCount(
                label=kinds[kind][0],
                group=kinds[kind][1].label,
                count=naming,
                percent=round(100 * naming / count),
                url=asked.postmortems(factor=str(kind), **in_period),
            )
            for kind, naming in most
        ),
        "unnamed": count - rows.aggregate(naming=Count("postmortem", distinct=True))["naming"],
        "factor_groups": tuple(
            (name, tuple(counts[group] for group in FactorGroup.values)) for name, counts in sorted(cells.items())
        ),
        "group_names": tuple(str(label) for label in FactorGroup.labels),
    }


def _trigger(triggered_by: str, kind: str | None) -> str:
    if triggered_by == Postmortem.Trigger.CHANGE and kind:
        return f"A change: {Change.Kind(kind).label.lower()}"
    return str(Postmortem.Trigger(triggered_by).label)


def _repeats(user: User, asked: Asked) -> tuple[RepeatChain, ...]:
    """What came back in the period: each chain of repeats from its first incident on, the longest first."""
    since, until = asked.period.bounds()
    visible = Incident.objects.visible_to(user)
    here = asked.scope.of(visible.filter(declared_at__gte=since, declared_at__lt=until))
    links = Link.objects.filter(
        kind=Link.Kind.REPEAT_OF, incident__in=here.values("pk"), other__in=visible.values("pk")
    )
    first: dict[int, int] = {}

    def root(pk: int) -> int:
        while pk in first:
            pk = first[pk]
        return pk

    members: set[int] = set()
    for repeat, other in links.order_by("-incident__declared_at").values_list("incident", "other")[:200]:
        members |= {repeat, other}
        a, b = root(repeat), root(other)
        if a != b:
            first[max(a, b)] = min(a, b)
    groups: dict[int, list[Incident]] = defaultdict(list)
    for incident in Incident.objects.filter(pk__in=members).order_by("declared_at"):
        groups[root(incident.pk)].append(incident)
    largest = sorted(groups.values(), key=lambda chain: (-len(chain), -chain[-1].declared_at.timestamp()))[:8]
    waiting = FollowUp.objects.open().filter(incident__in=[incident.pk for chain in largest for incident in chain])
    open_follow_ups = dict(waiting.values_list("incident").annotate(Count("pk")))
    return tuple(
        RepeatChain(
            title=chain[0].title,
            members=tuple((str(each), each.get_absolute_url(), f"{each.declared_at:%-d %b %Y}") for each in chain),
            open_follow_ups=sum(open_follow_ups.get(each.pk, 0) for each in chain),
            url=chain[0].get_absolute_url(),
        )
        for chain in largest
    )


def _practised(user: User, asked: Asked) -> dict[str, Any]:
    systems = System.objects.visible_to(user).filter(tier__in=DRILL_EVERY).order_by("tier", "name")
    if asked.scope.system:
        systems = systems.filter(slug=asked.scope.system)
    if asked.scope.team:
        systems = systems.filter(team__slug=asked.scope.team)
    last = practised_at(user)
    late = [system for system in systems if is_drill_overdue(system, last.get(system.pk))]
    late_to_remove = Containment.objects.overdue().filter(
        incident__in=asked.scope.of(Incident.objects.visible_to(user)).values("pk")
    )
    return {
        "to_remove": late_to_remove.values("incident").distinct().count(),
        "to_remove_url": asked.incidents(containment="overdue", since="", until=""),
        "drills": share(
            statistics.proportion(len(late), len(systems)), asked.trust(drill="overdue"), asked.trust(drill="due")
        ),
        "undrilled": tuple(
            (
                system.name,
                reverse("trust-system", args=[system.slug]),
                f"{last[system.pk]:%-d %b %Y}" if system.pk in last else "",
            )
            for system in late[:8]
        ),
    }


def _stories(published: PostmortemQuerySet) -> tuple[LearningStory, ...]:
    """Three worth ten minutes: the worst first, and of those the most read."""
    worst: list[Postmortem] = []
    for severity in Severity.values:  # one after the other, because each is found at once by the index of publications
        if len(worst) < 3:
            of_this = published.filter(incident__severity=severity).order_by("-published_at")
            worst += of_this.select_related("incident")[:30]
    readers = Counter(Reading.objects.filter(postmortem__in=worst).values_list("postmortem", flat=True))
    best = sorted(worst, key=lambda postmortem: (postmortem.incident.severity, -readers[postmortem.pk]))[:3]
    summaries = dict(Section.objects.filter(postmortem__in=best, key="summary").values_list("postmortem", "text"))
    return tuple(
        LearningStory(
            title=f"{postmortem.incident} {postmortem.name}",
            text=_first_paragraph(summaries.get(postmortem.pk) or postmortem.incident.summary),
            url=postmortem.get_absolute_url(),
            told=f"{postmortem.incident.get_severity_display()}, read by {readers[postmortem.pk]}",
        )
        for postmortem in best
    )


def _first_paragraph(text: str) -> str:
    paragraph = next((part.strip() for part in text.split("\n\n") if part.strip() and not part.startswith("#")), "")
    return paragraph if len(paragraph) <= 600 else paragraph[:599].rsplit(" ", 1)[0] + " …"
