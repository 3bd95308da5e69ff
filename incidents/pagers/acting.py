"""Acts on what pagers sent: an acknowledgement there is one here, the rest is noted in the story of its incident.

One pager's deliveries are read one after the other, under the lock of its address, which is the lease and dies with the
process. Locks are taken in this order: address, incident. What comes twice counts once, and the result is the same in
whatever order it comes: an acknowledgement and a resolve both take an incident that waits, and nothing gives it back.
"""

from datetime import timedelta
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError, models, transaction
from django.utils import timezone

from incidents.alerts.bodies import Unreadable
from incidents.errors import WrongStatus
from incidents.notifications.acting import can_act
from incidents.notifications.transmissions import Transmission
from incidents.pagers.models import PagerAddress, PagerDelivery, PagerPerson
from incidents.pagers.readers import READERS, PagerWord, Said
from incidents.people.models import User
from incidents.response.events import Event
from incidents.response.incident import Incident
from incidents.response.vocabulary import Status

log = structlog.get_logger(__name__)

DELIVERIES_A_TURN = 100
MOST_ATTEMPTS = 8
_TAKES = (Said.ACKNOWLEDGED, Said.RESOLVED)


class _Nothing(Exception):
    """It changes nothing here; the message says why."""


def hear(*, most: int = 1000) -> int:
    """Act on what pagers have sent; returns how many deliveries were read. Safe to run anywhere, at any time."""
    done, after = 0, 0
    while done < most:
        with transaction.atomic():
            address = _next_address(after)
            if address is None:
                break
            after = address.pk
            for delivery in PagerDelivery.objects.due().filter(address=address).order_by("pk")[:DELIVERIES_A_TURN]:
                _process(delivery, address)
                done += 1
    return done


def _next_address(after: int) -> PagerAddress | None:
    """Lock the next address that something waits for, each once in a run."""
    waiting = PagerDelivery.objects.due().filter(address=models.OuterRef("pk"))
    # NO KEY, or the lock would also hold up the door, whose INSERT of a delivery refers to this row.
    rows = PagerAddress.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
    return rows.select_related("destination").filter(models.Exists(waiting), pk__gt=after).order_by("pk").first()


def _process(delivery: PagerDelivery, address: PagerAddress) -> None:
    try:
        with transaction.atomic():
            _read(delivery, address)
    except (OperationalError, InterfaceError):
        raise  # the database is in trouble, not the delivery: it stays due
    except Exception as error:  # a fault of ours in one delivery must not stop the ones behind it
        log.exception("pager_delivery_failed", delivery=delivery.pk, attempts=delivery.attempts + 1)
        attempts = delivery.attempts + 1
        PagerDelivery.objects.filter(pk=delivery.pk).update(
            attempts=attempts,
            status=PagerDelivery.Status.DEAD if attempts >= MOST_ATTEMPTS else PagerDelivery.Status.RECEIVED,
            due_at=timezone.now() + timedelta(seconds=2**attempts),
            reason=f"{type(error).__name__} while reading it (attempt {attempts}).",
        )


def _read(delivery: PagerDelivery, address: PagerAddress) -> None:
    """Read one, do what it asks for, and write down what came of it."""
    try:
        word = READERS[address.destination.kind].read(bytes(delivery.body))
    except Unreadable as error:
        _settle(delivery, PagerDelivery.Status.DEAD, reason=str(error)[:300])
        return
    person = PagerPerson.meet(address, word.who) if word.who else None
    facts = {"said": word.called[:24], "who": word.who.name if word.who else "", "ref": word.ref}
    if PagerDelivery.objects.filter(address=address, key=word.key).exists():
        _settle(delivery, PagerDelivery.Status.NOTHING, reason="It came before, and counts once.", **facts)
        return
    incident = _incident_of(word, address)
    try:
        status = _act(word, incident, address, person)
        reason = ""
    except _Nothing as why:
        status, reason = PagerDelivery.Status.NOTHING, str(why)
    _settle(delivery, status, reason=reason, key=word.key, incident=incident, **facts)


def _settle(delivery: PagerDelivery, status: str, **changes: object) -> None:
    PagerDelivery.objects.filter(pk=delivery.pk).update(status=status, processed_at=timezone.now(), **changes)


def _incident_of(word: PagerWord, address: PagerAddress) -> Incident | None:
    """The incident that it is about: by the key it was opened under there, else by what was said of the same alert before.

    Only one that this channel was told of: numbers are easily guessed.
    """
    before = PagerDelivery.objects.filter(address=address, ref=word.ref, incident__isnull=False)
    number = word.number
    known = models.Q(number=number) if number else models.Q(pk__in=before.values("incident"))
    if not number and (not word.ref or word.alias):
        return None
    told = Transmission.objects.filter(destination=address.pk, incident=models.OuterRef("pk"), failed_at=None)
    return Incident.objects.filter(known, models.Exists(told)).select_related("team").first()


def _act(word: PagerWord, incident: Incident | None, address: PagerAddress, person: User | None) -> str:
    if word.said is Said.TEST:
        raise _Nothing("A test of the pager’s own: its webhook reaches this address.")
    if Transmission.objects.filter(destination=address.pk, topic="test", key=word.alias).exists():
        raise _Nothing("It is about a test that was sent from here: the way back works.")
    if word.said is Said.OTHER:
        raise _Nothing("Nothing follows from it here.")
    if incident is None:
        raise _Nothing("It names no incident that this channel was told of.")
    may_act = person is not None and can_act(incident, person)
    if incident.private and not may_act:
        raise _Nothing("The incident is private, and whoever did this is not among the people whom it names.")
    taken = word.said in _TAKES and _take(word, incident, address, person if may_act else None)
    if word.said is Said.ACKNOWLEDGED:
        return PagerDelivery.Status.ACKNOWLEDGED
    _note(word, incident, address, person if may_act else None)
    return PagerDelivery.Status.ACKNOWLEDGED if taken else PagerDelivery.Status.NOTED


def _take(word: PagerWord, incident: Incident, address: PagerAddress, person: User | None) -> bool:
    """Acknowledge an incident that waits. An acknowledgement that cannot raises _Nothing; a resolve is noted all the same."""
    why = _why_not(word, incident)
    if not why:
        try:
            incident.acknowledge(by=person, **_elsewhere(word, address, person))
        except WrongStatus as refusal:
            why = str(refusal)
    if why and word.said is Said.ACKNOWLEDGED:
        raise _Nothing(why)
    return not why


def _why_not(word: PagerWord, incident: Incident) -> str:
    if incident.status != Status.TRIAGE:
        return f"{incident} was {incident.get_status_display().lower()} already."
    if word.who is None:
        return "No person did it: a program or a rule of the pager takes no incident."
    back = incident.events.filter(kind=Event.Kind.STATUS, detail__became=Status.TRIAGE).order_by("-pk").first()
    if back and word.at and word.at < back.at:
        return f"It came late: {incident} waits again since then."
    return ""


def _note(word: PagerWord, incident: Incident, address: PagerAddress, person: User | None) -> None:
    """Say in the story what happened there. What a program did to an incident that is over here tells nothing new."""
    if word.said is not Said.NOTED and not incident.is_open:
        raise _Nothing(f"{incident} is {incident.get_status_display().lower()} here.")
    written: dict[str, Any] = {"text": word.text} if word.text else {}
    incident.record(Event.Kind.PAGER, by=person, did=word.said.value, **written, **_elsewhere(word, address, person))


def _elsewhere(word: PagerWord, address: PagerAddress, person: User | None) -> dict[str, Any]:
    """Where it was done, and by whom where that is nobody here."""
    facts: dict[str, Any] = {"pager": address.destination.receiver.name, "channel": address.pk}
    if word.who and person is None:
        facts["who"] = word.who.name
    return facts
