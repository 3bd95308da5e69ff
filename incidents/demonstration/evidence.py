"""What monitors said of an incident: their deliveries, read by the product's own readers, and the alert that these make."""

import hashlib
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F

from incidents.alerts.drain import drain
from incidents.alerts.models import Alert, Delivery, Outcome, Source
from incidents.alerts.reading import understand
from incidents.alerts.turn import Turn
from incidents.demonstration.cast import Cast
from incidents.demonstration.monitors import MONITORS, MonitorReading, body
from incidents.demonstration.stories import Failure, Signal


@dataclass
class Mail:
    """All deliveries, to be written in the order in which they came, with what came of each."""

    now: datetime
    posted: list[tuple[Delivery, list[Outcome]]] = field(default_factory=list)

    def keep(self, delivery: Delivery, outcomes: list[Outcome]) -> None:
        """Keep what retention would have kept up to now: old deliveries are gone, old bodies are empty."""
        age = self.now - delivery.received_at
        if age >= timedelta(days=settings.KEEP_DELIVERIES_DAYS - 1):
            return
        if age >= timedelta(days=settings.KEEP_BODIES_DAYS - 1):
            delivery.body = b""
            delivery.pruned_at = delivery.received_at + timedelta(days=settings.KEEP_BODIES_DAYS)
        self.posted.append((delivery, outcomes))

    def write(self) -> None:
        """Write them, and let the product work off what it has yet to read, as if it had done so when it came."""
        self.posted.sort(key=lambda pair: pair[0].received_at)
        Delivery.objects.bulk_create(delivery for delivery, _ in self.posted)
        Outcome.objects.bulk_create(outcome for _, outcomes in self.posted for outcome in outcomes)
        due = Delivery.objects.due()
        waiting = list(due.values_list("pk", flat=True))
        drain()
        Delivery.objects.filter(pk__in=waiting).update(processed_at=F("received_at") + timedelta(seconds=1))


def posted(source: Source, text: bytes, at: datetime, *, agent: str) -> Delivery:
    """A delivery as it arrived at a moment, not yet read."""
    return Delivery(
        source=source,
        received_at=at,
        due_at=at,
        body=text,
        size=len(text),
        digest=hashlib.sha256(text).hexdigest(),
        headers={"content-type": "application/json", "user-agent": agent},
    )


def of_reading(cast: Cast, reading: MonitorReading) -> Delivery:
    code = reading.signal.monitor
    return posted(cast.sources[code], body(reading), reading.at, agent=MONITORS[code].agent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """From the first firing to the end; `until` is None while it goes on."""

    signal: Signal
    system: str
    severity: str
    since: datetime
    until: datetime | None


def tell(chance: random.Random, cast: Cast, mail: Mail, failure: Failure, episode: Episode) -> Alert:
    """Let a monitor tell of an episode; returns the alert, which is not written yet."""
    source, ends_after = cast.sources[episode.signal.monitor], MONITORS[episode.signal.monitor].ends_after
    turn = Turn(source)
    for at in _moments(chance, episode, ends_after=ends_after, now=mail.now):
        _take(turn, mail, of_reading(cast, _reading(chance, episode, at, is_over=at == episode.until)))
    (alert,) = turn.opened
    alert.system = cast.systems[failure.system]
    if ends_after and episode.until:
        _expire(alert, timedelta(minutes=ends_after))
    return alert


def _moments(chance: random.Random, episode: Episode, *, ends_after: int | None, now: datetime) -> list[datetime]:
    """When it was told of: at once, now and then while it lasts, and in the end where its monitor says so."""
    last = (episode.until or now) - timedelta(minutes=ends_after or 1)
    moments, at = [episode.since], episode.since
    while (at := at + timedelta(hours=chance.uniform(1, 6))) < last and len(moments) < 12:
        moments.append(at)
    return [*moments, episode.until] if episode.until and not ends_after else moments


def _reading(chance: random.Random, episode: Episode, at: datetime, *, is_over: bool) -> MonitorReading:
    value = episode.signal.threshold if is_over else chance.uniform(*episode.signal.reads)
    return MonitorReading(
        signal=episode.signal,
        system=episode.system,
        value=value,
        severity=episode.severity,
        since=episode.since,
        at=at,
        is_over=is_over,
    )


def _take(turn: Turn, mail: Mail, delivery: Delivery) -> None:
    first = len(turn.outcomes)
    statements = understand(turn.source, delivery)
    for position, statement in enumerate(statements):
        turn.apply(delivery, position, statement)
    delivery.status, delivery.claim_count = Delivery.Status.PROCESSED, len(statements)
    delivery.processed_at = delivery.received_at + timedelta(seconds=1)
    outcomes = []
    for outcome, alert in turn.outcomes[first:]:
        outcome.alert = alert
        outcomes.append(outcome)
    mail.keep(delivery, outcomes)


def _expire(alert: Alert, lease: timedelta) -> None:
    """End it as `alerts.upkeep` does: its monitor never says that it is over."""
    alert.status, alert.ends_at = Alert.Status.RESOLVED, alert.last_received_at + lease
    alert.flags = sorted({*alert.flags, "expired"})
