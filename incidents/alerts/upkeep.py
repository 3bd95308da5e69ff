"""What alerts need from time to time, whatever arrives: done by the worker, and by the sweeper where there is none."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from incidents.alerts import commit, watching
from incidents.alerts.models import Alert, Source
from incidents.alerts.policies import Silence

GRACE = timedelta(seconds=60)


def look_after_alerts() -> None:
    """End leases that ran out, route what outlasted its silence, and open alerts about what is not heard of.

    Safe to run twice and at once: each looks at rows, locks as a turn does, and changes what is still to be changed.
    """
    expire()
    release_silenced()
    watching.look()


def expire(now: datetime | None = None) -> int:
    """End the alerts whose lease ran out a minute ago or more; returns how many. Locks as a turn does."""
    bound = (now or timezone.now()) - GRACE
    over = Alert.objects.firing().filter(expires_at__lt=bound)
    ended = 0
    for source_id in over.order_by("source").values_list("source", flat=True).distinct():
        with transaction.atomic():
            source = Source.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=source_id).first()
            if source is None:
                continue  # it is being drained, and may be repeated this very moment
            alerts = list(over.filter(source=source).order_by("pk")[:1000])
            for alert in alerts:
                alert.status, alert.ends_at = Alert.Status.RESOLVED, max(alert.expires_at or bound, alert.starts_at)
                alert.flags = sorted({*alert.flags, "expired"})
            commit.expire(alerts)
            ended += len(alerts)
    return ended


def release_silenced() -> int:
    """Route what still fires when its silence has ended; returns how many alerts. Locks as a turn does."""
    over = Silence.objects.filter(ends_at__lte=timezone.now(), released_at=None)
    released = 0
    for silence in over.order_by("pk"):
        silenced = Alert.objects.firing().filter(silence=silence, held=Alert.Held.SILENCED)
        for source_id in sorted(set(silenced.values_list("source", flat=True))):
            with transaction.atomic():
                source = Source.objects.select_for_update(no_key=True).get(pk=source_id)
                alerts = list(silenced.filter(source=source).select_related("system").order_by("pk"))
                for alert in alerts:
                    alert.source = source
                commit.route_again(alerts)
                released += len(alerts)
        Silence.objects.filter(pk=silence.pk).update(released_at=timezone.now())
    return released
