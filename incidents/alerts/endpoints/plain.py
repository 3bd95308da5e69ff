"""The address of a source: any monitor posts what it posts, and is answered as its kind wants to be."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse

from incidents.alerts.endpoints import guard
from incidents.alerts.endpoints.guard import Rejected, endpoint
from incidents.alerts.models import Delivery, Source
from incidents.web.problems import problem


@endpoint
def ingest(request: HttpRequest, token: str | None = None) -> HttpResponse:
    """Store one delivery and say where its outcome will be found. 2xx only once it is durable."""
    if request.method not in {"GET", "HEAD", "POST", "PUT", "OPTIONS"}:
        return _not_allowed("POST")
    source = guard.source_of(request, token)
    if request.method == "OPTIONS":
        return _may_send(request)
    if request.method not in source.about.methods:
        return _not_allowed(", ".join(source.about.methods))
    headers = guard.headers_of(request)
    if request.method == "GET":
        body = request.META.get("QUERY_STRING", "").encode("utf-8", "replace")
        headers["content-type"] = "application/x-www-form-urlencoded"
    else:
        body = guard.body_of(request, limit=source.byte_limit)
    _check_media(source, headers)
    if not body.strip() and "ce-id" not in headers:
        raise Rejected(400, "empty", "The body is empty; there is nothing to store.")
    return _taken(source, guard.take(source, body, headers))


def _taken(source: Source, delivery: Delivery) -> HttpResponse:
    if source.about.answers == "ok":
        return HttpResponse("ok", content_type="text/plain")
    status = reverse("api:delivery-detail", kwargs={"pk": delivery.pk})
    return JsonResponse({"delivery": delivery.pk, "status_url": f"{settings.BASE_URL}{status}"})


def _check_media(source: Source, headers: dict[str, str]) -> None:
    """Only CloudEvents are strict: their sender learns by 415 that a mode is not understood."""
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    if (
        source.kind == "cloudevents"
        and "ce-specversion" not in headers
        and not media.endswith(("json", "octet-stream"))
    ):
        raise Rejected(
            415, "unsupported_media_type", "Send CloudEvents in binary, structured or batched mode, in JSON."
        )


def _may_send(request: HttpRequest) -> HttpResponse:
    """Answer the handshake of CloudEvents' webhooks: the sender may send, at a rate that is no limit in practice."""
    answer = HttpResponse(status=200, headers={"Allow": "POST, OPTIONS"})
    origin = request.headers.get("WebHook-Request-Origin", "")
    if origin and urlsplit(f"//{origin}").hostname:
        answer["WebHook-Allowed-Origin"] = origin
        answer["WebHook-Allowed-Rate"] = str(settings.INGEST_EVENTS_A_MINUTE)
    return answer


def _not_allowed(methods: str) -> HttpResponse:
    return problem(
        405, "method_not_allowed", f"This address takes {methods} from a monitor.", headers={"Allow": methods}
    )
