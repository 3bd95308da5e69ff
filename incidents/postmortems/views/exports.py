"""A postmortem as files and on paper."""

import base64
import re
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe

from incidents.postmortems import export
from incidents.postmortems.carrying import carry, follow_ups_of
from incidents.postmortems.document import Postmortem
from incidents.postmortems.facts import facts_of
from incidents.postmortems.outside import Redaction
from incidents.postmortems.permissions import find
from incidents.postmortems.prose import titles, unfurled
from incidents.response.attachments import Attachment
from incidents.web.addresses import address_pattern
from incidents.web.pdf import NoPdf
from incidents.web.request import Answer, Request, page


@page
@require_safe
def download(request: Request, slug: str) -> Answer:
    """The postmortem as a Markdown file; where it shows files, as a .zip with them beside it."""
    postmortem = find(request, slug)
    carried, name = carry(postmortem), f"INC-{postmortem.slug}-postmortem"
    if carried.files:
        answer = HttpResponse(export.as_archive(carried, name), content_type="application/zip")
    else:
        answer = HttpResponse(export.in_markdown(carried), content_type="text/markdown; charset=utf-8")
    ending = "zip" if carried.files else "md"
    answer["Content-Disposition"] = f'attachment; filename="{name}.{ending}"'
    return answer


@page
@require_safe
def as_json(request: Request, slug: str) -> Answer:
    postmortem = find(request, slug)
    answer = JsonResponse(export.as_data(postmortem), json_dumps_params={"indent": 2, "ensure_ascii": False})
    answer["Content-Disposition"] = f'attachment; filename="INC-{postmortem.slug}-postmortem.json"'
    return answer


@page
@require_safe
def printed(request: Request, slug: str) -> Answer:
    """The document alone, for paper."""
    return render(request, "postmortems/print.html", paper(find(request, slug), request))


@page
@require_safe
def running_head(request: Request, slug: str) -> Answer:
    """The style sheet that writes at the head of each printed page which document it is of."""
    return HttpResponse(export.running_head(find(request, slug)), content_type="text/css; charset=utf-8")


@page
@require_safe
def pdf(request: Request, slug: str) -> Answer:
    postmortem = find(request, slug)
    try:
        drawn = export.as_pdf(paper(postmortem, request, inline=True))
    except NoPdf as trouble:
        messages.info(request, str(trouble))
        return redirect("postmortem-print", slug)
    answer = HttpResponse(drawn, content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="INC-{postmortem.slug}-postmortem.pdf"'
    return answer


def paper(
    postmortem: Postmortem, request: HttpRequest, *, inline: bool = False, public: bool = False
) -> dict[str, Any]:
    """What the printed page says. `public` leaves out people and what only those inside may follow."""
    facts = facts_of(postmortem)
    sections = {section.key: section for section in postmortem.sections.all()}
    user = None if public else getattr(request, "user", None)
    known = titles((section.text for section in sections.values()), user=user)
    factors = list(postmortem.factors.select_related("kind").order_by("pk"))
    amendments = list(postmortem.amendments.select_related("by"))
    follow_ups = follow_ups_of(postmortem)
    incidents, trigger = postmortem.incidents, export.trigger_of(postmortem)
    hidden: _Hidden | Redaction = _Hidden()
    if public:
        texts = [fact.text for part in facts.values() for fact in part]
        texts += [row.text for rows in (sections.values(), factors, amendments) for row in rows]
        texts += [row.title for rows in (follow_ups, incidents) for row in rows]
        hidden = Redaction(postmortem, [*texts, postmortem.title, trigger])
        for incident in incidents:  # shown, and never saved
            incident.title = hidden.text(incident.title)
        for follow_up in follow_ups:
            follow_up.title = hidden.text(follow_up.title)
        for factor in factors:
            factor.text = hidden.text(factor.text)

    def body(text: str) -> SafeString:
        html = unfurled(text, known)
        return hidden.html(_inlined(html, postmortem) if inline else html)

    parts = [
        {
            "part": part,
            "facts": [replace(fact, text=hidden.text(fact.text)) for fact in facts.get(part.key, []) if fact.text],
            "html": body(sections[part.key].text),
        }
        for part in postmortem.parts()
        if part.key in sections
    ]
    return {
        "postmortem": postmortem,
        "name": hidden.text(postmortem.name),
        "incidents": incidents,
        "parts": parts,
        "trigger": hidden.text(trigger),
        "factors": factors,
        "amendments": [{"key": row.key, "at": row.at, "by": row.by, "html": body(row.text)} for row in amendments],
        "follow_ups": follow_ups,
        "public": public,
        "base_url": settings.BASE_URL,
        "is_private": postmortem.is_private,
    }


class _Hidden:
    """Hides nothing: what people inside read."""

    def text(self, text: str) -> str:
        return text

    def html(self, html: str) -> SafeString:
        return mark_safe(html)  # noqa: S308 - rendered safely before


def _inlined(html: str, postmortem: Postmortem) -> SafeString:
    """Put the pictures of the postmortem’s own incidents into the page itself; others become their names."""
    known = {incident.number: incident for incident in postmortem.incidents}

    def inlined(source: re.Match[str]) -> str:
        incident = known.get(int(source[1]))
        attachment = Attachment.objects.filter(incident=incident, pk=int(source[2])).first() if incident else None
        if attachment is None or not attachment.is_picture:
            return 'src=""'
        content = base64.b64encode(bytes(attachment.content)).decode()
        return f'src="data:{attachment.content_type};base64,{content}"'

    picture = rf'src="{address_pattern("attachment", numbers=2)}"'
    return mark_safe(re.sub(picture, inlined, html))  # noqa: S308 - digits and base64 within safe HTML
