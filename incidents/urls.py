"""The addresses of the pages, slice by slice."""

from django.urls import include, path
from django.views.generic import RedirectView

from incidents.health import views as health
from incidents.response import views as response
from incidents.response import views_updates as updates
from incidents.response import views_work as work
from incidents.shell.home import home
from incidents.shell.palette import palette
from incidents.systems import views as systems
from incidents.web import account
from incidents.web.styleguide import styleguide

_incident = "incidents/<int:number>/"


urlpatterns = [
    # The doors for monitors, first: they are asked most, and addresses are tried in this order
    path("", include("incidents.alerts.endpoints.urls")),
    path("", home, name="home"),
    path("welcome/", account.first_run, name="first-run"),
    path("account/", account.account, name="account"),
    path("account/keys/", account.make_key, name="key-new"),
    path("account/keys/<int:pk>/revoke/", account.revoke_key, name="key-revoke"),
    # Incidents
    path("incidents/", response.incidents, name="incidents"),
    path("incidents/new/", response.declare, name="declare"),
    path("incidents/alike/", response.alike, name="incidents-alike"),
    path("incidents/many/", response.many, name="incidents-many"),
    path("incidents/views/", response.save_view, name="view-new"),
    path("incidents/views/<int:pk>/drop/", response.drop_view, name="view-drop"),
    path("palette/", palette, name="palette"),
    path("preview/", response.preview, name="preview"),
    path("i/<int:number>", RedirectView.as_view(pattern_name="incident"), name="incident-short"),
    path(_incident, response.incident, name="incident"),
    path(_incident + "acknowledge/", response.acknowledge, name="incident-acknowledge"),
    path(_incident + "edit/", response.edit, name="incident-edit"),
    path(_incident + "kind/", response.set_kind, name="incident-kind"),
    path(_incident + "similar/", response.like_this, name="incident-similar"),
    path(_incident + "containments/<int:pk>/", work.move_containment, name="containment-move"),
    path(_incident + "roles/", work.give_role, name="incident-role"),
    path(_incident + "hand-over/", work.hand_over, name="hand-over"),
    path(_incident + "hand-over/<int:pk>/", work.answer_handover, name="hand-over-answer"),
    path(_incident + "tasks/", work.add_task, name="task-new"),
    path(_incident + "tasks/<int:pk>/", work.move_task, name="task-move"),
    path(_incident + "events/<int:pk>/", work.entry, name="entry"),
    path(_incident + "events/<int:pk>/pin/", work.pin, name="entry-pin"),
    path(_incident + "files/", work.attach, name="attach"),
    path(_incident + "files/<int:pk>/", work.attachment, name="attachment"),
    path(_incident + "files/<int:pk>/remove/", work.detach, name="attachment-remove"),
    path(_incident + "links/", work.link, name="incident-link"),
    path(_incident + "links/<int:pk>/remove/", work.unlink, name="incident-unlink"),
    path(_incident + "follow/", work.follow, name="incident-follow"),
    path(_incident + "impact/", work.impact, name="incident-impact"),
    path(_incident + "updates/", updates.post_update, name="update-new"),
    path(_incident + "decline/", response.decline, name="incident-decline"),
    path(_incident + "contain/", response.contain, name="incident-contain"),
    path(_incident + "resolve/", response.resolve, name="incident-resolve"),
    path(_incident + "reopen/", response.reopen, name="incident-reopen"),
    path(_incident + "close/", response.close, name="incident-close"),
    path(_incident + "severity/", response.set_severity, name="incident-severity"),
    path(_incident + "lead/", response.assign_lead, name="incident-lead"),
    path(_incident + "classify/", response.classify, name="incident-classify"),
    path(_incident + "system/", response.set_system, name="incident-system"),
    path(_incident + "describe/", response.describe, name="incident-describe"),
    path(_incident + "noticed/", response.say_who_noticed, name="incident-noticed"),
    path(_incident + "clocks/", response.clocks, name="incident-clocks"),
    path(_incident + "private/", response.restrict, name="incident-restrict"),
    path(_incident + "public/", response.open_up, name="incident-open-up"),
    path(_incident + "notes/", response.add_note, name="incident-note"),
    path("", include("incidents.alerts.urls")),
    # What stakeholders read
    path("status/", updates.status, name="status"),
    path("public/<slug:slug>/", updates.public, name="public"),
    path("systems/<slug:slug>/public/", updates.public_desk, name="public-desk"),
    path("systems/<slug:slug>/public/posts/", updates.write_public, name="public-post-new"),
    path("systems/<slug:slug>/public/posts/<int:pk>/", updates.decide_public, name="public-post-decide"),
    path("systems/<slug:slug>/follow/", updates.follow_system, name="system-follow"),
    path("teams/<slug:slug>/follow/", updates.follow_team, name="team-follow"),
    # Systems
    path("systems/", systems.systems, name="systems"),
    path("systems/<slug:slug>/", systems.system, name="system"),
    path("", include("incidents.postmortems.urls")),
    path("", include("incidents.followups.urls")),
    path("style-guide/", styleguide, name="style-guide"),
    # Reports
    path("", include("incidents.reports.urls")),
    # What machines ask
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
