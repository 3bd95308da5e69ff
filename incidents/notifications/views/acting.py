"""The page behind a link in a message, and snoozing from the incident's page."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from incidents.errors import Refused, WrongStatus
from incidents.notifications import escalation
from incidents.notifications.acting import SNOOZE, ActLink, MessageAct, can_act
from incidents.response.permissions import get_incident_to_change
from incidents.web.request import Answer, Request, change


@csrf_exempt  # the secret in the address is what allows it, and no cookie: a button of a notification has none
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def act(request: HttpRequest, secret: str) -> HttpResponse:
    """Show what can be done, and do it once a button is pressed. Reading it changes nothing, so scanners do no harm."""
    link = ActLink.objects.with_secret(secret).first()
    if link is None or not can_act(link.incident, link.person):
        return render(request, "notifications/act.html", {"link": None}, status=404)
    error, status = "", 200
    if request.method == "POST":
        try:
            link.use(request.POST.get("act", ""), text=request.POST.get("text", ""))
        except (Refused, WrongStatus) as refusal:
            error, status = " ".join(getattr(refusal, "messages", [str(refusal)])), 422
        link = ActLink.objects.with_secret(secret).get()
    choices = link.choices()
    context = {
        "link": link,
        "incident": link.incident,
        "buttons": [choice for choice in choices if choice != MessageAct.UPDATE],
        "may_update": MessageAct.UPDATE in choices,
        "text": request.POST.get("text", "") if error else "",
        "error": error,
        "used": MessageAct(link.act).label if link.act else "",
    }
    return render(request, "notifications/act.html", context, status=status)


@change(WrongStatus)
def snooze(request: Request, number: int) -> Answer:
    """Call nobody else for half an hour."""
    incident = get_incident_to_change(request.user, number, to="snooze it")
    escalation.snooze(incident, by=request.user, minutes=SNOOZE)
    messages.success(request, f"Nobody else is called for {incident} in the next {SNOOZE} minutes.")
    return redirect(incident)
