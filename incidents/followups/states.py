"""The states of a follow-up, and how far each is on the way from a promise to its proof."""

from datetime import UTC

from django.db import models
from django.db.models.functions import TruncDate
from django.utils import timezone


class State(models.TextChoices):
    """Done is what somebody says; verified is what was seen to work. What did not hold is to be done again."""

    OPEN = "open", "Open"
    IN_PROGRESS = "in_progress", "In progress"
    DONE = "done", "Done"
    VERIFIED = "verified", "Verified"
    DID_NOT_HOLD = "did_not_hold", "Did not hold"
    WONT_DO = "wont_do", "Won’t do"


UNFINISHED = ["open", "in_progress", "did_not_hold"]
ACHIEVED = ["done", "verified"]
FINISHED = [*ACHIEVED, "wont_do"]
AGES: dict[str, tuple[int, int]] = {"0-14": (0, 15), "15-30": (15, 31), "31-60": (31, 61), "over-60": (61, 0)}  # days
ON_TIME = models.Q(state__in=ACHIEVED, due_on__gte=TruncDate("finished_at", tzinfo=UTC))

# Each stage holds what was not decided against. Verified is what earned it: nobody’s word that it is done is proof.
STAGES = {
    "raised": models.Q(pk__isnull=False),
    "owned": models.Q(owner__isnull=False),
    "dated": models.Q(owner__isnull=False, due_on__isnull=False),
    "done": models.Q(state__in=ACHIEVED),
    "verified": models.Q(state="verified"),
    "dropped": models.Q(state="wont_do"),
    "did_not_hold": models.Q(failed_at__isnull=False),
}


def judged() -> models.Q:
    """The condition that one can say whether it was on time."""
    return models.Q(due_on__isnull=False) & (
        models.Q(state__in=ACHIEVED) | models.Q(state__in=UNFINISHED, due_on__lt=timezone.now().date())
    )
