"""From delivery to alert: drains what monitors delivered, one source at a time.

A source's row is locked for the time of one turn, so claims about the same fingerprint never race, however many
deliveries arrive at once and however many workers drain. Workers skip sources that are being drained. There is no
“in progress” state: the lock is the lease, and it dies with the process. Locks are always taken in this order:
source, correlation keys (sorted), incidents (by id), the incident counter.

Here is whose turn it is, what is tried again and what becomes a dead letter. What a turn makes of its deliveries is
decided in memory (`turn.py`) and then written (`commit.py`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.db import InterfaceError, OperationalError, models, transaction
from django.utils import timezone

from incidents.alerts.bodies import Unreadable
from incidents.alerts.claims import Statement
from incidents.alerts.commit import commit
from incidents.alerts.models import Delivery, Source
from incidents.alerts.reading import understand
from incidents.alerts.turn import Turn

log = structlog.get_logger(__name__)

DELIVERIES_A_TURN = 200
BYTES_A_TURN = 4 * 1024 * 1024  # what is read of them at once, beside the first
MOST_ATTEMPTS = 5


def drain(*, older_than: timedelta = timedelta(0), limit: int = 10_000) -> int:
    """Process what is due until nothing is left that nobody else is at; returns how many deliveries were."""
    done, last = 0, 0
    while done < limit:
        batch = _take_turn(older_than=older_than, after=last)
        if batch is None:
            break
        last = batch.source.pk
        done += len(batch.deliveries)
    return done


@dataclass(frozen=True)
class _Batch:
    source: Source
    deliveries: list[Delivery]


def _take_turn(*, older_than: timedelta, after: int) -> _Batch | None:
    """Process the due deliveries of the next source in one transaction; None if no source waits."""
    with transaction.atomic():
        source = _next_source(older_than=older_than, after=after)
        if source is None:
            return None
        deliveries = _next_deliveries(source)
        try:
            with transaction.atomic():
                _process(source, deliveries)
        except (OperationalError, InterfaceError):
            raise  # the database is in trouble, not the delivery: everything stays due
        except Exception:
            log.exception("deliveries_failed_together", source=source.slug, deliveries=len(deliveries))
            for delivery in deliveries:
                _process_alone(source, delivery)
    return _Batch(source, deliveries)


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


def _process_alone(source: Source, delivery: Delivery) -> None:
    try:
        with transaction.atomic():
            _process(source, [delivery])
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


def _process(source: Source, deliveries: Iterable[Delivery]) -> None:
    """Read deliveries, apply what they say in their order, and write what came of it. Whoever calls holds the lock."""
    turn = Turn(source)
    statements: list[tuple[Delivery, int, Statement]] = []
    for delivery in deliveries:
        try:
            understood = understand(source, delivery)
        except Unreadable as error:
            delivery.status, delivery.error, delivery.claim_count = Delivery.Status.DEAD, str(error)[:1000], 0
        else:
            delivery.status, delivery.error, delivery.claim_count = Delivery.Status.PROCESSED, "", len(understood)
            statements.extend((delivery, position, statement) for position, statement in enumerate(understood))
        delivery.processed_at = timezone.now()
        turn.deliveries.append(delivery)
    turn.load(statement for _, _, statement in statements)
    for delivery, position, statement in statements:
        turn.apply(delivery, position, statement)
    commit(turn)
