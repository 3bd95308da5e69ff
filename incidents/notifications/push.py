"""Notifications in the browsers of a person."""

from collections.abc import Sequence

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from incidents import outgoing
from incidents.errors import Refused
from incidents.notifications.acting import ActLink, MessageAct, possible
from incidents.notifications.browsers import Browser
from incidents.notifications.channels.answers import Judgement, Reception, refused, retry
from incidents.notifications.channels.base import Announcement
from incidents.notifications.channels.catalogue import BROWSER
from incidents.notifications.messages import Dispatch, Notification
from incidents.notifications.topics import Urgency
from incidents.people.models import User

_SECONDS = 3.0


class NotPushed(OSError):
    """No browser of the person took it; the same may work later."""


def send(bundle: Sequence[Dispatch]) -> str:
    """Show the latest of the bundle, which is for one person, in each of their browsers.

    Returns why none can ever show it, "" where one does. Raises NotPushed where one may later.
    """
    latest = bundle[-1].notification
    return push(latest.person, _announcement(latest, others=len(bundle) - 1))


def push(person: User, announcement: Announcement) -> str:
    judgements = [_push(browser, announcement) for browser in Browser.objects.filter(person=person)]
    receptions = [judgement.reception for judgement in judgements]
    if Reception.DELIVERED in receptions:
        return ""
    if Reception.RETRY in receptions:
        raise NotPushed(judgements[receptions.index(Reception.RETRY)].reason)
    return judgements[0].reason if judgements else "No browser is left."


def _push(browser: Browser, announcement: Announcement) -> Judgement:
    """Ask the browser's push service. One that says that the browser is gone is believed."""
    now = timezone.now()
    try:
        request = BROWSER.request(browser.config(), announcement, now=now)
        answer = outgoing.send(
            request.method, request.url, body=request.body, headers=request.headers, seconds=_SECONDS, most=2_000
        )
        judgement = BROWSER.judge(answer, now=now)
    except outgoing.Unreachable as trouble:
        judgement = retry(str(trouble))
    except (outgoing.Blocked, Refused, ValueError) as trouble:
        judgement = refused(str(trouble))
    if judgement.reception is Reception.GONE:
        browser.delete()
    elif judgement.reception is Reception.DELIVERED:
        Browser.objects.filter(pk=browser.pk).update(sent_at=now, error="")
    else:
        Browser.objects.filter(pk=browser.pk).update(error=judgement.reason[:300])
    return judgement


def _announcement(notification: Notification, *, others: int) -> Announcement:
    incident = notification.incident
    acts = [("Open", f"{settings.BASE_URL}{notification.path}")]
    if notification.urgency == Urgency.PAGE and incident and (offered := _buttons(notification)):
        secret = ActLink.objects.give(notification.person, incident)
        page = f"{settings.BASE_URL}{reverse('act', args=[secret])}"
        # What is behind the # is for the service worker, which does it; a worker of an earlier version opens the page.
        acts += [(act.label, f"{page}#{act}") for act in offered]
    more = f"and {others} more\n" if others else ""
    return Announcement(
        topic=notification.topic,
        event_id=str(incident) if incident else notification.pk.hex,
        at=notification.made_at,
        subject=notification.subject,
        text=f"{more}{notification.text}",
        urgent=notification.urgency == Urgency.PAGE,
        acts=tuple(acts),
    )


def _buttons(notification: Notification) -> Sequence[MessageAct]:
    """What can be done by a button, two at most: browsers show no more. An update needs words."""
    acts = possible(notification.incident, notification.person) if notification.incident else []
    return [act for act in acts if act != MessageAct.UPDATE][:2]


def test(person: User) -> str:
    """Show a test in each of their browsers; returns why none can. Raises NotPushed."""
    now = timezone.now()
    announcement = Announcement(
        topic="test",
        event_id="test",
        at=now,
        subject="Test from Faultline",
        text="This is how you are told in this browser.",
        acts=(("Open", settings.BASE_URL + reverse("browsers")),),
    )
    return push(person, announcement)
