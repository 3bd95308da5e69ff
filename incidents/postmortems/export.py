"""A postmortem as a Markdown file, with its filled-in facts and follow-ups."""

from collections.abc import Iterator

from incidents.postmortems import prefill
from incidents.postmortems.models import Postmortem


def as_markdown(postmortem: Postmortem) -> str:
    return "\n".join(_lines(postmortem)).rstrip() + "\n"


def _lines(postmortem: Postmortem) -> Iterator[str]:
    incident = postmortem.incident
    facts = prefill.facts_of(postmortem)
    yield f"# Postmortem of {incident}: {_inline(incident.title)}"
    yield ""
    yield f"State: {postmortem.get_state_display()}. Owner: {postmortem.owner or 'nobody'}. Times are UTC."
    for section in postmortem.sections.all():
        yield ""
        yield f"## {section.title}"
        yield ""
        for fact in facts.get(section.key, []):
            yield f"- {fact.label}: {_inline(fact.text)} _(from {_inline(fact.source)})_"
        if section.text.strip():
            yield ""
            yield section.text.strip()
    yield ""
    yield "## Follow-ups"
    yield ""
    for follow_up in incident.followups.select_related("owner").order_by("priority", "pk"):
        box = "x" if follow_up.state == "done" else " "
        due = f", due {follow_up.due_on:%Y-%m-%d}" if follow_up.due_on else ""
        priority = follow_up.get_priority_display()
        yield f"- [{box}] {priority} {_inline(follow_up.title)} ({follow_up.owner or 'no owner'}{due}, {follow_up.get_state_display()})"


def _inline(text: str) -> str:
    return " ".join(text.split())
