"""Shifts as an iCalendar (RFC 5545), for calendars that subscribe to them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse
from icalendar import Calendar, Event

from incidents.oncall.cover import Cover, covers
from incidents.oncall.feeds import CalendarLink
from incidents.oncall.shifts import Duty, joined
from incidents.people.models import Team, User

BACK, AHEAD = timedelta(days=28), timedelta(days=92)
REFRESH = timedelta(hours=1)


def calendar_of(link: CalendarLink, now: datetime) -> bytes:
    """What a link gives: the shifts of its team, or its owner's own for all teams, from four weeks ago to three months ahead."""
    if link.team:
        return _team(covers([link.team], now - BACK, now + AHEAD)[link.team.pk], now)
    teams = Team.objects.filter(on_call__isnull=False)
    return _own(link.owner, covers(teams, now - BACK, now + AHEAD).values(), now)


def _team(cover: Cover, now: datetime) -> bytes:
    calendar = _empty(f"On call: {cover.team}")
    for duty in joined(cover.duties):
        title = f"{cover.people[duty.person]} is on call for {cover.team}"
        calendar.add_component(_event(duty, cover.team, title, now))
    return bytes(calendar.to_ical())


def _own(person: User, found: Iterable[Cover], now: datetime) -> bytes:
    calendar = _empty(f"{person} on call")
    for cover in found:
        for duty in joined(duty for duty in cover.duties if duty.person == person.pk):
            calendar.add_component(_event(duty, cover.team, f"On call for {cover.team}", now))
    return bytes(calendar.to_ical())


def _empty(name: str) -> Calendar:
    calendar = Calendar()
    calendar.add("PRODID", "-//Faultline//On call//EN")
    calendar.add("VERSION", "2.0")
    calendar.add("CALSCALE", "GREGORIAN")
    calendar.add("METHOD", "PUBLISH")
    calendar.add("NAME", name)
    calendar.add("X-WR-CALNAME", name)
    calendar.add("REFRESH-INTERVAL", REFRESH, parameters={"VALUE": "DURATION"})
    return calendar


def _event(duty: Duty, team: Team, title: str, now: datetime) -> Event:
    event = Event()
    host = urlsplit(settings.BASE_URL).hostname
    event.add("UID", f"{team.slug}-{duty.person}-{duty.start:%Y%m%dT%H%M%SZ}@{host}")
    event.add("DTSTAMP", now)
    event.add("DTSTART", duty.start)
    event.add("DTEND", duty.end)
    event.add("SUMMARY", title)
    event.add("URL", settings.BASE_URL + reverse("on-call-team", args=[team.slug]))
    event.add("TRANSP", "TRANSPARENT")  # being on call does not make anybody busy
    return event
