"""How every verb of an incident is done: compare and set in one statement, record one Event, in one transaction.

`by` is the person who acts; None means Faultline itself, on behalf of a monitor.
"""

from datetime import datetime
from typing import Any, Self

from django.db import transaction
from django.utils import timezone

from incidents.errors import WrongStatus
from incidents.people.models import User
from incidents.response.events import Event, Note
from incidents.response.fields import IncidentFields
from incidents.response.reactions import react
from incidents.response.vocabulary import Status


class Verb(IncidentFields):
    class Meta:
        abstract = True

    def record(
        self,
        kind: "Event.Kind",
        /,
        *,
        by: User | None,
        written: "Note | None" = None,
        at: datetime | None = None,
        about: IncidentFields | None = None,
        **detail: Any,
    ) -> "Event":
        """Append what happened; nothing here is ever updated or deleted.

        `about` is another incident of which it tells. Where that one is private, others see no such entry, and not that
        this incident changed either.
        """
        moment = at or timezone.now()
        event = self.events.create(kind=kind, by=by, note=written, at=moment, detail=detail)
        if about is None or not about.private:
            type(self).objects.filter(pk=self.pk).update(changed_at=timezone.now())
        react(event)
        return event

    def locked(self) -> Self:
        """Lock the row until the transaction ends and give it as it stands now. Whatever changes an incident does this first."""
        locked: Self = type(self).objects.select_for_update(no_key=True).get(pk=self.pk)
        return locked

    def _move(
        self,
        start: list[Status],
        *,
        to: Status,
        by: User | None,
        kind: "Event.Kind | None" = None,
        **changes: Any,
    ) -> None:
        """Move from one of `start` to `to`; whatever in `changes` is no column goes into the Event as it is."""
        columns = {field.name for field in self._meta.concrete_fields}
        fields = {name: value for name, value in changes.items() if name in columns}
        detail = {name: value for name, value in changes.items() if name not in columns and value != ""}
        with transaction.atomic():
            was = self.locked().status
            # Compared and set in one statement: of two people who press the same button at once, one moves it.
            if not type(self).objects.filter(pk=self.pk, status__in=start).update(status=to, **fields):
                wanted = " or ".join(status.label.lower() for status in start)
                raise WrongStatus(f"{self} is {Status(was).label.lower()}, not {wanted}.")
            self.record(kind or Event.Kind.STATUS, by=by, was=was, became=to.value, **detail)
        self.refresh_from_db()

    def _set(
        self,
        kind: "Event.Kind",
        /,
        *,
        by: User | None,
        reason: str = "",
        detail: dict[str, Any] | None = None,
        **changes: Any,
    ) -> None:
        """Change facts and record what each was, with more `detail`; setting what is already so records nothing."""
        with transaction.atomic():
            before = self.locked()
            was = {name: getattr(before, name) for name in changes}
            if was != changes:
                type(self).objects.filter(pk=self.pk).update(**changes)
                extra = (detail or {}) | ({"reason": reason.strip()} if reason.strip() else {})
                self.record(kind, by=by, was=_readable(was), became=_readable(changes), **extra)
        self.refresh_from_db()

    def _if_taken(self) -> dict[str, Any]:
        """Give up the correlation key where another open incident has it meanwhile."""
        key = type(self).objects.values_list("correlation_key", flat=True).get(pk=self.pk)
        taken = key and type(self).objects.open().filter(correlation_key=key).exclude(pk=self.pk).exists()
        return {"correlation_key": None} if taken else {}


def _readable(facts: dict[str, Any]) -> dict[str, str | bool | None]:
    """Write facts as an Event keeps them: names instead of rows, times as ISO 8601 in UTC."""
    return {
        name: value.isoformat()
        if isinstance(value, datetime)
        else value
        if isinstance(value, bool | None)
        else str(value)
        for name, value in facts.items()
    }
