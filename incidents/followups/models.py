"""What a team promised to do after an incident, by when, and how it will know that it worked."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone

from incidents.errors import Refused, WrongStatus
from incidents.followups import states
from incidents.followups.due import due_by_policy
from incidents.followups.recurrences import Recurrence
from incidents.followups.rows import FollowUpQuerySet, check_owner, leads_of, titled
from incidents.followups.states import ACHIEVED, FINISHED, UNFINISHED
from incidents.notifications.channels.base import ItemFacts
from incidents.notifications.messages import Notification
from incidents.notifications.transmissions import Transmission
from incidents.people.models import User
from incidents.response.events import Event
from incidents.response.incident import Incident
from incidents.texts import one_line

if TYPE_CHECKING:
    from incidents.followups.proofs import Proof


class FollowUp(models.Model):
    class Kind(models.TextChoices):
        PREVENT = "prevent", "Prevent it"
        DETECT = "detect", "Detect it sooner"
        CONTAIN = "contain", "Contain it better"
        EVALUATE = "evaluate", "Test for it"
        PROCESS = "process", "Change how we work"
        REPAIR = "repair", "Correct what it did"

    State = states.State

    class Priority(models.IntegerChoices):
        P0 = 0, "P0"
        P1 = 1, "P1"
        P2 = 2, "P2"
        P3 = 3, "P3"

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="followups")
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True, max_length=10_000)
    check_text = models.CharField("how we will know that it worked", max_length=500, blank=True)
    kind = models.CharField("type", max_length=12, choices=Kind, default=Kind.PREVENT)
    priority = models.PositiveSmallIntegerField(choices=Priority, default=Priority.P2)
    state = models.CharField(max_length=12, choices=State, default=State.OPEN)
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="followups")
    due_on = models.DateField(null=True, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    outcome = models.TextField(blank=True, max_length=2000)
    verified_at = models.DateTimeField(null=True, blank=True)
    verified_because = models.CharField("what showed that it holds", max_length=500, blank=True, db_default="")
    failed_at = models.DateTimeField("when it was last seen not to hold", null=True, blank=True)

    proof: "Proof"  # what it will be judged by, where somebody said

    objects = FollowUpQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=UNFINISHED, finished_at__isnull=True)
                | models.Q(state__in=FINISHED, finished_at__isnull=False),
                name="finished_followups_say_when",
            ),
            models.CheckConstraint(
                condition=models.Q(state="verified", verified_at__isnull=False) & ~models.Q(verified_because="")
                | ~models.Q(state="verified") & models.Q(verified_at__isnull=True, verified_because=""),
                name="verified_followups_say_what_showed_it",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="did_not_hold") | models.Q(failed_at__isnull=False),
                name="failed_followups_say_when",
            ),
        ]
        indexes = [
            models.Index(fields=["owner", "state", "due_on"], name="followups_by_owner"),
            models.Index(fields=["due_on"], name="followups_by_due"),
            models.Index(fields=["created_at"], name="followups_by_creation"),
            models.Index(
                fields=["created_at"],
                condition=models.Q(state__in=UNFINISHED),
                name="followups_unfinished",
            ),
            models.Index(fields=["incident"], condition=models.Q(state__in=ACHIEVED), name="followups_achieved"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("follow-up", args=[self.pk])

    @property
    def place(self) -> str:
        """Where it stands in the order of the list, for `after`."""
        return f"{self.due_on or ''}_{self.priority}_{self.pk}"

    @property
    def is_open(self) -> bool:
        return self.state in UNFINISHED

    @property
    def is_urgent(self) -> bool:
        return self.priority <= self.Priority.P1

    @property
    def is_overdue(self) -> bool:
        return self.is_open and self.due_on is not None and self.due_on < timezone.localdate()

    @classmethod
    def check_error(cls, *, priority: int, check_text: str) -> str:
        """What is wrong with how one will know that it worked, when somebody says it: what is urgent needs a check."""
        missing = priority <= cls.Priority.P1 and not check_text.strip()
        return "A P0 or P1 says how one will know that it worked." if missing else ""

    def begin(self, *, by: User) -> None:
        self._move([self.State.OPEN, self.State.DID_NOT_HOLD], to=self.State.IN_PROGRESS, by=by)

    def complete(self, *, by: User, outcome: str = "") -> None:
        """Say that it is done, and what showed that it worked: what was urgent enough needs that.

        What nobody owned is owned by whoever did it. Raises Refused where a P0 or P1 is done without proof.
        """
        if self.is_urgent and not outcome.strip():
            raise Refused(f"Say what shows that it works: a {self.get_priority_display()} is not done without that.")
        owner: dict[str, Any] = {} if self.owner_id else {"owner": by}
        self._move(
            UNFINISHED,
            to=self.State.DONE,
            by=by,
            outcome=outcome.strip(),
            finished_at=timezone.now(),
            detail={"owner": str(by)} if owner else None,
            **owner,
        )

    def drop(self, *, by: User, reason: str) -> None:
        """Decide not to do it; the reason is kept where others will look for it."""
        if not reason.strip():
            raise Refused("Give a reason for not doing it.")
        self._move(
            UNFINISHED,
            to=self.State.WONT_DO,
            by=by,
            outcome=reason.strip(),
            finished_at=timezone.now(),
        )

    def reopen(self, *, by: User, reason: str) -> None:
        """Take it up again. What it came to stays in the incident's log, with the reason."""
        if not reason.strip():
            raise Refused("Say why it is open again.")
        detail = {"reason": reason.strip(), "outcome_was": self.outcome}
        changes: dict[str, Any] = {"finished_at": None, "outcome": "", "verified_at": None, "verified_because": ""}
        self._move(FINISHED, to=self.State.OPEN, by=by, detail=detail, **changes)

    def verify(self, *, by: User | None, because: str) -> None:
        """Say what showed that it holds: only what is done can be. Proof is earned; see `proofs`, which calls this."""
        because = one_line(because)[:500]
        if not because:
            raise Refused("Say what shows that it holds.")
        now = timezone.now()
        detail = {"because": because}
        self._move(
            [self.State.DONE],
            to=self.State.VERIFIED,
            by=by,
            detail=detail,
            verified_at=now,
            verified_because=because,
        )

    def fail(self, *, by: User | None, because: str, recurred: Incident | None = None) -> None:
        """Say that it did not hold: it is to be done again, by the day that the policy gives it. Tells its owner and who leads.

        `recurred` is the incident that showed it; who may not see that one does not read why.
        """
        because = one_line(because)[:500]
        if not because:
            raise Refused("Say what shows that it does not hold.")
        now = timezone.now()
        detail: dict[str, Any] = {"because": because, "outcome_was": self.outcome}
        with transaction.atomic():
            # Where an incident shows it, its own incident is not locked first: see _move.
            was = FollowUp.objects.select_for_update().get(pk=self.pk) if recurred else None
            self._move(
                ACHIEVED,
                to=self.State.DID_NOT_HOLD,
                by=by,
                detail=detail | ({"other": recurred.number} if recurred else {}),
                is_quiet=recurred is not None,
                finished_at=None,
                verified_at=None,
                verified_because="",
                failed_at=now,
                due_on=due_by_policy(self.priority),
            )
            if recurred and was and was.finished_at:
                Recurrence.objects.update_or_create(
                    follow_up=self,
                    incident=recurred,
                    defaults={
                        "at": now,
                        "state_was": was.state,
                        "finished_was": was.finished_at,
                        "verified_was": was.verified_at,
                        "because_was": was.verified_because,
                        "due_was": was.due_on,
                    },
                )
            self._tell_of_failure(because, recurred, by=by, at=now)

    def take_back(self, recurrence: Recurrence, *, because: str) -> None:
        """Let it be what it was before an incident showed it not to hold, because that incident is none, or another."""
        with transaction.atomic():
            if self.state == self.State.DID_NOT_HOLD and not self.recurrences.exclude(pk=recurrence.pk).filter(
                at__gte=recurrence.at
            ):
                self._move(
                    [self.State.DID_NOT_HOLD],
                    to=recurrence.state_was,
                    by=None,
                    detail={"because": because, "other": recurrence.incident.number},
                    is_quiet=True,
                    finished_at=recurrence.finished_was,
                    verified_at=recurrence.verified_was,
                    verified_because=recurrence.because_was,
                    due_on=recurrence.due_was,
                    failed_at=None,
                )
            recurrence.delete()

    def edit(self, *, by: User, **changes: Any) -> None:
        """Change what is to be done, who does it, by when, how urgent it is, and how one will know that it worked.

        Takes title, description, check_text, kind, owner, due_on, priority; what is not given stays. Raises Refused for
        an owner who may not see the incident, and for an empty title.
        """
        if "title" in changes:
            changes["title"] = titled(changes["title"])
        if "owner" in changes:
            check_owner(self.incident, changes["owner"])
        with transaction.atomic():
            self.incident.locked()
            stored = FollowUp.objects.select_for_update().get(pk=self.pk)
            was = {name: getattr(stored, name) for name in changes}
            if was != changes:
                FollowUp.objects.filter(pk=self.pk).update(**changes)
                changed = {name: str(value or "") for name, value in changes.items() if was[name] != value}
                detail: dict[str, Any] = {"title": self.title} | changed
                event = self.incident.record(Event.Kind.FOLLOW_UP, by=by, id=self.pk, **detail)
                if "owner" in changed:
                    self.refresh_from_db()
                    self.tell_owner(by=by, event=event)
        self.refresh_from_db()

    def tell_owner(self, *, by: User, event: Event) -> None:
        """Mail whoever was given it, unless they took it themselves."""
        if self.owner and self.owner != by:
            due = f"It is due on {self.due_on:%Y-%m-%d}." if self.due_on else "It has no due date yet."
            subject = f"{by} made you the owner of “{self.title}”"
            text = f"A {self.get_priority_display()} follow-up to {self.incident}. {due}"
            self.tell("owner", {self.owner}, subject=subject, text=text, key=f"owner:{event.pk}")

    def tell(
        self,
        what: str,
        people: Iterable[User],
        *,
        subject: str,
        text: str,
        key: str,
        about: Iterable[Incident] = (),
    ) -> bool:
        """Tell those of the people who may see it, once for each `key`; returns whether there is any.

        `what` ends the name of a topic, such as “owner” or “due”; `about` are other incidents of which it tells.
        """
        seeing = [person for person in people if FollowUp.objects.visible_to(person).filter(pk=self.pk).exists()]
        path = self.get_absolute_url()
        Notification.objects.tell(
            seeing,
            topic=f"follow_up.{what}",
            about=[self.incident, *about],
            subject=subject,
            text=text,
            path=path,
            key=f"follow-up:{self.pk}:{key}",
        )
        return bool(seeing)

    def announce_late(self, *, key: str, subject: str) -> None:
        """Tell the channels of its incident’s team that want to hear of what is late, once for each `key`."""
        item = ItemFacts(
            kind="follow_up",
            title=self.title,
            url=settings.BASE_URL + self.get_absolute_url(),
            state=self.get_state_display(),
            owner=str(self.owner or ""),
            due_on=f"{self.due_on:%Y-%m-%d}" if self.due_on else "",
        )
        Transmission.objects.owe_item(
            self.incident, "follow_up.overdue", item, key=f"follow-up-{self.pk}-{key}", subject=subject
        )

    def _tell_of_failure(self, because: str, recurred: Incident | None, *, by: User | None, at: datetime) -> None:
        """Tell its owner, who leads its incident or its team, and who leads the incident that showed it."""
        leads = {self.incident.lead, recurred.lead if recurred else None, *leads_of(self.incident)}
        due = f"It is to be done again by {self.due_on:%Y-%m-%d}." if self.due_on else ""
        self.tell(
            "did_not_hold",
            {person for person in {self.owner, *leads} if person and person != by},
            subject=f"“{self.title}” did not hold",
            text=f"{because}\n\nA {self.get_priority_display()} follow-up to {self.incident}. {due}",
            key=f"failed:{at:%Y%m%d%H%M%S%f}",
            about=[recurred] if recurred else [],
        )

    def _move(
        self,
        start: Iterable[str],
        *,
        to: str,
        by: User | None,
        detail: dict[str, Any] | None = None,
        is_quiet: bool = False,
        **changes: Any,
    ) -> None:
        """Compare, set and record. Where it `is_quiet`, the incident’s own row is left alone: whoever opens another holds
        the counter of numbers then, and must wait for nobody who waits for that."""
        with transaction.atomic():
            if not is_quiet:
                self.incident.locked()
            if not FollowUp.objects.filter(pk=self.pk, state__in=start).update(state=to, **changes):
                self.refresh_from_db()
                raise WrongStatus(f"“{self.title}” is already marked as {self.get_state_display().lower()}.")
            facts: dict[str, Any] = {"id": self.pk, "title": self.title, "became": str(to)} | (detail or {})
            if is_quiet:
                self.incident.events.create(kind=Event.Kind.FOLLOW_UP, by=by, detail=facts)
            else:
                self.incident.record(Event.Kind.FOLLOW_UP, by=by, **facts)
        self.refresh_from_db()
