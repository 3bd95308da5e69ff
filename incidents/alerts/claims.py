"""The normal form: one claim is one statement of a monitor about one alert, cleaned so that it can be stored.

Everything here is pure. Monitors do send NUL characters, lone surrogates, NaN, huge numbers and deep nesting;
none of it may reach PostgreSQL, and none of it may raise anything but Unreadable.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeAlias, cast

MAX_LABELS, MAX_LABEL_VALUE = 128, 1024
MAX_ANNOTATIONS, MAX_ANNOTATION_VALUE = 64, 8192
MAX_DEPTH = 64

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


class Unreadable(Exception):
    """The delivery cannot be understood; the message says where, for whoever set the monitor up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One normalised statement. Times are None where the monitor gave none that can be believed."""

    says: Literal["firing", "resolved"]
    title: str
    identity: tuple[str, ...]  # kind and version of the recipe, then its parts
    description: str = ""
    severity: str = "medium"
    severity_raw: str = ""
    system_name: str = ""
    names: tuple[str, ...] = ()  # what classification looks at, most telling first
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    links: tuple[dict[str, str], ...] = ()
    value: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    is_test: bool = False
    flags: tuple[str, ...] = ()

    def fingerprint(self, source_id: int) -> str:
        """Name the alert within its source: a digest, because upstream fingerprints can be forged, long or missing."""
        return hashlib.sha256("\x1f".join([str(source_id), *self.identity]).encode()).hexdigest()


def load(body: bytes) -> Json:
    """Read JSON as monitors write it: NaN and infinities become None, numbers too big for PostgreSQL become text."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"The body is not UTF-8: byte {error.start} cannot be read.") from None
    try:
        value = json.loads(text, parse_constant=lambda _: None, parse_int=_integer, parse_float=_float)
    except json.JSONDecodeError as error:
        raise Unreadable(f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from None
    except RecursionError:
        raise Unreadable(f"The body is nested more than {MAX_DEPTH} levels deep.") from None
    return _clean(value, depth=0)


def _integer(digits: str) -> int | str:
    # Python refuses to convert more than 4,300 digits, JavaScript loses exactness beyond 2**53.
    return int(digits) if len(digits) <= 15 else digits


def _float(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _clean(value: Any, *, depth: int) -> Json:
    if depth > MAX_DEPTH:
        raise Unreadable(f"The body is nested more than {MAX_DEPTH} levels deep.")
    match value:
        case str():
            return clean_text(value)
        case list():
            return [_clean(item, depth=depth + 1) for item in value]
        case dict():
            return {clean_text(key): _clean(item, depth=depth + 1) for key, item in value.items()}
    return cast(Json, value)


def clean_text(text: str) -> str:
    """Replace what PostgreSQL cannot store: NUL and lone surrogates."""
    return text.replace("\x00", "�").encode("utf-8", "replace").decode() if _unstorable(text) else text


def _unstorable(text: str) -> bool:
    return "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text)


def text_of(value: Json) -> str:
    """Read a scalar as text; anything else is empty."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value.strip()
        case int() | float():
            return str(value)
    return ""


def first_text(*values: Json) -> str:
    return next((text for text in map(text_of, values) if text), "")


def mapping(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def labels_of(value: Json, *, flags: list[str]) -> dict[str, str]:
    return _texts(value, most=MAX_LABELS, longest=MAX_LABEL_VALUE, flag="labels_dropped", flags=flags)


def annotations_of(value: Json, *, flags: list[str]) -> dict[str, str]:
    return _texts(value, most=MAX_ANNOTATIONS, longest=MAX_ANNOTATION_VALUE, flag="annotations_dropped", flags=flags)


def _texts(value: Json, *, most: int, longest: int, flag: str, flags: list[str]) -> dict[str, str]:
    texts = {clip(name, 128): clip(text_of(item), longest) for name, item in mapping(value).items() if name}
    if len(texts) > most:
        flags.append(flag)
    return dict(sorted(texts.items())[:most])


def clip(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


_SEVERITIES = {
    "critical": "critical crit fatal emergency alert page p0 p1 sev0 sev1 disaster blocker",
    "high": "high error err major p2 sev2 urgent",
    "medium": "warning warn medium average minor moderate p3 sev3",
    "low": "low notice p4 sev4",
    "info": "info informational information none ok debug p5 success",
}
_BY_WORD = {word: severity for severity, words in _SEVERITIES.items() for word in words.split()}


def severity_of(raw: str, *, flags: list[str]) -> str:
    """Translate a monitor's word; an unknown one is medium and says so."""
    severity = _BY_WORD.get(raw.strip().lower())
    if severity is None:
        flags.append("severity_defaulted")
    return severity or "medium"


def time_of(value: Json) -> datetime | None:
    """Read RFC 3339 with 0 to 9 fractional digits, or a Unix time in s, ms, µs or ns; None where it says nothing.

    Year 1 is Alertmanager's “no time”, the epoch is everybody's; nothing before 2000 is believed. A time without a
    zone is taken as UTC.
    """
    try:
        moment = _unix(value) if isinstance(value, int | float) else _written(text_of(value))
    except (ValueError, OverflowError, OSError):
        return None
    if moment is None or moment.year < 2000 or moment.year > 9000:
        return None
    return moment


def _unix(value: float) -> datetime:
    seconds = float(value)
    while abs(seconds) > 1e11:  # the year 5138 in seconds: what is larger is a finer unit
        seconds /= 1000
    return datetime.fromtimestamp(seconds, UTC)


def _written(text: str) -> datetime | None:
    if not text:
        return None
    if text.isdigit() and len(text) >= 9:
        return _unix(float(text[:19]))
    moment = datetime.fromisoformat(text.removesuffix(" UTC").strip())
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def link(rel: str, href: Json) -> tuple[dict[str, str], ...]:
    """Keep a link that may be shown: http or https, of a sane length."""
    address = text_of(href)
    if re.match(r"https?://[^\s<>\"']+$", address) and len(address) <= 2048:
        return ({"rel": rel, "href": address},)
    return ()


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
    if claim.says == "firing":
        return starts_at, None, flags
    ends_at = claim.ends_at
    if ends_at is None or ends_at > received_at + timedelta(minutes=5):
        flags.append("end_inferred")
        ends_at = received_at
    if ends_at < starts_at:
        flags.append("end_before_start")
        ends_at = starts_at
    return starts_at, ends_at, flags


def title_of(candidates: Sequence[str], labels: Mapping[str, str]) -> str:
    title = " ".join(next((text for text in candidates if text.strip()), "").split())
    return clip(title or labels.get("alertname", "") or "(no title)", 300)
