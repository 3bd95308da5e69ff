"""A postmortem outside of its page: Markdown, JSON, and a PDF with real pages where the machine can draw one."""

import io
import zipfile
from collections.abc import Iterator, Set
from typing import Any

from django.template.loader import render_to_string

from incidents.followups.models import FollowUp
from incidents.postmortems.carrying import Carried, carry, cause_of, contents, follow_ups_of
from incidents.postmortems.document import Postmortem
from incidents.postmortems.factors import FactorGroup
from incidents.postmortems.facts import Fact, facts_of
from incidents.postmortems.portable import Portable, mark_for, marked, write
from incidents.postmortems.provenance import unplaced_of
from incidents.systems.models import Change
from incidents.web import pdf


def as_markdown(postmortem: Postmortem) -> str:
    """The document with its front matter; pictures are named as they lie beside it in `as_archive`."""
    return in_markdown(carry(postmortem))


def in_markdown(carried: Carried) -> str:
    mark = mark_for(carried.document.sections)
    return write(carried.document, body(carried.document, carried.titles, mark=mark), mark=mark)


def as_archive(carried: Carried, name: str) -> bytes:
    """A .zip with the document and, beside it, the files that it shows."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(f"{name}.md", in_markdown(carried))
        for path, content in contents(carried):
            file.writestr(path, content)
    return archive.getvalue()


def body(document: Portable, titles: dict[str, str], *, mark: str) -> Iterator[str]:
    """What people read of a document: everything of its front matter, and its texts between marks."""
    numbers = ", ".join(f"INC-{incident.number}" for incident in document.incidents)
    state = Postmortem.State(document.state).label if document.state in Postmortem.State.values else document.state
    yield f"# Postmortem of {numbers}: {_inline(document.title)}"
    yield ""
    yield f"State: {state}. Owner: {name_of(document.owner) or 'nobody'}. Times are UTC."
    for key, title in titles.items():
        yield ""
        yield f"## {title}"
        yield ""
        yield from _part(document, key)
        if text := document.sections.get(key, ""):
            yield ""
            yield marked(key, text, mark=mark)
        yield from _amendments(document, {key})
    yield ""
    yield "## Follow-ups"
    yield ""
    for row in document.follow_ups:
        due = f", due {row.due_on:%Y-%m-%d}" if row.due_on else ""
        state = FollowUp.State(row.state).label if row.state in FollowUp.State.values else row.state
        box, owner = "x" if row.state in ("done", "verified") else " ", name_of(row.owner) or "no owner"
        yield f"- [{box}] {row.priority} {_inline(row.title)} ({owner}{due}, {state})"
    yield from _amendments(document, {row.section for row in document.amendments} - titles.keys())


def _part(document: Portable, key: str) -> Iterator[str]:
    if key == "trigger":
        yield f"- Trigger: {_inline(trigger_in_words(document))}"
    for fact in document.facts:
        if fact.section == key:
            edited = ", edited" if fact.edited_by else ""
            yield f"- {fact.label}: {_inline(fact.text)} _(from {_inline(fact.source)}{edited})_"
    for factor in document.factors if key == "factors" else []:
        evidence = f" _(evidence: {_inline(factor.evidence)})_" if factor.evidence else ""
        group = FactorGroup(factor.group).label if factor.group in FactorGroup.values else factor.group
        yield f"- **{factor.factor}** ({group.lower()}): {_inline(factor.text)}{evidence}"


def _amendments(document: Portable, sections: Set[str]) -> Iterator[str]:
    for row in document.amendments:
        if row.section in sections:
            when = f"{row.at:%Y-%m-%d}" if row.at else "an unknown day"
            yield f"\n> Amended on {when} by {name_of(row.by) or 'someone'}: {_inline(row.text)}"


def trigger_in_words(document: Portable) -> str:
    change = document.trigger_change
    if change and change.happened_at:
        kind = Change.Kind(change.kind).label if change.kind in Change.Kind.values else change.kind
        text = f"{kind}: {change.title} ({change.system}, {change.happened_at:%Y-%m-%d %H:%M} UTC)"
        return f"{text}. {document.trigger_text}".strip(" .") if document.trigger_text else text
    return document.trigger_text or Postmortem.Trigger(document.triggered_by).label


def name_of(person: str) -> str:
    """The name of “Name <address>”, for people to read."""
    return person.partition(" <")[0]


def trigger_of(postmortem: Postmortem) -> str:
    """The trigger in words."""
    cause = cause_of(postmortem, unplaced_of(postmortem))
    return trigger_in_words(
        Portable("", triggered_by=postmortem.triggered_by, trigger_text=postmortem.trigger_text, trigger_change=cause)
    )


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
