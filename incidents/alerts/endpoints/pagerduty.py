"""PagerDuty's Events API v2: whatever can send there sends here, once its URL is changed. The routing key is the token."""

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from incidents.alerts import bodies
from incidents.alerts.endpoints import guard
from incidents.alerts.endpoints.guard import Rejected
from incidents.alerts.headers import DEDUP_KEY

# PagerDuty takes no more than this of one event.
MOST_BYTES = 512 * 1024
_SEVERITIES = ("critical", "error", "warning", "info")
_KEY_LENGTH = 32


@csrf_exempt
@require_POST
def enqueue(request: HttpRequest) -> HttpResponse:
    """Take one alert event: 202 with its deduplication key, or what is wrong with it."""
    return _answer(request, changes=False)


@csrf_exempt
@require_POST
def enqueue_change(request: HttpRequest) -> HttpResponse:
    """Take one change event: 202, or what is wrong with it."""
    return _answer(request, changes=True)


def _answer(request: HttpRequest, *, changes: bool) -> HttpResponse:
    try:
        body = guard.body_of(request, limit=MOST_BYTES)
        event = bodies.parse(body)
    except Rejected as rejection:
        return _invalid([rejection.detail], status=rejection.status)
    except bodies.Unreadable as error:
        return _invalid([str(error)])
    if not isinstance(event, dict):
        return _invalid(["The event must be a JSON object."])
    errors = _errors(event, changes=changes)
    key = bodies.text_of(event.get("routing_key")) or request.headers.get("X-Routing-Key", "")
    try:
        source = None if len(key) != _KEY_LENGTH else guard.source_named(key)
        if source is None:
            return _invalid([_wrong_key(key), *errors])
        if errors:
            return _invalid(errors)
        if guard.limits_reached(source):
            return _slow_down()
        dedup_key = bodies.text_of(event.get("dedup_key"))
        made_up = {} if dedup_key or changes else {DEDUP_KEY: uuid.uuid4().hex}
        # The key is the source's token, and what is stored is shown.
        body = body.replace(key.encode(), b"*" * _KEY_LENGTH)
        guard.take(source, body, guard.headers_of(request, **made_up), door="pagerduty", is_json=True)
    except Rejected as rejection:
        return _invalid([rejection.detail], status=rejection.status)
    if changes:
        return JsonResponse({"status": "success", "message": "Change event processed"}, status=202)
    answer = {"status": "success", "message": "Event processed", "dedup_key": dedup_key or made_up[DEDUP_KEY]}
    return JsonResponse(answer, status=202)


def _errors(event: dict[str, Any], *, changes: bool) -> list[str]:
    """Say what PagerDuty would refuse. What it would only cut is cut here too."""
    payload = event.get("payload")
    summary = payload.get("summary") if isinstance(payload, dict) else None
    no_summary = ["'payload.summary' is missing or blank"] if not bodies.text_of(summary) else []
    if changes:
        return no_summary
    action = event.get("event_action")
    if action not in ("trigger", "acknowledge", "resolve"):
        return ["'event_action' is invalid (should be one of trigger, acknowledge, resolve)"]
    errors = (
        ["Length of 'dedup_key' is incorrect (should be 255 characters at most)"]
        if len(str(event.get("dedup_key") or "")) > 255
        else []
    )
    if action != "trigger":
        return errors if event.get("dedup_key") else [*errors, "'dedup_key' is missing or blank"]
    if not isinstance(payload, dict):
        return [*errors, "'payload' is missing or blank"]
    if not bodies.text_of(payload.get("source")):
        no_summary.append("'payload.source' is missing or blank")
    if payload.get("severity") not in _SEVERITIES:
        no_summary.append(f"'payload.severity' is invalid (must be one of the following: {', '.join(_SEVERITIES)})")
    return errors + no_summary


def _wrong_key(key: str) -> str:
    if len(key) != _KEY_LENGTH:
        return f"Length of 'routing_key' is incorrect (should be {_KEY_LENGTH} characters)"
    return "'routing_key' is unknown"


def _invalid(errors: list[str], *, status: int = 400) -> HttpResponse:
    answer = {"status": "invalid event", "message": "Event object is invalid", "errors": errors}
    return JsonResponse(answer, status=status)


def _slow_down() -> HttpResponse:
    answer = {
        "status": "throttle exceeded",
        "message": "Requests for this service are arriving too quickly. Please retry later.",
    }
    return JsonResponse(answer, status=429, headers={"Retry-After": "10"})
