"""The addresses of the pages, slice by slice."""

from django.urls import include, path

from incidents.health import views as health
from incidents.shell.home import home
from incidents.shell.palette import palette
from incidents.web import account
from incidents.web.styleguide import styleguide

urlpatterns = [
    # The doors for monitors, first: they are asked most, and addresses are tried in this order
    path("", include("incidents.alerts.endpoints.urls")),
    path("", home, name="home"),
    path("welcome/", account.first_run, name="first-run"),
    path("account/", account.account, name="account"),
    path("account/keys/", account.create_key, name="key-new"),
    path("account/keys/<int:pk>/revoke/", account.revoke_key, name="key-revoke"),
    path("", include("incidents.response.urls")),
    path("palette/", palette, name="palette"),
    path("", include("incidents.alerts.urls")),
    path("", include("incidents.systems.urls")),
    path("", include("incidents.postmortems.urls")),
    path("", include("incidents.followups.urls")),
    path("style-guide/", styleguide, name="style-guide"),
    # Reports
    path("", include("incidents.reports.urls")),
    # What machines ask
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
