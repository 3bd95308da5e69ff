"""The addresses of follow-ups."""

from django.urls import path

from incidents.followups.views import acts, lists, one

urlpatterns = [
    path("incidents/<int:number>/follow-ups/new/", one.add, name="follow-up-new"),
    path("follow-ups/", lists.follow_ups, name="follow-ups"),
    path("follow-ups/export/", lists.export, name="follow-ups-export"),
    path("follow-ups/<int:pk>/", one.follow_up, name="follow-up"),
    path("follow-ups/<int:pk>/begin/", acts.begin, name="follow-up-begin"),
    path("follow-ups/<int:pk>/complete/", acts.complete, name="follow-up-complete"),
    path("follow-ups/<int:pk>/drop/", acts.drop, name="follow-up-drop"),
    path("follow-ups/<int:pk>/reopen/", acts.reopen, name="follow-up-reopen"),
    path("follow-ups/<int:pk>/edit/", one.edit, name="follow-up-edit"),
    path("follow-ups/<int:pk>/proof/", one.edit_proof, name="follow-up-proof"),
    path("follow-ups/<int:pk>/look/", acts.look, name="follow-up-look"),
    path("follow-ups/<int:pk>/drill/", acts.drill, name="follow-up-drill"),
]
