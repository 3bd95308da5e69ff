"""Which alerts are listed: the inbox's views of them, its search, and those that matchers hold for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Case, Count, Max, Q, When
from django.db.models.functions import Lower
from django.utils import timezone

from incidents.alerts.matchers import Unmatchable, all_hold, parse
from incidents.alerts.models import Alert, AlertQuerySet, DeliveryQuerySet
from incidents.alerts.routing import facts_of

NOISY = 20  # repeats within one episode
LATELY = timedelta(days=7)
MOST_COUNTED = 1000

VIEWS = {
    "firing": "Firing",
    "unlinked": "Without incident",
    "held": "Held back",
    "noisy": "Noisy",
    "flapping": "Flapping",
    "unsettled": "Unknown system",
    "unclassified": "Unclassified",
    "all": "All",
}
HINTS = {
    "unlinked": "Firing, but neither part of an incident nor held back.",
    "held": "Firing, but held back from opening an incident: silenced, waiting for more repeats, or only recorded.",
    "noisy": f"Repeated {NOISY} times or more, in the last 7 days. A rule can make them wait, record them or drop them.",
    "flapping": "Fired again within ten minutes of ending, in the last 7 days.",
    "unsettled": "They name a system or service that Faultline does not know. Choose the right system once; later alerts follow.",
    "unclassified": "The taxonomy has no confident match, in the last 7 days. Your classification is remembered for the source.",
}


def of_view(rows: AlertQuerySet, view: str) -> AlertQuerySet:
    """Keep the alerts of one view of the inbox."""
    lately = rows.filter(last_received_at__gte=timezone.now() - LATELY)
    match view:
        case "firing":
            return rows.filter(status=Alert.Status.FIRING)
        case "unlinked":
            return rows.filter(status=Alert.Status.FIRING, incident=None, held="")
        case "held":
            return rows.filter(status=Alert.Status.FIRING, incident=None).exclude(held="")
        case "noisy":
            return lately.filter(occurrences__gte=NOISY)
        case "flapping":
            return lately.filter(flaps__gte=1)
        case "unsettled":
            return rows.unsettled()
        case "unclassified":
            return lately.filter(category="")
    return rows


def counts(rows: AlertQuerySet) -> dict[str, str]:
    """Count each view but the last, to a thousand and no further, so that it stays cheap in a storm."""
    numbers = {view: of_view(rows, view)[: MOST_COUNTED + 1].count() for view in VIEWS if view != "all"}
    return {view: f"{MOST_COUNTED:,}+" if count > MOST_COUNTED else str(count) for view, count in numbers.items()}


MOST_NAMES = 20


def unknown_names(rows: AlertQuerySet) -> list[Mapping[str, Any]]:
    """What monitors call the systems that nobody knows: each `name` with its `alerts` and the `newest`, commonest first."""
    named = rows.unsettled().annotate(name=Lower(Case(When(system_name="", then="service"), default="system_name")))
    counted = named.values("name").annotate(alerts=Count("pk"), newest=Max("pk"))
    return list(counted.order_by("-alerts", "name")[:MOST_NAMES])


_PAIR = re.compile(r"\s*([A-Za-z_][\w.:-]*)\s*=\s*\"?([^\"]*)\"?\s*")
_FIELDS = {
    "source": "source__slug",
    "system": "system__slug",
    "service": "service",
    "environment": "environment",
    "severity": "severity",
    "category": "category",
    "failure_mode": "failure_mode",
    "metric": "measured__metric",
    "kind": "source__kind",
    "condition": "condition",
}


def search(rows: AlertQuerySet, words: str) -> AlertQuerySet:
    """Find alerts by anything: label=value, a fingerprint, INC-12, the number of a delivery, or words."""
    words = words.strip()
    if pair := _PAIR.fullmatch(words):
        name, value = pair[1], pair[2]
        label = Q(labels__contains={name: value})
        return rows.filter(label | Q(**{_FIELDS[name]: value})) if name in _FIELDS else rows.filter(label)
    if incident := re.fullmatch(r"(?i)inc-(\d{1,9})", words, re.ASCII):
        return rows.filter(incident__number=int(incident[1]))
    if re.fullmatch(r"[0-9a-f]{12,64}", words):
        return rows.filter(Q(fingerprint__startswith=words) | Q(upstream_id__startswith=words))
    matches = Q(title__icontains=words) | Q(system_name__icontains=words) | Q(service__icontains=words)
    matches |= Q(system__name__icontains=words) | Q(source__name__icontains=words) | Q(upstream_id=words)
    if re.fullmatch(r"\d{1,18}", words, re.ASCII):
        matches |= Q(pk=int(words)) | Q(outcomes__delivery=int(words))
    return rows.filter(matches).distinct()


def search_deliveries(rows: DeliveryQuerySet, words: str) -> DeliveryQuerySet:
    """Find deliveries by number, digest, source, or what was wrong with them."""
    words = words.strip()
    if re.fullmatch(r"\d{1,18}", words, re.ASCII):
        return rows.filter(pk=int(words))
    if re.fullmatch(r"[0-9a-f]{12,64}", words):
        return rows.filter(digest__startswith=words)
    return rows.filter(Q(error__icontains=words) | Q(source__name__icontains=words) | Q(source__slug=words))


LOOKED_AT = 5000  # alerts
SHOWN = 20


@dataclass(frozen=True)
class Matching:
    """Which alerts matchers hold for: the latest that fire, how many do, and how many of the last 24 hours'.

    `fault` says why what was typed are no matchers.
    """

    firing: tuple[Alert, ...] = ()
    firing_count: int = 0
    day_count: int = 0
    fault: str = ""


def matching(rows: AlertQuerySet, text: str) -> Matching | None:
    """Look for what typed matchers hold for among the newest alerts that fire or came lately; None without a matcher."""
    try:
        matchers = parse(text)
    except Unmatchable as error:
        return Matching(fault=str(error))
    if not matchers:
        return None
    since = timezone.now() - timedelta(days=1)
    latest = rows.filter(Q(status=Alert.Status.FIRING) | Q(last_received_at__gte=since)).for_list()[:LOOKED_AT]
    matched = [alert for alert in latest if all_hold(matchers, facts_of(alert))]
    firing = [alert for alert in matched if alert.is_firing]
    return Matching(tuple(firing[:SHOWN]), len(firing), len(matched))
