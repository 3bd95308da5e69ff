"""What an Event says that happened to its incident, read in one way for people and for channels."""

from incidents.response.events import Event
from incidents.response.incident import Incident
from incidents.response.vocabulary import ENDED, Severity, Status

SEVERE = (Severity.SEV1, Severity.SEV2)  # these wake people


def headline(incident: Incident) -> str:
    return f"{incident.get_severity_display()} {incident}: {incident.title}"


def raised_from(event: Event) -> Severity | None:
    """What the severity was before it became worse; None where it did not, or the incident is over."""
    was, became = (Severity(event.detail[end]["severity"]) for end in ("was", "became"))
    return was if became.rank > was.rank and event.incident.is_open else None


def moved_to(event: Event) -> Status | None:
    """The status that it came to; None where it stayed in the one it had."""
    was, became = event.detail.get("was"), event.detail.get("became")
    return Status(became) if isinstance(became, str) and became in Status.values and was != became else None


def came_back(event: Event) -> bool:
    """Whether it is open again after it was over, which taking back a slip of the finger is not."""
    is_back = event.detail.get("was") in ENDED and event.detail.get("became") == Status.INVESTIGATING
    return is_back and not event.detail.get("undone")


def why(event: Event) -> str:
    """The reason that somebody gave, or what they wrote beside it; "" where they said nothing."""
    return str(event.detail.get("reason") or event.detail.get("note") or "")


def took(event: Event) -> str:
    """Who acknowledged it, and where, as a message goes on after “Acknowledged”; "" where nobody knows."""
    who, pager = event.by or event.detail.get("who"), event.detail.get("pager")
    return " ".join(filter(None, (f"by {who}" if who else "", f"in {pager}" if pager else "")))
