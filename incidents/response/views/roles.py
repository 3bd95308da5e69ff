"""Who does what, and handing it over."""

from django import forms
from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from incidents.errors import Refused, WrongStatus
from incidents.response.forms.roles import HandoverForm
from incidents.response.permissions import get_incident, get_incident_to_change
from incidents.response.record import on_record
from incidents.response.roles import Handover
from incidents.web.request import Answer, Request, change, page, visible_or_404


@page
@require_http_methods(["GET", "HEAD", "POST"])
def hand_over(request: Request, number: int) -> Answer:
    """Offer a role to somebody, with what they need to know."""
    incident = get_incident_to_change(request.user, number, to="hand it over")
    form = HandoverForm(request.POST or None, initial={"role": "lead"})
    if request.method == "POST" and form.is_valid():
        fields = form.cleaned_data
        try:
            handover = Handover.objects.offer(
                incident, fields["role"], to=fields["to"], summary=fields["summary"], by=request.user
            )
        except (forms.ValidationError, WrongStatus) as refusal:
            form.add_error(None, refusal if isinstance(refusal, forms.ValidationError) else str(refusal))
        else:
            messages.success(request, f"Offered to {handover.taker}. You keep the role until they accept.")
            return redirect(incident)
    context = {"form": form, "incident": incident, "draft": on_record(incident)}
    return render(request, "response/hand_over.html", context, status=422 if form.is_bound else 200)


@change(WrongStatus)
def answer_handover(request: Request, number: int, pk: int) -> Answer:
    """Accept, decline or withdraw. Whom it is offered to may accept it, whatever their role in the team."""
    incident = get_incident(request.user, number)
    offered: Handover = visible_or_404(Handover.objects.filter(incident=incident), pk=pk)
    match request.POST.get("answer"):
        case "accept":
            offered.accept(by=request.user)
            messages.success(request, f"You are the {offered.role.name.lower()} of {incident} now.")
        case "decline":
            offered.decline(by=request.user)
        case "withdraw":
            get_incident_to_change(request.user, number, to="withdraw it")
            offered.withdraw(by=request.user)
        case _:
            raise Refused("Accept it or decline it.")
    return redirect(incident)
