"""What people say of an incident: how bad, whose, what kind of failure, where, in which words."""

from typing import Any

from django.db import IntegrityError, transaction

from incidents import taxonomy
from incidents.errors import Refused
from incidents.people.models import User
from incidents.response.events import Event, Note
from incidents.response.verbs.base import Verb
from incidents.response.vocabulary import (
    LONGEST_CHANNEL,
    IncidentKind,
    NoticedBy,
    Severity,
    correlation_key,
    required,
    web_address,
)
from incidents.systems.models import System
from incidents.texts import one_line


class Facts(Verb):
    class Meta:
        abstract = True

    def set_severity(self, severity: str, *, by: User | None, reason: str = "") -> None:
        self._set(Event.Kind.SEVERITY, by=by, reason=reason, severity=Severity(severity))

    def severity_was_set(self) -> bool:
        """Tell whether a person ever set the severity: from then on it is theirs."""
        return self.events.filter(kind=Event.Kind.SEVERITY, by__isnull=False).exists()

    def assign_lead(self, lead: User | None, *, by: User, by_handover: bool = False) -> None:
        """Say who leads it. Raises Refused where they may not see it."""
        if lead and not type(self).objects.visible_to(lead).filter(pk=self.pk).exists():
            raise Refused(f"{lead} may not see this incident, so they cannot lead it.")
        self._set(Event.Kind.LEAD, by=by, detail={"by_handover": True} if by_handover else {}, lead=lead)

    def classify(self, category: str, failure_mode: str = "", *, by: User | None, reason: str = "") -> None:
        """Settle what kind of failure it is; an empty category makes it unclassified again."""
        if failure_mode:
            category = taxonomy.failure_mode(failure_mode).category
        elif category:
            taxonomy.category(category)
        self._set(
            Event.Kind.CLASSIFIED,
            by=by,
            category=category,
            failure_mode=failure_mode,
            classified_because=reason or (f"Classified by {by}." if by else ""),
        )
        self._follow_key()

    def set_system(self, system: System | None, *, by: User) -> None:
        team: dict[str, Any] = {"team": system.team} if system else {}
        self._set(Event.Kind.SYSTEM, by=by, system=system, **team)
        self._follow_key()

    def describe(self, *, title: str, summary: str, by: User | None) -> None:
        title = required(one_line(title), "An incident needs a title.")
        self._set(Event.Kind.DESCRIBED, by=by, title=title[:200], summary=summary.strip())

    def say_who_noticed(self, noticed_by: str, *, by: User) -> None:
        self._set(Event.Kind.NOTICED, by=by, noticed_by=NoticedBy(noticed_by))

    def set_kind(self, kind: str, *, by: User) -> None:
        self._set(Event.Kind.KIND, by=by, kind=IncidentKind(kind))

    def set_call(self, url: str, *, by: User) -> None:
        """Say where the call is; empty where there is none. Raises Refused for what is no web address."""
        self._set(Event.Kind.PLACE, by=by, call_url=web_address(url, what="call"))

    def set_channel(self, name: str, url: str, *, by: User) -> None:
        """Say in which channel people write, by its name, its address or both. Raises Refused for what is no web address."""
        name = " ".join(name.split())[:LONGEST_CHANNEL]
        self._set(Event.Kind.PLACE, by=by, channel_name=name, channel_url=web_address(url, what="channel"))

    def add_note(self, text: str, *, by: User) -> "Note":
        text = required(text, "Write something first: a note cannot be empty.")
        with transaction.atomic():
            note = self.notes.create(author=by, text=text)
            self.record(Event.Kind.NOTE, by=by, written=note)
        return note

    def _follow_key(self) -> None:
        """Gather from now on the alerts of what the incident was found to be; where another open one does, let it."""
        if not self.correlation_key:
            return
        where, _, group = self.correlation_key.rpartition("|")[0].partition("\t")
        key = correlation_key(f"system:{self.system_id}" if self.system_id else where, self.category, group)
        try:
            with transaction.atomic():
                type(self).objects.filter(pk=self.pk).update(correlation_key=key)
        except IntegrityError:  # the key is another open incident’s
            return
        self.correlation_key = key
