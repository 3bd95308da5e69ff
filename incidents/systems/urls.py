"""The addresses of the catalogue."""

from django.urls import path

from incidents.systems import views

urlpatterns = [
    path("systems/", views.systems, name="systems"),
    path("systems/<slug:slug>/", views.system, name="system"),
    path("systems/<slug:slug>/changes/new/", views.add_change, name="change-new"),
]
