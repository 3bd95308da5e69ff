"""Writing: sections that several people save at once, lines, factors, remarks, evidence, files."""

from typing import Any

from django.contrib import messages
from django.http import JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from incidents.errors import Refused, WrongStatus
from incidents.people.models import Role
from incidents.people.permissions import NotAllowed
from incidents.postmortems import evidence, lint
from incidents.postmortems.document import Postmortem
from incidents.postmortems.factors import Factor
from incidents.postmortems.facts import Fact, facts_of
from incidents.postmortems.forms import FactorForm
from incidents.postmortems.lines import EditedLine
from incidents.postmortems.permissions import at, find, may_write, require_writer, verb
from incidents.postmortems.presence import Presence
from incidents.postmortems.prose import suggest_people, tell_the_named, titles, unfurled
from incidents.postmortems.reviews import Comment
from incidents.postmortems.sections import Clash, Draft, Section, clean
from incidents.postmortems.views import _people_of, document
from incidents.response.attachments import Attachment
from incidents.web.request import Answer, Request, change, page, visible_or_404


@page
@require_POST
def write(request: Request, slug: str, key: str) -> Answer:
    """Save one section, by the page as it is typed (which asks for JSON) or by its form.

    What cannot be saved is in the answer again: together with the words of whoever was faster, or with what is wrong.
    """
    shown = find(request, slug)
    section: Section = visible_or_404(shown.sections.all(), key=key)
    section.postmortem = shown
    text, base, before = request.POST.get("text", ""), request.POST.get("base", ""), section.text
    try:
        require_writer(request, shown, to="write it")
        merged = section.write(text, by=request.user, base=base)
    except Clash as clash:
        return _clash(request, shown, clash)
    except (WrongStatus, Refused, NotAllowed) as refusal:
        told = refusal.messages[0] if isinstance(refusal, Refused) else str(refusal)
        status = 422 if isinstance(refusal, Refused) else 403 if isinstance(refusal, NotAllowed) else 409
        if _wants_json(request):
            return JsonResponse({"error": told}, status=status)
        messages.error(request, told)
        context = document(request, shown, unsaved={key: text})
        return render(request, "postmortems/postmortem.html", context, status=status)
    tell_the_named(shown, section, before=before, after=section.text, by=request.user)
    if not _wants_json(request):
        messages.success(request, f"“{section.title}” is saved{', together with what others wrote' if merged else ''}.")
        return at(shown, key)
    return JsonResponse(_as_json(section, request) | {"merged": merged, "findings": _findings(shown, section)})


def _wants_json(request: Request) -> bool:
    return request.headers.get("Accept") == "application/json"


def _as_json(section: Section, request: Request) -> dict[str, Any]:
    return {
        "key": section.key,
        "text": section.text,
        "version": section.version,
        "by": str(section.edited_by or ""),
        "at": section.edited_at.isoformat() if section.edited_at else "",
        "done": bool(section.text.strip()),
    }


def _findings(shown: Postmortem, section: Section) -> str:
    found = lint.blame(section.text, people=_people_of(shown.incidents))
    return render_to_string("postmortems/_findings.html", {"findings": found})


def _clash(request: Request, shown: Postmortem, clash: Clash) -> Answer:
    context = {
        "postmortem": shown,
        "incident": shown.incident,
        "section": clash.section,
        "draft": clash.draft,
        "merge": clash.merge,
    }
    if _wants_json(request):
        panel = render_to_string("postmortems/_clash.html", context, request=request)
        return JsonResponse({"clash": panel, "theirs": clash.section.text, "merged": clash.merge.text}, status=409)
    return render(request, "postmortems/clash.html", context, status=409)


@verb(None, to="settle it")
def settle(request: Request, shown: Postmortem, key: str) -> Answer:
    """Give up one’s own draft: the other version stays as it is saved."""
    Draft.objects.filter(section__postmortem=shown, section__key=key, person=request.user).delete()
    return at(shown, key)


@page
@require_GET
def live(request: Request, slug: str) -> Answer:
    """What others did meanwhile: the sections that changed, who is writing where, and a fresh token for the next save.

    `have` names the version that the page has of each section, as summary:3,impact:0.
    """
    shown = find(request, slug)
    writer = may_write(request.user, shown)
    if writer and shown.is_editable:
        Presence.note(shown, request.user, request.GET.get("at", ""))
    have = dict(pair.partition(":")[::2] for pair in request.GET.get("have", "")[:2000].split(",") if ":" in pair)
    changed = [
        _as_json(section, request)
        for section in shown.sections.select_related("edited_by")
        if section.key in have and have[section.key] != str(section.version)
    ]
    remarks = shown.comments.order_by("-pk").values_list("pk", flat=True).first() or 0
    settled = shown.comments.exclude(resolved_at=None).count()
    return JsonResponse({
        "sections": changed,
        "people": [{"name": str(one.person), "key": one.key} for one in Presence.others(shown, request.user)],
        "state": shown.state,
        "comments": f"{remarks}.{settled}",
        "csrf": get_token(request),
    })  # fmt: skip


@page
@require_http_methods(["POST"])
def preview(request: Request, slug: str) -> Answer:
    """What somebody is writing, as its readers will see it."""
    find(request, slug)
    text = request.POST.get("text", "")
    html = unfurled(text, titles([text], user=request.user))
    return render(request, "postmortems/_preview.html", {"html": html})


@page
@require_GET
def people(request: Request) -> Answer:
    return JsonResponse(
        {"people": [{"handle": handle, "name": name} for handle, name in suggest_people(request.GET.get("q", ""))]}
    )


@page
@require_POST
def keep_file(request: Request, slug: str) -> Answer:
    """Keep a pasted picture with the incident, and answer with the Markdown that shows it."""
    shown = find(request, slug)
    file = request.FILES.get("file")
    try:
        require_writer(request, shown, to="attach files")
        if file is None:
            raise Refused("Choose a file.")
        kept = Attachment.objects.attach(shown.incident, file, by=request.user)
    except Refused as refusal:
        return JsonResponse({"error": refusal.messages[0]}, status=422)
    except NotAllowed as refusal:
        return JsonResponse({"error": str(refusal)}, status=403)
    url = f"{shown.incident.get_absolute_url()}files/{kept.pk}/"
    name = kept.name.replace("[", "(").replace("]", ")")
    return JsonResponse({"markdown": f"![{name}]({url})" if kept.is_picture else f"[{name}]({url})"})


@page
@require_GET
def gathered(request: Request, slug: str) -> Answer:
    """The evidence drawer: lines of the record to insert, with their source."""
    shown = find(request, slug)
    about = request.GET.get("about", "timeline")
    kinds = evidence.KINDS
    about = about if about in kinds else "timeline"
    lines = evidence.lines(shown.incidents, about, user=request.user)
    context = {"postmortem": shown, "incident": shown.incident, "about": about, "kinds": kinds, "lines": lines}
    return render(request, "postmortems/_evidence.html" if request.htmx else "postmortems/evidence.html", context)


# Filled-in lines


@page
@require_http_methods(["GET", "POST"])
def line(request: Request, slug: str) -> Answer:
    """Put a filled-in line differently, leave it out, or let it follow the record again."""
    shown = find(request, slug)
    key = request.POST.get("key") or request.GET.get("key", "")
    section, fact = _fact(shown, key)
    if request.method == "POST":
        return _put_line(request, slug=slug, key=key, section=section, was=fact.record or fact.text)
    context = {"postmortem": shown, "incident": shown.incident, "fact": fact, "section_key": section}
    return render(request, "postmortems/_line.html" if request.htmx else "postmortems/line.html", context)


def _fact(shown: Postmortem, key: str) -> tuple[str, Fact]:
    from django.http import Http404

    for section, facts in facts_of(shown).items():
        for fact in facts:
            if fact.key == key:
                return section, fact
    raise Http404


@change(WrongStatus, Refused)
def _put_line(request: Request, *, slug: str, key: str, section: str, was: str) -> Answer:
    shown = find(request, slug)
    require_writer(request, shown, to="edit it")
    if "follow" in request.POST:
        EditedLine.follow_again(shown, key)
    else:
        text = "" if "leave_out" in request.POST else request.POST.get("text", "")
        EditedLine.put(shown, key, text=text, was=was, by=request.user)
    return at(shown, section)


# Factors


@verb(Role.RESPONDER, to="name factors")
def add_factor(request: Request, shown: Postmortem) -> Answer:
    form = FactorForm(request.POST)
    if not form.is_valid():
        raise Refused("Choose a factor from the list, and say in a sentence how it contributed.")
    Factor.objects.add(shown, by=request.user, **form.cleaned_data)
    return at(shown, "factors")


@verb(Role.RESPONDER, to="change factors")
def change_factor(request: Request, shown: Postmortem, pk: int) -> Answer:
    factor: Factor = visible_or_404(shown.factors.select_related("postmortem"), pk=pk)
    if "remove" in request.POST:
        factor.remove()
    else:
        factor.rewrite(text=request.POST.get("text", ""), evidence=request.POST.get("evidence", ""))
    return at(shown, "factors")


# In the margin


@verb(None, to="comment")
def comment(request: Request, shown: Postmortem, key: str) -> Answer:
    section: Section = visible_or_404(shown.sections.all(), key=key)
    parent = request.POST.get("parent", "")
    answered = (
        shown.comments.filter(pk=int(parent), section=section).first()
        if parent.isascii() and parent.isdigit() and len(parent) < 18
        else None
    )
    instead = clean(request.POST.get("instead", "")) if "suggest" in request.POST else None
    made = Comment.objects.write(
        section, request.POST.get("text", ""), quote=clean(request.POST.get("quote", "")), instead=instead,
        parent=answered, by=request.user,
    )  # fmt: skip
    return at(shown, f"comment-{(made.parent or made).pk}")


@verb(None, to="settle comments")
def settle_comment(request: Request, shown: Postmortem, pk: int) -> Answer:
    """Resolve a remark, or take a suggestion. Its writer may resolve it too."""
    remark: Comment = visible_or_404(shown.comments.filter(parent=None).select_related("section", "by"), pk=pk)
    if remark.by_id != request.user.pk or "accept" in request.POST:
        require_writer(request, shown, to="settle comments")
    if "accept" in request.POST:
        remark.accept(by=request.user)
    else:
        remark.resolve(by=request.user)
    return at(shown, remark.section.key)


@page
@require_GET
def comments(request: Request, slug: str, key: str) -> Answer:
    """The remarks on one section, for a page that is open already."""
    shown = find(request, slug)
    section: Section = visible_or_404(shown.sections.all(), key=key)
    rows = [row for row in shown.comments.for_list() if row.section_id == section.pk]
    context = {
        "postmortem": shown,
        "incident": shown.incident,
        "section": section,
        "comments": [row for row in rows if row.resolved_at is None],
        "settled": [row for row in rows if row.resolved_at],
        "may_edit": may_write(request.user, shown) and shown.is_editable,
        "may_comment": shown.is_editable or shown.state == "approved",
        "now": timezone.now(),
    }
    return render(request, "postmortems/_comments.html", context)
