"""What became of a postmortem: its moves, and what was written, each stretch of one author's as one."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from incidents.people.models import User
from incidents.postmortems.document import Postmortem
from incidents.postmortems.sections import Revision, Section
from incidents.response import story
from incidents.response.events import Event

PAUSE = timedelta(minutes=30)  # a longer one ends a stretch


@dataclass(frozen=True, slots=True)
class Version:
    """How a part read, and how it had read before."""

    revision: Revision
    was: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one author wrote into one part without a long pause and without a move in between; oldest version first."""

    section: Section
    versions: list[Version]
    kind: ClassVar[str] = ""  # an Event has one, so that the page tells them apart

    @property
    def last(self) -> Revision:
        return self.versions[-1].revision

    @property
    def began_at(self) -> datetime:
        return self.versions[0].revision.began_at

    @property
    def was(self) -> str:
        return self.versions[0].was

    @property
    def newest_first(self) -> list[Version]:
        return self.versions[::-1]

    def goes_on_with(self, revision: Revision, moves: list[datetime]) -> bool:
        """Whether the same author wrote on; `moves` are when the postmortem went to another state, in order."""
        last = self.last
        if last.by_id is None or last.by_id != revision.by_id or revision.began_at - last.at > PAUSE:
            return False
        return bisect_right(moves, last.at) == bisect_right(moves, revision.at)


def history(postmortem: Postmortem, *, user: User) -> list[Event | Stretch]:
    """Everything that became of it, newest first. Every text that was ever saved is in one of the stretches.

    Moves that name another incident, which it covered, are for those who may see that one.
    """
    seen = story.visible(postmortem.incident, user=user).filter(kind=Event.Kind.POSTMORTEM)
    events = seen.select_related("by").order_by("at", "pk")
    if "-" in postmortem.slug:
        events = events.filter(detail__postmortem=postmortem.slug)
    moves = list(events)
    entries: list[tuple[datetime, Event | Stretch]] = [(event.at, event) for event in moves]
    for section in postmortem.sections.prefetch_related("revisions__by"):
        section.postmortem = postmortem
        entries += [(stretch.last.at, stretch) for stretch in _stretches(section, [event.at for event in moves])]
    return [entry for _, entry in sorted(entries, key=lambda pair: pair[0], reverse=True)]


def _stretches(section: Section, moves: list[datetime]) -> list[Stretch]:
    stretches: list[Stretch] = []
    was = ""
    for revision in section.revisions.all():
        version = Version(revision, was)
        if stretches and stretches[-1].goes_on_with(revision, moves):
            stretches[-1].versions.append(version)
        else:
            stretches.append(Stretch(section, [version]))
        was = revision.text
    return stretches
