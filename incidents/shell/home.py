"""Where “/” leads."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from incidents.people.models import User


def home(request: HttpRequest) -> HttpResponse:
    """The open incidents; on an empty Faultline, the page that creates the first administrator."""
    if request.user.is_authenticated or User.objects.exists():
        return redirect("incidents")
    return redirect("first-run")
