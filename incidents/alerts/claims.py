"""The normal form: one claim is one statement of a monitor about one alert, cleaned so that it can be stored.

Everything here is pure. Beside claims a monitor may tell of a change, ask for a handshake, or say something that
cannot be taken; each is a statement of its own.
"""

import hashlib
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal, TypeAlias

from incidents.alerts.bodies import Json, Unreadable, first_text, mapping, text_of

__all__ = ["ChangeTold", "Claim", "GroupOver", "Handshake", "Measured", "Refused", "Statement", "Unreadable"]

MAX_LABELS, MAX_LABEL_VALUE = 128, 1024
MAX_ANNOTATIONS, MAX_ANNOTATION_VALUE = 64, 8192
MAX_TITLE, MAX_DESCRIPTION = 300, 32_000

Says: TypeAlias = Literal["firing", "resolved", "acknowledged", "no_data"]
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
    expires_at: datetime | None = None  # a lease: over unless it is told again before
    lease: timedelta | None = None  # a lease counted from the receipt
    group: str = ""
    upstream_id: str = ""  # fingerprint, deduplication key or id, as the monitor calls it
    delivery_key: str = ""  # the sender's name of this very message
    is_test: bool = False
    flags: tuple[str, ...] = ()

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
class ChangeTold:
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
class Refused:
    """One item among others that cannot be taken; the rest of its delivery is."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupOver:
    """All alerts of a group have ended, also those that were cut from its notifications."""

    group: str


Statement: TypeAlias = Claim | ChangeTold | GroupOver | Handshake | Refused


def fingerprint_of(source_id: int, identity: Identity) -> str:
    return hashlib.sha256("\x1f".join([str(source_id), *identity]).encode()).hexdigest()


def told(
    *,
    says: Says,
    title: Iterable[Json],
    identity: Identity = (),
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
    usable identity the title names the alert. `severities` is the monitor's own vocabulary, asked before the common one.
    """
    noted = list(flags)
    kept_labels = labels_of(labels, flags=noted)
    kept_annotations = annotations_of(annotations, flags=noted)
    heading = title_of(map(text_of, title), kept_labels)
    raw = first_text(severity)
    metric_name = first_text(metric, kept_labels.get("metric"))
    system_name = clip(first_text(system, kept_labels.get("system")), 200)
    place = clip(first_text(service, kept_labels.get("service"), kept_labels.get("service_name")), 200)
    env = clip(first_text(environment, *(kept_labels.get(name) for name in ("environment", "env"))), 100)
    return Claim(
        says=says,
        title=heading,
        identity=_usable(identity, flags=noted) or title_identity(heading, system_name or place, env, flags=noted),
        description=clip(first_text(*description), MAX_DESCRIPTION),
        severity=severity_of(raw, flags=noted, own=severities) if raw else "medium",
        severity_raw=raw[:64],
        system_name=system_name,
        service=place,
        environment=env,
        names=tuple(dict.fromkeys(filter(None, map(text_of, (*names, metric_name, kept_labels.get("alertname"), heading))))),
        labels=kept_labels,
        annotations=kept_annotations,
        links=tuple(found for rel, href in links for found in link(rel, href)),
        measured=measured(metric=metric_name, value=value, threshold=threshold, operator=operator, unit=unit, flags=noted),
        starts_at=time_of(starts_at, flags=noted),
        ends_at=time_of(ends_at, flags=noted),
        expires_at=time_of(expires_at, flags=noted),
        lease=lease,
        group=clip(text_of(group), 512),
        upstream_id=clip(text_of(upstream_id), 512),
        delivery_key=clip(text_of(delivery_key), 512),
        is_test=is_test,
        flags=tuple(dict.fromkeys(noted)),
    )  # fmt: skip


# Identity


_UNEXPANDED = re.compile(r"^\$\{?[A-Za-z_]+\}?$|\{\{.*\}\}|^%\w$|<no value>")


def _usable(identity: Identity, *, flags: list[str]) -> Identity:
    """Keep an identity whose parts say something: a template that was not filled in names every alert alike."""
    parts = identity[1:]
    if any(_UNEXPANDED.search(part) for part in parts):
        flags.append("unexpanded_template")
        return ()
    return identity if any(parts) else ()


def title_identity(title: str, where: str, environment: str, *, flags: list[str]) -> Identity:
    """Name the alert by its title, less what changes between two tellings of the same thing."""
    flags.append("no_identity")
    stem = re.sub(r"[0-9a-f]{8,}|\d+", "#", title.lower())
    return ("title/1", stem, where.lower(), environment)


# Texts, labels, links


def labels_of(value: Json, *, flags: list[str]) -> dict[str, str]:
    return _texts(value, most=MAX_LABELS, longest=MAX_LABEL_VALUE, flag="labels_dropped", flags=flags)


def annotations_of(value: Json, *, flags: list[str]) -> dict[str, str]:
    return _texts(value, most=MAX_ANNOTATIONS, longest=MAX_ANNOTATION_VALUE, flag="annotations_dropped", flags=flags)


def _texts(value: Json, *, most: int, longest: int, flag: str, flags: list[str]) -> dict[str, str]:
    texts = {clip(name, 128): clip(text_of(item), longest) for name, item in mapping(value).items() if name}
    if len(texts) > most:
        flags.append(flag)
    return dict(sorted(texts.items())[:most])


def tags_of(value: Json) -> dict[str, Json]:
    """Read tags as labels: `a:b,c` in one text, a list of such, or a list of pairs or of {name, value}."""
    parts: list[Json] = list(value.split(",")) if isinstance(value, str) else value if isinstance(value, list) else []
    found: dict[str, Json] = {}
    for part in parts:
        match part:
            case str():
                name, _, content = part.strip().partition(":")
                found[name] = content or "true"
            case [str() as name, content]:
                found[name] = content
            case dict():
                found[first_text(part.get("name"), part.get("key"), part.get("label"))] = part.get("value")
    return {name: content for name, content in found.items() if name}


def clip(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def title_of(candidates: Iterable[str], labels: Mapping[str, str]) -> str:
    title = " ".join(next((text for text in candidates if text.strip()), "").split())
    return clip(title or labels.get("alertname", "") or "(no title)", MAX_TITLE)


def link(rel: str, href: Json) -> tuple[dict[str, str], ...]:
    """Keep a link that may be shown: http or https, of a sane length."""
    address = text_of(href)
    if re.match(r"https?://[^\s<>\"']+$", address) and len(address) <= 2048:
        return ({"rel": rel, "href": address},)
    return ()


# What the model, prompt, index … was: kept apart, because postmortems ask for it. The names are those of the usual
# exporters and of OpenTelemetry's conventions for generative AI.
_AI_LABELS = {
    "model": ("model", "model_name", "gen_ai.request.model", "gen_ai.response.model", "gen_ai_request_model"),
    "model_version": ("model_version", "model_revision", "version"),
    "dataset": ("dataset", "dataset_name", "data_set"),
    "feature": ("feature", "feature_name", "column"),
    "index": ("index", "index_name", "collection", "vector_store"),
    "prompt": ("prompt", "prompt_name", "prompt_version"),
    "agent": ("agent", "agent_name", "gen_ai.agent.name"),
    "tool": ("tool", "tool_name", "gen_ai.tool.name"),
    "provider": ("provider", "gen_ai.system", "gen_ai.provider.name"),
    "evaluation": ("evaluation", "evaluator", "gen_ai.evaluation.name"),
}


_AI_NAMES = frozenset(name for names in _AI_LABELS.values() for name in names)


def ai_facts(labels: Mapping[str, str]) -> dict[str, str]:
    """Say which model, prompt, index and so on the labels speak of."""
    if _AI_NAMES.isdisjoint(labels):
        return {}
    found = {fact: first_text(*(labels.get(name) for name in names)) for fact, names in _AI_LABELS.items()}
    return {fact: clip(text, 200) for fact, text in found.items() if text}


# Severity

_SEVERITIES = {
    "critical": "critical crit fatal emergency alert page p0 p1 sev0 sev1 disaster blocker",
    "high": "high error err major p2 sev2 urgent",
    "medium": "warning warn medium average minor moderate p3 sev3",
    "low": "low notice p4 sev4",
    "info": "info informational information none ok debug p5 success",
}
_BY_WORD = {word: severity for severity, words in _SEVERITIES.items() for word in words.split()}


def severity_of(raw: str, *, flags: list[str], own: Mapping[str, str] | None = None) -> str:
    """Translate a monitor's word, by its own vocabulary first; an unknown one is medium and says so."""
    word = re.sub(r"[\s_-]", "", raw.lower())
    severity = (own or {}).get(word) or _BY_WORD.get(word)
    if severity is None:
        flags.append("severity_defaulted")
    return severity or "medium"


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


def number_of(value: Json) -> float | None:
    """Read a finite number, or None."""
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


# Times


def time_of(value: Json, *, flags: list[str] | None = None) -> datetime | None:
    """Read RFC 3339 with 0 to 9 fractional digits, RFC 1123, or a Unix time in s, ms, µs or ns.

    None where it says nothing: year 1 is Alertmanager's “no time”, the epoch is everybody's; nothing before 2000 is
    believed. A time without a zone is taken as UTC, and flagged.
    """
    try:
        moment = _unix(value) if isinstance(value, int | float) else _written(text_of(value), flags=flags)
    except (ValueError, TypeError, OverflowError, OSError):
        return None
    if moment is None or moment.year < 2000 or moment.year > 9000:
        return None
    return moment


def _unix(value: float) -> datetime:
    seconds = float(value)
    while abs(seconds) > 1e11:  # the year 5138 in seconds: what is larger is a finer unit
        seconds /= 1000
    return datetime.fromtimestamp(seconds, UTC)


_GO_TAIL = re.compile(r"( [A-Z]{3,4})?( m=[+-][\d.]+)?$")
_SPACE_BEFORE_OFFSET = re.compile(r" (?=[+-]\d\d:?\d\d$)")


def _written(text: str, *, flags: list[str] | None) -> datetime | None:
    if not text:
        return None
    if re.fullmatch(r"\d{9,19}(\.\d+)?", text, re.ASCII):
        return _unix(float(text))
    if text[:3].isalpha():
        moment = parsedate_to_datetime(text)  # Sat, 05 Jun 2016 15:10:09 GMT
    else:
        # Go prints 2025-02-15 14:59:03.26 +0000 UTC, sometimes with its monotonic clock.
        moment = datetime.fromisoformat(_SPACE_BEFORE_OFFSET.sub("", _GO_TAIL.sub("", text)))
    if moment.tzinfo is None:
        if flags is not None:
            flags.append("time_zone_assumed")
        return moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC)


def settled_times(claim: Claim, *, received_at: datetime) -> tuple[datetime, datetime | None, list[str]]:
    """Give the claim's start and end, with flags for what had to be put right."""
    flags = []
    starts_at = claim.starts_at
    if starts_at is None:
        flags.append("start_inferred")
        starts_at = min(received_at, claim.ends_at or received_at)
    elif starts_at > received_at + timedelta(minutes=5):
        flags.append("clock_skew")
        starts_at = received_at
    if claim.says != "resolved":
        return starts_at, None, flags
    ends_at = claim.ends_at
    if ends_at is None or ends_at > received_at + timedelta(minutes=5):
        flags.append("end_inferred")
        ends_at = received_at
    if ends_at < starts_at:
        flags.append("end_before_start")
        ends_at = starts_at
    return starts_at, ends_at, flags


# Status words


_RESOLVED_WORDS = frozenset(
    [
        "resolved",
        "resolve",
        "ok",
        "okay",
        "normal",
        "recovered",
        "recovery",
        "closed",
        "close",
        "success",
        "successful",
        "succeeded",
        "passed",
        "pass",
        "inactive",
        "up",
        "healthy",
        "cleared",
        "clear",
        "completed",
        "good",
    ]
)
_NO_DATA_WORDS = frozenset({"no_data", "no data", "nodata", "insufficient_data", "unknown"})
_ACKNOWLEDGED_WORDS = frozenset({"acknowledged", "acknowledge", "ack"})
_FIRING_WORDS = frozenset(
    [
        "firing",
        "fire",
        "alerting",
        "alert",
        "triggered",
        "trigger",
        "open",
        "opened",
        "active",
        "activated",
        "failed",
        "fail",
        "failure",
        "error",
        "critical",
        "down",
        "unhealthy",
        "warning",
        "warn",
        "problem",
        "created",
        "new",
        "fired",
        "breached",
    ]
)


def says_of(*words: Json, flags: list[str]) -> Says:
    """Read a status word; an unknown one is firing and says so, no word at all is firing."""
    word = first_text(*words).lower()
    if word in _RESOLVED_WORDS:
        return "resolved"
    if word in _NO_DATA_WORDS:
        return "no_data"
    if word in _ACKNOWLEDGED_WORDS:
        return "acknowledged"
    if word and word not in _FIRING_WORDS:
        flags.append("status_unknown")
    return "firing"
