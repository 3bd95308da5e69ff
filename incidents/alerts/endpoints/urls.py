"""The addresses that monitors send to. They are asked first, and pass by the middleware of pages."""

from collections.abc import Callable

from django.http import HttpResponse
from django.urls import URLPattern, path, re_path

from incidents.alerts.endpoints import alertmanager, opsgenie, pagerduty, plain


def _api(rest: str, view: Callable[..., HttpResponse]) -> list[URLPattern]:
    """An API below the ingest address: with the token in the path, or with the token as a credential."""
    return [path(f"ingest/{rest}", view), path(f"ingest/<str:token>/{rest}", view)]


urlpatterns = [
    path("ingest", plain.ingest, name="ingest"),
    *_api("api/v2/alerts", alertmanager.alerts),
    *_api("api/v2/alerts/", alertmanager.alerts),
    *_api("api/v2/status", alertmanager.status),
    *_api("api/v1/alerts", alertmanager.version_1),
    *_api("-/healthy", alertmanager.healthy),
    *_api("-/ready", alertmanager.healthy),
    path("ingest/<str:token>", plain.ingest, name="ingest-token"),
    path("v2/enqueue", pagerduty.enqueue, name="pagerduty-enqueue"),
    path("v2/change/enqueue", pagerduty.enqueue_change, name="pagerduty-change"),
    path("v2/alerts", opsgenie.create, name="opsgenie-create"),
    re_path(r"^v2/alerts/(?P<alias>.+)/(?P<act>close|acknowledge)$", opsgenie.act, name="opsgenie-act"),
]
