"""What a team promised to do after an incident, by when, and how it will know that it worked."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models.functions import TruncDate
from django.urls import reverse
from django.utils import timezone

from incidents.errors import Refused, WrongStatus
from incidents.notifications.channels.base import ItemFacts
from incidents.notifications.messages import Notification
from incidents.notifications.transmissions import Transmission
from incidents.people.models import User
from incidents.response.events import Event
from incidents.response.incident import Incident, of_visible
from incidents.response.links import Link
from incidents.texts import one_line


class FollowUpQuerySet(models.QuerySet["FollowUp"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(of_visible(user)) if user.is_active else self.none()

    def open(self) -> Self:
        return self.filter(state__in=UNFINISHED)

    def overdue(self) -> Self:
        return self.open().filter(due_on__lt=timezone.localdate())

    def judged(self) -> Self:
        """Keep those of which can be said whether they were on time: done, or overdue. Days are UTC."""
        return self.filter(judged())

    def on_time(self) -> Self:
        return self.filter(ON_TIME)

    def late(self) -> Self:
        return self.filter(judged() & ~ON_TIME)

    def in_stage(self, stage: str) -> Self:
        """Keep those that came as far as a stage of the way from promise to proof; see STAGES."""
        return self.filter(STAGES[stage])

    def aged(self, bucket: str) -> Self:
        """Keep open ones by how many days ago they were raised; see AGES."""
        least, most = AGES[bucket]
        now = timezone.now()
        rows = self.open().filter(created_at__lte=now - timedelta(days=least))
        return rows.filter(created_at__gt=now - timedelta(days=most)) if most else rows

    def unplanned(self) -> Self:
        """Keep open ones that nobody owns, or that have no day."""
        return self.open().filter(models.Q(owner=None) | models.Q(due_on=None))

    def came_back(self, user: User, since: datetime, until: datetime) -> Self:
        """Keep those that were done before their failure came back: a repeat was declared from `since` up to `until`.

        Only repeats count that the user may see, so that nobody learns of one from what it shows not to hold.
        """
        repeats = Incident.objects.visible_to(user).counted().filter(declared_at__gte=since, declared_at__lt=until)
        links = Link.objects.filter(kind=Link.Kind.REPEAT_OF, incident__in=repeats.values("pk"))
        later = links.filter(
            other=models.OuterRef("incident"), incident__declared_at__gt=models.OuterRef("finished_at")
        )
        return self.filter(models.Exists(later), state=FollowUp.State.DONE)

    def owned_by(self, user: User) -> Self:
        return self.filter(owner=user)

    def for_list(self) -> Self:
        """Order by due date, those without one last, then by priority; `after` goes on from a row of this order."""
        return self.select_related("incident", "incident__system", "owner").order_by(
            models.F("due_on").asc(nulls_last=True), "priority", "pk"
        )

    def after(self, place: str) -> Self:
        """Keep what follows the row of a `place` in the order of the list; everything where it names none."""
        found = _PLACE.fullmatch(place)
        try:
            day = date.fromisoformat(found[1]) if found and found[1] else None
        except ValueError:
            return self
        if found is None:
            return self
        priority, pk = int(found[2]), int(found[3])
        same = models.Q(priority__gt=priority) | models.Q(priority=priority, pk__gt=pk)
        if day is None:
            return self.filter(same, due_on=None)
        return self.filter(models.Q(due_on__gt=day) | models.Q(due_on=None) | (models.Q(due_on=day) & same))

    def search(self, words: str) -> Self:
        """By the words of its title or its incident's, or by the incident's number."""
        for word in words.split()[:10]:
            number = word.upper().removeprefix("INC-").removeprefix("#")
            found = models.Q(title__icontains=word) | models.Q(incident__title__icontains=word)
            if number.isascii() and number.isdigit() and len(number) <= 9:
                found |= models.Q(incident__number=int(number))
            self = self.filter(found)
        return self

    def add(self, incident: Incident, *, title: str, by: User, **fields: Any) -> "FollowUp":
        title = _title(title)
        owner = fields.get("owner")
        _check_owner(incident, owner)
        with transaction.atomic():
            follow_up = self.create(incident=incident, title=title, created_by=by, **fields)
            event = incident.record(Event.Kind.FOLLOW_UP, by=by, id=follow_up.pk, title=follow_up.title, became="open")
            follow_up.tell_owner(by=by, event=event)
        return follow_up


_PLACE = re.compile(r"((?:\d{4}-\d{2}-\d{2})?)_(\d)_(\d{1,17})", re.ASCII)
AGES: dict[str, tuple[int, int]] = {"0-14": (0, 15), "15-30": (15, 31), "31-60": (31, 61), "over-60": (61, 0)}  # days
UNFINISHED = ["open", "in_progress"]
ON_TIME = models.Q(state="done", due_on__gte=TruncDate("finished_at", tzinfo=UTC))


def judged() -> models.Q:
    """The condition that one can say whether it was on time."""
    return models.Q(due_on__isnull=False) & (
        models.Q(state="done") | models.Q(state__in=UNFINISHED, due_on__lt=timezone.now().date())
    )


# Each stage holds what was not decided against; verified is what is done and says what showed that it worked.
STAGES = {
    "raised": models.Q(pk__isnull=False),
    "owned": models.Q(owner__isnull=False),
    "dated": models.Q(owner__isnull=False, due_on__isnull=False),
    "done": models.Q(state="done"),
    "verified": models.Q(state="done") & ~models.Q(outcome=""),
    "dropped": models.Q(state="wont_do"),
}


class FollowUp(models.Model):
    class Kind(models.TextChoices):
        PREVENT = "prevent", "Prevent it"
        DETECT = "detect", "Detect it sooner"
        CONTAIN = "contain", "Contain it better"
        EVALUATE = "evaluate", "Test for it"
        PROCESS = "process", "Change how we work"
        REPAIR = "repair", "Correct what it did"

    class State(models.TextChoices):
        OPEN = "open", "Open"
        IN_PROGRESS = "in_progress", "In progress"
        DONE = "done", "Done"
        WONT_DO = "wont_do", "Won’t do"

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

    objects = FollowUpQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["open", "in_progress"], finished_at__isnull=True)
                | models.Q(state__in=["done", "wont_do"], finished_at__isnull=False),
                name="finished_followups_say_when",
            ),
        ]
        indexes = [
            models.Index(fields=["owner", "state", "due_on"], name="followups_by_owner"),
            models.Index(fields=["due_on"], name="followups_by_due"),
            models.Index(fields=["created_at"], name="followups_by_creation"),
            models.Index(
                fields=["created_at"],
                condition=models.Q(state__in=["open", "in_progress"]),
                name="followups_open",
            ),
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
        self._move([self.State.OPEN], to=self.State.IN_PROGRESS, by=by)

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
        start: list[str] = [self.State.DONE, self.State.WONT_DO]
        was = self.outcome
        detail = {"reason": reason.strip(), "outcome_was": was}
        self._move(start, to=self.State.OPEN, by=by, detail=detail, finished_at=None, outcome="")

    def edit(self, *, by: User, **changes: Any) -> None:
        """Change what is to be done, who does it, by when, how urgent it is, and how one will know that it worked.

        Takes title, description, check_text, kind, owner, due_on, priority; what is not given stays. Raises Refused for
        an owner who may not see the incident, and for an empty title.
        """
        if "title" in changes:
            changes["title"] = _title(changes["title"])
        if "owner" in changes:
            _check_owner(self.incident, changes["owner"])
        with transaction.atomic():
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

    def tell(self, what: str, people: Iterable[User], *, subject: str, text: str, key: str) -> bool:
        """Tell those of the people who may see it, once for each `key`; returns whether there is any.

        `what` ends the name of a topic: “owner” or “due”.
        """
        seeing = [person for person in people if FollowUp.objects.visible_to(person).filter(pk=self.pk).exists()]
        path = self.get_absolute_url()
        Notification.objects.tell(
            seeing,
            topic=f"follow_up.{what}",
            about=[self.incident],
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

    def _move(
        self, start: list[str], *, to: str, by: User, detail: dict[str, Any] | None = None, **changes: Any
    ) -> None:
        with transaction.atomic():
            if not FollowUp.objects.filter(pk=self.pk, state__in=start).update(state=to, **changes):
                self.refresh_from_db()
                raise WrongStatus(f"“{self.title}” is already marked as {self.get_state_display().lower()}.")
            facts: dict[str, Any] = {"id": self.pk, "title": self.title, "became": str(to)}
            self.incident.record(Event.Kind.FOLLOW_UP, by=by, **facts, **(detail or {}))
        self.refresh_from_db()


def _title(text: str) -> str:
    title = one_line(text)
    if not title:
        raise Refused("Enter a title. Begin with a verb.")
    return title[:200]


def _check_owner(incident: Incident, owner: User | None) -> None:
    if owner and not Incident.objects.visible_to(owner).filter(pk=incident.pk).exists():
        raise Refused(f"{owner} cannot see {incident}, so they cannot own a follow-up of it.")


def due_in_days(days: int) -> date:
    return timezone.localdate() + timedelta(days=days)
