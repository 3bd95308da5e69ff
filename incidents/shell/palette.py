"""The command palette: go anywhere, find anything. Above all slices, like the navigation: it looks into several."""

import re
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from incidents.followups.models import FollowUp
from incidents.people.models import User
from incidents.postmortems import search
from incidents.postmortems.document import Postmortem
from incidents.response.incident import Incident
from incidents.systems.models import System
from incidents.web.request import Request, page

MOST = 6


@dataclass(frozen=True, slots=True)
class Found:
    label: str
    url: str
    icon: str
    hint: str = ""


_PLACES = (
    ("Open a new incident", "declare", "siren"),
    ("My day", "home", "user"),
    ("Incidents", "incidents", "siren"),
    ("Notifications", "notifications", "inbox"),
    ("Notification settings", "notification-settings", "settings"),
    ("Alerts", "alerts", "bell-ring"),
    ("On call", "on-call", "calendar-clock"),
    ("Status page", "status", "heart-pulse"),
    ("Postmortems", "postmortems", "file-text"),
    ("Postmortem questions", "postmortem-guide", "file-text"),
    ("Public AI incidents", "public-incidents", "file-text"),
    ("Import postmortems", "postmortem-import", "file-text"),
    ("Follow-ups", "follow-ups", "list-checks"),
    ("Systems", "systems", "boxes"),
    ("Sources", "sources", "radio-tower"),
    ("Connect a monitor", "source-new", "plug"),
    ("Rules", "rules", "list-checks"),
    ("Silences", "silences", "volume-x"),
    ("Silence alerts", "silence-new", "volume-x"),
    ("Deliveries", "deliveries", "inbox"),
    ("Reports", "reports", "chart-line"),
    ("Trust by system", "trust", "chart-line"),
    ("Saved reports", "kept-reports", "chart-line"),
    ("My account", "account", "user"),
)
_ADMINISTRATION = ("Administration: people, teams, systems", "admin:index", "settings")


@page
@require_safe
def palette(request: Request) -> HttpResponse:
    """Answer what somebody types: “#42” is an incident, words are looked for everywhere."""
    words = " ".join(request.GET.get("q", "").split())[:100]
    groups = {"Go to": _places(words, request.user)}
    if words:
        groups |= {
            "Incidents": _incidents(words, request.user),
            "Systems": _systems(words, request.user),
            "People": _people(words),
            "Postmortems": _postmortems(words, request.user),
            "Follow-ups": _follow_ups(words, request.user),
        }
    shown = [(name, found) for name, found in groups.items() if found]
    return render(request, "web/_palette.html", {"groups": shown, "words": words})


def _places(words: str, user: User) -> list[Found]:
    wanted = words.lower()
    places = (*_PLACES, _ADMINISTRATION) if user.is_staff else _PLACES
    return [Found(label, reverse(name), icon) for label, name, icon in places if wanted in label.lower()][: MOST + 2]


def _people(words: str) -> list[Found]:
    """People by name, each with the incidents that they lead."""
    rows = User.objects.active().filter(name__icontains=words)[:MOST]
    leads = [f"{reverse('incidents')}?{urlencode({'status': 'all', 'lead': person.email})}" for person in rows]
    return [Found(str(person), url, "user", "incidents they lead") for person, url in zip(rows, leads, strict=True)]


def _incidents(words: str, user: User) -> list[Found]:
    rows = Incident.objects.visible_to(user).select_related("system")
    if number := re.fullmatch(r"(?i)(?:inc-|#)?(\d{1,9})", words, re.ASCII):
        rows = rows.filter(number=int(number[1]))
    else:
        rows = rows.matching(words).order_by("-number")
    return [
        Found(
            f"{row} {row.title}",
            row.get_absolute_url(),
            "siren",
            f"{row.get_status_display()}, {row.system or 'no system'}",
        )
        for row in rows[:MOST]
    ]


def _systems(words: str, user: User) -> list[Found]:
    rows = System.objects.visible_to(user).filter(name__icontains=words).order_by("name")[:MOST]
    return [Found(row.name, row.get_absolute_url(), "boxes", row.get_kind_display()) for row in rows]


def _postmortems(words: str, user: User) -> list[Found]:
    rows = Postmortem.objects.visible_to(user).filter(words=search.query(words)).select_related("incident")
    return [
        Found(f"{row.incident} {row.name}", row.get_absolute_url(), "file-text", row.get_state_display())
        for row in rows.order_by("-pk")[:MOST]
    ]


def _follow_ups(words: str, user: User) -> list[Found]:
    rows = FollowUp.objects.visible_to(user).filter(title__icontains=words).order_by("-pk")[:MOST]
    return [Found(row.title, row.get_absolute_url(), "list-checks", row.get_state_display()) for row in rows]
