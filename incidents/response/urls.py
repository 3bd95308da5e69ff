"""The addresses of incidents and of what stakeholders read."""

from django.urls import path
from django.views.generic import RedirectView

from incidents.response.views import (
    containments,
    declare,
    facts,
    files,
    incident,
    links,
    lists,
    public,
    roles,
    story,
    tasks,
    updates,
    verbs,
)

_incident = "incidents/<int:number>/"

urlpatterns = [
    path("incidents/", lists.incidents, name="incidents"),
    path("incidents/new/", declare.declare, name="declare"),
    path("incidents/alike/", declare.alike, name="incidents-alike"),
    path("incidents/many/", lists.many, name="incidents-many"),
    path("incidents/many/people/", lists.people, name="incidents-people"),
    path("incidents/views/", lists.save_view, name="view-new"),
    path("incidents/views/<int:pk>/drop/", lists.drop_view, name="view-drop"),
    path("preview/", incident.preview, name="preview"),
    path("i/<int:number>", RedirectView.as_view(pattern_name="incident"), name="incident-short"),
    path(_incident, incident.incident, name="incident"),
    path(_incident + "notes/", incident.add_note, name="incident-note"),
    path(_incident + "acknowledge/", verbs.acknowledge, name="incident-acknowledge"),
    path(_incident + "decline/", verbs.decline, name="incident-decline"),
    path(_incident + "resolve/", verbs.resolve, name="incident-resolve"),
    path(_incident + "reopen/", verbs.reopen, name="incident-reopen"),
    path(_incident + "close/", verbs.close, name="incident-close"),
    *(
        path(f"{_incident}{name}/", view, name=f"incident-{name}")
        for name, view in {
            "severity": facts.severity,
            "classify": facts.classify,
            "system": facts.system,
            "lead": facts.lead,
            "noticed": facts.noticed,
            "kind": facts.kind,
            "describe": facts.description,
            "visibility": facts.visibility,
            "call": facts.call,
            "channel": facts.channel,
            "link": facts.link,
        }.items()
    ),
    path(_incident + "roles/<slug:code>/", facts.role, name="incident-role"),
    path(_incident + "clocks/<slug:clock>/", facts.clock, name="incident-clock"),
    path(_incident + "impact/more/", facts.more_exposure, name="incident-more-exposure"),
    path(_incident + "impact/of/<slug:unit>/", facts.exposure, name="incident-exposure"),
    path(_incident + "impact/<slug:question>/", facts.answer, name="incident-answer"),
    path(_incident + "contain/", containments.contain, name="incident-contain"),
    path(_incident + "containments/<int:pk>/", containments.move_containment, name="containment-move"),
    path(_incident + "hand-over/", roles.hand_over, name="hand-over"),
    path(_incident + "hand-over/<int:pk>/", roles.answer_handover, name="hand-over-answer"),
    path(_incident + "tasks/", tasks.add_task, name="task-new"),
    path(_incident + "tasks/<int:pk>/", tasks.move_task, name="task-move"),
    path(_incident + "events/<int:pk>/", story.entry, name="entry"),
    path(_incident + "events/<int:pk>/pin/", story.pin, name="entry-pin"),
    path(_incident + "files/", files.attach, name="attach"),
    path(_incident + "files/<int:pk>/", files.attachment, name="attachment"),
    path(_incident + "files/<int:pk>/remove/", files.detach, name="attachment-remove"),
    path(_incident + "similar/", links.like_this, name="incident-similar"),
    path(_incident + "links/<int:pk>/remove/", links.unlink, name="incident-unlink"),
    path(_incident + "follow/", updates.follow, name="incident-follow"),
    path(_incident + "updates/", updates.post_update, name="update-new"),
    # What stakeholders read
    path("status/", updates.status, name="status"),
    path("systems/<slug:slug>/follow/", updates.follow_system, name="system-follow"),
    path("teams/<slug:slug>/follow/", updates.follow_team, name="team-follow"),
    path("public/<slug:slug>/", public.public, name="public"),
    path("public/<slug:slug>/feed/", public.feed, name="public-feed"),
    path("systems/<slug:slug>/public/", public.public_desk, name="public-desk"),
    path("systems/<slug:slug>/public/posts/", public.write_public, name="public-post-new"),
    path("systems/<slug:slug>/public/posts/<int:pk>/", public.decide_public, name="public-post-decide"),
]
