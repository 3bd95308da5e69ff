"""Who does what in an incident: its roles, and how one changes hands."""

from collections.abc import Iterable
from typing import Any, Self

from django.db import models, transaction
from django.utils import timezone

from incidents.errors import Refused, WrongStatus
from incidents.people.models import User
from incidents.response.events import Event
from incidents.response.incident import Incident
from incidents.response.permissions import require_visible

LEAD = "lead"


class ResponseRole(models.Model):
    """What somebody is responsible for during an incident. The list is the organisation's own, but the lead is always one."""

    code = models.SlugField(primary_key=True, max_length=24)
    name = models.CharField(max_length=40)
    does = models.CharField(max_length=200, blank=True)
    several = models.BooleanField("may be several people", default=False)
    position = models.PositiveSmallIntegerField(default=100)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name

    @property
    def place(self) -> str:
        """The name of its row among the facts of an incident."""
        return f"role-{self.code}"


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    def give(self, incident: Incident, role: ResponseRole, person: User | None, *, by: User) -> None:
        """Give a role to somebody, beside others where it may be several people; None takes it from everybody.

        The lead is the incident's own field.
        """
        if role.code == LEAD:
            incident.assign_lead(person, by=by)
            return
        with transaction.atomic():
            incident.locked()
            others = self.filter(incident=incident, role=role).select_related("person") if role.several else ()
            people = {*(assignment.person for assignment in others), person} if person else ()
            self.assign(incident, role, people, by=by)

    def assign(self, incident: Incident, role: ResponseRole, people: Iterable[User], *, by: User) -> None:
        """Say who has a role: these people and no others. Raises Refused where one of them may not see the incident."""
        people = list(people)
        if len(people) > 1 and not role.several:
            raise Refused(f"Only one person can be {role.name.lower()}.")
        for person in people:
            require_visible(incident, person)
        with transaction.atomic():
            incident.locked()
            assignments = self.filter(incident=incident, role=role)
            before = [assignment.person for assignment in assignments.select_related("person")]
            assignments.exclude(person__in=people).delete()
            for person in people:
                self.get_or_create(incident=incident, role=role, person=person)
            after = [assignment.person for assignment in assignments.select_related("person")]
            was, became = list(map(str, before)), list(map(str, after))
            if was != became:
                given = [person.pk for person in after if person not in before]
                incident.record(Event.Kind.ROLE, by=by, role=role.name, was=was, became=became, given=given)


class Assignment(models.Model):
    """Somebody has a role in an incident. The lead is not among these: it is a field of the incident."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="assignments")
    role = models.ForeignKey(ResponseRole, on_delete=models.PROTECT, related_name="assignments")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="assignments")
    since = models.DateTimeField(default=timezone.now)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        ordering = ["role__position", "since"]
        constraints = [
            models.UniqueConstraint(fields=["incident", "role", "person"], name="one_assignment_per_role_and_person"),
            models.CheckConstraint(condition=~models.Q(role="lead"), name="the_lead_is_no_assignment"),
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.role}"


class HandoverQuerySet(models.QuerySet["Handover"]):
    def offered(self) -> Self:
        return self.filter(state=Handover.State.OFFERED)

    def offer(self, incident: Incident, role: ResponseRole, *, to: User, summary: str, by: User) -> "Handover":
        """Offer one's role to somebody, with what they need to know. It changes hands once they accept."""
        summary = summary.strip()
        if not summary:
            raise Refused("Say what they need to know: what is going on, what was tried, what comes next.")
        require_visible(incident, to)
        with transaction.atomic():
            current = incident.locked()
            if not current.is_open:
                raise WrongStatus(f"{incident} is over; there is nothing to hand over.")
            if to.pk == current.lead_id and role.code == LEAD:
                raise Refused(f"{to} already leads it.")
            for former in self.offered().filter(incident=incident, role=role):
                former.answer(Handover.State.WITHDRAWN, by=by)
            handover = self.create(incident=incident, role=role, giver=by, taker=to, summary=summary)
            incident.record(Event.Kind.HANDOVER, by=by, **handover.event_detail())
        return handover


class Handover(models.Model):
    """A role that one person offers to another, with a summary; it changes hands when the other accepts."""

    class State(models.TextChoices):
        OFFERED = "offered", "Offered"
        ACCEPTED = "accepted", "Accepted"
        DECLINED = "declined", "Declined"
        WITHDRAWN = "withdrawn", "Withdrawn"

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="handovers")
    role = models.ForeignKey(ResponseRole, on_delete=models.PROTECT, related_name="+")
    giver = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    taker = models.ForeignKey(User, on_delete=models.CASCADE, related_name="handovers")
    summary = models.TextField(max_length=5000)
    state = models.CharField(max_length=12, choices=State, default=State.OFFERED)
    offered_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True, blank=True)

    objects = HandoverQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "role"], condition=models.Q(state="offered"), name="one_open_handover_per_role"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} of {self.incident} to {self.taker}"

    def event_detail(self, **more: Any) -> dict[str, Any]:
        facts = {"id": self.pk, "role": self.role.name, "to": str(self.taker), "state": self.state}
        return facts | {"summary": self.summary} | more

    def accept(self, *, by: User) -> None:
        """Take the role over. Only whom it was offered to may."""
        with transaction.atomic():
            self.incident.locked()
            self.answer(self.State.ACCEPTED, by=by)
            if self.role.code == LEAD:
                self.incident.assign_lead(by, by=by, by_handover=True)
            else:
                assignments = Assignment.objects.filter(incident=self.incident, role=self.role)
                assignments.filter(person=self.giver).delete()
                Assignment.objects.give(self.incident, self.role, by, by=by)

    def decline(self, *, by: User) -> None:
        self.answer(self.State.DECLINED, by=by)

    def withdraw(self, *, by: User) -> None:
        self.answer(self.State.WITHDRAWN, by=by)

    def answer(self, state: State, *, by: User) -> None:
        if state != self.State.WITHDRAWN and by.pk != self.taker_id:
            raise Refused(f"It was offered to {self.taker}; only they can answer.")
        with transaction.atomic():
            self.incident.locked()
            waiting = Handover.objects.offered().filter(pk=self.pk)
            if not waiting.update(state=state, answered_at=timezone.now()):
                self.refresh_from_db(fields=["state"])
                raise WrongStatus(f"The hand-over was {self.get_state_display().lower()} already.")
            self.state = state
            self.incident.record(Event.Kind.HANDOVER, by=by, **self.event_detail())
