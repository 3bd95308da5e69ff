"""Where “/” leads."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from incidents.people.models import User
from incidents.shell.my_day import my_day


def home(request: HttpRequest) -> HttpResponse:
    """What waits for whoever is signed in; on an empty Faultline, the page that creates the first administrator."""
    if isinstance(request.user, User):
        return render(request, "shell/my_day.html", {"day": my_day(request.user)})
    return redirect("incidents" if User.objects.exists() else "first-run")
