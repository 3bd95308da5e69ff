"""The words of an incident: its statuses, severities and clocks."""

from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import models
from django.utils import timezone

from incidents.errors import Refused
from incidents.texts import is_blank


class Status(models.TextChoices):
    TRIAGE = "triage", "Triage"
    INVESTIGATING = "investigating", "Investigating"
    CONTAINED = "contained", "Contained"
    RESOLVED = "resolved", "Resolved"
    CLOSED = "closed", "Closed"
    DECLINED = "declined", "Declined"
    MERGED = "merged", "Merged"


OPEN = (Status.TRIAGE, Status.INVESTIGATING, Status.CONTAINED)
ENDED = (Status.RESOLVED, Status.CLOSED, Status.DECLINED)  # from which it can be reopened
COUNTED = (*OPEN, Status.RESOLVED, Status.CLOSED)  # declined and merged ones are no incidents of their own


class Severity(models.TextChoices):
    SEV1 = "sev1", "SEV1"
    SEV2 = "sev2", "SEV2"
    SEV3 = "sev3", "SEV3"
    SEV4 = "sev4", "SEV4"
    UNKNOWN = "unknown", "Unknown"

    @property
    def rank(self) -> int:
        """Higher is worse; unknown ranks lowest, so that any judgement replaces it."""
        return 0 if self is Severity.UNKNOWN else 5 - int(self.value[-1])


class NoticedBy(models.TextChoices):
    """Who noticed first: the share found by one's own monitoring is the number that leaders ask for."""

    UNKNOWN = "", "Not known yet"
    MONITOR = "monitor", "A monitor"
    EVALUATION = "evaluation", "An evaluation"
    STAFF = "staff", "A colleague"
    USER = "user", "A user or customer"
    OUTSIDE = "outside", "Press, partner or regulator"


class IncidentKind(models.TextChoices):
    """Whether it counts: a test and what was entered afterwards stay out of reports unless they are asked for."""

    REAL = "real", "Real"
    TEST = "test", "Test"
    BACKFILLED = "backfilled", "Backfilled"


class ImpactMethod(models.TextChoices):
    """How one knows when the impact started."""

    UNKNOWN = "", "Unknown"
    PERSON = "person", "Reported by a person"
    FIRST_ALERT = "first_alert", "First alert"
    CHANGE_POINT = "change_point", "Change point of a signal"
    CHANGE = "change", "A change"


CLOCKS = {
    "impact_started_at": "Impact started",
    "detected_at": "Detected",
    "declared_at": "Declared",
    "acknowledged_at": "Acknowledged",
    "contained_at": "Contained",
    "resolved_at": "Resolved",
}

# The steps of an incident, each from one clock to another; reports draw them, and the list is filtered by them.
PHASES = {
    "silence": ("impact_started_at", "detected_at"),
    "acknowledge": ("detected_at", "acknowledged_at"),
    "contain": ("acknowledged_at", "contained_at"),
    "resolve": ("contained_at", "resolved_at"),
    "whole": ("detected_at", "resolved_at"),
}


LONGEST_URL = 1000  # invitations to calls carry long tokens
LONGEST_CHANNEL = 80  # as long as chats let the name of a channel be

OLD = timedelta(days=5 * 365.2425)  # a start further back is asked about: more often than not its year is mistyped


def year_question(start: datetime | None) -> str:
    """What to ask about a start that lies more than five years back; "" where there is nothing to ask."""
    if start is None or (ago := timezone.now() - start) <= OLD:
        return ""
    return f"That is {int(ago.days / 365.2425)} years ago. Is the year right?"


def correlation_key(where: str, category: str, group: str = "") -> str:
    """What gathers alerts into one incident: the same place failing in the same way, and the same group of a rule."""
    return f"{where}\t{group}|{category or 'unclassified'}" if group else f"{where}|{category or 'unclassified'}"


def required(text: str, sentence: str) -> str:
    text = text.strip()
    if is_blank(text):
        raise Refused(sentence)
    return text


_is_web_address = URLValidator(schemes=["http", "https"])


def web_address(url: str, *, what: str) -> str:
    """See that `url` may be linked to: http or https, and of bounded length; empty stays empty. Raises Refused."""
    url = url.strip()
    try:
        if url:
            _is_web_address(url if url.isprintable() else "")
    except ValidationError as problem:
        raise Refused(
            f"The address of the {what} must be a web address, such as https://meet.example/inc-57."
        ) from problem
    if len(url) > LONGEST_URL:
        raise Refused(f"The address of the {what} is longer than {LONGEST_URL:,} characters.")
    return url
