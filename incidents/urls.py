"""The addresses of the pages, slice by slice."""

from django.urls import path

from incidents.alerts import door
from incidents.health import views as health

urlpatterns = [
    path("ingest", door.ingest, name="ingest"),
    path("ingest/<str:token>", door.ingest, name="ingest-token"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
