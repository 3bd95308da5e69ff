"""The log of what agents did in an incident: appended by programs, changed by nobody, listed however long it is."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Self

import pgtrigger
from django.db import models, transaction
from django.utils import timezone

from incidents.errors import Refused
from incidents.evidence.acts import LONGEST_ACTOR, LONGEST_KEY, LONGEST_TARGET, AgentAct
from incidents.people.models import User
from incidents.response.incident import Incident, of_visible

MOST_ACTIONS = 200_000  # of one incident
_PLACE = re.compile(r"(\d{1,17})_(\d{1,17})", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class AgentActionQuerySet(models.QuerySet["AgentAction"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(of_visible(user)) if user.is_active else self.none()

    def shown_as(self, show: str) -> Self:
        """Keep one kind: denied, failed, irreversible or unapproved; all for any other word."""
        return self.filter(_SHOWN[show]) if show in _SHOWN else self

    def newest_first(self) -> Self:
        return self.order_by("-at", "-pk")

    def after(self, place: str) -> Self:
        """Keep what follows the row of a `place`, the newest first; everything where it names none."""
        found = _PLACE.fullmatch(place)
        try:
            at = _EPOCH + timedelta(microseconds=int(found[1])) if found else None
        except OverflowError:
            return self
        if found is None or at is None:
            return self
        # Compared as a pair, which the index answers; as two conditions it would not.
        return self.filter(at__lte=at).exclude(at=at, pk__gte=int(found[2]))

    def append(self, incident: Incident, acts: Sequence[AgentAct], *, by: User, source: str) -> int:
        """Append acts, all or none; returns how many are new. One whose key is here already is left as it is.

        Raises Refused where one cannot be stored, or where there would be more than MOST_ACTIONS.
        """
        for act in acts:
            if problem := act.problem():
                raise Refused(problem)
        with transaction.atomic():
            incident.locked()
            here = set(self.filter(incident=incident, key__in=[act.key for act in acts]).values_list("key", flat=True))
            new = list({act.key: act for act in reversed(acts) if act.key not in here}.values())[::-1]
            if new and self.filter(incident=incident).count() + len(new) > MOST_ACTIONS:
                raise Refused(f"An incident can hold at most {MOST_ACTIONS:,} actions of agents.")
            self.bulk_create([_row(incident, act, by=by, source=source) for act in new], batch_size=1000)
        return len(new)


def _row(incident: Incident, act: AgentAct, *, by: User, source: str) -> "AgentAction":
    facts = {name: getattr(act, name) for name in AgentAct.__dataclass_fields__}
    return AgentAction(incident=incident, added_by=by, source=source, **facts)


class AgentAction(models.Model):
    """One act of an agent. The database itself refuses to change or delete it."""

    class Approval(models.TextChoices):
        UNKNOWN = "", "Unknown"
        NOT_NEEDED = "not_needed", "Not needed"
        GIVEN = "given", "Given"
        MISSING = "missing", "Missing"

    class Result(models.TextChoices):
        UNKNOWN = "", "Unknown"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"

    class Source(models.TextChoices):
        API = "api", "API"
        TRACE = "trace", "Trace"

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="agent_actions")
    key = models.CharField(max_length=LONGEST_KEY)
    agent = models.CharField(max_length=LONGEST_ACTOR, blank=True)
    on_behalf_of = models.CharField(max_length=LONGEST_ACTOR, blank=True)
    tool = models.CharField(max_length=LONGEST_ACTOR)
    target = models.CharField(max_length=LONGEST_TARGET, blank=True)
    arguments_digest = models.CharField(max_length=64, blank=True)
    approval = models.CharField(max_length=12, choices=Approval, blank=True)
    approved_by = models.CharField(max_length=LONGEST_ACTOR, blank=True)
    result = models.CharField(max_length=12, choices=Result, blank=True)
    reversible = models.BooleanField(null=True, blank=True)  # empty: unknown
    denied = models.BooleanField(default=False)
    at = models.DateTimeField()
    source = models.CharField(max_length=8, choices=Source)
    added_at = models.DateTimeField(default=timezone.now)
    added_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    objects = AgentActionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["incident", "key"], name="one_agent_action_per_key"),
            models.CheckConstraint(
                condition=models.Q(denied=False) | ~models.Q(result="succeeded"), name="denied_actions_did_not_succeed"
            ),
        ]
        indexes = [models.Index(fields=["incident", "-at", "-id"], name="agent_actions_by_time")]
        triggers: ClassVar = [
            pgtrigger.Protect(name="agent_actions_are_append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.agent or 'agent'}: {self.tool}"

    @property
    def place(self) -> str:
        """Where it stands in the order of the list, for `after`."""
        return f"{(self.at - _EPOCH) // timedelta(microseconds=1)}_{self.pk}"


_DONE = models.Q(denied=False)
_SHOWN = {
    "denied": models.Q(denied=True),
    "failed": models.Q(result="failed"),
    "irreversible": _DONE & models.Q(reversible=False),
    "unapproved": _DONE & models.Q(approval="missing"),
}
SHOWN = {
    "": "All",
    "denied": "Denied",
    "failed": "Failed",
    "irreversible": "Cannot be undone",
    "unapproved": "Not approved",
}


def counts(rows: AgentActionQuerySet) -> dict[str, int]:
    """How many there are of each kind that a list can show, in one query; "" is all of them."""
    asked = {f"count_{name}": models.Count("pk", filter=condition) for name, condition in _SHOWN.items()}
    found = rows.aggregate(count_=models.Count("pk"), **asked)
    return {name: found[f"count_{name}"] for name in SHOWN}
