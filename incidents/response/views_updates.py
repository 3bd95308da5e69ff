"""What stakeholders read: status updates, the status page inside, and the public page of a system."""

from typing import Any

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_http_methods

from incidents.errors import WrongStatus
from incidents.people.models import Role, Team
from incidents.people.permissions import has_role, require_role
from incidents.response.acting import at, valid, verb
from incidents.response.forms import PublicPageForm, PublicPostForm, UpdateForm
from incidents.response.incident import Incident
from incidents.response.updates import Cadence, Follower, PublicPage, PublicPost, Update, next_update_due
from incidents.response.vocabulary import IncidentKind, Status
from incidents.systems.models import System
from incidents.web.request import Answer, Request, back, change, page, visible_or_404


@verb("post updates")
def post_update(request: Request, shown: Incident) -> Answer:
    form = UpdateForm(request.POST)
    given = valid(form)
    Update.objects.post(shown, text=given["text"], impact=given["impact"], next_at=form.next_at, by=request.user)
    told = len(Follower.people_of(shown))
    messages.success(request, f"Posted, and mailed to {told} who follow{'s' if told == 1 else ''} it.")
    return at(shown, "timeline-title")


# The status page of the organisation


@page
@require_GET
def status(request: Request) -> Answer:
    """Every system with what is open on it and what was last said, the worst first."""
    mine = Incident.objects.visible_to(request.user)
    open_ = (
        mine.open()
        .filter(kind=IncidentKind.REAL)
        .exclude(status=Status.TRIAGE)
        .select_related("system", "lead")
        .worst_first()
    )
    latest = Update.objects.order_by("incident_id", "-at").distinct("incident_id")
    cadences = Cadence.by_severity()
    by_system: dict[int | None, list[Any]] = {}
    for row in open_.prefetch_related(Prefetch("updates", queryset=latest, to_attr="latest")):
        by_system.setdefault(row.system_id, []).append((row, row.latest, next_update_due(row, cadences)))  # type: ignore[attr-defined]
    systems = list(System.objects.visible_to(request.user).for_list().select_related("team", "public_page"))
    follows = set(
        Follower.objects.filter(person=request.user, system__isnull=False).values_list("system_id", flat=True)
    )
    rows = [(system, by_system.get(system.pk, []), system.pk in follows) for system in systems]
    context = {
        "troubled": [row for row in rows if row[1]],
        "well": [row for row in rows if not row[1]],
        "elsewhere": by_system.get(None, []),
        "now": timezone.now(),
    }
    return render(request, "response/status.html", context)


@change()
def follow_system(request: Request, slug: str) -> Answer:
    system = visible_or_404(System.objects.visible_to(request.user), slug=slug)
    follows = Follower.toggle(request.user, system=system)
    messages.success(request, f"You {'follow' if follows else 'no longer follow'} {system}.")
    return back(request, system.get_absolute_url())


@change()
def follow_team(request: Request, slug: str) -> Answer:
    team = visible_or_404(Team.objects.all(), slug=slug)
    follows = Follower.toggle(request.user, team=team)
    messages.success(request, f"You {'follow' if follows else 'no longer follow'} the incidents of {team}.")
    return back(request)


# The public page of a system


@cache_control(public=True, max_age=30)
@require_GET
def public(request: Request, slug: str) -> HttpResponse:
    """What the public reads. It says nothing that was not written for it and approved."""
    shown = visible_or_404(PublicPage.objects.shown().select_related("system"), system__slug=slug)
    posts = list(shown.posts.published()[:30])
    now = next((post.state for post in posts if post.state != PublicPost.State.NEWS), PublicPost.State.SOLVED)
    return render(request, "response/public.html", {"shown": shown, "posts": posts, "now": now})


@page
@require_http_methods(["GET", "POST"])
def public_desk(request: Request, slug: str) -> Answer:
    """Where the public page of a system is written, approved, switched on and off."""
    system = visible_or_404(System.objects.visible_to(request.user).select_related("team"), slug=slug)
    shown = PublicPage.objects.filter(system=system).first()
    may_lead = has_role(request.user, Role.LEAD, team=system.team)
    form = PublicPageForm(request.POST or None, instance=shown or PublicPage(system=system, name=system.name))
    if request.method == "POST":
        require_role(request.user, Role.LEAD, team=system.team, to="change its public page")
        if form.is_valid():
            form.save()
            return redirect("public-desk", slug)
    context = {
        "system": system,
        "shown": shown,
        "form": form,
        "post_form": PublicPostForm(),
        "waiting": shown.posts.waiting().select_related("written_by", "incident") if shown else [],
        "published": shown.posts.published().select_related("written_by", "approved_by", "incident")[:30]
        if shown
        else [],
        "open": Incident.objects.visible_to(request.user).open().filter(system=system),
        "may_lead": may_lead,
        "may_write": has_role(request.user, Role.RESPONDER, team=system.team),
    }
    return render(request, "response/public_desk.html", context, status=422 if form.is_bound else 200)


@change(WrongStatus)
def write_public(request: Request, slug: str) -> Answer:
    shown = visible_or_404(PublicPage.objects.select_related("system", "system__team"), system__slug=slug)
    require_role(request.user, Role.RESPONDER, team=shown.system.team, to="write for the public")
    given = valid(PublicPostForm(request.POST))
    number = request.POST.get("incident", "")
    about = (
        Incident.objects.visible_to(request.user).filter(system=shown.system, number=int(number)).first()
        if number.isascii() and number.isdigit() and len(number) < 10
        else None
    )
    PublicPost.objects.write(shown, text=given["text"], state=given["state"], by=request.user, incident=about)
    messages.success(request, "Written. A lead who did not write it approves it.")
    return redirect("public-desk", slug)


@change(WrongStatus)
def decide_public(request: Request, slug: str, pk: int) -> Answer:
    """Approve or withdraw a post. Leads of the team do; never one's own."""
    post: PublicPost = visible_or_404(
        PublicPost.objects.select_related("page__system__team", "incident"), pk=pk, page__system__slug=slug
    )
    require_role(request.user, Role.LEAD, team=post.page.system.team, to="decide what the public reads")
    if request.POST.get("decision") == "approve":
        post.approve(by=request.user)
    else:
        post.withdraw(by=request.user)
    return redirect("public-desk", slug)
