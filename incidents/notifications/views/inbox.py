"""What somebody was told, and what they want to be told."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from incidents.notifications.email import read_unsubscribe_token
from incidents.notifications.forms.preferences import PreferenceForm
from incidents.notifications.messages import Notification
from incidents.notifications.preferences import Preference
from incidents.notifications.topics import TOPICS
from incidents.web.request import Answer, Request, change, page, visible_or_404, whole_number

A_PAGE = 50
MOST_PAGES = 200


@page
@require_safe
def notifications(request: Request) -> Answer:
    """One's own notifications: the unread ones, or all, newest first."""
    show = "all" if request.GET.get("show") == "all" else "unread"
    mine = Notification.objects.of(request.user).defer("picture")
    rows = (mine if show == "all" else mine.unread()).select_related("incident").prefetch_related("dispatches")
    number = min(max(whole_number(request.GET.get("page", "")) or 1, 1), MOST_PAGES)
    found = list(rows[(number - 1) * A_PAGE : number * A_PAGE + 1])
    context = {
        "notifications": found[:A_PAGE],
        "next_page": number + 1 if len(found) > A_PAGE and number < MOST_PAGES else None,
        "show": show,
        "unread": mine.unread().count(),
    }
    return render(request, "notifications/list.html", context)


@page
@require_safe
def notification(request: Request, pk: UUID) -> Answer:
    """Go to what it tells of; it is read then."""
    mine: Notification = visible_or_404(Notification.objects.of(request.user).defer("picture"), pk=pk)
    Notification.objects.filter(pk=mine.pk).read()
    return redirect(mine.path)


@change()
def read_all(request: Request) -> Answer:
    Notification.objects.of(request.user).read()
    return redirect("notifications")


@page
@require_http_methods(["GET", "HEAD", "POST"])
def notification_settings(request: Request) -> Answer:
    """What somebody wants to be told by mail, and their quiet hours."""
    preference = Preference.of_people([request.user])[request.user.pk]
    form = PreferenceForm(preference, request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Saved.")
        return redirect("notification-settings")
    return render(request, "notifications/settings.html", {"form": form}, status=422 if form.is_bound else 200)


@never_cache
@csrf_exempt  # the mail program posts here by itself (RFC 8058); the signature is what it proves
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Stop mails of one topic, from a link in one; it asks first, and needs no sign-in."""
    meant = read_unsubscribe_token(token)
    if meant is None:
        return render(request, "notifications/unsubscribe.html", {"topic": None}, status=404)
    person, topic, channel = meant
    if request.method == "POST":
        Preference.of_people([person])[person.pk].mute(topic, channel)
    context = {"topic": TOPICS[topic], "person": person, "done": request.method == "POST"}
    return render(request, "notifications/unsubscribe.html", context)
