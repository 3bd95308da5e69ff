"""A postmortem for its readers: history, meeting, exports, links for a while, and words for the outside."""

import base64
import hashlib
import re
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from incidents.people.models import Role
from incidents.people.permissions import has_role
from incidents.postmortems import export
from incidents.postmortems.document import Postmortem
from incidents.postmortems.facts import facts_of
from incidents.postmortems.meeting import ParkedFix
from incidents.postmortems.permissions import at, find, may_write, verb
from incidents.postmortems.prose import titles, unfurled
from incidents.postmortems.reading import ExternalVersion, ShareLink
from incidents.postmortems.reviews import history
from incidents.postmortems.sections import Revision, Section
from incidents.response.attachments import Attachment
from incidents.web.pdf import NoPdf
from incidents.web.request import Answer, Request, page, visible_or_404

MOST_HISTORY = 200


@page
@require_GET
def past(request: Request, slug: str) -> Answer:
    """Everything that became of it, with each difference."""
    shown = find(request, slug)
    entries = history(shown)
    context = {
        "postmortem": shown,
        "incident": shown.incident,
        "entries": entries[:MOST_HISTORY],
        "more": max(0, len(entries) - MOST_HISTORY),
    }
    return render(request, "postmortems/history.html", context)


@verb(Role.RESPONDER, to="restore it")
def restore(request: Request, shown: Postmortem, pk: int) -> Answer:
    """Let a section read as it once did; what it says now stays in the history."""
    revision: Revision = visible_or_404(
        Revision.objects.filter(section__postmortem=shown).select_related("section"), pk=pk
    )
    section = revision.section
    section.postmortem = shown
    section.write(revision.text, by=request.user, base=section.text)
    messages.success(request, f"“{section.title}” reads as it did then.")
    return at(shown, section.key)


# The meeting


@page
@require_GET
def meeting(request: Request, slug: str) -> Answer:
    """One question at a time, with a clock; what people would fix is parked until the end."""
    shown = find(request, slug)
    incidents = shown.incidents
    facts = facts_of(shown)
    parts = shown.parts()
    asked = request.GET.get("step", "1")
    step = min(max(int(asked), 1), len(parts) + 1) if asked.isascii() and asked.isdigit() and len(asked) < 4 else 1
    part = parts[step - 1] if step <= len(parts) else None
    section = shown.sections.filter(key=part.key).first() if part else None
    if section:
        section.postmortem = shown
    parked = list(shown.parked.select_related("by", "follow_up"))
    context = {
        "postmortem": shown,
        "incident": shown.incident,
        "agenda": list(enumerate(parts, 1)),
        "step": step,
        "last": len(parts) + 1,
        "part": part,
        "section": section,
        "facts": facts.get(part.key, []) if part else [],
        "questions": shown.guide.asked(part, incidents) if part else [],
        "minutes": sum(one.minutes for one in parts) + 10,
        "parked": parked,
        "titles": titles([section.text] if section else [], user=request.user),
        "may_edit": may_write(request.user, shown) and shown.is_editable,
        "may_write": may_write(request.user, shown),
    }
    return render(request, "postmortems/meeting.html", context)


@verb(Role.RESPONDER, to="take notes")
def take_note(request: Request, shown: Postmortem, key: str) -> Answer:
    """Add what was said to the section."""
    section: Section = visible_or_404(shown.sections.all(), key=key)
    section.postmortem = shown
    text = request.POST.get("text", "")[:10_000]
    if text.strip():
        section.add(text, by=request.user)
    return _step(request, shown)


@verb(Role.RESPONDER, to="park a fix")
def park(request: Request, shown: Postmortem) -> Answer:
    ParkedFix.park(shown, request.POST.get("text", ""), by=request.user)
    return _step(request, shown)


@verb(Role.RESPONDER, to="decide about fixes")
def decide_fix(request: Request, shown: Postmortem, pk: int) -> Answer:
    fix: ParkedFix = visible_or_404(shown.parked.all(), pk=pk)
    if "take" in request.POST:
        made = fix.take(by=request.user)
        messages.success(request, f"“{made.title}” is a follow-up now. Give it an owner, a date and a check.")
    else:
        fix.drop(reason=request.POST.get("reason", ""))
    return _step(request, shown)


def _step(request: Request, shown: Postmortem) -> Answer:
    step = request.POST.get("step", "1")
    return redirect(f"{shown.get_absolute_url()}meeting/?step={step if step.isascii() and step.isdigit() else 1}")


# As files


@page
@require_GET
def download(request: Request, slug: str) -> Answer:
    """The postmortem as a Markdown file."""
    shown = find(request, slug)
    answer = HttpResponse(export.as_markdown(shown), content_type="text/markdown; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="INC-{shown.slug}-postmortem.md"'
    return answer


@page
@require_GET
def as_json(request: Request, slug: str) -> Answer:
    shown = find(request, slug)
    answer = JsonResponse(export.as_data(shown), json_dumps_params={"indent": 2, "ensure_ascii": False})
    answer["Content-Disposition"] = f'attachment; filename="INC-{shown.slug}-postmortem.json"'
    return answer


@page
@require_GET
def printed(request: Request, slug: str) -> Answer:
    """The document alone, for paper."""
    return render(request, "postmortems/print.html", paper(find(request, slug), request))


@page
@require_GET
def running_head(request: Request, slug: str) -> Answer:
    """The style sheet that writes at the head of each printed page which document it is of."""
    return HttpResponse(export.running_head(find(request, slug)), content_type="text/css; charset=utf-8")


@page
@require_GET
def pdf(request: Request, slug: str) -> Answer:
    shown = find(request, slug)
    try:
        drawn = export.as_pdf(paper(shown, request, inline=True))
    except NoPdf as trouble:
        messages.info(request, str(trouble))
        return redirect("postmortem-print", slug)
    answer = HttpResponse(drawn, content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="INC-{shown.slug}-postmortem.pdf"'
    return answer


def paper(shown: Postmortem, request: HttpRequest, *, inline: bool = False, public: bool = False) -> dict[str, Any]:
    """What the printed page says. `public` leaves out what only people inside may follow."""
    facts = facts_of(shown)
    sections = {section.key: section for section in shown.sections.all()}
    user = None if public else getattr(request, "user", None)
    known = titles((section.text for section in sections.values()), user=user)

    def body(text: str) -> SafeString:
        html = unfurled(text, known)
        return _inlined(html, shown) if inline else html

    return {
        "postmortem": shown,
        "incidents": shown.incidents,
        "parts": [
            {"part": part, "facts": [fact for fact in facts.get(part.key, []) if fact.text], "html": body(sections[part.key].text)}
            for part in shown.parts()
            if part.key in sections
        ],
        "trigger": export.trigger_of(shown),
        "factors": list(shown.factors.select_related("kind").order_by("pk")),
        "amendments": list(shown.amendments.select_related("by")),
        "follow_ups": export.follow_ups_of(shown),
        "public": public,
        "base_url": settings.BASE_URL,
        "is_private": shown.is_private,
    }  # fmt: skip


def _inlined(html: str, shown: Postmortem) -> SafeString:
    """Put the pictures of the postmortem’s own incidents into the page itself; others become their names."""
    known = {incident.number: incident for incident in shown.incidents}

    def picture(found: re.Match[str]) -> str:
        incident = known.get(int(found[1]))
        kept = Attachment.objects.filter(incident=incident, pk=int(found[2])).first() if incident else None
        if kept is None or not kept.is_picture:
            return 'src=""'
        return f'src="data:{kept.content_type};base64,{base64.b64encode(bytes(kept.content)).decode()}"'

    return mark_safe(re.sub(r'src="/incidents/(\d+)/files/(\d+)/"', picture, html))  # noqa: S308 - digits and base64 within safe HTML


# Links and words for the outside


@page
@require_GET
def share(request: Request, slug: str) -> Answer:
    """Who outside may read it: links that end, and the version written for them."""
    shown = find(request, slug)
    external = ExternalVersion.objects.filter(postmortem=shown).select_related("written_by", "approved_by").first()
    context = {
        "postmortem": shown,
        "incident": shown.incident,
        "external": external,
        "begin": external.text if external else _external_draft(shown),
        "links": list(shown.share_links.select_related("by").order_by("-pk")[:30]),
        "may_write": may_write(request.user, shown),
        "may_lead": has_role(request.user, Role.LEAD, team=shown.incident.team),
        "is_private": shown.is_private,
        "made": request.session.pop("share_link", None),
        "text_digest": digest(external.text) if external else "",
    }
    return render(request, "postmortems/share.html", context)


def _external_draft(shown: Postmortem) -> str:
    """What the version for the outside begins with: the summary, and nothing that names people."""
    texts = dict(shown.sections.filter(key__in=["summary", "impact"]).values_list("key", "text"))
    return "\n\n".join(
        f"## {head}\n\n{text}"
        for head, text in (("What happened", texts.get("summary", "")), ("Who was affected", texts.get("impact", "")), ("What we do about it", " "))
        if text
    )  # fmt: skip


@verb(Role.LEAD, to="share it")
def make_link(request: Request, shown: Postmortem) -> Answer:
    days = request.POST.get("days", "")
    external = request.POST.get("what") == "external"
    _, secret = ShareLink.objects.make(
        shown,
        external=external,
        days=int(days) if days.isascii() and days.isdigit() and len(days) < 4 else 0,
        by=request.user,
    )
    request.session["share_link"] = request.build_absolute_uri(f"/shared/{secret}/")
    return _share(shown)


@verb(Role.LEAD, to="end links")
def end_link(request: Request, shown: Postmortem, pk: int) -> Answer:
    link: ShareLink = visible_or_404(shown.share_links.all(), pk=pk)
    link.postmortem = shown
    link.revoke(by=request.user)
    return _share(shown)


@verb(Role.RESPONDER, to="write for the outside")
def write_external(request: Request, shown: Postmortem) -> Answer:
    ExternalVersion.write(shown, request.POST.get("text", ""), by=request.user)
    messages.success(request, "Kept. A lead who did not write it approves it.")
    return _share(shown)


@verb(Role.LEAD, to="approve what goes outside")
def approve_external(request: Request, shown: Postmortem) -> Answer:
    external: ExternalVersion = visible_or_404(ExternalVersion.objects.filter(postmortem=shown))
    external.postmortem = shown
    if request.POST.get("text_digest") != digest(external.text):
        messages.error(request, "The words were changed meanwhile. Look at them again.")
        return _share(shown)
    external.approve(by=request.user)
    return _share(shown)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _share(shown: Postmortem) -> Answer:
    return redirect("postmortem-share", shown.slug)


@never_cache
@require_GET
def shared(request: HttpRequest, secret: str) -> HttpResponse:
    """What somebody without an account reads through a link, as long as it lasts."""
    link = ShareLink.objects.find(secret)
    if link is None:
        raise Http404
    link.count()
    if link.external:
        external = ExternalVersion.objects.get(postmortem=link.postmortem)
        answer = render(
            request, "postmortems/external.html", {"postmortem": link.postmortem, "external": external, "link": link}
        )
    else:
        context = paper(link.postmortem, request, inline=True, public=True)
        answer = render(request, "postmortems/print.html", context | {"link": link})
    answer["X-Robots-Tag"] = "noindex, nofollow"
    answer["Referrer-Policy"] = "no-referrer"
    return answer
