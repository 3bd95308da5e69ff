"""What came back: an incident of the same failure, in the same system, shows that a follow-up did not hold.

It is found in the transaction that opens, classifies or links that incident (`response/reactions.py`), so that nobody reads
“verified” beside a failure that is back.
"""

from datetime import timedelta

from django.db import models

from incidents.followups.models import FollowUp
from incidents.followups.proofs import Proof
from incidents.followups.recurrences import Recurrence
from incidents.followups.states import ACHIEVED
from incidents.response import reactions
from incidents.response.events import Event
from incidents.response.incident import Incident
from incidents.response.links import Link
from incidents.response.vocabulary import COUNTED, IncidentKind

WATCHED = timedelta(days=180)  # after it was done or verified, where its proof names no window
# Whatever makes an incident one that counts, or one of another failure.
_KINDS = (
    Event.Kind.OPENED,
    Event.Kind.CLASSIFIED,
    Event.Kind.SYSTEM,
    Event.Kind.LINK,
    Event.Kind.KIND,
    Event.Kind.VISIBILITY,
    Event.Kind.STATUS,
    Event.Kind.MERGED,
)
# Work that promises that it does not come back; to detect, contain or repair it promises something else.
PREVENTING = (FollowUp.Kind.PREVENT, FollowUp.Kind.EVALUATE, FollowUp.Kind.PROCESS)


def register() -> None:
    reactions.register(_KINDS, react)


def react(event: Event) -> None:
    """Let what did not hold be so, and take back what an incident no longer shows."""
    incident = event.incident
    if event.kind != Event.Kind.OPENED:
        incident = Incident.objects.select_related("lead").get(pk=incident.pk)  # as the verb has just left it
        _take_back(incident)
    if event.kind not in (Event.Kind.STATUS, Event.Kind.MERGED) or event.detail.get("undone"):
        _fail(incident)


def shows(incident: Incident) -> bool:
    """Whether an incident can show anything: a real one that counts. A private one would be told of by what it shows."""
    return incident.kind == IncidentKind.REAL and incident.status in COUNTED and not incident.private


def _fail(incident: Incident) -> None:
    if not shows(incident):
        return
    earlier = _earlier(incident)
    if earlier is None:
        return
    rows = FollowUp.objects.filter(state__in=ACHIEVED, incident__in=earlier).exclude(incident=incident)
    preventing = models.Q(kind__in=PREVENTING) | models.Q(proof__kind=Proof.Kind.QUIET)
    for follow_up in rows.filter(preventing).select_related("incident__lead", "incident__team", "owner", "proof"):
        if _is_watched(follow_up, incident):
            follow_up.fail(by=None, because=because(follow_up, incident), recurred=incident)


def _earlier(incident: Incident) -> "models.QuerySet[Incident] | None":
    """Of which incidents it is a recurrence: those of its failure mode and system, and those that somebody linked."""
    same = models.Q(system=incident.system_id, failure_mode=incident.failure_mode)
    links = Link.objects.filter(incident=incident, kind=Link.Kind.REPEAT_OF).values("other")
    linked = models.Q(pk__in=links)
    if not (incident.system_id and incident.failure_mode):
        return Incident.objects.filter(linked) if links.exists() else None
    return Incident.objects.filter(same | linked)


def _is_watched(follow_up: FollowUp, incident: Incident) -> bool:
    """Whether the failure began after it was done, and within its window: of its proof, or WATCHED; from the later of when it
    was done and when it was verified."""
    done = follow_up.finished_at
    began = incident.impact_started_at or incident.detected_at or incident.declared_at
    if done is None or began <= done:
        return False
    proof = getattr(follow_up, "proof", None)
    window = timedelta(days=proof.days) if proof and proof.days else WATCHED
    return began <= max(done, follow_up.verified_at or done) + window


def because(follow_up: FollowUp, incident: Incident) -> str:
    since = f"{follow_up.finished_at:%Y-%m-%d}" if follow_up.finished_at else "before"
    return f"{incident} is the same failure again, and this was done on {since}."


def _take_back(incident: Incident) -> None:
    """An incident that is declined, merged, made private, or found to be of another failure shows nothing."""
    rows = Recurrence.objects.filter(incident=incident).select_related("follow_up__incident", "incident")
    recurrences = list(rows)
    if not recurrences:
        return
    earlier = _earlier(incident) if shows(incident) else None
    still = set(earlier.values_list("pk", flat=True)) if earlier is not None else set()
    for recurrence in recurrences:
        if recurrence.follow_up.incident_id not in still:
            text = f"{incident} turned out not to be this failure."
            recurrence.follow_up.take_back(recurrence, because=text)
