"""From delivery to alert: drains what monitors delivered, one source at a time.

A source's row is locked for the time of one turn, so claims about the same fingerprint never race, however many
deliveries arrive at once and however many workers drain. Workers skip sources that are being drained. There is no
“in progress” state: the lock is the lease, and it dies with the process. Locks are always taken in this order:
source, correlation keys (sorted), incidents (by id), the incident counter.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta

import structlog
from django.db import InterfaceError, OperationalError, connection, models, transaction
from django.utils import timezone

from incidents import taxonomy
from incidents.alerts import bodies, claims, episodes, routing
from incidents.alerts.claims import ChangeTold, Claim, GroupOver, Handshake, Refused, Statement, Unreadable
from incidents.alerts.models import Alert, Delivery, Outcome, Source, Subscription
from incidents.alerts.rules import Decision
from incidents.alerts.sources import alertmanager, opsgenie, pagerduty
from incidents.web import bulk

log = structlog.get_logger(__name__)

DELIVERIES_A_TURN = 200
BYTES_A_TURN = 4 * 1024 * 1024  # what is read of them at once, beside the first
MOST_ATTEMPTS = 5
GRACE = timedelta(seconds=60)
KEPT_HEADERS = frozenset({
    ":path", ":method", pagerduty.MADE_UP_KEY, "content-type", "user-agent", "x-request-id", "x-grafana-org-id",
    "sentry-hook-resource", "x-amz-sns-message-type", "x-mlflow-delivery-id", "webhook-id",
})  # fmt: skip

# What comes by a compatible API is read as that API says, whatever the source's own kind.
_DOORS: dict[str, Callable[[bytes, Mapping[str, str]], list[Statement]]] = {
    "alertmanager": alertmanager.read,
    "pagerduty": pagerduty.read,
    "opsgenie": opsgenie.read,
}


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Keep what reading needs; credentials are not among it. Names are in lower case."""
    wanted = {name: value for name, value in headers.items() if name in KEPT_HEADERS or name.startswith("ce-")}
    return {name[:100]: bodies.clean_text(value)[:2000] for name, value in list(wanted.items())[:60]}


class SourceChanged(Exception):
    """The source was changed after it was read: read it again, and decide again."""


def receive(
    source: Source, body: bytes, *, headers: Mapping[str, str], door: str = "", is_test: bool = False
) -> Delivery:
    """Store a delivery as it came. Once this is committed it will be processed, whatever dies meanwhile.

    One statement, because it is what a monitor waits for. Raises SourceChanged where the source carries the version
    of its row and that is no longer the newest: so a door may remember sources without ever acting on an old one.
    """
    delivery = Delivery(
        source=source, body=body, size=len(body), digest=hashlib.sha256(body).hexdigest(),
        headers=kept_headers(headers), door=door, is_test=is_test,
    )  # fmt: skip
    values = (body, delivery.size, delivery.digest, json.dumps(delivery.headers), door, is_test)
    with connection.cursor() as cursor:
        cursor.execute(_RECEIVE, [delivery.received_at, *values, delivery.due_at, source.pk, source.version])
        row = cursor.fetchone()
    if row is None:
        raise SourceChanged(source)
    delivery.pk, delivery._state.adding = row[0], False
    return delivery


_RECEIVE = """
    INSERT INTO incidents_delivery (
        received_at, body, size, digest, headers, door, is_test, due_at, source_id,
        status, repeats, attempts, claim_count, error, wiped_because
    )
    SELECT %s, %s, %s, %s, %s::jsonb, %s, %s, %s, source.id, 'received', 0, 0, 0, '', ''
    FROM incidents_source AS source WHERE source.id = %s AND coalesce(source.xmin::text || source.ctid::text = %s, true)
    RETURNING id
"""


def expire(now: datetime | None = None) -> int:
    """End the alerts whose lease ran out a minute ago or more; returns how many. Locks as a turn does."""
    bound = (now or timezone.now()) - GRACE
    over = Alert.objects.firing().filter(expires_at__lt=bound)
    ended = 0
    for source_id in over.order_by("source").values_list("source", flat=True).distinct():
        with transaction.atomic():
            source = Source.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=source_id).first()
            if source is None:
                continue  # it is being drained, and may be told again this very moment
            alerts = list(over.filter(source=source).order_by("pk")[:1000])
            for alert in alerts:
                alert.status, alert.ends_at = Alert.Status.RESOLVED, max(alert.expires_at or bound, alert.starts_at)
                alert.flags = sorted({*alert.flags, "expired"})
            bulk.update(alerts, ["status", "ends_at", "flags"])
            routing.note_cleared(alerts)
            ended += len(alerts)
    return ended


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
        deliveries = _next_deliveries(source)
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


def _next_deliveries(source: Source) -> list[Delivery]:
    """Take the source's oldest due deliveries, as many as one turn holds in memory."""
    due = Delivery.objects.due().filter(source=source).order_by("pk")
    taken, size = 0, 0
    for length in due.values_list("size", flat=True)[:DELIVERIES_A_TURN]:
        size += length
        if taken and size > BYTES_A_TURN:
            break
        taken += 1
    return list(due[:taken])


def _next_source(*, older_than: timedelta, after: int) -> Source | None:
    """Lock the next source that waits, in turn, so that a busy one does not keep the others waiting."""
    bound = timezone.now() - older_than
    waiting = Delivery.objects.due().filter(source=models.OuterRef("pk"), received_at__lte=bound)
    # NO KEY, or the lock would also hold up the door, whose INSERT of a delivery refers to this row.
    free = Source.objects.select_for_update(no_key=True, skip_locked=True).filter(models.Exists(waiting))
    had_its_turn = models.ExpressionWrapper(models.Q(pk__lte=after), models.BooleanField())
    return free.order_by(had_its_turn, "pk").first()


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
    read: list[tuple[Delivery, int, Statement]] = []
    for delivery in deliveries:
        try:
            found = understand(source, delivery)
        except Unreadable as error:
            delivery.status, delivery.error, delivery.claim_count = Delivery.Status.DEAD, str(error)[:1000], 0
        else:
            delivery.status, delivery.error, delivery.claim_count = Delivery.Status.PROCESSED, "", len(found)
            read.extend((delivery, position, statement) for position, statement in enumerate(found))
        delivery.processed_at = timezone.now()
        turn.deliveries.append(delivery)
    turn.load([claim for _, _, claim in read if isinstance(claim, Claim)])
    for delivery, position, statement in read:
        turn.apply(delivery, position, statement)
    turn.save()


def understand(source: Source, delivery: Delivery) -> list[Statement]:
    """Read what a delivery says, as its source and its door say it is read. Raises Unreadable."""
    body = bytes(delivery.body)
    found = _DOORS.get(delivery.door, source.reader)(body, delivery.headers)
    if len(found) > source.alert_limit:
        raise Unreadable(f"It holds {len(found):,} alerts; at most {source.alert_limit:,} are taken at once.")
    lost = ("replaced_characters",) if bodies.was_replaced(body) else ()
    lease = timedelta(minutes=source.auto_resolve_minutes) if source.auto_resolve_minutes else None
    return [_settled(statement, delivery.received_at, lost, lease) for statement in found]


def _settled(statement: Statement, received_at: datetime, lost: tuple[str, ...], lease: timedelta | None) -> Statement:
    if not isinstance(statement, Claim):
        return statement
    own_lease = statement.lease if statement.lease or statement.expires_at else lease
    return replace(statement, flags=(*statement.flags, *lost), lease=own_lease).at(received_at)


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

    def load(self, told: Iterable[Claim]) -> None:
        """Load the alerts spoken of, by their fingerprints: today's, and what older recipes made of them."""
        now_and_then = {
            f for c in told for f in (c.fingerprint(self.source.pk), *c.former_fingerprints(self.source.pk))
        }
        mine = Alert.objects.filter(source=self.source, fingerprint__in=now_and_then)
        self.firing = {alert.fingerprint: alert for alert in mine.firing()}
        newest = mine.filter(status=Alert.Status.RESOLVED).order_by("fingerprint", "-starts_at").distinct("fingerprint")
        self.ended = {alert.fingerprint: alert for alert in newest}

    def apply(self, delivery: Delivery, position: int, statement: Statement) -> None:
        match statement:
            case Claim():
                self._apply(delivery, position, statement)
            case ChangeTold():
                kept = (
                    routing.record_change(self.source, statement)
                    if not delivery.is_test
                    else "A test; nothing was kept."
                )
                self._trace(delivery, position, "change", None, "change", kept)
            case Handshake():
                self._subscribe(statement)
                self._trace(delivery, position, "handshake", None, "handshake", statement.reason)
            case GroupOver():
                self._end_group(delivery, position, statement)
            case Refused():
                self._trace(delivery, position, "refused", None, "refused", statement.reason)

    def _subscribe(self, handshake: Handshake) -> None:
        if handshake.confirm_url:
            Subscription.objects.update_or_create(
                source=self.source, topic=claims.clip(handshake.confirm_topic, 300),
                defaults={"url": handshake.confirm_url, "asked_at": timezone.now(), "confirmed_at": None, "error": ""},
            )  # fmt: skip

    def _end_group(self, delivery: Delivery, position: int, over: GroupOver) -> None:
        """End what is left of a group that was told only in part: its other alerts never told of their end."""
        left = Alert.objects.firing().filter(source=self.source, group=over.group, flags__contains=["truncated_group"])
        known = {alert.fingerprint for alert in self.ended.values()}
        alerts = [alert for alert in left if alert.fingerprint not in known]
        for alert in alerts:
            alert = self.firing.setdefault(alert.fingerprint, alert)
            self._resolve(alert, delivery.received_at, delivery.received_at, [])
        if alerts:
            reason = f"The group is resolved, so {len(alerts)} of its alerts that were not listed have ended too."
            self._trace(delivery, position, "resolved", None, "group_over", reason)

    def _rekey(self, claim: Claim, fingerprint: str) -> None:
        """Go on with the alert that an older recipe named: a changed recipe must not open it a second time."""
        former = next((f for f in claim.former_fingerprints(self.source.pk) if f in self.firing), None)
        if former and fingerprint not in self.firing:
            alert = self.firing.pop(former)
            alert.fingerprint = fingerprint
            self.firing[fingerprint] = alert
            self._touch(alert)

    def _apply(self, delivery: Delivery, position: int, claim: Claim) -> None:
        fingerprint = claim.fingerprint(self.source.pk)
        self._rekey(claim, fingerprint)
        starts_at, ends_at, flags = claims.settled_times(claim, received_at=delivery.received_at)
        flags = [*claim.flags, *flags]
        if claim.is_test or delivery.is_test:
            self._trace(delivery, position, claim.says, None, "test", _understood(claim))
            return
        if claim.says == "no_data":
            flags.append("no_data")
        alert, ended = self.firing.get(fingerprint), self.ended.get(fingerprint)
        if claim.says == "acknowledged":
            reason = (
                "Somebody took it there; the incident waits for somebody here."
                if alert
                else "Nothing like it is firing."
            )
            self._trace(delivery, position, claim.says, alert or ended, "acknowledged", reason)
            return
        verdict = episodes.judge(
            "resolved" if claim.says == "resolved" else "firing",
            starts_at=starts_at,
            start_given="start_inferred" not in flags,
            ends_at=ends_at,
            end_given="end_inferred" not in flags,
            open_since=alert.newest_start_at if alert else None,
            closed=_closed(ended, claim) if ended else None,
        )
        match verdict.result:
            case "opened":
                alert = self._open(claim, fingerprint, delivery.received_at, starts_at, flags)
                alert.flaps = _flaps(ended, starts_at)
            case "repeated" if alert:
                self._repeat(alert, claim, delivery.received_at, starts_at if "start_inferred" not in flags else None)
            case "resolved" if alert:
                self._resolve(alert, ends_at or delivery.received_at, delivery.received_at, flags)
            case "unseen":
                alert = self._note_unseen(claim, fingerprint, delivery.received_at, starts_at, ends_at, flags)
            case _:
                alert = alert or ended
        self._trace(delivery, position, claim.says, alert, verdict.result, verdict.reason)

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
            # Silence is a signal of its own, but says nothing of how bad it is.
            severity="medium" if claim.says == "no_data" else claim.severity,
            severity_raw=claim.severity_raw,
            system_name=claim.system_name,
            service=claim.service,
            environment=claim.environment,
            labels=claim.labels,
            annotations=claim.annotations,
            ai=claims.ai_facts(claim.labels),
            telling_name=claims.clip(taxonomy.normalise(claim.names[0]).strip("_"), 200) if claim.names else "",
            links=list(claim.links),
            value=claim.measured.text,
            measured=asdict(claim.measured),
            group=claim.group,
            upstream_id=claim.upstream_id,
            expires_at=claim.expires_at,
            flags=sorted(set(flags)),
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
        if claim.measured.text:
            alert.value, alert.measured = claim.measured.text, asdict(claim.measured)
        alert.expires_at = claim.expires_at
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
        self, delivery: Delivery, position: int, says: str, alert: Alert | None, result: str, reason: str
    ) -> None:
        outcome = Outcome(
            delivery=delivery, position=position, says=says, result=result, reason=claims.clip(reason, 500)
        )
        self.outcomes.append((outcome, alert))

    def save(self) -> None:
        """Write it all: what has ended first, for its fingerprint may fire again in this very turn."""
        bulk.update(self.changed.values(), _REWRITTEN)
        new = [*self.opened, *self.unseen]
        routing.find_systems(self.source, new)
        routing.correct(self.source, new)
        policy = routing.Policy.now()
        decisions = {id(alert): policy.decide(alert) for alert in new}
        routing.apply_settings((alert, decisions[id(alert)]) for alert in new)
        self._drop({id(alert): decisions[id(alert)] for alert in new if decisions[id(alert)].act == "drop"})
        kept = [*self.opened, *self.unseen]
        bulk.take_keys(kept)
        self._write_trace()
        # What waits to be told often enough is asked again each time it is told.
        again = [alert for alert in self.changed.values() if alert.held == Alert.Held.WAITING and alert.is_firing]
        for alert in again:
            alert.source = self.source
        pairs = [(alert, decisions[id(alert)]) for alert in self.opened] + [(a, policy.decide(a)) for a in again]
        freed = routing.route(pairs, policy)
        bulk.insert(kept)
        bulk.update([*again, *freed], routing.ROUTED)
        routing.note_cleared(self.cleared)
        bulk.update(self.deliveries, ["status", "processed_at", "claim_count", "error"])

    def _write_trace(self) -> None:
        """Write the outcomes. They may refer to alerts that are written after them; the commit checks that they were."""
        for outcome, alert in self.outcomes:
            outcome.alert = alert
        bulk.insert([outcome for outcome, _ in self.outcomes])

    def _drop(self, dropped: dict[int, Decision]) -> None:
        """Keep nothing of what a rule drops but the outcome, which counts it."""
        if not dropped:
            return
        self.opened = [alert for alert in self.opened if id(alert) not in dropped]
        self.unseen = [alert for alert in self.unseen if id(alert) not in dropped]
        self.cleared = [alert for alert in self.cleared if id(alert) not in dropped]
        for position, (outcome, alert) in enumerate(self.outcomes):
            if alert is not None and id(alert) in dropped:
                decision = dropped[id(alert)]
                outcome.result, outcome.reason, outcome.rule = (
                    "dropped",
                    claims.clip(decision.because, 500),
                    decision.rule,
                )
                self.outcomes[position] = (outcome, None)


_REWRITTEN = [
    "status", "ends_at", "last_received_at", "description", "value", "measured", "expires_at", "fingerprint", "flags", "occurrences",
    "newest_start_at",
]  # fmt: skip


def _flaps(ended: Alert | None, starts_at: datetime) -> int:
    """Count how often it came back within ten minutes of its end, without a longer rest between."""
    if ended is None or ended.ends_at is None or starts_at - ended.ends_at > routing.FLAP:
        return 0
    return ended.flaps + 1


def _understood(claim: Claim) -> str:
    where = claim.system_name or claim.service
    said = f"A test, and nothing was opened. Understood as {claim.says.replace('_', ' ')}, {claim.severity}: “{claim.title}”"
    return said + (f", about {where}." if where else ".")


def _closed(alert: Alert, claim: Claim) -> episodes.Closed | None:
    """Give the episode that ended last; None where only its lease ran out and the claim shows that it goes on."""
    if alert.ends_at is None or (claim.expires_at and "expired" in alert.flags):
        return None
    return episodes.Closed(alert.starts_at, alert.ends_at, exact="end_inferred" not in alert.flags)
