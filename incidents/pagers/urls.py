"""Where pagers answer, and the pages about it. The door passes by the middleware of pages."""

from django.urls import path, re_path

from incidents.pagers import door
from incidents.pagers.views import pages

urlpatterns = [
    re_path(r"^pagers/(?P<token>[^/]+)/$", door.receive),  # as somebody may paste it
    path("pagers/<str:token>", door.receive, name="pager-in"),
    path("channels/<int:pk>/back/", pages.pager, name="pager"),
    path("channels/<int:pk>/back/address/", pages.make_address, name="pager-address"),
    path("channels/<int:pk>/back/secrets/", pages.add_secret, name="pager-secret-new"),
    path("channels/<int:pk>/back/secrets/<int:secret_pk>/remove/", pages.remove_secret, name="pager-secret-remove"),
    path("channels/<int:pk>/back/people/<int:person_pk>/", pages.set_person, name="pager-person"),
    path("channels/<int:pk>/back/log/<int:row_pk>/", pages.delivery, name="pager-delivery"),
]
