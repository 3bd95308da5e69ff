"""Notifications as mail: plain and HTML, one thread for each incident, with a way to stop what may be stopped."""

from collections.abc import Sequence
from email.mime.image import MIMEImage
from urllib.parse import urlsplit

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse

from incidents.notifications.acting import ActLink, can_act
from incidents.notifications.messages import Channel, Dispatch, Notification
from incidents.notifications.topics import TOPICS, Urgency, topic_of
from incidents.people.models import User

_SALT = "incidents.notifications.unsubscribe"


def send(bundle: Sequence[Dispatch]) -> str:
    """Send one mail for all of the bundle, which is for one person. Raises what the way to the mail server raises."""
    notifications = [dispatch.notification for dispatch in bundle]
    message = _single(notifications[0]) if len(bundle) == 1 else _several(notifications)
    message.extra_headers["Message-ID"] = f"<dispatch-{bundle[0].pk}.{bundle[0].attempts}@{_host()}>"
    message.send()
    return ""


def _single(notification: Notification) -> EmailMultiAlternatives:
    topic, incident = topic_of(notification.topic), notification.incident
    links = [(_label(notification), f"{settings.BASE_URL}{notification.path}")]
    if notification.urgency == Urgency.PAGE and incident and can_act(incident, notification.person):
        secret = ActLink.objects.give(notification.person, incident)
        links.insert(0, ("Acknowledge, take the lead or snooze", f"{settings.BASE_URL}{reverse('act', args=[secret])}"))
    message = _message(notification.person, notification.subject, [notification], links)
    if incident:
        thread = f"<incident-{incident.pk}@{_host()}>"
        message.extra_headers |= {"In-Reply-To": thread, "References": thread}
    if not topic.always:
        stop = f"{settings.BASE_URL}{reverse('unsubscribe', args=[unsubscribe_token(notification)])}"
        message.extra_headers |= {
            "List-Unsubscribe": f"<{stop}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    return message


def _several(notifications: Sequence[Notification]) -> EmailMultiAlternatives:
    """One mail for what came fast: how much, the newest first, each with its address."""
    newest_first = list(reversed(notifications))
    about = {notification.incident_id for notification in notifications}
    subject = f"{len(about)} incidents: {newest_first[0].subject}" if len(about) > 1 else newest_first[0].subject
    links = [("Open the list of incidents", f"{settings.BASE_URL}{reverse('incidents')}")]
    return _message(notifications[0].person, subject[:200], newest_first, links)


def _message(
    person: User, subject: str, notifications: Sequence[Notification], links: Sequence[tuple[str, str]]
) -> EmailMultiAlternatives:
    picture = next((each.picture for each in notifications if each.picture), None)
    context = {
        "subject": subject,
        "notifications": notifications,
        "several": len(notifications) > 1,
        "links": links,
        "base": settings.BASE_URL,
        "has_picture": bool(picture),
        "settings_url": f"{settings.BASE_URL}{reverse('notification-settings')}",
    }
    plain = render_to_string("notifications/mail.txt", context).strip() + "\n"
    message = EmailMultiAlternatives(subject, plain, None, [person.email])
    message.attach_alternative(render_to_string("notifications/mail.html", context), "text/html")
    if picture:
        # Inside the mail, not linked: readers see it without loading anything, and nobody learns that they did.
        image = MIMEImage(bytes(picture), "png")
        image.add_header("Content-ID", "<picture>")
        image.add_header("Content-Disposition", "inline", filename="picture.png")
        message.attach(image)
    return message


def _label(notification: Notification) -> str:
    if notification.topic.startswith("report"):
        return "Open the report"
    return f"Open {notification.incident}" if notification.incident else "Open in Faultline"


def unsubscribe_token(notification: Notification) -> str:
    """What a link in a mail carries to stop its topic: whose mails of what, signed, without a limit in time."""
    chosen = {"person": notification.person_id, "topic": notification.topic, "channel": Channel.EMAIL.value}
    return signing.dumps(chosen, salt=_SALT, compress=True)


def read_unsubscribe_token(token: str) -> tuple[User, str, str] | None:
    """Whose messages of which topic on which channel a link means to stop; None where nobody signed it."""
    try:
        chosen = signing.loads(token, salt=_SALT)
    except signing.BadSignature:
        return None
    person = User.objects.active().filter(pk=chosen["person"]).first()
    return (person, chosen["topic"], chosen["channel"]) if person and chosen["topic"] in TOPICS else None


def _host() -> str:
    return urlsplit(settings.BASE_URL).hostname or "localhost"
