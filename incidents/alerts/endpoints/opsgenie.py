"""Opsgenie's Alert API, as far as tools use it to notify: create, close and acknowledge. The GenieKey is the token."""

import time
import uuid

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from incidents.alerts import bodies
from incidents.alerts.endpoints import guard
from incidents.alerts.endpoints.guard import Rejected


@csrf_exempt
@require_POST
def create(request: HttpRequest) -> HttpResponse:
    """Take one alert: 202, and processed soon after."""
    return _answer(request, needs_message=True)


@csrf_exempt
@require_POST
def act(request: HttpRequest, alias: str, act: str) -> HttpResponse:
    """Take a close or an acknowledgement of the alert with this alias."""
    return _answer(request, needs_message=False)


def _answer(request: HttpRequest, *, needs_message: bool) -> HttpResponse:
    started = time.monotonic()
    try:
        source = guard.source_of(request, None)
        body = guard.body_of(request, limit=source.byte_limit)
        if needs_message:
            _check_message(body)
        guard.take(source, body, guard.headers_of(request), door="opsgenie", is_json=bool(body.strip()))
    except Rejected as rejection:
        return _answered(started, rejection.status, message=rejection.detail, headers=rejection.headers)
    return _answered(started, 202, result="Request will be processed")


def _check_message(body: bytes) -> None:
    try:
        alert = bodies.parse(body)
    except bodies.Unreadable as error:
        raise Rejected(422, "not_json", f"Request body is not processable. {error}") from None
    if not isinstance(alert, dict) or not bodies.text_of(alert.get("message")):
        raise Rejected(422, "no_message", "Request body is not processable. Message can not be empty.")


def _answered(started: float, status: int, *, headers: dict[str, str] | None = None, **answer: str) -> HttpResponse:
    facts = {**answer, "took": round(time.monotonic() - started, 3), "requestId": str(uuid.uuid4())}
    return JsonResponse(facts, status=status, headers=headers)
