"""Sources and systems that have gone quiet: silence as an alert of its own, delivered by Faultline itself as any other."""

import json
from datetime import datetime

from django.db.models import Max
from django.utils import timezone

from incidents.alerts.deliveries import receive
from incidents.alerts.models import Alert, Delivery, Source
from incidents.alerts.policies import Watch

OWN_SOURCE = "faultline"


def look(now: datetime | None = None) -> int:
    """Report each watch that became silent, and each that is heard of again; returns how many of both.

    Compared and set in one statement, so that of two processes that look at once only one reports.
    """
    moment = now or timezone.now()
    changed = 0
    for watch in Watch.objects.select_related("source", "system__team").order_by("pk"):
        heard = last_heard(watch)
        is_missing = moment - heard > watch.every
        unchanged = Watch.objects.filter(pk=watch.pk, missing_since__isnull=is_missing)
        if unchanged.update(missing_since=moment if is_missing else None):
            _report(watch, is_missing=is_missing, heard=heard)
            changed += 1
    return changed


def last_heard(watch: Watch) -> datetime:
    """When the source last delivered, or the system was last spoken of; at the latest when the watch was made."""
    if watch.source_id:
        rows = Delivery.objects.filter(source=watch.source_id, is_test=False).exclude(status=Delivery.Status.REFUSED)
        newest = rows.order_by("-received_at").values_list("received_at", flat=True).first()
    else:
        spoken_of = Alert.objects.filter(system=watch.system_id).exclude(source__slug=OWN_SOURCE)
        newest = spoken_of.aggregate(newest=Max("last_received_at"))["newest"]
    return max(filter(None, (newest, watch.made_at)))


def _report(watch: Watch, *, is_missing: bool, heard: datetime) -> None:
    about = watch.source or watch.system
    system = watch.system or (watch.source.system if watch.source else None)
    alert = {
        "title": f"Nothing heard from {about} for {watch.every_minutes} minutes",
        "description": (
            f"Expected at least every {watch.every_minutes} minutes; last heard from at {heard:%Y-%m-%d %H:%M} UTC."
        ),
        "key": f"watch:{watch.pk}",
        "status": "firing" if is_missing else "resolved",
        "severity": watch.severity,
        "metric": "signal_missing",
        "system": system.slug if system else "",
        "labels": {"watched": str(about)},
        "starts_at": (heard + watch.every).isoformat() if is_missing else "",
    }
    receive(own_source(), json.dumps(alert).encode(), headers={"content-type": "application/json"})


def own_source() -> Source:
    """The source by which Faultline itself tells of something. Nobody knows its token."""
    known = Source.objects.filter(slug=OWN_SOURCE).first()
    return known or Source.objects.connect(kind="generic", name="Faultline")[0]
