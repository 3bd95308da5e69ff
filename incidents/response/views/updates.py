"""What stakeholders read: updates, the status page inside, and who follows what."""

from typing import Any

from django.contrib import messages
from django.db.models import Count, Prefetch
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from incidents.people.models import Team
from incidents.response.buttons import at, valid, verb
from incidents.response.followers import Follower
from incidents.response.forms.updates import UpdateForm
from incidents.response.incident import Incident
from incidents.response.permissions import get_incident
from incidents.response.updates import Cadence, Update, next_update_due
from incidents.response.vocabulary import IncidentKind, Status
from incidents.systems.models import System
from incidents.web.request import Answer, Request, back, change, page, visible_or_404


@verb("post updates")
def post_update(request: Request, incident: Incident) -> Answer:
    form = UpdateForm(request.POST, incident=incident, cadences=Cadence.by_severity())
    fields = valid(form)
    Update.objects.post(incident, text=fields["text"], impact=fields["impact"], next_at=form.next_at, by=request.user)
    followers = len(Follower.people_of(incident))
    messages.success(request, f"Posted and emailed to {followers} follower{'' if followers == 1 else 's'}.")
    return at(incident, "timeline-title")


@page
@require_safe
def status(request: Request) -> Answer:
    """Every system with what is open on it and what was last said, the worst first."""
    mine = Incident.objects.visible_to(request.user)
    open_ = mine.open().filter(kind=IncidentKind.REAL).exclude(status=Status.TRIAGE).for_list().worst_first()
    waiting: dict[int | None, int] = dict(
        mine.filter(kind=IncidentKind.REAL, status=Status.TRIAGE).values_list("system").annotate(Count("pk"))
    )
    latest = Update.objects.order_by("incident_id", "-at").distinct("incident_id")
    cadences = Cadence.by_severity()
    by_system: dict[int | None, list[Any]] = {}
    for incident in open_.prefetch_related(Prefetch("updates", queryset=latest, to_attr="latest")):
        entry = (incident, incident.latest, next_update_due(incident, cadences))  # type: ignore[attr-defined]  # prefetched
        by_system.setdefault(incident.system_id, []).append(entry)
    systems = list(System.objects.visible_to(request.user).for_list().select_related("team", "public_page"))
    follows = set(
        Follower.objects.filter(person=request.user, system__isnull=False).values_list("system_id", flat=True)
    )
    entries = [
        {
            "system": system,
            "open": by_system.get(system.pk, []),
            "in_triage": waiting.get(system.pk, 0),
            "follows": system.pk in follows,
        }
        for system in systems
    ]
    context = {
        "troubled": sorted((entry for entry in entries if entry["open"]), key=_worst),
        "in_doubt": [entry for entry in entries if entry["in_triage"] and not entry["open"]],
        "well": [entry for entry in entries if not entry["open"] and not entry["in_triage"]],
        "elsewhere": by_system.get(None, []),
        "in_triage_elsewhere": waiting.get(None, 0),
        "now": timezone.now(),
    }
    return render(request, "response/status.html", context)


def _worst(entry: dict[str, Any]) -> str:
    """How bad the worst is that is open on a system; systems that are equally bad stay ordered by tier."""
    return min(str(incident.severity) for incident, _, _ in entry["open"])


@change()
def follow(request: Request, number: int) -> Answer:
    """Be told of its status updates, or no longer. Everybody who sees it may."""
    incident = get_incident(request.user, number)
    follows = Follower.toggle(request.user, incident=incident)
    messages.success(request, f"You {'follow' if follows else 'no longer follow'} {incident}.")
    return redirect(incident)


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
