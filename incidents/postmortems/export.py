"""A postmortem outside of its page: Markdown, JSON, and a PDF with real pages where the machine can draw one."""

from collections.abc import Iterator
from typing import Any

from django.template.loader import render_to_string

from incidents.followups.models import FollowUp
from incidents.postmortems.document import Postmortem
from incidents.postmortems.facts import Fact, facts_of
from incidents.web import pdf


def as_markdown(postmortem: Postmortem) -> str:
    return "\n".join(_lines(postmortem)).rstrip() + "\n"


def _lines(postmortem: Postmortem) -> Iterator[str]:
    facts = facts_of(postmortem)
    incidents = postmortem.incidents
    yield f"# Postmortem of {', '.join(map(str, incidents))}: {_inline(postmortem.name)}"
    yield ""
    yield f"State: {postmortem.get_state_display()}. Owner: {postmortem.owner or 'nobody'}. Times are UTC."
    sections = {section.key: section for section in postmortem.sections.all()}
    amendments = list(postmortem.amendments.select_related("by"))
    for part in postmortem.parts():
        if part.key not in sections:
            continue
        yield ""
        yield f"## {part.title}"
        yield ""
        if part.key == "trigger":
            yield f"- Trigger: {_inline(trigger_of(postmortem))}"
        for fact in facts.get(part.key, []):
            if fact.text:
                yield f"- {fact.label}: {_inline(fact.text)} _(from {_inline(fact.source)}{', edited' if fact.is_edited else ''})_"
        if part.key == "factors":
            for factor in postmortem.factors.select_related("kind").order_by("pk"):
                evidence = f" _(evidence: {_inline(factor.evidence)})_" if factor.evidence else ""
                group = factor.kind.get_group_display().lower()
                yield f"- **{factor.kind}** ({group}): {_inline(factor.text)}{evidence}"
        if sections[part.key].text.strip():
            yield ""
            yield sections[part.key].text.strip()
        for amendment in amendments:
            if amendment.key == part.key:
                yield f"\n> Amended on {amendment.at:%Y-%m-%d} by {amendment.by}: {_inline(amendment.text)}"
    yield ""
    yield "## Follow-ups"
    yield ""
    for follow_up in follow_ups_of(postmortem):
        box = "x" if follow_up.state == "done" else " "
        due = f", due {follow_up.due_on:%Y-%m-%d}" if follow_up.due_on else ""
        priority = follow_up.get_priority_display()
        yield f"- [{box}] {priority} {_inline(follow_up.title)} ({follow_up.owner or 'no owner'}{due}, {follow_up.get_state_display()})"
    for amendment in amendments:
        if amendment.key not in sections:
            yield f"\n> Amended on {amendment.at:%Y-%m-%d} by {amendment.by}: {_inline(amendment.text)}"


def follow_ups_of(postmortem: Postmortem) -> list[FollowUp]:
    follow_ups = FollowUp.objects.filter(incident__in=postmortem.incidents)
    return list(follow_ups.select_related("owner").order_by("priority", "pk"))


def trigger_of(postmortem: Postmortem) -> str:
    """The trigger in words."""
    if postmortem.trigger:
        change = postmortem.trigger
        when = f"{change.happened_at:%Y-%m-%d %H:%M} UTC"
        text = f"{change.get_kind_display()}: {change.title} ({change.system}, {when})"
        return f"{text}. {postmortem.trigger_text}".strip(" .") if postmortem.trigger_text else text
    return postmortem.trigger_text or postmortem.get_triggered_by_display()


def as_data(postmortem: Postmortem) -> dict[str, Any]:
    """Everything that the page says, as plain data; times are ISO 8601 in UTC."""
    facts = facts_of(postmortem)
    sections = {section.key: section for section in postmortem.sections.all()}
    return {
        "id": postmortem.slug,
        "title": postmortem.name,
        "incidents": [incident.number for incident in postmortem.incidents],
        "state": postmortem.state,
        "depth": postmortem.depth,
        "guide": postmortem.guide.number,
        "owner": postmortem.owner.email if postmortem.owner else None,
        "due_on": postmortem.due_on,
        "started_at": postmortem.started_at,
        "published_at": postmortem.published_at,
        "not_required_because": postmortem.not_required_because,
        "trigger": {"kind": postmortem.triggered_by, "text": trigger_of(postmortem)},
        "factors": [
            {"group": factor.kind.group, "factor": factor.kind.name, "text": factor.text, "evidence": factor.evidence}
            for factor in postmortem.factors.select_related("kind").order_by("pk")
        ],
        "sections": [
            {
                "key": part.key,
                "title": part.title,
                "facts": [_fact_as_data(fact) for fact in facts.get(part.key, []) if fact.text],
                "text": sections[part.key].text,
            }
            for part in postmortem.parts()
            if part.key in sections
        ],
        "amendments": [
            {
                "section": amendment.key,
                "text": amendment.text,
                "by": amendment.by.email if amendment.by else None,
                "at": amendment.at,
            }
            for amendment in postmortem.amendments.select_related("by")
        ],
        "follow_ups": [
            {
                "title": follow_up.title,
                "state": follow_up.state,
                "priority": follow_up.get_priority_display(),
                "owner": follow_up.owner.email if follow_up.owner else None,
                "due_on": follow_up.due_on,
            }
            for follow_up in follow_ups_of(postmortem)
        ],
    }


def _fact_as_data(fact: Fact) -> dict[str, str]:
    return {"label": fact.label, "text": fact.text, "source": fact.source, "url": fact.url}


def as_pdf(context: dict[str, Any]) -> bytes:
    """Draw the printed page. Raises NoPdf where the machine cannot; the browser can print it then."""
    html = render_to_string("postmortems/print.html", context | {"for_pdf": True})
    return pdf.draw(html, pdf.style("paper.css"), running_head(context["postmortem"]))


def running_head(postmortem: Postmortem) -> str:
    """CSS, because only a page box repeats on every sheet, in the browser as in the PDF, and style in the page is not allowed."""
    head = f"{postmortem} · {postmortem.get_state_display()}{' · PRIVATE' if postmortem.is_private else ''}"
    return f'@page {{ @top-left {{ content: "{head}"; font: 8.5pt system-ui, sans-serif; color: #555; }} }}'


def _inline(text: str) -> str:
    return " ".join(text.split())
