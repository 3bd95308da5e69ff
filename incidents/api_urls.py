"""The addresses of the API: what each slice brings, under one version."""

from typing import Any

from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny
from rest_framework.routers import SimpleRouter

from incidents.alerts import api as alerts
from incidents.api import schema as schema  # registers how keys are described
from incidents.evaluations import api as evaluations
from incidents.evidence import actions_api as agents
from incidents.evidence import api as evidence
from incidents.followups import api as followups
from incidents.notifications import api as notifications
from incidents.notifications import webhook_api as webhooks
from incidents.oncall import api as oncall
from incidents.postmortems import api as postmortems
from incidents.reports.api import TrendsView
from incidents.response import api as response
from incidents.systems import api as systems
from incidents.web.problems import problem

app_name = "api"

router = SimpleRouter()
router.register("systems", systems.SystemViewSet, "system")
router.register("changes", systems.ChangeViewSet, "change")
router.register("sources", alerts.SourceViewSet, "source")
router.register("alerts", alerts.AlertViewSet, "alert")
router.register("silences", alerts.SilenceViewSet, "silence")
router.register("rules", alerts.RulesViewSet, "rules")
router.register("deliveries", alerts.DeliveryViewSet, "delivery")
router.register("incidents", response.IncidentViewSet, "incident")
router.register("postmortems", postmortems.PostmortemViewSet, "postmortem")
router.register("webhooks", webhooks.WebhookViewSet, "webhook")
router.register("webhook-deliveries", webhooks.WebhookDeliveryViewSet, "webhook-delivery")
router.register("follow-ups", followups.FollowUpViewSet, "follow-up")


def _docs(view: Any) -> Any:
    """The readable documentation. Its library sets styles inline, so on this page alone they are allowed."""
    return csp_update({"style-src": ["'unsafe-inline'"]})(view)


@csrf_exempt
def nothing_here(request: HttpRequest) -> HttpResponse:
    return problem(404, "not_found", "The API has no such address; /api/v1/docs/ lists them.")


# The description of the API is the same for everybody and holds no data.
_open = {"authentication_classes": [], "permission_classes": [AllowAny]}

_incident = r"^v1/incidents/(?P<number>[0-9]{1,9})/"
_system = r"^v1/systems/(?P<slug>[-a-zA-Z0-9_]{1,50})/"
_rota = r"^v1/on-call/(?P<team>[-a-zA-Z0-9_]{1,50})/"
_overrides = oncall.OverrideViewSet.as_view({"get": "list", "post": "create"})
_override = oncall.OverrideViewSet.as_view({"delete": "destroy"})

_actions = agents.AgentActionViewSet.as_view({"get": "list", "post": "create"})
_samples = evidence.SampleViewSet.as_view({"get": "list", "post": "create"})
_sample = evidence.SampleViewSet.as_view({"patch": "partial_update"})

urlpatterns = [
    # What slices above the core do about one incident
    re_path(_incident + "notifications/$", notifications.ToldView.as_view(), name="incident-notifications"),
    re_path(_incident + "snooze/$", notifications.SnoozeView.as_view(), name="incident-snooze"),
    re_path(_system + "reach/$", notifications.ReachView.as_view(), name="system-reach"),
    # CI jobs ask these, with or without the last slash
    re_path(_system + "evaluation-cases/?$", evaluations.EvaluationCasesView.as_view(), name="evaluation-cases"),
    re_path(_system + "evaluation-runs/?$", evaluations.EvaluationRunsView.as_view(), name="evaluation-runs"),
    re_path(_incident + "merge/$", alerts.MergeView.as_view(), name="incident-merge"),
    re_path(_incident + "postmortem/$", postmortems.StartPostmortemView.as_view(), name="incident-postmortem"),
    re_path(_incident + "follow-ups/$", followups.AddFollowUpView.as_view(), name="incident-follow-ups"),
    re_path(_incident + "actions/$", _actions, name="incident-actions"),
    re_path(_incident + "ai-context/$", evidence.AiContextView.as_view(), name="incident-ai-context"),
    re_path(_incident + "samples/$", _samples, name="incident-samples"),
    re_path(_incident + r"samples/(?P<pk>[0-9]{1,18})/$", _sample, name="incident-sample"),
    path("v1/on-call/", oncall.OnCallView.as_view(), name="on-call"),
    re_path(_rota + "shifts/$", oncall.ShiftsView.as_view(), name="on-call-shifts"),
    re_path(_rota + "overrides/$", _overrides, name="on-call-overrides"),
    re_path(_rota + r"overrides/(?P<pk>[0-9]{1,18})/$", _override, name="on-call-override"),
    path("v1/", include(router.urls)),
    # A deploy job that leaves the last slash out loses nothing: a redirect would lose its body.
    path("v1/changes", systems.ChangesWithoutSlash.as_view({"get": "list", "post": "create"})),
    re_path(r"^v1/reports/trends/?$", TrendsView.as_view(), name="trends"),
    path("v1/schema/", SpectacularAPIView.as_view(**_open), name="schema"),
    path("v1/docs/", _docs(SpectacularSwaggerSplitView.as_view(url_name="api:schema", **_open)), name="docs"),
    re_path(r"^", nothing_here),
]
