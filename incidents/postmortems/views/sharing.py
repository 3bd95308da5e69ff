"""Links that end, and the version for readers outside."""

import hashlib

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from incidents.people.models import Role
from incidents.people.permissions import has_role
from incidents.postmortems.document import Postmortem
from incidents.postmortems.outside import without_inside_links
from incidents.postmortems.permissions import find, may_write, verb
from incidents.postmortems.reading import ExternalVersion, ShareLink
from incidents.postmortems.views.exports import paper
from incidents.web.markdown import render as render_markdown
from incidents.web.request import Answer, Request, page, visible_or_404, whole_number


@page
@require_safe
def share(request: Request, slug: str) -> Answer:
    """Who outside may read it: links that end, and the version written for them."""
    postmortem = find(request, slug)
    external = ExternalVersion.objects.filter(postmortem=postmortem).select_related("written_by", "approved_by").first()
    context = {
        "postmortem": postmortem,
        "incident": postmortem.incident,
        "external": external,
        "begin": external.text if external else _external_draft(postmortem),
        "links": list(postmortem.share_links.select_related("by").order_by("-pk")[:30]),
        "may_write": may_write(request.user, postmortem),
        "may_lead": has_role(request.user, Role.LEAD, team=postmortem.incident.team),
        "is_private": postmortem.is_private,
        "made": request.session.pop("share_link", None),
        "text_digest": digest(external.text) if external else "",
    }
    return render(request, "postmortems/share.html", context)


def _external_draft(postmortem: Postmortem) -> str:
    """What the external version begins with: the summary and the impact, and nothing that was filled in."""
    texts = dict(postmortem.sections.filter(key__in=["summary", "impact"]).values_list("key", "text"))
    outline = {
        "What happened": texts.get("summary", ""),
        "Who was affected": texts.get("impact", ""),
        "What we are doing about it": " ",
    }
    return "\n\n".join(f"## {heading}\n\n{text}" for heading, text in outline.items() if text)


@verb(Role.LEAD, to="share it")
def make_link(request: Request, postmortem: Postmortem) -> Answer:
    days = whole_number(request.POST.get("days", ""), digits=3) or 0
    external = request.POST.get("what") == "external"
    _, secret = ShareLink.objects.make(postmortem, external=external, days=days, by=request.user)
    request.session["share_link"] = request.build_absolute_uri(reverse("shared", args=[secret]))
    return _share(postmortem)


@verb(Role.LEAD, to="end links")
def end_link(request: Request, postmortem: Postmortem, pk: int) -> Answer:
    link: ShareLink = visible_or_404(postmortem.share_links.all(), pk=pk)
    link.revoke(by=request.user)
    return _share(postmortem)


@verb(Role.RESPONDER, to="write the external version")
def write_external(request: Request, postmortem: Postmortem) -> Answer:
    ExternalVersion.write(postmortem, request.POST.get("text", ""), by=request.user)
    messages.success(request, "Saved. A lead other than the author has to approve it.")
    return _share(postmortem)


@verb(Role.LEAD, to="approve the external version")
def approve_external(request: Request, postmortem: Postmortem) -> Answer:
    external: ExternalVersion = visible_or_404(ExternalVersion.objects.filter(postmortem=postmortem))
    external.postmortem = postmortem
    if request.POST.get("text_digest") != digest(external.text):
        messages.error(request, "The text has changed meanwhile. Read it again before you approve it.")
        return _share(postmortem)
    external.approve(by=request.user)
    return _share(postmortem)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _share(postmortem: Postmortem) -> Answer:
    return redirect("postmortem-share", postmortem.slug)


@never_cache
@require_safe
def shared(request: HttpRequest, secret: str) -> HttpResponse:
    """What somebody without an account reads through a link, as long as it lasts."""
    link = ShareLink.objects.find(secret)
    if link is None:
        raise Http404
    link.count()
    if link.external:
        external = ExternalVersion.objects.get(postmortem=link.postmortem)
        html = without_inside_links(render_markdown(external.text))
        context = {"postmortem": link.postmortem, "external": external, "html": html, "link": link}
        answer = render(request, "postmortems/external.html", context)
    else:
        context = paper(link.postmortem, request, inline=True, public=True) | {"link": link}
        answer = render(request, "postmortems/print.html", context)
    answer["X-Robots-Tag"] = "noindex, nofollow"
    answer["Referrer-Policy"] = "no-referrer"
    return answer
