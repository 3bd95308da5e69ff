"""The public page of a system: where it is read, written and approved."""

import re
from datetime import datetime

from django.contrib import messages
from django.contrib.syndication.views import Feed
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.feedgenerator import Atom1Feed
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe

from incidents.errors import WrongStatus
from incidents.people.models import Role
from incidents.people.permissions import has_role, require_role
from incidents.response.buttons import valid
from incidents.response.forms.updates import PublicPageForm, PublicPostForm
from incidents.response.incident import Incident
from incidents.response.public_pages import PublicPage, PublicPost
from incidents.systems.models import System
from incidents.web.markdown import render as markdown
from incidents.web.request import Answer, Request, change, page, visible_or_404

LATEST = 30


@cache_control(public=True, max_age=30)
@require_safe
def public(request: Request, slug: str) -> HttpResponse:
    """What the public reads. It says nothing that was not written for it and approved."""
    public_page = _public_page(slug)
    posts = list(public_page.posts.published()[:LATEST])
    # Without a post nobody has said how it is, and that nothing is wrong is not for us to say.
    state = next((post.state for post in posts if post.state != PublicPost.State.NEWS), "")
    context = {"public_page": public_page, "posts": posts, "state": state, "as_of": timezone.now()}
    return render(request, "response/public.html", context)


def _public_page(slug: str) -> PublicPage:
    public_page: PublicPage = visible_or_404(PublicPage.objects.public().select_related("system"), system__slug=slug)
    return public_page


class PublicFeed(Feed):  # type: ignore[type-arg]  # it takes some only in its stubs
    """The posts of a public page for feed readers: exactly those that stand on it."""

    feed_type = Atom1Feed

    def get_object(self, request: HttpRequest, slug: str) -> PublicPage:
        return _public_page(slug)

    def title(self, public_page: PublicPage) -> str:
        return _without_controls(f"{public_page.name}: status")

    def subtitle(self, public_page: PublicPage) -> str:
        return _without_controls(public_page.intro)

    def link(self, public_page: PublicPage) -> str:
        return public_page.get_absolute_url()

    def items(self, public_page: PublicPage) -> list[PublicPost]:
        posts = list(public_page.posts.published()[:LATEST])
        for post in posts:
            post.page = public_page
        return posts

    def item_title(self, post: PublicPost) -> str:
        return post.get_state_display()

    def item_description(self, post: PublicPost) -> str:
        return _without_controls(markdown(post.text))

    def item_link(self, post: PublicPost) -> str:
        return f"{post.page.get_absolute_url()}#post-{post.pk}"

    def item_pubdate(self, post: PublicPost) -> datetime | None:
        return post.approved_at

    item_updateddate = item_pubdate


_feed = PublicFeed()


@cache_control(public=True, max_age=30)
@require_safe
def feed(request: HttpRequest, slug: str) -> HttpResponse:
    """What the public reads, as an Atom feed."""
    return _feed(request, slug=slug)


def _without_controls(text: str) -> str:
    """A text without what XML cannot hold."""
    return re.sub(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def public_desk(request: Request, slug: str) -> Answer:
    """Where the public page of a system is written, approved, switched on and off."""
    system = visible_or_404(System.objects.visible_to(request.user).select_related("team"), slug=slug)
    public_page = PublicPage.objects.filter(system=system).first()
    may_lead = has_role(request.user, Role.LEAD, team=system.team)
    form = PublicPageForm(request.POST or None, instance=public_page or PublicPage(system=system, name=system.name))
    if request.method == "POST":
        require_role(request.user, Role.LEAD, team=system.team, to="change its public page")
        if form.is_valid():
            form.save()
            return redirect("public-desk", slug)
    context = {
        "system": system,
        "public_page": public_page,
        "form": form,
        "post_form": PublicPostForm(),
        "waiting": public_page.posts.visible_to(request.user).waiting().select_related("written_by", "incident")
        if public_page
        else [],
        "published": public_page.posts.published().select_related("written_by", "approved_by", "incident")[:30]
        if public_page
        else [],
        "open": Incident.objects.visible_to(request.user).open().filter(system=system).order_by("-number"),
        "may_lead": may_lead,
        "may_write": has_role(request.user, Role.RESPONDER, team=system.team),
    }
    return render(request, "response/public_desk.html", context, status=422 if form.is_bound else 200)


@change(WrongStatus)
def write_public(request: Request, slug: str) -> Answer:
    public_page = visible_or_404(PublicPage.objects.select_related("system", "system__team"), system__slug=slug)
    require_role(request.user, Role.RESPONDER, team=public_page.system.team, to="write for the public")
    fields = valid(PublicPostForm(request.POST))
    number = request.POST.get("incident", "")
    about = (
        Incident.objects.visible_to(request.user).filter(system=public_page.system, number=int(number)).first()
        if number.isascii() and number.isdigit() and len(number) < 10
        else None
    )
    PublicPost.objects.write(public_page, text=fields["text"], state=fields["state"], by=request.user, incident=about)
    messages.success(request, "Saved. A lead other than the author approves it.")
    return redirect("public-desk", slug)


@change(WrongStatus)
def decide_public(request: Request, slug: str, pk: int) -> Answer:
    """Approve or withdraw a post. Leads of the team do; never one's own."""
    post: PublicPost = visible_or_404(
        PublicPost.objects.visible_to(request.user).select_related("page__system__team", "incident"),
        pk=pk,
        page__system__slug=slug,
    )
    require_role(request.user, Role.LEAD, team=post.page.system.team, to="decide what the public reads")
    if request.POST.get("decision") == "approve":
        post.approve(by=request.user)
    else:
        post.withdraw(by=request.user)
    return redirect("public-desk", slug)
