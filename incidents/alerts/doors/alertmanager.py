"""Alertmanager's API v2, so that Prometheus and whatever else sends to an Alertmanager sends here by a path prefix."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from incidents.alerts.doors import entry
from incidents.alerts.doors.entry import TurnedAway
from incidents.alerts.doors.plain import door
from incidents.web.problems import problem

_STARTED_AT = timezone.now()


@door
def alerts(request: HttpRequest, token: str | None = None) -> HttpResponse:
    """Take a list of alerts. Always 200 for a list: Prometheus drops the whole batch on anything else."""
    if request.method != "POST":
        return problem(
            405, "method_not_allowed", "Post alerts here; read them by /api/v1/alerts/.", headers={"Allow": "POST"}
        )
    source = entry.source_of(request, token)
    headers = entry.headers_of(request)
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise TurnedAway(415, "unsupported_media_type", "Send application/json, as Alertmanager’s API v2 wants it.")
    body = entry.body_of(request, limit=source.byte_limit)
    try:
        entry.take(source, body, headers, door="alertmanager", is_json=True)
    except TurnedAway as refusal:
        if refusal.status != 400:
            raise
        return JsonResponse({"code": 400, "message": refusal.detail}, status=400)
    answer = HttpResponse()
    del answer["Content-Type"]  # there is no content, as in Alertmanager's own answer
    return answer


@door
def status(request: HttpRequest, token: str | None = None) -> HttpResponse:
    """Say that it works, in the form that amtool and probes read."""
    entry.source_of(request, token)
    return JsonResponse({
        "cluster": {"name": "faultline", "peers": [], "status": "ready"},
        "config": {"original": ""},
        "uptime": _STARTED_AT.isoformat(),
        "versionInfo": dict.fromkeys(("branch", "buildDate", "buildUser", "goVersion", "revision", "version"), ""),
    })  # fmt: skip


@door
def healthy(request: HttpRequest, token: str | None = None) -> HttpResponse:
    entry.source_of(request, token)
    return HttpResponse("OK", content_type="text/plain")


@door
def version_1(request: HttpRequest, token: str | None = None) -> HttpResponse:
    return problem(410, "api_version_gone", "API v1 was removed from Alertmanager too; send to /api/v2/alerts.")
