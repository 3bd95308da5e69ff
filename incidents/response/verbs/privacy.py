"""Who may see an incident."""

from collections.abc import Iterable

from django.db import transaction

from incidents.people.models import User
from incidents.response.events import Event
from incidents.response.verbs.base import Verb


class Privacy(Verb):
    class Meta:
        abstract = True

    def restrict(self, people: list[User], *, by: User) -> None:
        """Make it private: only `people`, the lead and whoever does this see it, here and in everything about it."""
        with transaction.atomic():
            before = self.locked()
            named = {*people, by, *([before.lead] if before.lead else [])}
            was = set(before.people.all()) if before.private else set()
            self.people.set(named)
            if was != named:
                type(self).objects.filter(pk=self.pk).update(private=True)
                self.record(
                    Event.Kind.VISIBILITY,
                    by=by,
                    was={"private": before.private, "people": _names(was)},
                    became={"private": True, "people": _names(named)},
                )
        self.refresh_from_db()

    def open_up(self, *, by: User) -> None:
        """Make a private incident visible to the organisation."""
        self._set(Event.Kind.VISIBILITY, by=by, private=False)


def _names(people: Iterable[User]) -> list[str]:
    return sorted(str(person) for person in people)
