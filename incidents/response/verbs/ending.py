"""How an incident ends, and how it is taken up again."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from incidents.people.models import User
from incidents.response.verbs.base import Verb
from incidents.response.vocabulary import ENDED, Status, required


class Ending(Verb):
    class Meta:
        abstract = True

    def resolve(self, *, by: User, note: str = "") -> None:
        """Say that the output is right again."""
        self._move(
            [Status.INVESTIGATING, Status.CONTAINED],
            to=Status.RESOLVED,
            by=by,
            resolved_at=timezone.now(),
            note=note.strip(),
        )

    def reopen(self, *, by: User | None, reason: str) -> None:
        """Take it up again. Where a newer incident already gathers its alerts, that one goes on gathering them.

        It is neither contained nor resolved any more: both clocks are cleared, and the Event says what they were.
        """
        reason = required(reason, "Say why it is open again.")
        with transaction.atomic():
            before = self.locked()
            clocks = {"contained_at": before.contained_at, "resolved_at": before.resolved_at}
            cleared = {name: at.isoformat() for name, at in clocks.items() if at}
            try:
                with transaction.atomic():
                    self._reopen(by=by, reason=reason, cleared=cleared, **self._if_taken())
            except IntegrityError:  # an alert opened the newer one between the look and the move
                self._reopen(by=by, reason=reason, cleared=cleared, correlation_key=None)

    def _reopen(self, *, by: User | None, reason: str, cleared: dict[str, str], **changes: Any) -> None:
        start = list(ENDED)
        changes |= {"contained_at": None, "resolved_at": None} | ({"cleared": cleared} if cleared else {})
        self._move(start, to=Status.INVESTIGATING, by=by, reason=reason, **changes)

    def close(self, *, by: User) -> None:
        """Nothing is left to do or to learn here."""
        self._move([Status.RESOLVED], to=Status.CLOSED, by=by)
