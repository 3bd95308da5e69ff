"""Moments as monitors write them, and what is put right about them. Pure; all moments are in UTC."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from incidents.alerts.bodies import Json, text_of

# How far ahead of ours a monitor's clock may be before its times are not believed.
_SKEW = timedelta(minutes=5)


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


def settled_times(
    starts_at: datetime | None, ends_at: datetime | None, *, has_ended: bool, received_at: datetime
) -> tuple[datetime, datetime | None, list[str]]:
    """Give an alert's start and, where it has ended, its end, with flags for what had to be put right."""
    flags = []
    if starts_at is None:
        flags.append("start_inferred")
        starts_at = min(received_at, ends_at or received_at)
    elif starts_at > received_at + _SKEW:
        flags.append("clock_skew")
        starts_at = received_at
    if not has_ended:
        return starts_at, None, flags
    if ends_at is None or ends_at > received_at + _SKEW:
        flags.append("end_inferred")
        ends_at = received_at
    if ends_at < starts_at:
        flags.append("end_before_start")
        ends_at = starts_at
    return starts_at, ends_at, flags
