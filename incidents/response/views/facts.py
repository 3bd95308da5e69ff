"""What people say of an incident: each fact is shown to be changed where it is read, or on a page of its own, and saved."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from incidents.errors import WrongStatus
from incidents.people.permissions import NotAllowed
from incidents.response.buttons import tell_of_copies
from incidents.response.forms import clocks, facts, impact, people
from incidents.response.forms.facts import FactForm
from incidents.response.permissions import get_incident_to_change
from incidents.web.request import Answer, PageView, Request, back, page


def _fact(form_class: type[FactForm]) -> PageView:
    @page
    @require_http_methods(["GET", "HEAD", "POST"])
    def view(request: Request, number: int, **named: Any) -> Answer:
        try:
            incident = get_incident_to_change(request.user, number, to=form_class.to)
        except NotAllowed as refusal:
            if request.method != "POST" or request.htmx:
                raise
            messages.error(request, str(refusal))
            return back(request)
        form = form_class(request.POST or None, incident=incident, user=request.user, **named)
        if request.method != "POST":
            form.offer(request.GET)
            return _ask(request, form)
        status = _save(form)
        if status != 200:
            return _ask(request, form, status=status)
        if form.copies:
            tell_of_copies(request, form.copies)
            return HttpResponseClientRedirect(incident.get_absolute_url()) if request.htmx else redirect(incident)
        return HttpResponse(status=204) if request.htmx else redirect(incident)

    return view


def _save(form: FactForm) -> int:
    """Save it where it can be; else the form says why not. Returns the status of the answer."""
    if not form.is_valid():
        return 422
    try:
        with transaction.atomic():
            form.save()
    except WrongStatus as conflict:
        form.add_error(_first(form), str(conflict))
        return 409
    except forms.ValidationError as refusal:
        form.add_error(_first(form), refusal.messages)
        return 422
    return 200


def _first(form: FactForm) -> str:
    return form.visible_fields()[0].name


def _ask(request: Request, form: FactForm, *, status: int = 200) -> Answer:
    """Show the form: alone where the incident's page asks for it, else on a page of its own."""
    template = "response/facts/_editor.html" if request.htmx else "response/fact.html"
    return render(request, template, {"form": form, "incident": form.incident}, status=status)


clock = _fact(clocks.ClockForm)
exposure = _fact(impact.ExposureForm)
more_exposure = _fact(impact.MoreExposureForm)
answer = _fact(impact.AnswerForm)
severity = _fact(facts.SeverityForm)
classify = _fact(facts.ClassifyForm)
system = _fact(facts.SystemForm)
noticed = _fact(facts.NoticedForm)
kind = _fact(facts.KindForm)
lead = _fact(facts.LeadForm)
description = _fact(facts.DescribeForm)
call = _fact(facts.CallForm)
channel = _fact(facts.ChannelForm)
role = _fact(people.RoleForm)
visibility = _fact(people.VisibilityForm)
link = _fact(people.LinkForm)
