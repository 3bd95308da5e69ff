"""What upper slices do in the transaction of an Event, where afterwards would be too late.

A slice above registers what it does for some kinds of Event when the process starts (`apps.py`); `record` calls it. It is
for what must be true together with the Event, such as that a follow-up does not hold once its failure is back. Whom an
Event concerns is worked out afterwards, from PendingEvent. A reaction must be quick and lock no incident: whoever opens
one holds the counter of numbers.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable

from incidents.response.events import Event

Reaction = Callable[[Event], None]

_REACTIONS: defaultdict[str, list[Reaction]] = defaultdict(list)


def register(kinds: Iterable[Event.Kind], reaction: Reaction) -> None:
    """Have something done for each Event of these kinds; registering it again changes nothing."""
    for kind in kinds:
        if reaction not in _REACTIONS[kind]:
            _REACTIONS[kind].append(reaction)


def react(event: Event) -> None:
    """Do what was registered. Runs in the transaction that records the Event."""
    for reaction in _REACTIONS[event.kind]:
        reaction(event)
