"""Opening an incident by hand."""

from typing import Any

from django.http import QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from incidents.people.models import Role
from incidents.people.permissions import require_role
from incidents.response.forms.declare import DeclareForm, proposal
from incidents.response.incident import Incident
from incidents.response.likeness import similar
from incidents.systems.models import System
from incidents.web.request import Answer, Request, page


@page
@require_http_methods(["GET", "HEAD", "POST"])
def declare(request: Request) -> Answer:
    """Open an incident by hand."""
    require_role(request.user, Role.RESPONDER, team=None, to="open incidents")
    form = DeclareForm(request.POST or None, initial=_asked_for(request.GET))
    if request.method == "POST" and form.is_valid():
        return redirect(Incident.objects.declare(by=request.user, **form.declared))
    facts = {"form": form, "alike": [], **_proposed(request.POST)}
    return render(request, "response/declare.html", facts, status=422 if form.is_bound else 200)


@page
@require_safe
def alike(request: Request) -> Answer:
    """Incidents that look like what somebody is about to open, and what kind of failure it reads like, while they type."""
    title, system = request.GET.get("title", "")[:200], request.GET.get("system", "")[:50]
    known = System.objects.visible_to(request.user).filter(slug=system).first() if system else None
    alike_incidents = similar(user=request.user, title=title, system=known, most=3) if len(title.strip()) > 3 else []
    return render(request, "response/_alike.html", {"alike": alike_incidents, **_proposed(request.GET)})


def _asked_for(query: QueryDict) -> dict[str, str]:
    """What the address fills in, as a link from a system’s page or from a chat has it."""
    return {"system": query.get("system", ""), "title": query.get("title", "")[:200]}


def _proposed(typed: QueryDict) -> dict[str, Any]:
    found = proposal(typed.get("title", "")[:200])
    code = (found.failure_mode or found.category) if found else ""
    return {"proposal": found, "failure": code, "taken": bool(code) and typed.get("failure") == code}
