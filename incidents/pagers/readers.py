"""What each pager says, read from the body of its webhook. Pure: no tables, no clock.

PagerDuty: webhooks v3, signed. Opsgenie: the Webhook integration. Grafana OnCall: an outgoing webhook that forwards the
whole payload, or the template of `grafana_oncall.template`. GoAlert tells nobody who acknowledged: its webhooks name an
alert by GoAlert's own number and not by the key it was opened under.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from incidents.alerts.bodies import Json, Unreadable, dig, first_text, load, mapping, text_of
from incidents.alerts.times import time_of

LONGEST = 2000
_NUMBERED = re.compile(r"INC-(\d{1,9})", re.ASCII)


class Said(StrEnum):
    """What happened to an alert in the pager."""

    ACKNOWLEDGED = "acknowledged"
    UNACKNOWLEDGED = "unacknowledged"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    ESCALATED = "escalated"
    REASSIGNED = "reassigned"
    NOTED = "noted"
    TEST = "test"
    OTHER = ""


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody, as the pager knows them."""

    ref: str
    name: str
    email: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PagerWord:
    """One thing that a pager says."""

    said: Said
    called: str  # in the pager's own word
    key: str  # the same whenever the same thing is said
    alias: str = ""  # the key under which we opened the alert
    ref: str = ""  # the pager's own id of it
    at: datetime | None = None
    who: Who | None = None  # a person; None where a rule or a program did it
    text: str = ""

    @property
    def number(self) -> int | None:
        """The number of our incident, where the alert was opened for one."""
        match = _NUMBERED.fullmatch(self.alias)
        return int(match[1]) if match else None


@dataclass(frozen=True, slots=True)
class Reader:
    read: Callable[[bytes], PagerWord]
    scheme: str = ""  # how it signs, by the name in `signatures.SCHEMES`


def _object(body: bytes) -> dict[str, Json]:
    value = load(body)
    if not isinstance(value, dict):
        raise Unreadable("The body is not a JSON object.")
    return value


def _cut(value: Json, most: int = 200) -> str:
    return text_of(value)[:most]


_PAGERDUTY = {
    "incident.acknowledged": Said.ACKNOWLEDGED,
    "incident.unacknowledged": Said.UNACKNOWLEDGED,
    "incident.resolved": Said.RESOLVED,
    "incident.reopened": Said.REOPENED,
    "incident.escalated": Said.ESCALATED,
    "incident.reassigned": Said.REASSIGNED,
    "incident.delegated": Said.REASSIGNED,
    "incident.annotated": Said.NOTED,
    "incident.status_update_published": Said.NOTED,
    "pagey.ping": Said.TEST,
}


def pagerduty(body: bytes) -> PagerWord:
    event = dig(_object(body), "event")
    kind = _cut(dig(event, "event_type"))
    if not kind:
        raise Unreadable("There is no event.event_type: this is not a webhook of PagerDuty in version 3.")
    agent, data = mapping(dig(event, "agent")), mapping(dig(event, "data"))
    is_person = _cut(agent.get("type")).startswith("user") and bool(_cut(agent.get("id")))
    who = Who(_cut(agent.get("id")), first_text(agent.get("summary"), agent.get("id"))[:200]) if is_person else None
    return PagerWord(
        said=_PAGERDUTY.get(kind, Said.OTHER),
        called=kind,
        key=_cut(dig(event, "id")) or _digest(body),
        # Some services show no key; the alert's title then begins with the reference that we gave it.
        alias=_cut(data.get("incident_key")) or _first_reference(data.get("title")),
        ref=_cut(dig(data, "incident", "id")) or _cut(data.get("id")),
        at=time_of(dig(event, "occurred_at")),
        who=who,
        text=first_text(data.get("content"), data.get("message"))[:LONGEST],
    )


def _first_reference(title: Json) -> str:
    match = _NUMBERED.search(text_of(title))
    return match[0] if match else ""


_OPSGENIE = {
    "acknowledge": Said.ACKNOWLEDGED,
    "unacknowledge": Said.UNACKNOWLEDGED,
    "close": Said.RESOLVED,
    "escalate": Said.ESCALATED,
    "escalatenext": Said.ESCALATED,
    "escalatetonext": Said.ESCALATED,
    "assignownership": Said.REASSIGNED,
    "takeownership": Said.REASSIGNED,
    "addnote": Said.NOTED,
}
_OURSELVES = "Faultline"  # the source that our own requests name


def opsgenie(body: bytes) -> PagerWord:
    value = _object(body)
    alert, action = mapping(value.get("alert")), _cut(value.get("action"))
    if not action:
        raise Unreadable("There is no action: this is not what Opsgenie’s Webhook integration sends.")
    changed = alert.get("updatedAt")
    ref = _cut(alert.get("alertId"))
    key = "/".join((ref, action, text_of(changed))) if ref and changed else _digest(body)
    return PagerWord(
        said=_OPSGENIE.get(re.sub(r"[\s_-]", "", action).lower(), Said.OTHER),
        called=action,
        key=key[:200],
        alias=_cut(alert.get("alias")),
        ref=ref,
        at=time_of(int(changed) if isinstance(changed, str) and changed.isdigit() else changed),
        who=None if text_of(dig(value, "source", "name")) == _OURSELVES else _of_opsgenie(alert),
        text=_cut(alert.get("note"), LONGEST),
    )


def _of_opsgenie(alert: dict[str, Json]) -> Who | None:
    """Whoever did it; what a program did bears neither an address nor the id of a user."""
    name, ref = _cut(alert.get("username")), _cut(alert.get("userId"))
    if not ref and "@" not in name:
        return None
    return Who(ref or name.lower(), name or ref, name if "@" in name else "")


_ONCALL = {
    "acknowledge": Said.ACKNOWLEDGED,
    "unacknowledge": Said.UNACKNOWLEDGED,
    "resolve": Said.RESOLVED,
    "unresolve": Said.REOPENED,
    "escalation": Said.ESCALATED,
}


def grafana_oncall(body: bytes) -> PagerWord:
    value = _object(body)
    kind = _cut(dig(value, "event", "type"))
    if not kind:
        raise Unreadable("There is no event.type: forward the whole payload, or paste the template as it is.")
    ref = first_text(dig(value, "alert_group", "id"), value.get("alert_group_id"))[:200]
    happened = _cut(dig(value, "event", "time"))
    email, name = _cut(dig(value, "user", "email")), _cut(dig(value, "user", "username"))
    known = first_text(dig(value, "user", "id"), email, name)[:200]
    return PagerWord(
        said=_ONCALL.get(kind.lower(), Said.OTHER),
        called=kind,
        key="/".join((ref, kind, happened))[:200] if ref and happened else _digest(body),
        alias=_cut(dig(value, "alert_payload", "alert_uid")),
        ref=ref,
        at=time_of(happened),
        who=Who(known, name or email or known, email) if known else None,
    )


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


READERS: dict[str, Reader] = {
    "pagerduty": Reader(pagerduty, scheme="pagerduty"),
    "opsgenie": Reader(opsgenie),
    "grafana_oncall": Reader(grafana_oncall),
}
