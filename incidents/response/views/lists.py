"""The list of incidents, what is done to several at once, and views kept under a name."""

from collections.abc import Callable
from datetime import datetime
from itertools import groupby
from typing import Any

from django.contrib import messages
from django.db.models import Count, Min, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from incidents.errors import WrongStatus
from incidents.people.models import Role
from incidents.people.permissions import has_role, require_role
from incidents.response.buttons import valid
from incidents.response.filters import IncidentFilter
from incidents.response.followers import Follower
from incidents.response.forms.lists import BULK, BulkForm, SavedViewForm
from incidents.response.incident import Incident
from incidents.response.many import chosen, do_to_each
from incidents.response.saved_views import SavedView
from incidents.response.updates import Cadence, next_update_due
from incidents.response.vocabulary import IncidentKind, Severity, Status
from incidents.web.paging import newest_first
from incidents.web.request import Answer, Request, back, change, page

AN_OPEN_LIST = 200

_Row = tuple[Incident, datetime | None]  # and when its next update is due


@page
@require_safe
def incidents(request: Request) -> Answer:
    """The list; the open ones unless the address says otherwise. Asked by its own live trigger, only what changed."""
    mine = Incident.objects.visible_to(request.user)
    pulse = _pulse(mine)
    if request.htmx and request.GET.get("seen") == pulse:
        return HttpResponse(status=204)
    parameters = request.GET.copy()
    parameters.setdefault("status", "open")
    filtered = IncidentFilter(parameters, mine.for_list(), request=request)
    incidents = filtered.qs if filtered.is_valid() else mine.none()
    is_open_list = parameters["status"] == "open"
    if is_open_list:
        page_of_incidents, older_than = list(incidents.worst_first()[: AN_OPEN_LIST + 1]), None
    else:
        page_of_incidents, older_than = newest_first(incidents, before=request.GET.get("before", ""), key="number")
    cadences = Cadence.by_severity()
    rows_with_due = [(incident, next_update_due(incident, cadences)) for incident in page_of_incidents[:AN_OPEN_LIST]]
    context = {
        "filter": filtered,
        "status": parameters["status"],
        "groups": _groups(rows_with_due, by_state=is_open_list),
        "shown": len(rows_with_due),
        "older_than": older_than,
        "has_more": len(page_of_incidents) > AN_OPEN_LIST or older_than is not None,
        "pulse": pulse,
        "now": timezone.now(),
        "tabs": _tabs(request, mine),
        "may_open": has_role(request.user, Role.RESPONDER, team=None),
        "chosen": sum(bool(request.GET.get(name)) for name in ("severity", "category", "system", "team")),
        "is_filtered": set(request.GET) - {"status", "seen"},
        "bulk_form": BulkForm(auto_id="many_%s"),
        "severities": [severity for severity in Severity if severity != Severity.UNKNOWN],
        "views": SavedView.objects.for_user(request.user),
        "view_form": SavedViewForm(auto_id="view_%s", initial={"query": request.GET.urlencode()}),
    }
    return render(request, "response/list.html#live" if request.htmx else "response/list.html", context)


def _groups(rows: list[_Row], *, by_state: bool) -> list[tuple[Status | None, list[_Row]]]:
    """Cut rows into groups of one state, each with its heading; in one group without, where the order is another."""
    if not by_state:
        return [(None, rows)] if rows else []
    return [(Status(state), list(group)) for state, group in groupby(rows, key=lambda row: row[0].status)]


def _tabs(request: Request, mine: Any) -> dict[str, Any]:
    """How many wait where people look first, and how bad the worst is; what has long been over is not counted."""
    counted: dict[str, Any] = mine.open().aggregate(
        open=Count("pk"),
        mine=Count("pk", filter=Q(lead=request.user)),
        triage=Count("pk", filter=Q(status=Status.TRIAGE)),
        worst=Min("severity", filter=Q(kind=IncidentKind.REAL)),
    )
    return counted


def _pulse(incidents: Any) -> str:
    """What changes whenever a visible incident does, or a new one comes: the last change."""
    latest = incidents.order_by("-changed_at").values_list("changed_at", flat=True).first()
    return f"{latest.timestamp():.6f}" if latest else "none"


@change(WrongStatus)
def many(request: Request) -> Answer:
    """Do one thing to several incidents. Each is done or refused by itself; what was refused is said."""
    incidents = chosen(request)
    fields = valid(BulkForm(request.POST))
    act, user = fields["act"], request.user
    verbs: dict[str, Callable[[Incident], object]] = {
        "acknowledge": lambda incident: incident.acknowledge(by=user),
        "take": lambda incident: incident.assign_lead(user, by=user),
        "assign": lambda incident: incident.assign_lead(fields["lead"], by=user),
        "decline": lambda incident: incident.decline(by=user, reason=fields["reason"]),
        "close": lambda incident: incident.close(by=user),
        "follow": lambda incident: Follower.objects.get_or_create(person=user, incident=incident),
        "severity": lambda incident: incident.set_severity(act.partition(":")[2], by=user),
    }
    verb = verbs[act.partition(":")[0]]
    do_to_each(request, incidents, verb, label=BULK[act], for_everybody=act == "follow")
    return back(request, reverse("incidents"))


@page
@require_safe
def people(request: Request) -> Answer:
    """Whom the lead of the selected incidents can be assigned to; asked for once somebody wants to."""
    require_role(request.user, Role.RESPONDER, team=None, to="assign incidents")
    return HttpResponse(str(BulkForm(auto_id="many_%s")["lead"]))


@change()
def save_view(request: Request) -> Answer:
    fields = valid(SavedViewForm(request.POST))
    view = SavedView.objects.store(request.user, name=fields["name"], query=fields["query"], shared=fields["shared"])
    messages.success(request, f"“{view}” was saved.")
    return redirect(view)


@change()
def drop_view(request: Request, pk: int) -> Answer:
    SavedView.objects.filter(owner=request.user, pk=pk).delete()
    return redirect("incidents")
