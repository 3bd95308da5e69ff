"""The addresses of the pages: each room brings its own."""

from django.urls import include, path

# The endpoints for monitors stand first: they are asked most, and addresses are tried in this order.
_ROOMS = (
    "alerts.endpoints",
    "pagers",
    "shell",
    "response",
    "notifications",
    "alerts",
    "evaluations",
    "systems",
    "oncall",
    "postmortems",
    "evidence",
    "followups",
    "reports",
    "web",
    "health",
)

urlpatterns = [path("", include(f"incidents.{room}.urls")) for room in _ROOMS]
