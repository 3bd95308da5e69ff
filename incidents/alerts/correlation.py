"""What makes two alerts one failure: the same place, failing in the same way. Pure."""

import hashlib
import re

from incidents.alerts.models import Alert
from incidents.response.vocabulary import correlation_key


def key_of(alert: Alert, group: str = "") -> str:
    """The correlation key of an alert: where it is, its category, and a rule's group.

    A group that is long becomes a digest.
    """
    return correlation_key(place_key(alert), alert.category, _short(group, 40))


def place_key(alert: Alert) -> str:
    """Where an alert is: its system, else the name it gave, else its service, else its source and its own name.

    What shares nothing but a source is not one failure.
    """
    if alert.system_id:
        return f"system:{alert.system_id}"
    if alert.system_name:
        return f"name:{alert.system_name.strip().lower()}"
    if alert.service:
        return f"service:{' '.join(alert.service.lower().split())}"
    return f"source:{alert.source_id}:{_short(alert_name(alert), 100)}"


def alert_name(alert: Alert) -> str:
    """Name what an alert is called in each of its repeats, whichever node or number it speaks of."""
    return re.sub(r"[0-9a-f]{8,}|\d+", "#", alert.telling_name)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else hashlib.sha256(text.encode()).hexdigest()[:16]


def place_of(alert: Alert) -> str:
    """Say where an alert is, as `place_key` sees it."""
    if alert.system:
        return f"the system {alert.system}"
    if alert.system_name:
        return f"the unknown system “{alert.system_name}”"
    if alert.service:
        return f"the service “{alert.service}”"
    return f"“{alert_name(alert).replace('_', ' ')}” from {alert.source}"
