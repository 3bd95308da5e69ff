"""Who may see an incident."""

from incidents.people.models import User
from incidents.response.events import Event
from incidents.response.verbs.base import Verb


class Privacy(Verb):
    class Meta:
        abstract = True

    def restrict(self, people: list[User], *, by: User) -> None:
        """Make it private: only `people`, the lead and whoever does this see it, here and in everything about it."""
        self._set(Event.Kind.VISIBILITY, by=by, private=True)
        self.people.set({*people, by, *([self.lead] if self.lead else [])})

    def open_up(self, *, by: User) -> None:
        """Make a private incident visible to the organisation."""
        self._set(Event.Kind.VISIBILITY, by=by, private=False)
