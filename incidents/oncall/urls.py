"""The addresses of who is on call."""

from django.urls import path

from incidents.oncall.views import changes, links, pages

urlpatterns = [
    path("on-call/", pages.on_call, name="on-call"),
    path("on-call/<slug:slug>/", pages.team, name="on-call-team"),
    path("on-call/<slug:slug>/edit/rota/", changes.edit_rota, name="on-call-edit-rota"),
    path("on-call/<slug:slug>/edit/<slug:kind>/", changes.edit_pointer, name="on-call-edit"),
    path("on-call/<slug:slug>/read/", changes.read_again, name="on-call-read"),
    path("on-call/<slug:slug>/overrides/new/", changes.new_override, name="on-call-override"),
    path("on-call/<slug:slug>/overrides/<int:pk>/remove/", changes.remove_override, name="on-call-override-remove"),
    path("on-call/<slug:slug>/swaps/new/", changes.new_swap, name="on-call-swap"),
    path("on-call/<slug:slug>/swaps/<int:pk>/<slug:act>/", changes.answer_swap, name="on-call-swap-answer"),
    path("on-call/<slug:slug>/link/", links.make_team_link, name="on-call-link"),
    path("account/on-call-link/", links.make_own_link, name="on-call-own-link"),
    path("account/on-call-links/<int:pk>/revoke/", links.revoke_link, name="on-call-link-revoke"),
    path("calendars/<str:token>.ics", links.feed, name="on-call-calendar"),
]
