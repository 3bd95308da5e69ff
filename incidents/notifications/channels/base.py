"""What all channels share: what is announced, the request that leaves, and what the answer to it means. Pure."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from incidents import outgoing
from incidents.notifications.channels.answers import Judgement, judge_status
from incidents.notifications.channels.limits import clip, json_bytes, one_line, plain

Config = Mapping[str, str]

JSON = {"Content-Type": "application/json; charset=utf-8"}

# What each severity looks like where a receiver takes a colour, and which word a person reads for it.
COLOURS = {"sev1": "#c4122f", "sev2": "#d9610f", "sev3": "#b58900", "sev4": "#2f6fb0", "unknown": "#6b7280"}
_OVER = "#2e7d4f"

_ICONS = {"chat": "message-square", "phone": "bell-ring", "pager": "siren", "code": "braces"}

_OPENING = frozenset({"incident.opened", "incident.raised", "incident.escalated", "incident.reopened", "test"})


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFacts:
    """What is told of an incident; empty texts are not known."""

    number: int
    title: str
    severity: str = "unknown"  # a code, such as sev1
    status: str = ""
    system: str = ""
    team: str = ""
    lead: str = ""
    category: str = ""
    url: str = ""

    @property
    def reference(self) -> str:
        return f"INC-{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFacts:
    """A postmortem or a follow-up of the incident; empty texts are not known."""

    kind: str  # postmortem, or follow_up
    title: str
    url: str
    state: str = ""
    owner: str = ""
    due_on: str = ""  # a day, as 2026-03-04

    @property
    def label(self) -> str:
        return self.kind.replace("_", "-")


class Act(StrEnum):
    """What a pager is asked to do."""

    OPEN = "open"
    ACKNOWLEDGE = "acknowledge"
    CLOSE = "close"


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """One thing that is told. `event_id` stays the same at each attempt; `at` is in UTC; texts are as people wrote them."""

    topic: str
    event_id: str
    at: datetime
    subject: str
    text: str = ""
    source: str = ""  # the address of this Faultline
    incident: IncidentFacts | None = None
    item: ItemFacts | None = None  # of the incident, where it is about one
    urgent: bool = False
    closing: bool = False  # nothing is left to do: resolved, declined, or merged into another
    acts: tuple[tuple[str, str], ...] = ()  # label and address

    @property
    def key(self) -> str:
        """What gathers all that is told of one incident."""
        return self.incident.reference if self.incident else self.event_id

    @property
    def headline(self) -> str:
        """The subject in one line; receivers refuse an empty one."""
        return one_line(self.subject) or self.key

    @property
    def body(self) -> str:
        return plain(self.text).strip()

    @property
    def colour(self) -> str:
        return _OVER if self.closing else COLOURS.get(self.severity, COLOURS["unknown"])

    @property
    def severity(self) -> str:
        return self.incident.severity if self.incident else "unknown"

    @property
    def act(self) -> Act | None:
        """What a pager should do about it; None: this is nothing for a pager."""
        if self.closing:
            return Act.CLOSE
        if self.topic == "incident.acknowledged":
            return Act.ACKNOWLEDGE
        return Act.OPEN if self.topic in _OPENING else None

    def facts(self) -> list[tuple[str, str]]:
        """What is known of the incident, as pairs of label and text, for receivers that show them."""
        if self.incident is None:
            return []
        if self.item:
            first = {"Incident": self.incident.title, "State": self.item.state}
            last = {"Owner": self.item.owner, "Due": self.item.due_on}
        else:
            severity = self.incident.severity
            first = {
                "Severity": severity.upper() if severity != "unknown" else "",
                "Status": self.incident.status.capitalize(),
            }
            last = {"Lead": self.incident.lead, "Category": self.incident.category}
        told = first | {"System": self.incident.system, "Team": self.incident.team} | last
        return [(label, line) for label, text in told.items() if (line := one_line(text))]

    def links(self, *, most: int = 4) -> list[tuple[str, str]]:
        """Where it leads: what it is about first. Long or odd addresses are left out, since they break a message's marks."""
        own = [(f"Open the {self.item.label}", self.item.url)] if self.item else []
        own += [(f"Open {self.incident.reference}", self.incident.url)] if self.incident else []
        listed = [
            (clip(one_line(label), 80) or "Open", url) for label, url in (*own, *self.acts) if _is_plain_address(url)
        ]
        return listed[:most]


def _is_plain_address(url: str) -> bool:
    return (
        url.startswith(("https://", "http://")) and len(url) <= 500 and not any(sign in url for sign in " <>|\"'()[]\\")
    )


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request, whole: nothing is added to it on its way but what HTTP needs."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def post_json(url: str, value: object, headers: Mapping[str, str] | None = None) -> Outgoing:
    return Outgoing("POST", url, JSON | dict(headers or {}), json_bytes(value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """What a person enters to connect a channel. `check` returns it as it is stored, or raises ValueError in words."""

    name: str
    label: str
    help: str
    check: Callable[[str], str] = str.strip
    secret: bool = False
    required: bool = True
    choices: tuple[tuple[str, str], ...] = ()  # what may be chosen, the first unless somebody chooses; empty: any text


class Receiver(ABC):
    """One kind of receiver."""

    kind: ClassVar[str]
    name: ClassVar[str]
    group: ClassVar[str]
    about: ClassVar[str]
    fields: ClassVar[tuple[Field, ...]]
    signs: ClassVar[bool] = False  # what it sends, with secrets that we make

    @property
    def icon(self) -> str:
        return _ICONS[self.group]

    def takes(self, announcement: Announcement) -> bool:
        """Whether it has anything to say about it."""
        return True

    @abstractmethod
    def request(self, config: Config, announcement: Announcement, *, now: datetime) -> Outgoing:
        """The request that tells of it; `config` has the fields' values, secrets in the open."""

    def judge(self, answer: outgoing.Answer, *, now: datetime) -> Judgement:
        return judge_status(answer, now=now)


class Pager(Receiver):
    """A receiver that opens an alert, and acknowledges and closes it under the same key."""

    group = "pager"
    can: ClassVar[frozenset[Act]] = frozenset(Act)

    def takes(self, announcement: Announcement) -> bool:
        return announcement.act in self.can
