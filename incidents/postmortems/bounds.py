"""What of an imported document fits here: known words, lengths, numbers. What does not is told, never silently cut."""

import re
from collections.abc import Callable
from typing import Any

from django.utils import timezone

from incidents import taxonomy
from incidents.followups.models import FollowUp
from incidents.postmortems.document import Postmortem
from incidents.postmortems.elsewhere import severity_of
from incidents.postmortems.guide import Depth
from incidents.postmortems.portable import Covered, Portable, Promise, brief
from incidents.response.vocabulary import CLOCKS, ImpactMethod, NoticedBy
from incidents.texts import one_line
from incidents.years import EARLIEST_YEAR

_MOST = {
    "incidents": 20,
    "factors": 50,
    "follow_ups": 200,
    "amendments": 200,
    "facts": 2000,
    "authors": 100,
    "tags": 100,
    "left_out": 50,
}
_LENGTHS = {
    "incidents": {"title": 200, "system": 200, "lead": 300},
    "factors": {"factor": 80, "text": 2000, "evidence": 500},
    "follow_ups": {"title": 200, "description": 10_000, "check": 500, "outcome": 2000, "owner": 300},
    "amendments": {"section": 24, "text": 10_000, "by": 300},
    "facts": {"section": 24, "label": 300, "text": 5000, "source": 100, "edited_by": 300, "record": 5000},
}

Tell = Callable[[str], None]


def bounded(document: Portable) -> list[str]:
    """Make the document fit; returns a sentence for each thing that was cut, left out or not known."""
    remarks: list[str] = []
    for name, most in _MOST.items():
        rows = getattr(document, name)
        if len(rows) > most:
            remarks.append(f"Only the first {most} of {len(rows)} under “{name}” are taken.")
            setattr(document, name, rows[:most])
    document.incidents = document.incidents or [Covered()]
    for name, lengths in _LENGTHS.items():
        for row in getattr(document, name):
            _cut(row, lengths, name, remarks.append)
    whole = {"title": 200, "owner": 300, "published_by": 300, "not_required_because": 1000, "trigger_text": 500}
    _cut(document, whole, "the file", remarks.append)
    document.tags = [tag[:100] for tag in document.tags]
    document.authors = [author[:300] for author in document.authors]
    _known(document, "state", ["", *Postmortem.State.values], "", remarks.append)
    if document.state in (Postmortem.State.IN_REVIEW, Postmortem.State.APPROVED):
        tell = Postmortem.State(document.state).label.lower()
        remarks.append(f"It was {tell} where it comes from. Reviews are not carried over: it becomes a draft.")
    _known(document, "depth", ["", *Depth.values], "", remarks.append)
    _known(document, "triggered_by", Postmortem.Trigger.values, "", remarks.append)
    document.title = one_line(document.title)
    for incident in document.incidents:
        _incident(incident, document, remarks.append)
    document.follow_ups = [row for row in document.follow_ups if _promise(row, document, remarks.append)]
    _factors(document, remarks.append)
    remarks += [f"An amendment has no text: {brief(row.by)}" for row in document.amendments if not row.text.strip()]
    document.amendments = [row for row in document.amendments if row.text.strip()]
    remarks += [f"The file “{brief(name)}” was too large for the export." for name in document.left_out]
    return remarks


def _cut(row: Any, lengths: dict[str, int], where: str, tell: Tell) -> None:
    for name, most in lengths.items():
        value = getattr(row, name)
        if len(value) > most:
            tell(
                f"“{name}” in “{where}” is longer than {most:,} characters; the rest was not taken: {brief(value[most:])}"
            )
            setattr(row, name, value[:most].strip())


def _known(row: Any, name: str, known: list[str], default: str, tell: Tell) -> None:
    value = getattr(row, name)
    if value not in known:
        tell(f"The {name.replace('_', ' ')} “{brief(value)}” is not known.")
        setattr(row, name, default)


def _incident(incident: Covered, document: Portable, tell: Tell) -> None:
    incident.title = one_line(incident.title) or document.title
    claimed = incident.severity
    incident.severity = severity_of(claimed) or "unknown"
    if claimed and claimed != incident.severity and not severity_of(claimed):
        tell(f"The severity “{brief(claimed)}” is not known; the severity stays unknown.")
    _classify(incident, tell)
    _known(incident, "noticed_by", NoticedBy.values, "", tell)
    _known(incident, "impact_method", ImpactMethod.values, "", tell)
    now = timezone.now()
    for name in list(incident.clocks):
        if name not in (*CLOCKS, "impact_started_until"):
            tell(f"The clock “{brief(name)}” is not known.")
            del incident.clocks[name]
        elif incident.clocks[name] > now:
            tell(f"{CLOCKS.get(name, name)} lies in the future and was not taken.")
            del incident.clocks[name]
        elif incident.clocks[name].year < EARLIEST_YEAR:
            tell(f"{CLOCKS.get(name, name)} lies before {EARLIEST_YEAR} and was not taken.")
            del incident.clocks[name]
    clocks = incident.clocks
    until, since = clocks.get("impact_started_until"), clocks.get("impact_started_at")
    if until and (since is None or until < since):
        tell("The latest start of the impact lies before its earliest and was not taken.")
        del clocks["impact_started_until"]


def _classify(incident: Covered, tell: Tell) -> None:
    code = re.sub(r"[\s-]+", "_", (incident.failure_mode or incident.category).strip().lower())
    known = taxonomy.find(code) if code else None
    if code and known is None:
        tell(f"The category “{brief(code)}” is not known; it stays unclassified.")
    incident.category = known.category if known else ""
    incident.failure_mode = known.failure_mode if known else ""


def _promise(row: Promise, document: Portable, tell: Tell) -> bool:
    row.title = one_line(row.title)
    if not row.title:
        tell(f"A follow-up has no title and was not taken: {brief(row.description or row.owner)}")
        return False
    numbers = [incident.number for incident in document.incidents]
    row.incident = row.incident if row.incident in numbers else numbers[0]
    row.type, row.priority = row.type or FollowUp.Kind.PREVENT.value, row.priority or FollowUp.Priority.P2.label
    row.state = row.state or FollowUp.State.OPEN.value
    _known(row, "type", FollowUp.Kind.values, FollowUp.Kind.PREVENT, tell)
    _known(row, "priority", FollowUp.Priority.labels, FollowUp.Priority.P2.label, tell)
    _known(row, "state", FollowUp.State.values, FollowUp.State.OPEN, tell)
    return True


def _factors(document: Portable, tell: Tell) -> None:
    seen: set[tuple[str, str]] = set()
    usable = []
    for row in document.factors:
        row.factor = " ".join(row.factor.split())
        key = (row.group, row.factor.lower())
        if not row.factor or key in seen:
            tell(f"A factor without a name, or named twice, was not taken: {brief(row.factor)} {brief(row.text)}")
            continue
        seen.add(key)
        row.text = row.text.strip() or row.factor
        usable.append(row)
    document.factors = usable
