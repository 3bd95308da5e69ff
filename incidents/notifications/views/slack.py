"""What Slack asks, the page of its app, and the pages on which people say who they are there."""

import hashlib
import json

from django.contrib import messages
from django.core.exceptions import RequestDataTooBig
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import RawPostDataException
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from incidents.errors import Refused
from incidents.notifications.forms.slack import SlackAppForm
from incidents.notifications.slack.app import SlackApp, address_of, manifest
from incidents.notifications.slack.commands import answer
from incidents.notifications.slack.interactions import known_sender, press
from incidents.notifications.slack.members import SlackMember
from incidents.notifications.slack.replies import SlackRequest
from incidents.notifications.slack.signature import is_signed
from incidents.notifications.slack.words import sentence
from incidents.people.permissions import require_administrator
from incidents.web.request import Answer, Request, change, page, visible_or_404

REFUSED = "This was not signed by the Slack app that is connected here."


def _signed(request: HttpRequest) -> SlackApp | None:
    """The app, where it sent this request in the last five minutes."""
    app = SlackApp.current()
    try:
        body = request.body
    except (RawPostDataException, RequestDataTooBig):
        return None
    secret = ((app.secrets() if app else None) or {}).get("signing_secret", "")
    is_ours = is_signed(
        secret,
        body,
        timestamp=request.headers.get("X-Slack-Request-Timestamp", ""),
        signature=request.headers.get("X-Slack-Signature", ""),
        now=timezone.now(),
    )
    return app if is_ours else None


def _digest(request: HttpRequest) -> str:
    return hashlib.sha256(request.headers["X-Slack-Signature"].encode()).hexdigest()


@csrf_exempt  # Slack has no session; its signature is what it proves
@require_POST
def commands(request: HttpRequest) -> HttpResponse:
    """Answer /faultline in the answer itself, in one transaction: nothing it does takes long."""
    app = _signed(request)
    if app is None:
        return HttpResponse(REFUSED, status=401, content_type="text/plain")
    given = request.POST
    sender = known_sender(given.get("team_id"), given.get("user_id"), given.get("user_name"))
    if sender is None:
        return HttpResponse("It names nobody.", status=400, content_type="text/plain")
    with transaction.atomic():
        if not SlackRequest.is_new(_digest(request)):
            return JsonResponse(sentence("This was done already."))
        return JsonResponse(answer(app, sender, given.get("text", "")))


@csrf_exempt  # likewise
@require_POST
def interactions(request: HttpRequest) -> HttpResponse:
    """Do what a button says, in one transaction; the message changes when a worker sends the answer."""
    app = _signed(request)
    if app is None:
        return HttpResponse(REFUSED, status=401, content_type="text/plain")
    try:
        payload = json.loads(request.POST.get("payload", ""))
    except (ValueError, RecursionError):
        payload = None
    if not isinstance(payload, dict):
        return HttpResponse("The payload is no JSON object.", status=400, content_type="text/plain")
    with transaction.atomic():
        if SlackRequest.is_new(_digest(request)):
            press(app, payload)
    return HttpResponse(status=200)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def slack_app(request: Request) -> Answer:
    """The organisation's own app: what to paste in Slack, and its secrets."""
    require_administrator(request.user, to="connect a Slack app")
    app = SlackApp.current()
    form = SlackAppForm(request.POST or None, known=app is not None)
    if request.method == "POST" and form.is_valid():
        SlackApp.connect(**form.cleaned_data, by=request.user)
        messages.success(request, "Connected. Choose “Buttons” in the settings of its channels.")
        return redirect("slack-app")
    context = {
        "app": app,
        "form": form,
        "manifest": manifest(),
        "addresses": [
            ("Interactivity", address_of("slack-interactions")),
            ("/faultline", address_of("slack-commands")),
        ],
    }
    return render(request, "notifications/slack_app.html", context, status=422 if form.is_bound else 200)


@change(Refused)
def remove_app(request: Request) -> Answer:
    """Forget the secrets and who is who. Buttons in Slack do nothing from then on."""
    require_administrator(request.user, to="remove the Slack app")
    with transaction.atomic():
        SlackApp.objects.all().delete()
        SlackMember.objects.all().delete()
    messages.success(request, "The Slack app is removed. Buttons in Slack do nothing any more.")
    return redirect("channels")


@never_cache
@page
@require_http_methods(["GET", "HEAD", "POST"])
def connect(request: Request, secret: str) -> Answer:
    """Ask whether this Slack account is one's own. Reading it changes nothing."""
    row = SlackMember.objects.with_secret(secret)
    if row is None:
        return render(request, "notifications/slack_connect.html", {"row": None}, status=404)
    if request.method == "POST":
        row.confirm(by=request.user)
        messages.success(request, f"Connected. What {row} does in Slack, Faultline does as you.")
        return redirect("slack-accounts")
    return render(request, "notifications/slack_connect.html", {"row": row})


@page
@require_safe
def accounts(request: Request) -> Answer:
    """One's own Slack accounts."""
    rows = SlackMember.objects.filter(person=request.user).order_by("connected_at", "pk")
    return render(request, "notifications/slack_accounts.html", {"rows": rows, "app": SlackApp.current()})


@change(Refused)
def disconnect(request: Request, pk: int) -> Answer:
    row = visible_or_404(SlackMember.objects.filter(person=request.user), pk=pk)
    row.delete()
    messages.success(request, f"{row} is disconnected.")
    return redirect("slack-accounts")
