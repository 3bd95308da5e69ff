"""From delivery to alert: drains what monitors delivered, one source at a time.

A source's row is locked for the time of one turn, so claims about the same fingerprint never race, however many
deliveries arrive at once and however many workers drain. Workers skip sources that are being drained. There is no
“in progress” state: the lock is the lease, and it dies with the process. Locks are always taken in this order:
source, correlation keys (sorted), incidents (by id), the incident counter.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, models, transaction
from django.utils import timezone

from incidents.alerts import claims, episodes, routing
from incidents.alerts.claims import Claim, Unreadable
from incidents.alerts.models import Alert, Delivery, Outcome, Source
from incidents.alerts.sources import ADAPTERS

log = structlog.get_logger(__name__)

DELIVERIES_A_TURN = 50
MOST_ATTEMPTS = 5
KEPT_HEADERS = ("content-type", "user-agent", "x-request-id", "x-grafana-org-id")


def receive(source: Source, body: bytes, *, headers: dict[str, str]) -> Delivery:
    """Store a delivery as it came. Once this is committed it will be processed, whatever dies meanwhile."""
    kept = {name: claims.clean_text(headers[name])[:300] for name in KEPT_HEADERS if name in headers}
    return Delivery.objects.create(
        source=source, body=body, size=len(body), digest=hashlib.sha256(body).hexdigest(), headers=kept
    )


def drain(*, older_than: timedelta = timedelta(0), limit: int = 10_000) -> int:
    """Process what is due until nothing is left that nobody else is at; returns how many deliveries were."""
    done, last = 0, 0
    while done < limit:
        turn = _take_turn(older_than=older_than, after=last)
        if turn is None:
            break
        last = turn.source.pk
        done += len(turn.deliveries)
    return done


@dataclass(frozen=True)
class _Taken:
    source: Source
    deliveries: list[Delivery]


def _take_turn(*, older_than: timedelta, after: int) -> _Taken | None:
    """Process the due deliveries of the next source in one transaction; None if no source waits."""
    with transaction.atomic():
        source = _next_source(older_than=older_than, after=after)
        if source is None:
            return None
        due = Delivery.objects.due().filter(source=source).order_by("pk")
        deliveries = list(due[:DELIVERIES_A_TURN])
        try:
            with transaction.atomic():
                _ingest(source, deliveries)
        except (OperationalError, InterfaceError):
            raise  # the database is in trouble, not the delivery: everything stays due
        except Exception:
            log.exception("deliveries_failed_together", source=source.slug, deliveries=len(deliveries))
            for delivery in deliveries:
                _ingest_alone(source, delivery)
    return _Taken(source, deliveries)


def _next_source(*, older_than: timedelta, after: int) -> Source | None:
    """Lock the next source that waits, in turn, so that a busy one does not keep the others waiting."""
    bound = timezone.now() - older_than
    waiting = Delivery.objects.due().filter(source=models.OuterRef("pk"), received_at__lte=bound)
    # NO KEY, or the lock would also hold up the door, whose INSERT of a delivery refers to this row.
    free = Source.objects.select_for_update(no_key=True, skip_locked=True).filter(models.Exists(waiting))
    return free.filter(pk__gt=after).order_by("pk").first() or free.order_by("pk").first()


def _ingest_alone(source: Source, delivery: Delivery) -> None:
    try:
        with transaction.atomic():
            _ingest(source, [delivery])
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        # Whatever this delivery trips over must not stop the ones behind it; it is kept, tried again and shown.
        log.exception("delivery_failed", delivery=delivery.pk, attempts=delivery.attempts + 1)
        attempts = delivery.attempts + 1
        Delivery.objects.filter(pk=delivery.pk).update(
            attempts=attempts,
            status=Delivery.Status.DEAD if attempts >= MOST_ATTEMPTS else Delivery.Status.RECEIVED,
            due_at=timezone.now() + timedelta(seconds=2**attempts),
            error=f"{type(error).__name__} while processing it (attempt {attempts}).",
        )


def _ingest(source: Source, deliveries: Iterable[Delivery]) -> None:
    turn = _Turn(source)
    read: list[tuple[Delivery, int, Claim]] = []
    for delivery in deliveries:
        try:
            found = _read(source, delivery)
        except Unreadable as error:
            delivery.status, delivery.error, delivery.claim_count = Delivery.Status.DEAD, str(error)[:1000], 0
        else:
            delivery.status, delivery.error, delivery.claim_count = Delivery.Status.PROCESSED, "", len(found)
            read.extend((delivery, position, claim) for position, claim in enumerate(found))
        delivery.processed_at = timezone.now()
        turn.deliveries.append(delivery)
    turn.load({claim.fingerprint(source.pk) for _, _, claim in read})
    for delivery, position, claim in read:
        turn.apply(delivery, position, claim)
    turn.save()


def _read(source: Source, delivery: Delivery) -> list[Claim]:
    found = ADAPTERS[source.kind](bytes(delivery.body), delivery.headers)
    if len(found) > settings.INGEST_MAX_ALERTS:
        raise Unreadable(f"It holds {len(found):,} alerts; at most {settings.INGEST_MAX_ALERTS:,} are taken at once.")
    return found


@dataclass
class _Turn:
    """What one turn has read and changed of one source's alerts. Valid while the source's row is locked."""

    source: Source
    deliveries: list[Delivery] = field(default_factory=list)
    firing: dict[str, Alert] = field(default_factory=dict)
    ended: dict[str, Alert] = field(default_factory=dict)
    opened: list[Alert] = field(default_factory=list)
    changed: dict[int, Alert] = field(default_factory=dict)
    cleared: list[Alert] = field(default_factory=list)
    unseen: list[Alert] = field(default_factory=list)
    outcomes: list[tuple[Outcome, Alert | None]] = field(default_factory=list)

    def load(self, fingerprints: set[str]) -> None:
        mine = Alert.objects.filter(source=self.source, fingerprint__in=fingerprints)
        self.firing = {alert.fingerprint: alert for alert in mine.firing()}
        newest = mine.filter(status=Alert.Status.RESOLVED).order_by("fingerprint", "-starts_at").distinct("fingerprint")
        self.ended = {alert.fingerprint: alert for alert in newest}

    def apply(self, delivery: Delivery, position: int, claim: Claim) -> None:
        fingerprint = claim.fingerprint(self.source.pk)
        starts_at, ends_at, flags = claims.settled_times(claim, received_at=delivery.received_at)
        flags = [*claim.flags, *flags]
        if claim.is_test:
            self._trace(
                delivery, position, claim, None, "test", "A test from the monitor’s set-up page; nothing was opened."
            )
            return
        alert, ended = self.firing.get(fingerprint), self.ended.get(fingerprint)
        verdict = episodes.judge(
            claim.says,
            starts_at=starts_at,
            start_given="start_inferred" not in flags,
            ends_at=ends_at,
            end_given="end_inferred" not in flags,
            open_since=alert.newest_start_at if alert else None,
            closed=_closed(ended) if ended else None,
        )
        match verdict.result:
            case "opened":
                alert = self._open(claim, fingerprint, delivery.received_at, starts_at, flags)
            case "repeated" if alert:
                self._repeat(alert, claim, delivery.received_at, starts_at if "start_inferred" not in flags else None)
            case "resolved" if alert:
                self._resolve(alert, ends_at or delivery.received_at, delivery.received_at, flags)
            case "unseen":
                alert = self._note_unseen(claim, fingerprint, delivery.received_at, starts_at, ends_at, flags)
            case _:
                alert = alert or ended
        self._trace(delivery, position, claim, alert, verdict.result, verdict.reason)

    def _open(
        self, claim: Claim, fingerprint: str, received_at: datetime, starts_at: datetime, flags: list[str]
    ) -> Alert:
        alert = self._new(claim, fingerprint, received_at, starts_at, flags)
        self.firing[fingerprint] = alert
        self.opened.append(alert)
        return alert

    def _note_unseen(
        self,
        claim: Claim,
        fingerprint: str,
        received_at: datetime,
        starts_at: datetime,
        ends_at: datetime | None,
        flags: list[str],
    ) -> Alert:
        """Keep an episode that was over before it was seen, so that its firing, if it comes late, opens nothing."""
        alert = self._new(claim, fingerprint, received_at, starts_at, [*flags, "resolved_unseen"])
        alert.status, alert.ends_at = Alert.Status.RESOLVED, ends_at or received_at
        alert.routed_because = "It was over before it was seen here, so no incident was opened."
        self.ended[fingerprint] = alert
        self.unseen.append(alert)
        return alert

    def _new(
        self, claim: Claim, fingerprint: str, received_at: datetime, starts_at: datetime, flags: list[str]
    ) -> Alert:
        return Alert(
            source=self.source,
            fingerprint=fingerprint,
            title=claim.title,
            description=claim.description,
            severity=claim.severity,
            severity_raw=claim.severity_raw,
            system_name=claims.clip(claim.system_name, 200),
            labels=claim.labels,
            annotations=claim.annotations,
            links=list(claim.links),
            value=claim.value,
            flags=flags,
            starts_at=starts_at,
            newest_start_at=starts_at,
            first_received_at=received_at,
            last_received_at=received_at,
            **routing.classification(claim),
        )

    def _repeat(self, alert: Alert, claim: Claim, received_at: datetime, told_start: datetime | None) -> None:
        alert.occurrences += 1
        alert.newest_start_at = max(alert.newest_start_at, told_start or alert.starts_at)
        alert.last_received_at = max(alert.last_received_at, received_at)
        alert.description = claim.description or alert.description
        alert.value = claim.value or alert.value
        self._touch(alert)

    def _resolve(self, alert: Alert, ends_at: datetime, received_at: datetime, flags: list[str]) -> None:
        alert.status = Alert.Status.RESOLVED
        alert.ends_at = max(ends_at, alert.starts_at)
        alert.last_received_at = max(alert.last_received_at, received_at)
        alert.flags = sorted({*alert.flags, *(flag for flag in flags if flag.startswith("end_"))})
        del self.firing[alert.fingerprint]
        self.ended[alert.fingerprint] = alert
        self.cleared.append(alert)
        self._touch(alert)

    def _touch(self, alert: Alert) -> None:
        if alert.pk:
            self.changed[alert.pk] = alert

    def _trace(
        self, delivery: Delivery, position: int, claim: Claim, alert: Alert | None, result: str, reason: str
    ) -> None:
        outcome = Outcome(delivery=delivery, position=position, says=claim.says, result=result, reason=reason)
        self.outcomes.append((outcome, alert))

    def save(self) -> None:
        """Write it all; alerts before what refers to them."""
        routing.find_systems(self.source, [*self.opened, *self.unseen])
        Alert.objects.bulk_create([*self.opened, *self.unseen])
        routing.route(self.opened)
        written = [
            "status",
            "ends_at",
            "last_received_at",
            "description",
            "value",
            "flags",
            "occurrences",
            "newest_start_at",
        ]
        Alert.objects.bulk_update(self.changed.values(), written, batch_size=500)
        routing.note_cleared(self.cleared)
        for outcome, alert in self.outcomes:
            outcome.alert = alert
        Outcome.objects.bulk_create([outcome for outcome, _ in self.outcomes], batch_size=2000)
        Delivery.objects.bulk_update(self.deliveries, ["status", "processed_at", "claim_count", "error"])


def _closed(alert: Alert) -> episodes.Closed | None:
    if alert.ends_at is None:
        return None
    return episodes.Closed(alert.starts_at, alert.ends_at, exact="end_inferred" not in alert.flags)
