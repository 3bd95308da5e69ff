"""The page of one's browsers: turn notifications on in this one, try them, remove others."""

import re

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from incidents.errors import Refused
from incidents.notifications import push
from incidents.notifications.browsers import Browser, PushKey
from incidents.notifications.forms.browsers import BrowserForm
from incidents.web.request import Answer, Request, change, first_error, page, visible_or_404

_BROWSERS = ("Edg", "OPR", "Firefox", "Chrome", "Safari")
_SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Macintosh", "Linux")
_NAMES = {"Edg": "Edge", "OPR": "Opera", "Macintosh": "macOS"}


@page
@require_safe
def browsers(request: Request) -> Answer:
    context = {
        "browsers": Browser.objects.filter(person=request.user).order_by("-created_at"),
        "form": BrowserForm(),
        "key": PushKey.public(),
    }
    return render(request, "notifications/browsers.html", context)


@change(Refused)
def add(request: Request) -> Answer:
    form = BrowserForm(request.POST)
    if not form.is_valid():
        raise ValidationError(first_error(form.errors.values()))
    Browser.objects.subscribe(request.user, name=_name(request), **form.cleaned_data)
    messages.success(request, "You are told in this browser from now on. Send a test to see how.")
    return redirect("browsers")


@change(push.NotPushed)
def test(request: Request) -> Answer:
    if refusal := push.test(request.user):
        messages.error(request, refusal)
    else:
        messages.success(request, "Sent. It shows in a few seconds.")
    return redirect("browsers")


@change()
def remove(request: Request, pk: int) -> Answer:
    browser = visible_or_404(Browser.objects.filter(person=request.user), pk=pk)
    browser.delete()
    messages.success(request, f"You are no longer told in {browser}.")
    return redirect("browsers")


def _name(request: Request) -> str:
    """What the browser calls itself, in two words."""
    said = request.headers.get("User-Agent", "")
    found = [next((name for name in names if re.search(name, said)), "") for names in (_BROWSERS, _SYSTEMS)]
    return " on ".join(_NAMES.get(name, name) for name in found if name) or "A browser"
