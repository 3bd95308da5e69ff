"""What waits for one person: what they lead or are on call for, what they were asked, and what is due."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from incidents.followups.models import FollowUp
from incidents.notifications.messages import Notification
from incidents.notifications.topics import Urgency
from incidents.oncall.cover import on_call_teams
from incidents.people.models import Role, Team, User
from incidents.postmortems.document import Postmortem
from incidents.postmortems.reviews import Review, Verdict
from incidents.response.followers import Follower
from incidents.response.incident import Incident, IncidentQuerySet
from incidents.response.public_pages import PublicPost
from incidents.response.roles import Handover
from incidents.response.tasks import Task
from incidents.response.updates import Cadence, next_update_due
from incidents.response.vocabulary import Status

MOST = 20
SOON = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Waiting:
    """One thing that waits: what it is, where it is done, and how urgent in words."""

    title: str
    url: str
    note: str = ""
    severity: str = ""
    is_late: bool = False


@dataclass(frozen=True, slots=True)
class MyDay:
    on_call: list[Team]
    asked: list[Waiting] = field(default_factory=list)  # somebody waits for an answer
    incidents: list[tuple[Incident, str]] = field(default_factory=list)  # open, and why each is here
    due: list[Waiting] = field(default_factory=list)
    followed: list[Incident] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.asked or self.incidents or self.due or self.followed)


def my_day(person: User) -> MyDay:
    """Gather it, in a fixed number of queries."""
    teams = on_call_teams(person, timezone.now())
    visible = Incident.objects.visible_to(person)
    mine = _mine(person, visible, teams)
    followed = _followed(person, visible.exclude(pk__in=[incident.pk for incident, _ in mine]))
    return MyDay(
        on_call=teams,
        asked=[*_handovers(person, visible), *_reviews(person), *_approvals(person)],
        incidents=mine,
        due=[*_updates(mine, person), *_tasks(person, visible), *_postmortems(person), *_follow_ups(person)],
        followed=followed,
    )


def _mine(person: User, visible: IncidentQuerySet, teams: list[Team]) -> list[tuple[Incident, str]]:
    """Open incidents that one leads, has a role in, or is on call for; the worst first."""
    roles = dict(person.assignments.values_list("incident", "role__name"))
    called = Notification.objects.filter(person=person, urgency=Urgency.PAGE).values("incident")
    concerned = Q(lead=person) | Q(pk__in=roles) | Q(team__in=teams) | Q(status=Status.TRIAGE, pk__in=called)
    rows = visible.open().filter(concerned).select_related("system", "team", "lead").worst_first()
    return [(incident, _why(incident, person, roles)) for incident in rows[:MOST]]


def _why(incident: Incident, person: User, roles: dict[int, str]) -> str:
    if incident.lead_id == person.pk:
        return "you lead it"
    if incident.pk in roles:
        return f"you are {roles[incident.pk].lower()}"
    return "you were called" if incident.status == Status.TRIAGE else f"you are on call for {incident.team}"


def _followed(person: User, rows: IncidentQuerySet) -> list[Incident]:
    follows = Follower.objects.filter(person=person)
    followed = Q(pk__in=follows.values("incident")) | Q(system__in=follows.values("system"))
    followed |= Q(team__in=follows.values("team"))
    return list(rows.open().filter(followed).select_related("system").worst_first()[:MOST])


def _handovers(person: User, visible: IncidentQuerySet) -> list[Waiting]:
    offered = Handover.objects.offered().filter(taker=person, incident__in=visible)
    return [
        Waiting(
            f"{handover.giver} hands {handover.incident} over to you ({handover.role.name.lower()})",
            handover.incident.get_absolute_url(),
            handover.incident.title,
            handover.incident.severity,
        )
        for handover in offered.select_related("incident", "giver", "role")[:MOST]
    ]


def _reviews(person: User) -> list[Waiting]:
    waiting = Review.objects.filter(
        reviewer=person,
        verdict=Verdict.PENDING,
        postmortem__state=Postmortem.State.IN_REVIEW,
        postmortem__in=Postmortem.objects.visible_to(person),
    )
    return [
        Waiting(
            f"Review: {review.postmortem.name}", review.postmortem.get_absolute_url(), str(review.postmortem.incident)
        )
        for review in waiting.select_related("postmortem__incident")[:MOST]
    ]


def _approvals(person: User) -> list[Waiting]:
    led = Team.objects.filter(memberships__user=person, memberships__role__in=Role.LEAD.and_above())
    posts = PublicPost.objects.visible_to(person).waiting().exclude(written_by=person)
    return [
        Waiting(f"Approve for the public: {post}", reverse("public-desk", args=[post.page.system.slug]), post.page.name)
        for post in posts.filter(page__system__team__in=led).select_related("page__system")[:MOST]
    ]


def _updates(mine: list[tuple[Incident, str]], person: User) -> list[Waiting]:
    cadences, soon = Cadence.by_severity(), timezone.now() + timedelta(hours=1)
    lines = []
    for incident, _ in mine:
        due = next_update_due(incident, cadences)
        if due and due < soon and incident.lead_id == person.pk:
            late = due < timezone.now()
            note = "an update is overdue" if late else f"an update is due at {due:%H:%M} UTC"
            lines.append(Waiting(str(incident), incident.get_absolute_url(), note, incident.severity, late))
    return lines


def _tasks(person: User, visible: IncidentQuerySet) -> list[Waiting]:
    tasks = Task.objects.filter(owner=person, done_at=None, incident__in=visible.open()).select_related("incident")
    return [
        Waiting(task.title, task.incident.get_absolute_url(), str(task.incident), task.incident.severity)
        for task in tasks.order_by("made_at")[:MOST]
    ]


def _postmortems(person: User) -> list[Waiting]:
    until = timezone.localdate() + SOON
    rows = Postmortem.objects.visible_to(person).unfinished().filter(owner=person, due_on__lte=until)
    return [
        Waiting(f"Postmortem: {row.name}", row.get_absolute_url(), f"due {row.due_on:%Y-%m-%d}", is_late=row.is_overdue)
        for row in rows.select_related("incident").order_by("due_on")[:MOST]
    ]


def _follow_ups(person: User) -> list[Waiting]:
    today = timezone.localdate()
    rows = FollowUp.objects.visible_to(person).open().owned_by(person).filter(due_on__lte=today + SOON)
    return [_follow_up_line(row, today) for row in rows.order_by("due_on")[:MOST]]


def _follow_up_line(row: FollowUp, today: Any) -> Waiting:
    late = row.due_on is not None and row.due_on < today
    return Waiting(f"Follow-up: {row.title}", row.get_absolute_url(), f"due {row.due_on:%Y-%m-%d}", is_late=late)
