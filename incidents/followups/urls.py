"""The addresses of follow-ups."""

from django.urls import path

from incidents.followups import views

urlpatterns = [
    path("incidents/<int:number>/follow-ups/new/", views.add, name="follow-up-new"),
    path("follow-ups/", views.follow_ups, name="follow-ups"),
    path("follow-ups/export/", views.export, name="follow-ups-export"),
    path("follow-ups/<int:pk>/", views.follow_up, name="follow-up"),
    path("follow-ups/<int:pk>/begin/", views.begin, name="follow-up-begin"),
    path("follow-ups/<int:pk>/complete/", views.complete, name="follow-up-complete"),
    path("follow-ups/<int:pk>/drop/", views.drop, name="follow-up-drop"),
    path("follow-ups/<int:pk>/reopen/", views.reopen, name="follow-up-reopen"),
    path("follow-ups/<int:pk>/edit/", views.edit, name="follow-up-edit"),
]
