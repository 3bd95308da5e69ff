"""Writing: sections that several people save at once, previews, evidence, files."""

from typing import Any

from django.contrib import messages
from django.http import JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from incidents.errors import Refused, WrongStatus
from incidents.people.models import Role
from incidents.people.permissions import NotAllowed
from incidents.postmortems import evidence, lint
from incidents.postmortems.document import Postmortem
from incidents.postmortems.permissions import at, find, may_write, require, verb
from incidents.postmortems.presence import Presence
from incidents.postmortems.prose import suggest_people, tell_the_named, titles, unfurled
from incidents.postmortems.reviews import participants
from incidents.postmortems.sections import Clash, Draft, Section
from incidents.postmortems.views.document import context_of
from incidents.response.attachments import Attachment
from incidents.web.request import Answer, Request, page, visible_or_404


@page
@require_POST
def write(request: Request, slug: str, key: str) -> Answer:
    """Save one section, by the page as it is typed (which asks for JSON) or by its form.

    What cannot be saved comes back in the answer: beside the text that somebody saved meanwhile, or with what is wrong.
    """
    postmortem = find(request, slug)
    section: Section = visible_or_404(postmortem.sections.all(), key=key)
    text, base, before = request.POST.get("text", ""), request.POST.get("base", ""), section.text
    try:
        require(request.user, Role.RESPONDER, postmortem, to="edit it")
        merged = section.write(text, by=request.user, base=base)
    except Clash as clash:
        return _clash(request, postmortem, clash)
    except (WrongStatus, Refused, NotAllowed) as refusal:
        reason = refusal.messages[0] if isinstance(refusal, Refused) else str(refusal)
        status = 422 if isinstance(refusal, Refused) else 403 if isinstance(refusal, NotAllowed) else 409
        if _wants_json(request):
            return JsonResponse({"error": reason}, status=status)
        messages.error(request, reason)
        context = context_of(request, postmortem, unsaved={key: text})
        return render(request, "postmortems/postmortem.html", context, status=status)
    tell_the_named(postmortem, section, before=before, after=section.text, by=request.user)
    if not _wants_json(request):
        messages.success(request, f"“{section.title}” is saved{', merged with what others wrote' if merged else ''}.")
        return at(postmortem, key)
    return JsonResponse(_as_json(section) | {"merged": merged, "findings": _findings(postmortem, section)})


def _wants_json(request: Request) -> bool:
    return request.headers.get("Accept") == "application/json"


def _as_json(section: Section) -> dict[str, Any]:
    return {
        "key": section.key,
        "text": section.text,
        "version": section.version,
        "by": str(section.edited_by or ""),
        "at": section.edited_at.isoformat() if section.edited_at else "",
        "done": bool(section.text.strip()),
    }


def _findings(postmortem: Postmortem, section: Section) -> str:
    findings = lint.blame(section.text, people=participants(postmortem.incidents))
    return render_to_string("postmortems/_findings.html", {"findings": findings})


def _clash(request: Request, postmortem: Postmortem, clash: Clash) -> Answer:
    context = {
        "postmortem": postmortem,
        "incident": postmortem.incident,
        "section": clash.section,
        "draft": clash.draft,
        "merge": clash.merge,
    }
    if _wants_json(request):
        panel = render_to_string("postmortems/_clash.html", context, request=request)
        return JsonResponse({"clash": panel, "theirs": clash.section.text, "merged": clash.merge.text}, status=409)
    return render(request, "postmortems/clash.html", context, status=409)


@verb(None, to="discard the draft")
def settle(request: Request, postmortem: Postmortem, key: str) -> Answer:
    """Discard one’s own draft; the section stays as it was saved."""
    Draft.objects.filter(section__postmortem=postmortem, section__key=key, person=request.user).delete()
    return at(postmortem, key)


@page
@require_safe
def live(request: Request, slug: str) -> Answer:
    """What others did meanwhile: the sections that changed, who is writing where, and a fresh token for the next save.

    `have` names the version that the page has of each section, as summary:3,impact:0.
    """
    postmortem = find(request, slug)
    writer = may_write(request.user, postmortem)
    if writer and postmortem.is_editable:
        Presence.note(postmortem, request.user, request.GET.get("at", ""))
    have = dict(pair.partition(":")[::2] for pair in request.GET.get("have", "")[:2000].split(",") if ":" in pair)
    changed = [
        _as_json(section)
        for section in postmortem.sections.select_related("edited_by")
        if section.key in have and have[section.key] != str(section.version)
    ]
    latest = postmortem.comments.order_by("-pk").values_list("pk", flat=True).first() or 0
    resolved = postmortem.comments.exclude(resolved_at=None).count()
    writers = [{"name": str(seen.person), "key": seen.key} for seen in Presence.others(postmortem, request.user)]
    answer = {
        "sections": changed,
        "people": writers,
        "state": postmortem.state,
        "comments": f"{latest}.{resolved}",
        "csrf": get_token(request),
    }
    return JsonResponse(answer)


@page
@require_http_methods(["POST"])
def preview(request: Request, slug: str) -> Answer:
    """What somebody is writing, as its readers will see it."""
    find(request, slug)
    text = request.POST.get("text", "")
    html = unfurled(text, titles([text], user=request.user))
    return render(request, "postmortems/_preview.html", {"html": html})


@page
@require_safe
def people(request: Request) -> Answer:
    """Whom an @ may name, as somebody types it."""
    suggested = suggest_people(request.GET.get("q", ""))
    return JsonResponse({"people": [{"handle": handle, "name": name} for handle, name in suggested]})


@page
@require_POST
def keep_file(request: Request, slug: str) -> Answer:
    """Keep a pasted picture with the incident, and answer with the Markdown that shows it."""
    postmortem = find(request, slug)
    file = request.FILES.get("file")
    try:
        require(request.user, Role.RESPONDER, postmortem, to="attach files")
        if file is None:
            raise Refused("Choose a file.")
        attachment = Attachment.objects.attach(postmortem.incident, file, by=request.user)
    except Refused as refusal:
        return JsonResponse({"error": refusal.messages[0]}, status=422)
    except NotAllowed as refusal:
        return JsonResponse({"error": str(refusal)}, status=403)
    return JsonResponse({"markdown": evidence.as_link(attachment)})


@page
@require_safe
def gather(request: Request, slug: str) -> Answer:
    """The evidence drawer: lines of the record to insert, with their source."""
    postmortem = find(request, slug)
    about = request.GET.get("about", "timeline")
    kinds = evidence.KINDS
    about = about if about in kinds else "timeline"
    lines = evidence.lines(postmortem.incidents, about, user=request.user)
    context = {
        "postmortem": postmortem,
        "incident": postmortem.incident,
        "about": about,
        "kinds": kinds,
        "lines": lines,
    }
    return render(request, "postmortems/_evidence.html" if request.htmx else "postmortems/evidence.html", context)
