"""The addresses of the pages, slice by slice."""

from django.urls import include, path
from django.views.generic import RedirectView

from incidents.followups import views as followups
from incidents.health import views as health
from incidents.postmortems import views as postmortems
from incidents.postmortems import views_guide as guide
from incidents.postmortems import views_share as sharing
from incidents.postmortems import views_write as writing
from incidents.response import views as response
from incidents.response import views_updates as updates
from incidents.response import views_work as work
from incidents.shell.home import home
from incidents.shell.palette import palette
from incidents.systems import views as systems
from incidents.web import account
from incidents.web.styleguide import styleguide

_incident = "incidents/<int:number>/"
_postmortem = "postmortems/<slug:slug>/"
_follow_up = "follow-ups/<int:pk>/"


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
    path(_incident + "postmortem/", postmortems.begin, name="postmortem-begin"),
    path(_incident + "follow-ups/new/", followups.add, name="follow-up-new"),
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
    # Postmortems
    path("postmortems/", postmortems.postmortems, name="postmortems"),
    path("postmortems/guide/", guide.guide, name="postmortem-guide"),
    path("postmortems/guide/<int:number>/", guide.guide_version, name="postmortem-guide-version"),
    path("postmortems/public/", guide.public_library, name="public-incidents"),
    path("postmortems/people/", writing.people, name="postmortem-people"),
    path("postmortems/import/", guide.bring, name="postmortem-import"),
    path("postmortems/import/<int:pk>/", guide.bring_preview, name="postmortem-import-preview"),
    path("postmortems/import/<int:pk>/take/", guide.bring_in, name="postmortem-import-take"),
    path("shared/<str:secret>/", sharing.shared, name="shared"),
    path(_postmortem, postmortems.postmortem, name="postmortem"),
    path(_postmortem + "sections/<slug:key>/", writing.write, name="postmortem-write"),
    path(_postmortem + "sections/<slug:key>/settle/", writing.settle, name="postmortem-settle"),
    path(_postmortem + "sections/<slug:key>/comment/", writing.comment, name="postmortem-comment"),
    path(_postmortem + "sections/<slug:key>/comments/", writing.comments, name="postmortem-comments"),
    path(_postmortem + "sections/<slug:key>/note/", sharing.take_note, name="postmortem-note"),
    path(_postmortem + "comments/<int:pk>/", writing.settle_comment, name="postmortem-comment-settle"),
    path(_postmortem + "live/", writing.live, name="postmortem-live"),
    path(_postmortem + "preview/", writing.preview, name="postmortem-preview"),
    path(_postmortem + "files/", writing.keep_file, name="postmortem-file"),
    path(_postmortem + "evidence/", writing.gathered, name="postmortem-evidence"),
    path(_postmortem + "line/", writing.line, name="postmortem-line"),
    path(_postmortem + "factors/", writing.add_factor, name="factor-new"),
    path(_postmortem + "factors/<int:pk>/", writing.change_factor, name="factor"),
    path(_postmortem + "trigger/", postmortems.set_trigger, name="postmortem-trigger"),
    path(_postmortem + "title/", postmortems.rename, name="postmortem-title"),
    path(_postmortem + "depth/", postmortems.set_depth, name="postmortem-depth"),
    path(_postmortem + "incidents/", postmortems.cover, name="postmortem-cover"),
    path(_postmortem + "review/", postmortems.send_to_review, name="postmortem-review"),
    path(_postmortem + "ask/", postmortems.ask, name="postmortem-ask"),
    path(_postmortem + "decide/", postmortems.decide, name="postmortem-decide"),
    path(_postmortem + "send-back/", postmortems.send_back, name="postmortem-send-back"),
    path(_postmortem + "publish/", postmortems.publish, name="postmortem-publish"),
    path(_postmortem + "amend/", postmortems.amend, name="postmortem-amend"),
    path(_postmortem + "excuse/", postmortems.excuse, name="postmortem-excuse"),
    path(_postmortem + "reopen/", postmortems.reopen, name="postmortem-reopen"),
    path(_postmortem + "owner/", postmortems.assign, name="postmortem-owner"),
    path(_postmortem + "history/", sharing.past, name="postmortem-history"),
    path(_postmortem + "history/<int:pk>/restore/", sharing.restore, name="postmortem-restore"),
    path(_postmortem + "meeting/", sharing.meeting, name="postmortem-meeting"),
    path(_postmortem + "fixes/", sharing.park, name="fix-new"),
    path(_postmortem + "fixes/<int:pk>/", sharing.decide_fix, name="fix"),
    path(_postmortem + "markdown/", sharing.download, name="postmortem-download"),
    path(_postmortem + "json/", sharing.as_json, name="postmortem-json"),
    path(_postmortem + "print/", sharing.printed, name="postmortem-print"),
    path(_postmortem + "print/head.css", sharing.running_head, name="postmortem-running-head"),
    path(_postmortem + "pdf/", sharing.pdf, name="postmortem-pdf"),
    path(_postmortem + "share/", sharing.share, name="postmortem-share"),
    path(_postmortem + "share/new/", sharing.make_link, name="share-link-new"),
    path(_postmortem + "share/<int:pk>/end/", sharing.end_link, name="share-link-end"),
    path(_postmortem + "external/", sharing.write_external, name="external-write"),
    path(_postmortem + "external/approve/", sharing.approve_external, name="external-approve"),
    # Follow-ups
    path("follow-ups/", followups.follow_ups, name="follow-ups"),
    path(_follow_up, followups.follow_up, name="follow-up"),
    path(_follow_up + "begin/", followups.begin, name="follow-up-begin"),
    path(_follow_up + "complete/", followups.complete, name="follow-up-complete"),
    path(_follow_up + "drop/", followups.drop, name="follow-up-drop"),
    path(_follow_up + "reopen/", followups.reopen, name="follow-up-reopen"),
    path(_follow_up + "plan/", followups.plan, name="follow-up-plan"),
    path("style-guide/", styleguide, name="style-guide"),
    # Reports
    path("", include("incidents.reports.urls")),
    # What machines ask
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
