"""The addresses of what the AI did in an incident."""

from django.urls import path

from incidents.evidence import views

_evidence = "incidents/<int:number>/evidence/"

urlpatterns = [
    path("incidents/<int:number>/actions/", views.actions, name="agent-actions"),
    path(_evidence, views.samples, name="samples"),
    path(_evidence + "new/", views.paste, name="sample-new"),
    path(_evidence + "upload/", views.upload, name="samples-upload"),
    path(_evidence + "keep/", views.keep, name="samples-keep"),
    path(_evidence + "freeze/", views.freeze, name="samples-freeze"),
    path(_evidence + "rate/", views.rate, name="samples-rate"),
    path(_evidence + "<int:pk>/", views.sample, name="sample"),
    path(_evidence + "<int:pk>/judge/", views.judge, name="sample-judge"),
    path(_evidence + "<int:pk>/redact/", views.redact, name="sample-redact"),
    path(_evidence + "<int:pk>/confirm/", views.confirm, name="sample-confirm"),
    path(_evidence + "<int:pk>/remove/", views.remove, name="sample-remove"),
]
