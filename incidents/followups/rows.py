"""Which follow-ups: those that somebody may see, that a list or a report asks for, and the verb that adds one."""

import re
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from django.db import models, transaction
from django.utils import timezone

from incidents.errors import Refused
from incidents.followups.recurrences import Recurrence
from incidents.followups.states import ACHIEVED, AGES, ON_TIME, STAGES, UNFINISHED, judged
from incidents.people.models import Role, User
from incidents.response.events import Event
from incidents.response.incident import Incident, of_visible
from incidents.response.links import Link
from incidents.texts import one_line

if TYPE_CHECKING:
    from incidents.followups.models import FollowUp

_PLACE = re.compile(r"((?:\d{4}-\d{2}-\d{2})?)_(\d)_(\d{1,17})", re.ASCII)


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
        """Keep those that were done before their failure came back: a recurrence was declared from `since` up to `until`.

        Only those count that the user may see, so that nobody learns of one from what it shows not to hold.
        """
        repeats = Incident.objects.visible_to(user).counted().filter(declared_at__gte=since, declared_at__lt=until)
        links = Link.objects.filter(kind=Link.Kind.REPEAT_OF, incident__in=repeats.values("pk"))
        later = links.filter(
            other=models.OuterRef("incident"), incident__declared_at__gt=models.OuterRef("finished_at")
        )
        recurred = Recurrence.objects.filter(follow_up=models.OuterRef("pk"), incident__in=repeats.values("pk"))
        return self.filter(models.Q(models.Exists(later), state__in=ACHIEVED) | models.Exists(recurred))

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
        title = titled(title)
        owner = fields.get("owner")
        check_owner(incident, owner)
        with transaction.atomic():
            follow_up = self.create(incident=incident, title=title, created_by=by, **fields)
            event = incident.record(Event.Kind.FOLLOW_UP, by=by, id=follow_up.pk, title=follow_up.title, became="open")
            follow_up.tell_owner(by=by, event=event)
        return follow_up


def titled(text: str) -> str:
    title = one_line(text)
    if not title:
        raise Refused("Enter a title. Begin with a verb.")
    return title[:200]


def check_owner(incident: Incident, owner: User | None) -> None:
    if owner and not Incident.objects.visible_to(owner).filter(pk=incident.pk).exists():
        raise Refused(f"{owner} cannot see {incident}, so they cannot own a follow-up of it.")


def leads_of(incident: Incident) -> list[User]:
    """Who leads the incident’s team."""
    members = User.objects.filter(memberships__team=incident.team, memberships__role=Role.LEAD)
    return list(members) if incident.team_id else []
