"""Writes what a turn changed, and whatever else routing decides. Nobody else writes what routing sets.

The contract with `routing.py`: `route` and `link` write incidents and their events, but of alerts they only set the
fields in ROUTED, in memory, and they give back every alert that they set them on. Whoever calls them writes these
alerts in the same transaction. All such calls are in this module: one for a turn, one for alerts that are known
already, one for what a person links by hand.
"""

from collections.abc import Iterable, Sequence

from django.db import transaction
from django.utils import timezone

from incidents.alerts import routing
from incidents.alerts.cleaning import clip
from incidents.alerts.models import Alert, Outcome, Subscription
from incidents.alerts.routing import ActiveRules
from incidents.alerts.rules import RoutingDecision
from incidents.alerts.turn import Turn
from incidents.people.models import User
from incidents.response.events import Event
from incidents.response.incident import Incident
from incidents.web import bulk

# What routing sets on an alert.
ROUTED = ("incident", "routed_because", "held", "silence", "correlation_key")
# What a repeat or a resolve changes.
_REPEATED = tuple(
    """
    status ends_at last_received_at description value measured expires_at fingerprint flags occurrences newest_start_at
    """.split()
)


# What a repeat states anew, and the rules set after it.
_RESTATED = tuple(
    """
    title severity severity_raw claimed_severity condition category failure_mode confidence classified_because system
    """.split()
)


def commit(turn: Turn) -> None:
    """Write it all, in the turn's transaction. What has ended goes first: its fingerprint may fire again in this turn."""
    bulk.update(turn.changed.values(), _REPEATED)
    new, worse = [*turn.opened, *turn.never_fired], _worse(turn)
    bulk.take_keys(new)  # outcomes and events refer to alerts that are written after them; the commit checks
    routing.find_systems(turn.source, new)
    routing.correct(turn.source, new)
    rules = ActiveRules.now()
    decisions = {alert.pk: rules.decide(alert) for alert in new}
    routing.apply_settings((alert, decisions[alert.pk]) for alert in new)
    again = [(alert, rules.decide(alert)) for alert in worse]
    routing.apply_settings(again)
    bulk.update(turn.restated.values(), _RESTATED)
    dropped = {pk: decision for pk, decision in decisions.items() if decision.act == "drop"}
    _write_changes(turn)
    _write_outcomes(turn, dropped)
    pairs = [(alert, decisions[alert.pk]) for alert in turn.opened if alert.pk not in dropped]
    pairs += [(alert, rules.decide(alert)) for alert in _waiting(turn)]
    pairs += [(alert, decision) for alert, decision in again if alert.held != Alert.Held.WAITING]
    routed = routing.route(pairs, rules)
    kept = [alert for alert in new if alert.pk not in dropped]
    bulk.insert(kept)
    bulk.update([alert for alert in routed if alert.pk not in decisions], ROUTED)
    note_cleared(alert for alert in turn.cleared if alert.pk not in dropped)
    bulk.update(turn.deliveries, ["status", "processed_at", "claim_count", "error"])


def _worse(turn: Turn) -> list[Alert]:
    """Known alerts that got worse while they fire: the rules are asked again, and routing."""
    worse = [alert for alert in turn.worse.values() if alert.is_firing]
    for alert in worse:
        alert.source = turn.source
    return worse


def _waiting(turn: Turn) -> list[Alert]:
    """Alerts that wait to be repeated often enough: routing is asked again each time they are."""
    waiting = [alert for alert in turn.changed.values() if alert.held == Alert.Held.WAITING and alert.is_firing]
    for alert in waiting:
        alert.source = turn.source
    return waiting


def _write_changes(turn: Turn) -> None:
    """Write the changes and subscriptions that were announced; of a change, its outcome says what was done with it."""
    for change, outcome in turn.changes:
        outcome.reason = clip(routing.record_change(turn.source, change), 500)
    for handshake in turn.handshakes:
        if handshake.confirm_url:
            asked = {"url": handshake.confirm_url, "asked_at": timezone.now(), "confirmed_at": None, "error": ""}
            topic = clip(handshake.confirm_topic, 300)
            Subscription.objects.update_or_create(source=turn.source, topic=topic, defaults=asked)


def _write_outcomes(turn: Turn, dropped: dict[int, RoutingDecision]) -> None:
    """Write what came of each statement. Nothing is left of what a rule drops but this, which counts it."""
    for outcome, alert in turn.outcomes:
        if alert is not None and alert.pk in dropped:
            decision = dropped[alert.pk]
            outcome.result, outcome.rule = Outcome.Result.DROPPED, decision.rule
            outcome.reason = clip(decision.because, 500)
        else:
            outcome.alert = alert
    bulk.insert([outcome for outcome, _ in turn.outcomes])


def route_again(alerts: Sequence[Alert]) -> None:
    """Route alerts that are known already, with the rules of this moment. Runs in a transaction that locks their source."""
    rules = ActiveRules.now()
    bulk.update(routing.route([(alert, rules.decide(alert)) for alert in alerts], rules), ROUTED)


def link(alerts: Iterable[Alert], incident: Incident, *, by: User) -> None:
    """Link alerts to an incident by hand."""
    with transaction.atomic():
        rows = Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).order_by("pk").select_for_update(no_key=True)
        bulk.update(routing.link(incident, list(rows), f"Linked to {incident} by {by}.", by=by), ROUTED)


def expire(alerts: Sequence[Alert]) -> None:
    """Write alerts whose lease ran out. Runs in a transaction that locks their source."""
    bulk.update(alerts, ["status", "ends_at", "flags"])
    note_cleared(alerts)


def note_cleared(alerts: Iterable[Alert]) -> None:
    """Note in each incident whose last firing alert has cleared. That never closes it: a person looks at the output first."""
    ended = list(alerts)
    touched = {alert.incident_id for alert in ended if alert.incident_id}
    still = set(Alert.objects.firing().filter(incident__in=touched).values_list("incident_id", flat=True))
    for incident in Incident.objects.open().filter(pk__in=touched - still).order_by("pk"):
        vanished = any("end_vanished" in alert.flags for alert in ended if alert.incident_id == incident.pk)
        incident.record(Event.Kind.ALERTS_CLEARED, by=None, vanished=vanished)
