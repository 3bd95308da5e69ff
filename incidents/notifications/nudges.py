"""What Faultline reminds of by itself: each once, to whoever can do something about it, and each a topic that can be muted."""

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from incidents.notifications import audience, meaning
from incidents.notifications.happened import headline
from incidents.notifications.messages import Notification
from incidents.oncall.swaps import ShiftSwap
from incidents.people.models import User
from incidents.response.containments import Containment
from incidents.response.incident import Incident
from incidents.response.vocabulary import CLOCKS, OPEN, IncidentKind, Status

NO_LEAD_AFTER = timedelta(minutes=10)
CONTAINED_FOR = timedelta(days=7)
CLOCKS_AFTER = timedelta(days=1)  # after it was resolved: while people remember


def nudge() -> None:
    """Remind of everything that is due. May run as often as it likes: each reminder is owed once."""
    _no_lead()
    _contained_long()
    _containments_to_remove()
    _clocks_missing()
    _swaps()


def _no_lead() -> None:
    """Somebody has taken it, and yet nobody leads it: whoever is on call hears of it."""
    since = timezone.now() - NO_LEAD_AFTER
    open_ = Incident.objects.filter(
        status__in=[Status.INVESTIGATING, Status.CONTAINED], kind=IncidentKind.REAL, lead=None
    )
    for incident in open_.filter(declared_at__lt=since).select_related("system", "team"):
        _, people = audience.first_rung(incident, at=timezone.now())
        text = f"Nobody leads it. Take the lead, or say who does.\n\n{meaning.facts(incident)}"
        _tell("no_lead", incident, people, f"No lead: {headline(incident)}", text, key=str(incident.pk))


def _contained_long() -> None:
    contained = Incident.objects.filter(
        status=Status.CONTAINED, kind=IncidentKind.REAL, contained_at__lt=timezone.now() - CONTAINED_FOR
    )
    for incident in contained.select_related("system", "team", "lead"):
        subject = f"Contained for over a week, not resolved: {headline(incident)}"
        text = f"A containment limits the harm; it does not end the failure.\n\n{meaning.facts(incident)}"
        key = f"{incident.pk}:{incident.contained_at:%Y%m%d}"
        _tell("contained_long", incident, _whose(incident), subject, text, key=key)


def _containments_to_remove() -> None:
    standing = [Containment.State.DONE, Containment.State.VERIFIED]
    due = Containment.objects.filter(remove_by__lt=timezone.now(), state__in=standing).filter(
        Q(incident__status__in=OPEN) | Q(incident__status=Status.RESOLVED)
    )
    for containment in due.select_related("incident__system", "incident__team", "incident__lead"):
        incident = containment.incident
        subject = f"Remove “{containment}”: {headline(incident)}"
        text = (
            f"It was to be removed by {containment.remove_by:%Y-%m-%d %H:%M} UTC. Roll it back, or give it more time."
        )
        key = f"{containment.pk}:{containment.remove_by:%Y%m%d%H%M}"
        _tell("containment_due", incident, _whose(incident), subject, text, key=key)


def _clocks_missing() -> None:
    """A resolved incident whose clocks nobody knows yet is asked about while people remember."""
    resolved = Incident.objects.filter(
        status=Status.RESOLVED, kind=IncidentKind.REAL, resolved_at__lt=timezone.now() - CLOCKS_AFTER
    )
    missing = Q(impact_started_at=None) | Q(detected_at=None) | Q(acknowledged_at=None) | Q(contained_at=None)
    for incident in resolved.filter(missing, lead__isnull=False).select_related("system", "team", "lead"):
        known = incident.why_unknown()  # somebody said why nobody knows it: that is an answer
        names = [CLOCKS[name].lower() for name in incident.unknown_clocks if name not in known]
        if names:
            subject = f"When was it? {headline(incident)}"
            text = f"Not known yet: {', '.join(names)}. Give the time, or say why nobody knows it, before it is closed."
            _tell("clock_missing", incident, _whose(incident), subject, text, key=str(incident.pk))


def _swaps() -> None:
    """Offers of shifts, to whom they are made; answers, to whoever offered. A lead who swaps at once tells both."""
    rows = ShiftSwap.objects.filter(gives_until__gt=timezone.now()).exclude(state=ShiftSwap.State.WITHDRAWN)
    for swap in rows.select_related("team", "giver", "taker"):
        shift = f"{swap.gives_from:%Y-%m-%d %H:%M} to {swap.gives_until:%Y-%m-%d %H:%M} UTC"
        if swap.state == ShiftSwap.State.OFFERED:
            person, subject = swap.taker, f"{swap.giver} offers you a shift of {swap.team}: {shift}"
        else:
            person, subject = swap.giver, f"{swap.taker} {swap.get_state_display().lower()} your shift: {shift}"
        Notification.objects.tell(
            [person],
            topic="on_call.swap",
            about=[],
            subject=subject,
            text=swap.note,
            path=reverse("on-call-team", args=[swap.team.slug]),
            key=f"swap:{swap.pk}:{swap.state}",
        )


def _whose(incident: Incident) -> list[User]:
    return [incident.lead] if incident.lead else audience.first_rung(incident, at=timezone.now())[1]


def _tell(what: str, incident: Incident, people: Iterable[User], subject: str, text: str, *, key: str) -> None:
    Notification.objects.tell(
        people,
        topic=f"incident.{what}",
        about=[incident],
        subject=subject,
        text=text,
        path=incident.get_absolute_url(),
        key=f"nudge:{what}:{key}",
    )
