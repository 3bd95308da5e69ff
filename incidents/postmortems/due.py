"""Which resolved incidents still need a postmortem: asked of the database, not triggered, so none is forgotten."""

from datetime import timedelta

from django.utils import timezone

from incidents.postmortems.document import Postmortem
from incidents.postmortems.reviews import Review, Verdict
from incidents.response.incident import Incident
from incidents.response.vocabulary import IncidentKind, Status

SETTLED_AFTER = timedelta(seconds=20)  # long enough to undo a slip of the finger


REVIEW_WAITS = timedelta(days=3)

# By when one has been started for certain, where the worker runs at all; until then nobody need press a button for it.
STARTED_WITHIN = timedelta(minutes=1)


def starts_by_itself(incident: Incident) -> bool:
    """Whether a postmortem of the incident, which has none, is about to be started."""
    return (
        incident.status == Status.RESOLVED
        and incident.kind == IncidentKind.REAL
        and incident.resolved_at is not None
        and timezone.now() - incident.resolved_at < STARTED_WITHIN
    )


def remind() -> int:
    """Remind owners of what is due within a day or late, and reviewers of what waits three days; returns of how many.

    May run as often as it likes: each is told once for each due date, and once for each review.
    """
    today, now = timezone.localdate(), timezone.now()
    owed = Postmortem.objects.unfinished().filter(due_on__lte=today + timedelta(days=1)).exclude(owner=None)
    for postmortem in owed.select_related("incident", "owner"):
        when = "was due" if postmortem.due_on < today else "is due"
        subject = f"The postmortem of {postmortem.incident} {when} on {postmortem.due_on:%Y-%m-%d}"
        stage = "late" if postmortem.due_on < today else "soon"
        owner = [postmortem.owner] if postmortem.owner else []
        key = f"due:{stage}:{postmortem.due_on:%Y%m%d}"
        postmortem.tell("due", owner, subject, postmortem.name, key=key)
        postmortem.announce("due", subject, key=key)
    waiting = Review.objects.filter(
        verdict=Verdict.PENDING, asked_at__lt=now - REVIEW_WAITS, postmortem__state=Postmortem.State.IN_REVIEW
    )
    for review in waiting.select_related("postmortem__incident", "reviewer"):
        subject = f"The postmortem of {review.postmortem.incident} still needs your review"
        news = f"The review of the postmortem of {review.postmortem.incident} waits for {review.reviewer}"
        review.postmortem.announce("due", news, key=f"review-due:{review.pk}")
        review.postmortem.tell("due", [review.reviewer], subject, review.postmortem.name, key=f"review-due:{review.pk}")
    return len(owed) + len(waiting)


def start_missing() -> int:
    """Start the postmortem of every resolved incident that has none; returns how many were started."""
    waiting = Incident.objects.filter(
        status=Status.RESOLVED,
        kind=IncidentKind.REAL,
        postmortems=None,
        covered_by=None,
        resolved_at__lte=timezone.now() - SETTLED_AFTER,
    )
    started = [Postmortem.objects.begin(incident) for incident in waiting.order_by("pk")]
    return len(started)
