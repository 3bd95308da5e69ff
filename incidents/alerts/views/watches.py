"""What people change about a source or a system: corrections are undone, watches set and ended."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect
from django.utils import timezone

from incidents.alerts.forms.watches import WatchForm
from incidents.alerts.models import Source
from incidents.alerts.policies import Correction, Watch
from incidents.errors import Refused
from incidents.people.models import Role
from incidents.people.permissions import require_role
from incidents.systems.models import System
from incidents.web.request import Answer, Request, change, visible_or_404


@change()
def undo_correction(request: Request, slug: str, pk: int) -> Answer:
    source = visible_or_404(Source.objects.visible_to(request.user).select_related("team"), slug=slug)
    require_role(request.user, Role.RESPONDER, team=source.team, to="undo what was corrected")
    correction = visible_or_404(Correction.objects.visible_to(request.user).filter(source=source), pk=pk)
    correction.undo(by=request.user)
    messages.success(request, f"“{correction.name}” is classified by the taxonomy’s rules again.")
    return redirect(source)


@change(Refused)
def watch_source(request: Request, slug: str) -> Answer:
    source = visible_or_404(Source.objects.visible_to(request.user).select_related("team"), slug=slug)
    require_role(request.user, Role.LEAD, team=source.team, to="change what is expected of it")
    return _watch(request, source, source=source)


@change(Refused)
def watch_system(request: Request, slug: str) -> Answer:
    system = visible_or_404(System.objects.visible_to(request.user).select_related("team"), slug=slug)
    require_role(request.user, Role.LEAD, team=system.team, to="change what is expected of it")
    return _watch(request, system, system=system)


def _watch(request: Request, about: Source | System, **which: Any) -> Answer:
    if "stop" in request.POST:
        Watch.objects.filter(**which).delete()
        messages.success(request, f"You will no longer be alerted when {about} goes quiet.")
        return redirect(about)
    form = WatchForm(request.POST)
    if not form.is_valid():
        raise ValidationError([error for errors in form.errors.values() for error in errors])
    fields = form.cleaned_data | {"made_by": request.user, "made_at": timezone.now(), "missing_since": None}
    Watch.objects.update_or_create(**which, defaults=fields)
    messages.success(
        request, f"An alert will fire when nothing is heard from {about} for {fields['every_minutes']} minutes."
    )
    return redirect(about)
