"""What a receiver's answer means: delivered, try again, gone for good, or refused, with the reason in words. Pure."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from incidents.notifications.channels.limits import clip, one_line
from incidents.outgoing import Answer

LONGEST_WAIT = timedelta(hours=24)
_AGAIN = frozenset({408, 421, 425, 429})
_GONE = 410


class Reception(StrEnum):
    DELIVERED = "delivered"
    RETRY = "retry"
    GONE = "gone"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Judgement:
    """`after` is how long the receiver wants to be left alone; None: it did not say."""

    reception: Reception
    reason: str = ""
    after: timedelta | None = None


DELIVERED = Judgement(Reception.DELIVERED)


def judge_status(answer: Answer, *, now: datetime) -> Judgement:
    """Judge by the status alone, as most receivers mean it."""
    if 200 <= answer.status < 300:
        return DELIVERED
    if 300 <= answer.status < 400:
        return refused(f"It answered with a redirect ({answer.status}). Enter the address that it leads to.")
    if answer.status in _AGAIN or answer.status >= 500:
        return retry(said(answer), after=retry_after(answer, now=now))
    return gone(said(answer)) if answer.status == _GONE else refused(said(answer))


def retry(reason: str, *, after: timedelta | None = None) -> Judgement:
    return Judgement(Reception.RETRY, reason, after)


def gone(reason: str) -> Judgement:
    return Judgement(Reception.GONE, reason)


def refused(reason: str) -> Judgement:
    return Judgement(Reception.REFUSED, reason)


def said(answer: Answer) -> str:
    """What a receiver answered, in one sentence."""
    try:
        status = f"{answer.status} {HTTPStatus(answer.status).phrase}"
    except ValueError:
        status = str(answer.status)
    words = excerpt(answer)
    return f"It answered {status}: “{words}”." if words else f"It answered {status}."


def excerpt(answer: Answer, *, most: int = 200) -> str:
    """The beginning of what was answered, in one line; of a page of HTML nothing."""
    text = one_line(answer.body[: 8 * most].decode("utf-8", "replace"))
    return "" if re.match(r"<(!doctype|html|head|\?xml)", text, re.IGNORECASE) else clip(text, most)


def json_of(answer: Answer) -> dict[str, Any]:
    """The answer's JSON object; empty where it is none."""
    try:
        value = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def retry_after(answer: Answer, *, now: datetime) -> timedelta | None:
    """Read Retry-After, in seconds or as a date; a day at most, whatever is asked for."""
    return wait(answer.headers.get("retry-after", ""), now=now)


def wait(text: str, *, now: datetime) -> timedelta | None:
    text = text.strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text, re.ASCII):
        return min(timedelta(seconds=float(text)), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max(until - now, timedelta(0)), LONGEST_WAIT)
