"""What a monitor says of the thing it watches: whether it fires, and what kind of statement that is. Pure."""

from typing import Literal, NamedTuple, TypeAlias

from incidents.alerts.bodies import Json, first_text

Says: TypeAlias = Literal["firing", "resolved", "acknowledged"]
# A bad value was measured; no value came; the check itself could not run; something to know, and nothing is wrong; a test.
Condition: TypeAlias = Literal["bad_value", "no_data", "check_failed", "notice", "test"]


class MonitorStatus(NamedTuple):
    """Both axes of a status word. A resolve whose condition is `no_data` ended without anybody seeing it recover."""

    says: Says = "firing"
    condition: Condition = "bad_value"


FIRING = MonitorStatus()
RESOLVED = MonitorStatus("resolved")
ACKNOWLEDGED = MonitorStatus("acknowledged")
NO_DATA = MonitorStatus(condition="no_data")
CHECK_FAILED = MonitorStatus(condition="check_failed")
NOTICE = MonitorStatus(condition="notice")
VANISHED = MonitorStatus("resolved", "no_data")

_RESOLVED_WORDS = """
    resolved resolve ok okay normal recovered recovery closed close success successful succeeded passed pass inactive up
    healthy cleared clear completed good
    """
_ACKNOWLEDGED_WORDS = "acknowledged acknowledge ack"
_NO_DATA_WORDS = "no_data nodata insufficient_data unknown missing"
_CHECK_FAILED_WORDS = "check_failed query_error datasource_error evaluation_error"
_NOTICE_WORDS = "notice information informational report invitation"
_FIRING_WORDS = """
    firing fire alerting alert triggered trigger open opened active activated failed fail failure error critical down
    unhealthy warning warn problem created new fired breached
    """
_BY_WORD = {
    word: status
    for words, status in (
        (_RESOLVED_WORDS, RESOLVED),
        (_ACKNOWLEDGED_WORDS, ACKNOWLEDGED),
        (_NO_DATA_WORDS, NO_DATA),
        (_CHECK_FAILED_WORDS, CHECK_FAILED),
        (_NOTICE_WORDS, NOTICE),
        (_FIRING_WORDS, FIRING),
    )
    for word in words.split()
}


_CONDITIONS: dict[str, Condition] = {
    "bad_value": "bad_value",
    "no_data": "no_data",
    "check_failed": "check_failed",
    "notice": "notice",
    "test": "test",
}


def with_condition(status: MonitorStatus, word: Json) -> MonitorStatus:
    """Take a condition that is told beside the status, in our own words; any other word is none, and changes nothing."""
    if word is None:
        return status
    code = "_".join(first_text(word).lower().replace("-", " ").split())
    return MonitorStatus(status.says, _CONDITIONS[code]) if code in _CONDITIONS else status


def known_status(word: str) -> MonitorStatus | None:
    """Give the status of one word, None where it is no word for a status."""
    return _BY_WORD.get(word)


def status_of(*words: Json, flags: list[str]) -> MonitorStatus:
    """Read the first status word that is given; an unknown one is firing and says so, no word at all is firing."""
    word = "_".join(first_text(*words).lower().split())
    if word and word not in _BY_WORD:
        flags.append("status_unknown")
    return _BY_WORD.get(word, FIRING)


_BEGINNINGS: dict[Condition, str] = {"no_data": "No data", "check_failed": "Check failed to run"}
# Titles that say it already, in whichever words the monitor has for it.
_SAID: dict[Condition, tuple[str, ...]] = {
    "no_data": ("no data", "nodata", "no_data", "missing", "insufficient data"),
    "check_failed": (
        "failed to run",
        "query error",
        "query failed",
        "datasource error",
        "could not run",
        "check failed",
    ),
}


def titled(title: str, condition: Condition) -> str:
    """Begin a title with what is the matter, where that is not that a bad value was measured."""
    beginning = _BEGINNINGS.get(condition)
    if beginning is None or any(words in title.lower() for words in _SAID[condition]):
        return title
    return f"{beginning}: {title}"
