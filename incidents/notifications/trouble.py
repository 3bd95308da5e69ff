"""A channel that fails says so to whoever can mend it: the team's leads, or the administrators."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from incidents.notifications import audience
from incidents.notifications.destinations import Destination
from incidents.notifications.messages import Notification
from incidents.notifications.transmissions import Transmission
from incidents.people.models import Role, User

PAUSED = "Not sent: the channel was paused."


def pause(destination: Destination, *, reason: str, by: User | None = None) -> None:
    """Send nothing more there. What waits is given up, and can be sent again; leads are told unless one of them did it."""
    now = timezone.now()
    with transaction.atomic():
        rows = Destination.objects.filter(pk=destination.pk, paused_at=None)
        if not rows.update(paused_at=now, pause_reason=reason[:300]):
            return
        Transmission.objects.filter(destination=destination).waiting().update(failed_at=now, error=PAUSED)
        if by is None:
            _tell(
                destination,
                f"{destination} is paused",
                reason,
                key=f"channel-paused:{destination.pk}:{int(now.timestamp())}",
            )
    destination.refresh_from_db()


def tell_of_failure(destination: Destination, *, reason: str, at: datetime) -> None:
    """Tell that something could not be delivered, once a day for each channel."""
    _tell(destination, f"{destination} refused a message", reason, key=f"channel-failed:{destination.pk}:{at:%Y-%m-%d}")


def _tell(destination: Destination, subject: str, reason: str, *, key: str) -> None:
    administrators = User.objects.active().filter(is_superuser=True)
    people = audience.members(destination.team, Role.LEAD) if destination.team else administrators
    Notification.objects.tell(
        people or administrators,
        topic="channel.failed",
        about=[],
        subject=f"Channel {subject}",
        text=f"{reason}\n\nThe channel’s page shows what was sent there and what it answered.",
        path=destination.get_absolute_url(),
        key=key,
    )
