"""Who may see an incident."""

from collections.abc import Iterable
from typing import Any, Self

from django.db import models, transaction

from incidents.people.models import User
from incidents.response.events import Event
from incidents.response.verbs.base import Verb

_TITLES = (Event.Kind.ALERT_LINKED, Event.Kind.DESCRIBED)


class Privacy(Verb):
    class Meta:
        abstract = True

    def restrict(self, people: list[User], *, by: User, along_with: str = "") -> list[Self]:
        """Make it private: only `people`, the lead and whoever does this see it, here and in everything about it.

        Incidents that show the same words become private with it; returns those. See `restrict_copies`.
        """
        with transaction.atomic():
            before = self.locked()
            named = {*people, by, *([before.lead] if before.lead else [])}
            extra: dict[str, Any] = {"along_with": along_with} if along_with else {}
            was = set(before.people.all()) if before.private else set()
            self.people.set(named)
            if was != named:
                type(self).objects.filter(pk=self.pk).update(private=True)
                self.record(
                    Event.Kind.VISIBILITY,
                    by=by,
                    was={"private": before.private, "people": _names(was)},
                    became={"private": True, "people": _names(named)},
                    **extra,
                )
            self.refresh_from_db()
            return self.restrict_copies(by=by)

    def restrict_copies(self, *, by: User) -> list[Self]:
        """Make private what shows the words of this private incident, for the same people; returns what it was.

        That is what was merged into it, and what got its title from an alert that belongs to it now. Whoever leads such a
        one, has a role or a task in it stays named there: they know those words.
        """
        if not self.private:
            return []
        public = type(self).objects.filter(private=False).select_related("lead")
        moved = Event.objects.filter(curation__moved_to=self.pk, kind__in=_TITLES).select_related("incident")
        named = {event.incident_id for event in moved if event.gave_title(event.incident.title)}
        copies = list(public.filter(models.Q(merged_into=self) | models.Q(pk__in=named)).order_by("pk"))
        for copy in copies:
            busy = models.Q(assignments__incident=copy) | models.Q(tasks__incident=copy, tasks__done_at=None)
            people = [*self.people.all(), *User.objects.filter(busy).distinct()]
            copy.restrict(people, by=by, along_with=str(self))
        self._forget_reasons(event for event in moved if event.incident_id not in named)
        return copies

    def _forget_reasons(self, moved: Iterable[Event]) -> None:
        """Why an incident was classified quotes the alert that opened it; where that belongs here now, it is said no more."""
        for event in moved:
            log = event.incident.events
            opener = log.filter(kind=Event.Kind.ALERT_LINKED).order_by("pk").first()
            if event == opener and not log.filter(kind=Event.Kind.CLASSIFIED).exists():
                rows = type(self).objects.filter(pk=event.incident_id)
                rows.update(classified_because="Classified by an alert that was moved since.")

    def open_up(self, *, by: User) -> None:
        """Make a private incident visible to the organisation. What became private with it stays so."""
        self._set(Event.Kind.VISIBILITY, by=by, private=False)


def _names(people: Iterable[User]) -> list[str]:
    return sorted(str(person) for person in people)
