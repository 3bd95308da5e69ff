"""The door that monitors knock at: authenticate, check the size, store, answer. Nothing here reads the content."""

import base64
import re
from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from incidents.alerts.ingest import receive
from incidents.alerts.models import Source
from incidents.alerts.nudge import nudge
from incidents.web.problems import problem

_TOKEN = re.compile(r"[0-9a-f]{32}", re.ASCII)


@csrf_exempt
@require_http_methods(["POST"])
def ingest(request: HttpRequest, token: str | None = None) -> HttpResponse:
    """Store one delivery and say where its outcome will be found. 2xx only once it is durable."""
    presented = token or _presented(request)
    source = Source.objects.for_token(presented) if _TOKEN.fullmatch(presented) else None
    if source is None:
        if token:
            return problem(404, "unknown_source", "No source has this address. Was the token rotated?")
        return problem(
            401, "bad_credential", "Send the source’s token as Bearer or as Basic password.",
            headers={"WWW-Authenticate": 'Bearer realm="ingest"'},
        )  # fmt: skip
    if source.retired_at:
        return problem(410, "retired_source", "This source was retired; its monitor should stop sending.")
    return accept(request, source)


def accept(request: HttpRequest, source: Source) -> HttpResponse:
    body = read_body(request, limit=settings.INGEST_MAX_BYTES)
    if body is None:
        most = settings.INGEST_MAX_BYTES // (1024 * 1024)
        return problem(413, "too_large", f"A delivery may have {most} MiB at most.")
    if not body.strip():
        return problem(400, "empty", "The body is empty; there is nothing to store.")
    headers = {name.lower(): value for name, value in request.headers.items()}
    delivery = receive(source, body, headers=headers)
    nudge()
    status = reverse("api:delivery-detail", kwargs={"pk": delivery.pk})
    return JsonResponse({"delivery": delivery.pk, "status_url": f"{settings.BASE_URL}{status}"})


def read_body(request: HttpRequest, *, limit: int) -> bytes | None:
    """Read at most `limit` bytes; None if there are more.

    Not `request.body`: Django's own limit is meant for forms. A chunked body has no length, and Django would read
    nothing of it; the server marks such a stream as ending by itself.
    """
    length = request.META.get("CONTENT_LENGTH") or ""
    if length.isdigit() and int(length) > limit:
        return None
    if not length and request.META.get("wsgi.input_terminated"):
        body = request.META["wsgi.input"].read(limit + 1)
    else:
        body = request.read(limit + 1)
    return None if len(body) > limit else cast(bytes, body)


def _presented(request: HttpRequest) -> str:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    match scheme.lower():
        case "bearer":
            return value.strip()
        case "basic":
            try:
                return base64.b64decode(value, validate=True).decode().partition(":")[2]
            except ValueError:  # not base64, or not text inside
                return ""
    return ""
