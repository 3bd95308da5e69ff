"""What monitors send: sources, their deliveries, the alerts these are about, and what came of every claim."""

from incidents.alerts.models.alert import Alert, AlertQuerySet, AlertSeverity
from incidents.alerts.models.delivery import Delivery, DeliveryQuerySet, Outcome
from incidents.alerts.models.source import SigningSecret, Source, SourceQuerySet, Subscription, ingest_url

__all__ = [
    "Alert",
    "AlertQuerySet",
    "AlertSeverity",
    "Delivery",
    "DeliveryQuerySet",
    "Outcome",
    "SigningSecret",
    "Source",
    "SourceQuerySet",
    "Subscription",
    "ingest_url",
]
