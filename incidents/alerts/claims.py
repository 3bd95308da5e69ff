"""The normal form: one claim is one statement of a monitor about one alert, cleaned so that it can be stored.

Everything here is pure. Beside claims a monitor may announce a change, ask for a handshake, or send an item that cannot
be read; each is a statement of its own.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from incidents.alerts.bodies import Json, first_text, text_of
from incidents.alerts.cleaning import (
    MAX_DESCRIPTION,
    MAX_TITLE,
    annotations_of,
    clip,
    labels_of,
    number_of,
    otel_environment,
    otel_service,
    safe_link,
    title_of,
)
from incidents.alerts.severities import severity_of
from incidents.alerts.statuses import FIRING, Condition, MonitorStatus, Says, titled
from incidents.alerts.times import time_of

Identity: TypeAlias = tuple[str, ...]  # kind and version of the recipe, then its parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was measured, and what it should have been. The number is None where it was not finite or not one."""

    metric: str = ""
    text: str = ""
    number: float | None = None
    threshold: str = ""
    operator: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One normalised statement. Times are None where the monitor gave none that can be believed."""

    says: Says
    title: str
    identity: Identity
    condition: Condition = "bad_value"
    former_identities: tuple[Identity, ...] = ()  # what older recipes made of the same alert, newest first
    description: str = ""
    severity: str = "medium"
    severity_raw: str = ""
    system_name: str = ""
    service: str = ""  # names the system only where one is known by that name
    environment: str = ""
    names: tuple[str, ...] = ()  # what classification looks at, most telling first
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    links: tuple[dict[str, str], ...] = ()
    measured: Measured = Measured()
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    expires_at: datetime | None = None  # a lease: over unless it is repeated before
    lease: timedelta | None = None  # a lease counted from the receipt
    group: str = ""
    upstream_id: str = ""  # fingerprint, deduplication key or id, as the monitor calls it
    delivery_key: str = ""  # the sender's name of this very message
    flags: tuple[str, ...] = ()

    @property
    def is_test(self) -> bool:
        return self.condition == "test"

    def fingerprint(self, source_id: int) -> str:
        """Name the alert within its source: a digest, because upstream fingerprints can be forged, long or missing."""
        return fingerprint_of(source_id, self.identity)

    def former_fingerprints(self, source_id: int) -> list[str]:
        return [fingerprint_of(source_id, identity) for identity in self.former_identities]

    def at(self, received_at: datetime) -> "Claim":
        """Settle a lease against the clock of its receipt: one that was over then is a resolve."""
        expires_at = self.expires_at or (received_at + self.lease if self.lease else None)
        if self.says == "firing" and expires_at and expires_at <= received_at:
            return replace(self, says="resolved", ends_at=self.ends_at or expires_at, expires_at=None)
        return replace(self, expires_at=expires_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeAnnounced:
    """Something was altered in a system: the first place to look when its output goes wrong."""

    title: str
    kind: str
    system_name: str = ""
    version: str = ""
    url: str = ""
    happened_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """Part of setting up, or of a life before and after alerts. Nothing is opened for it."""

    reason: str
    confirm_topic: str = ""  # AWS SNS asks to confirm a subscription to this topic …
    confirm_url: str = ""  # … by asking this address, which only an approved request may do


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedItem:
    """One item among others that cannot be taken; the rest of its delivery is."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupOver:
    """All alerts of a group have ended, also those that were cut from its notifications."""

    group: str


Statement: TypeAlias = Claim | ChangeAnnounced | GroupOver | Handshake | RejectedItem


def fingerprint_of(source_id: int, identity: Identity) -> str:
    return hashlib.sha256("\x1f".join([str(source_id), *identity]).encode()).hexdigest()


def claim_from(
    *,
    status: MonitorStatus = FIRING,
    title: Iterable[Json],
    identity: Identity = (),
    former: Iterable[Identity] = (),
    description: Iterable[Json] = (),
    severity: Json = None,
    severities: Mapping[str, str] | None = None,
    system: Json = None,
    service: Json = None,
    environment: Json = None,
    names: Iterable[Json] = (),
    labels: Json = None,
    annotations: Json = None,
    links: Iterable[tuple[str, Json]] = (),
    metric: Json = None,
    value: Json = None,
    threshold: Json = None,
    operator: Json = None,
    unit: Json = None,
    starts_at: Json = None,
    ends_at: Json = None,
    expires_at: Json = None,
    lease: timedelta | None = None,
    group: Json = None,
    upstream_id: Json = None,
    delivery_key: Json = None,
    is_test: bool = False,
    flags: Iterable[str] = (),
) -> Claim:
    """Make a claim of raw JSON values, wherever they came from: cleaned, clipped, and with flags for what was mended.

    `title` and `description` give candidates, the first with text wins; so do `names` for classification. Without a
    usable identity the title names the alert; `former` is what older recipes made of it. `severities` is the monitor's
    own vocabulary, asked before the common one.
    """
    all_flags = list(flags)
    clean_labels = labels_of(labels, flags=all_flags)
    heading = title_of(map(text_of, title), clean_labels)
    raw_severity = first_text(severity)
    metric_name = first_text(metric, clean_labels.get("metric"))
    system_name = clip(first_text(system, clean_labels.get("system")), 200)
    told_service = first_text(service, clean_labels.get("service"), clean_labels.get("service_name"))
    told_environment = first_text(environment, clean_labels.get("environment"), clean_labels.get("env"))
    service_name = clip(told_service or otel_service(clean_labels), 200)
    env = clip(told_environment or otel_environment(clean_labels), 100)
    formers = list(former)
    named = _usable(identity, flags=all_flags)
    if not named:
        named = title_identity(heading, system_name or service_name, env, flags=all_flags)
        # OpenTelemetry's labels were not read once.
        formers.append(title_identity(heading, system_name or clip(told_service, 200), clip(told_environment, 100)))
    all_names = map(text_of, (*names, metric_name, clean_labels.get("alertname"), heading))
    return Claim(
        says=status.says,
        condition="test" if is_test else status.condition,
        title=clip(titled(heading, status.condition), MAX_TITLE),
        identity=named,
        former_identities=tuple(dict.fromkeys(one for one in formers if one != named)),
        description=clip(first_text(*description), MAX_DESCRIPTION),
        severity=severity_of(raw_severity, flags=all_flags, own=severities) if raw_severity else "medium",
        severity_raw=raw_severity[:64],
        system_name=system_name,
        service=service_name,
        environment=env,
        names=tuple(dict.fromkeys(filter(None, all_names))),
        labels=clean_labels,
        annotations=annotations_of(annotations, flags=all_flags),
        links=tuple(safe for rel, href in links for safe in safe_link(rel, href)),
        measured=measured(
            metric=metric_name, value=value, threshold=threshold, operator=operator, unit=unit, flags=all_flags
        ),
        starts_at=time_of(starts_at, flags=all_flags),
        ends_at=time_of(ends_at, flags=all_flags),
        expires_at=time_of(expires_at, flags=all_flags),
        lease=lease,
        group=clip(text_of(group), 512),
        upstream_id=clip(text_of(upstream_id), 512),
        delivery_key=clip(text_of(delivery_key), 512),
        flags=tuple(dict.fromkeys(all_flags)),
    )


# Identity


_UNEXPANDED = re.compile(r"^\$\{?[A-Za-z_]+\}?$|\{\{.*\}\}|^%\w$|<no value>")


def _usable(identity: Identity, *, flags: list[str]) -> Identity:
    """Keep an identity whose parts say something: a template that was not filled in names every alert alike."""
    parts = identity[1:]
    if any(_UNEXPANDED.search(part) for part in parts):
        flags.append("unexpanded_template")
        return ()
    return identity if any(parts) else ()


def title_identity(title: str, where: str, environment: str, *, flags: list[str] | None = None) -> Identity:
    """Name the alert by its title, less what changes between two repeats of the same thing."""
    if flags is not None:
        flags.append("no_identity")
    stem = re.sub(r"[0-9a-f]{8,}|\d+", "#", title.lower())
    return ("title/1", stem, where.lower(), environment)


# Measurement


def measured(*, metric: str, value: Json, threshold: Json, operator: Json, unit: Json, flags: list[str]) -> Measured:
    text = clip(text_of(value), 100)
    number = number_of(value)
    if number is None and text.lower().lstrip("+-") in {"nan", "inf", "infinity"}:
        flags.append("value_not_finite")
    return Measured(
        metric=clip(metric, 200),
        text=text,
        number=number,
        threshold=clip(text_of(threshold), 100),
        operator=clip(text_of(operator), 40),
        unit=clip(text_of(unit), 40),
    )
