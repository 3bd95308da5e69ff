"""What pages of lower slices show of evaluation cases. Each begins with what the person may see; see shell/slots.py."""

import re

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse

from incidents.alerts.models import Alert
from incidents.evaluations.cases import EvaluationCase
from incidents.evaluations.listing import rows
from incidents.evaluations.permissions import may_write
from incidents.evidence.samples import Sample
from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.systems.models import System

LATEST = 8


def incident_facts(request: HttpRequest, incident: Incident) -> str:
    """Cases that came from the incident, and the case whose regression opened it with the incident that it came from."""
    user = request.user
    if not isinstance(user, User) or incident.system is None:
        return ""
    visible = EvaluationCase.objects.visible_to(user).for_list()
    made = list(visible.filter(incident=incident)[:LATEST])
    new = reverse("evaluation-case-new", args=[incident.system.slug])
    context = {
        "incident": incident,
        "rows": rows(made) if made else [],
        "regressed": _regressed(incident, user),
        "new_url": f"{new}?from={incident.number}" if may_write(user, incident.system) else "",
    }
    return render_to_string("evaluations/slots/incident.html", context, request=request)


def _regressed(incident: Incident, user: User) -> list[EvaluationCase]:
    """The cases whose alerts belong to the incident."""
    alerts = Alert.objects.visible_to(user).filter(incident=incident, upstream_id__startswith="evaluation-case/")
    keys = alerts.values_list("upstream_id", flat=True)[:LATEST]
    ids = [int(found[1]) for key in keys if (found := re.fullmatch(r"evaluation-case/([0-9]{1,18})", key))]
    return list(EvaluationCase.objects.visible_to(user).for_list().filter(pk__in=ids)) if ids else []


def sample_actions(request: HttpRequest, sample: Sample) -> str:
    """The link that makes a case of a sample that may leave, for whoever responds for its system."""
    user, system = request.user, sample.system or sample.incident.system
    if not isinstance(user, User) or system is None or not sample.may_leave or not may_write(user, system):
        return ""
    if not Sample.objects.visible_to(user).filter(pk=sample.pk).exists():
        return ""
    context = {"url": f"{reverse('evaluation-case-new', args=[system.slug])}?sample={sample.pk}"}
    return render_to_string("evaluations/slots/sample.html", context, request=request)


def system_records(request: HttpRequest, system: System) -> str:
    """How many cases a system has, and which of them fail."""
    user = request.user
    if not isinstance(user, User):
        return ""
    visible = EvaluationCase.objects.visible_to(user).filter(system=system).in_force()
    failing = visible.filter(regressed_at__isnull=False).for_list()[:LATEST]
    context = {
        "system": system,
        "count": visible.count(),
        "rows": rows(list(failing)) if failing else [],
        "may_write": may_write(user, system),
    }
    return render_to_string("evaluations/slots/system.html", context, request=request)
