"""Where “/” leads, and the palette."""

from django.urls import path

from incidents.shell.home import home
from incidents.shell.palette import palette

urlpatterns = [
    path("", home, name="home"),
    path("palette/", palette, name="palette"),
]
