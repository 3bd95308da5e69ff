"""An imported document line by line, for people to check before anything is made of it. Pure but for the taxonomy."""

from collections.abc import Iterator
from datetime import datetime

from incidents import taxonomy
from incidents.postmortems.portable import Covered, Portable, Promise, brief
from incidents.response.vocabulary import CLOCKS, NoticedBy, Severity


def understood(document: Portable, happened: datetime | None) -> Iterator[tuple[str, str]]:
    """Everything that was understood, as (what, words)."""
    yield "Title", document.title
    if happened:
        yield "Date", f"{happened:%Y-%m-%d %H:%M} UTC"
    for incident in document.incidents:
        yield from _incident(incident)
    people = {"Owner": document.owner, "Published by": document.published_by}
    people |= {"Authors": ", ".join(document.authors), "Tags": ", ".join(document.tags)}
    yield from ((label, words) for label, words in people.items() if words)
    if document.triggered_by:
        change = document.trigger_change.title if document.trigger_change else ""
        yield "Trigger", ": ".join(words for words in (change, document.trigger_text) if words) or document.triggered_by
    for factor in document.factors:
        yield "Factor", factor.factor if factor.text == factor.factor else f"{factor.factor}: {brief(factor.text)}"
    for row in document.follow_ups:
        yield "Follow-up", _promise(row)
    for amendment in document.amendments:
        yield "Amendment", brief(amendment.text)
    if document.facts:
        yield "Filled-in lines", str(len(document.facts))


def _incident(incident: Covered) -> Iterator[tuple[str, str]]:
    words = {
        "Incident": f"INC-{incident.number} there: {incident.title}" if incident.number else "",
        "System": incident.system,
        "Severity": Severity(incident.severity).label,
        "Category": _category(incident),
        "Noticed by": NoticedBy(incident.noticed_by).label if incident.noticed_by else "",
        "Lead": incident.lead,
        "Private": "visible to you alone until you add people" if incident.private else "",
    }
    yield from ((label, value) for label, value in words.items() if value)
    for name, label in CLOCKS.items():
        at = incident.clocks.get(name)
        yield label, f"{at:%Y-%m-%d %H:%M} UTC" if at else "unknown"


def _category(incident: Covered) -> str:
    if incident.failure_mode:
        return taxonomy.failure_mode(incident.failure_mode).name
    return taxonomy.category(incident.category).name if incident.category else ""


def _promise(row: Promise) -> str:
    due = f", due {row.due_on:%Y-%m-%d}" if row.due_on else ""
    return f"{row.priority} {row.title} ({row.owner or 'no owner'}{due}, {row.state.replace('_', ' ')})"
