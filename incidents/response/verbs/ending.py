"""How an incident ends, and how it is taken up again."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from incidents.people.models import User
from incidents.response.verbs.base import Verb
from incidents.response.vocabulary import Status, required


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
        """Take it up again. Where a newer incident already gathers its alerts, that one goes on gathering them."""
        reason = required(reason, "Say why it is open again.")
        with transaction.atomic():
            self.locked()
            try:
                with transaction.atomic():
                    self._reopen(by=by, reason=reason, **self._if_taken())
            except IntegrityError:  # an alert opened the newer one between the look and the move
                self._reopen(by=by, reason=reason, correlation_key=None)

    def _reopen(self, *, by: User | None, reason: str, **changes: Any) -> None:
        start = [Status.RESOLVED, Status.CLOSED, Status.DECLINED]
        self._move(start, to=Status.INVESTIGATING, by=by, reason=reason, resolved_at=None, **changes)

    def close(self, *, by: User) -> None:
        """Nothing is left to do or to learn here."""
        self._move([Status.RESOLVED], to=Status.CLOSED, by=by)
