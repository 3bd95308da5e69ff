"""Alertmanager's API v2, so that Prometheus and whatever else sends to an Alertmanager sends here by a path prefix."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from incidents.alerts.endpoints import guard
from incidents.alerts.endpoints.guard import Rejected, endpoint
from incidents.web.problems import problem

_STARTED_AT = timezone.now()


@endpoint
def alerts(request: HttpRequest, token: str | None = None) -> HttpResponse:
    """Take a list of alerts. Always 200 for a list: Prometheus drops the whole batch on anything else."""
    if request.method != "POST":
        return problem(
            405, "method_not_allowed", "Post alerts here; read them by /api/v1/alerts/.", headers={"Allow": "POST"}
        )
    source = guard.source_of(request, token)
    headers = guard.headers_of(request)
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Rejected(415, "unsupported_media_type", "Send application/json, as Alertmanager’s API v2 wants it.")
    body = guard.body_of(request, limit=source.byte_limit)
    try:
        guard.take(source, body, headers, door="alertmanager", is_json=True)
    except Rejected as rejection:
        if rejection.status != 400:
            raise
        return JsonResponse({"code": 400, "message": rejection.detail}, status=400)
    answer = HttpResponse()
    del answer["Content-Type"]  # there is no content, as in Alertmanager's own answer
    return answer


@endpoint
def status(request: HttpRequest, token: str | None = None) -> HttpResponse:
    """Say that it works, in the form that amtool and probes read."""
    guard.source_of(request, token)
    return JsonResponse(
        {
            "cluster": {"name": "faultline", "peers": [], "status": "ready"},
            "config": {"original": ""},
            "uptime": _STARTED_AT.isoformat(),
            "versionInfo": dict.fromkeys(("branch", "buildDate", "buildUser", "goVersion", "revision", "version"), ""),
        }
    )


@endpoint
def healthy(request: HttpRequest, token: str | None = None) -> HttpResponse:
    guard.source_of(request, token)
    return HttpResponse("OK", content_type="text/plain")


@endpoint
def version_1(request: HttpRequest, token: str | None = None) -> HttpResponse:
    return problem(410, "api_version_gone", "API v1 was removed from Alertmanager too; send to /api/v2/alerts.")
