"""The incident and everything that happens to it.

Each verb is one method: it compares and sets the state in one statement, records one Event and does both in
one transaction. `by` is the person who acts; None means Faultline itself, on behalf of a monitor.
"""

import re
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

import pgtrigger
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchQuery, SearchVector
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from incidents import taxonomy
from incidents.people.models import Team, User
from incidents.systems.models import System


class WrongStatus(Exception):
    """The incident is not in a status from which this can be done; the message says in which it is."""


class Refused(ValidationError):
    """What was asked cannot be done as asked; the message says why and what would work."""


class Status(models.TextChoices):
    TRIAGE = "triage", "Triage"
    INVESTIGATING = "investigating", "Investigating"
    CONTAINED = "contained", "Contained"
    RESOLVED = "resolved", "Resolved"
    CLOSED = "closed", "Closed"
    DECLINED = "declined", "Declined"
    MERGED = "merged", "Merged"


OPEN = (Status.TRIAGE, Status.INVESTIGATING, Status.CONTAINED)
COUNTED = (*OPEN, Status.RESOLVED, Status.CLOSED)  # declined and merged ones are no incidents of their own


class Severity(models.TextChoices):
    SEV1 = "sev1", "SEV1"
    SEV2 = "sev2", "SEV2"
    SEV3 = "sev3", "SEV3"
    SEV4 = "sev4", "SEV4"
    UNKNOWN = "unknown", "Unknown"

    @property
    def rank(self) -> int:
        """Higher is worse; unknown ranks lowest, so that any judgement replaces it."""
        return 0 if self is Severity.UNKNOWN else 5 - int(self.value[-1])


class NoticedBy(models.TextChoices):
    """Who noticed first: the share found by one's own monitoring is the number that leaders ask for."""

    UNKNOWN = "", "Not said yet"
    MONITOR = "monitor", "A monitor"
    EVALUATION = "evaluation", "An evaluation"
    STAFF = "staff", "A colleague"
    USER = "user", "A user or customer"
    OUTSIDE = "outside", "Press, partner or regulator"


class Kind(models.TextChoices):
    """Whether it counts: a test and what was entered afterwards stay out of reports unless they are asked for."""

    REAL = "real", "Real"
    TEST = "test", "Test"
    BACKFILLED = "backfilled", "Backfilled"


class ImpactMethod(models.TextChoices):
    """How one knows when the impact started."""

    UNKNOWN = "", "Not said"
    PERSON = "person", "Somebody says so"
    FIRST_ALERT = "first_alert", "First alert"
    CHANGE_POINT = "change_point", "Change point of a signal"
    CHANGE = "change", "A change"


CLOCKS = {
    "impact_started_at": "Impact started",
    "detected_at": "Detected",
    "declared_at": "Declared",
    "acknowledged_at": "Acknowledged",
    "contained_at": "Contained",
    "resolved_at": "Resolved",
}

# The steps of an incident, each from one clock to another; reports draw them, and the list is filtered by them.
PHASES = {
    "silence": ("impact_started_at", "detected_at"),
    "acknowledge": ("detected_at", "acknowledged_at"),
    "contain": ("acknowledged_at", "contained_at"),
    "resolve": ("contained_at", "resolved_at"),
    "whole": ("detected_at", "resolved_at"),
}


WORDS = SearchVector("title", "summary", config="english")


def correlation_key(where: str, category: str, group: str = "") -> str:
    """What gathers alerts into one incident: the same place failing in the same way, and the same group of a rule."""
    return f"{where}\t{group}|{category or 'unclassified'}" if group else f"{where}|{category or 'unclassified'}"


class IncidentCounter(models.Model):
    """One row that holds the last number given. Taking a number locks it until the incident is committed, so none is lost."""

    only = models.BooleanField(primary_key=True, default=True)
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(only=True), name="one_incident_counter")]

    def __str__(self) -> str:
        return f"last number {self.last}"

    @classmethod
    def take(cls) -> int:
        """Take the next number. Call it last in the transaction: its lock lasts until the commit."""
        cls.objects.get_or_create(only=True)
        cls.objects.filter(only=True).update(last=models.F("last") + 1)
        return cls.objects.get(only=True).last


class IncidentQuerySet(models.QuerySet["Incident"]):
    def visible_to(self, user: User) -> Self:
        """Keep what the user may see: everything of the organisation, and private ones that name them."""
        if not user.is_active:
            return self.none()
        named = Incident.people.through.objects.filter(incident_id=models.OuterRef("pk"), user_id=user.pk)
        return self.filter(models.Q(private=False) | models.Exists(named))

    def hidden_from(self, user: User) -> Self:
        """Keep what the user may not see: the private ones that do not name them. They are few, so ask for these."""
        named = Incident.people.through.objects.filter(incident_id=models.OuterRef("pk"), user_id=user.pk)
        return self.filter(~models.Exists(named), private=True) if user.is_active else self

    def open(self) -> Self:
        return self.filter(status__in=OPEN)

    def open_upstream_of(self, system: System | None) -> Self:
        """Keep what is open on something that `system` depends on directly: a fault there may be the cause here."""
        return self.open().filter(system__in=system.upstreams.all()).select_related("system") if system else self.none()

    def counted(self, kind: str = Kind.REAL) -> Self:
        """Keep what reports count: not declined, not merged into another, and of one kind."""
        return self.filter(status__in=COUNTED, kind=kind)

    def for_list(self) -> Self:
        return self.select_related("system", "team", "lead")

    def worst_first(self) -> Self:
        """Order as on-call reads: what nobody has taken first, then the worst, then the newest."""
        return self.order_by(models.F("status").desc(), "severity", "-number")

    def matching(self, text: str) -> Self:
        """Find incidents by the words of their title and summary, the last of them as it is being typed, or by their system."""
        words = re.findall(r"\w+", text.lower())[:10]
        if not words:
            return self.none()
        query = SearchQuery(" & ".join([*words[:-1], f"{words[-1]}:*"]), config="english", search_type="raw")
        systems = list(System.objects.filter(name__icontains=text).values_list("pk", flat=True)[:50])
        return self.worded(models.Q(words=query) | models.Q(system__in=systems))

    def worded(self, condition: models.Q) -> Self:
        """Keep what fulfils a condition on `words`, the expression of the index `incidents_by_words`."""
        return self.alias(words=WORDS).filter(condition)

    def worst_open(self) -> str:
        """Give the worst severity that is open, or “none”."""
        found = self.open().filter(kind=Kind.REAL).order_by("severity").values_list("severity", flat=True).first()
        return found or "none"

    def declare(
        self,
        *,
        title: str,
        by: User | None,
        system: System | None = None,
        severity: str = Severity.UNKNOWN,
        **fields: Any,
    ) -> "Incident":
        """Open an incident. One that a person declares is being investigated; one that an alert opens waits in triage."""
        now = timezone.now()
        title = " ".join(title.split())
        if not title:
            raise Refused("An incident needs a title: say what went wrong in one line.")
        times = {"declared_at": now, "detected_at": now, "acknowledged_at": now if by else None, "private": False}
        with transaction.atomic():
            incident = Incident(
                title=title[:200],
                system=system,
                team=fields.pop("team", None) or (system.team if system else None),
                severity=severity,
                opened_by=by,
                status=Status.INVESTIGATING if by else Status.TRIAGE,
                lead=fields.pop("lead", None) or by,
                **times | fields,
            )
            incident.number = IncidentCounter.take()
            incident.save(force_insert=True)
            if incident.private and by:
                incident.people.add(by)
            incident.record(Event.Kind.OPENED, by=by, severity=severity, system=system.name if system else "")
        return incident


def of_visible(user: User) -> models.Q:
    """Keep rows whose `incident` the user may see, or that have none."""
    return ~models.Q(models.Exists(Incident.objects.hidden_from(user).filter(pk=models.OuterRef("incident_id"))))


class Incident(models.Model):
    """The operational record of one failure. It may have no alert at all."""

    number = models.PositiveIntegerField(unique=True)
    title = models.CharField(max_length=200)
    summary = models.TextField(blank=True, max_length=20_000)
    status = models.CharField(max_length=16, choices=Status, default=Status.TRIAGE)
    severity = models.CharField(max_length=8, choices=Severity, default=Severity.UNKNOWN)
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.REAL)
    system = models.ForeignKey(System, on_delete=models.PROTECT, null=True, blank=True, related_name="incidents")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="incidents")
    category = models.CharField(max_length=32, blank=True)
    failure_mode = models.CharField(max_length=64, blank=True)
    classified_because = models.CharField(max_length=500, blank=True)
    lead = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="led_incidents")
    opened_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    noticed_by = models.CharField(max_length=12, choices=NoticedBy, blank=True, default=NoticedBy.UNKNOWN)
    private = models.BooleanField(default=False)
    people = models.ManyToManyField(User, blank=True, related_name="private_incidents")
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="merged")
    correlation_key = models.CharField(max_length=300, null=True, blank=True)  # noqa: DJ001 - only NULLs may repeat

    # Where only a range is known, this is its earliest moment and `impact_started_until` its latest.
    impact_started_at = models.DateTimeField(null=True, blank=True)
    impact_started_until = models.DateTimeField(null=True, blank=True)
    impact_method = models.CharField(max_length=12, choices=ImpactMethod, blank=True, default=ImpactMethod.UNKNOWN)
    detected_at = models.DateTimeField(null=True, blank=True)
    declared_at = models.DateTimeField(default=timezone.now)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    contained_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField(default=timezone.now)
    last_update_at = models.DateTimeField(null=True, blank=True)  # of the last status update
    next_update_at = models.DateTimeField(null=True, blank=True)  # as that one promised; else the cadence says it
    reminded_at = models.DateTimeField(null=True, blank=True)  # the due time that a reminder was sent for

    objects = IncidentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["correlation_key"],
                condition=models.Q(status__in=[status.value for status in OPEN], correlation_key__isnull=False),
                name="one_open_incident_per_correlation_key",
            ),
            models.CheckConstraint(condition=models.Q(status__in=Status.values), name="incident_status_is_known"),
            models.CheckConstraint(condition=models.Q(severity__in=Severity.values), name="incident_severity_is_known"),
            models.CheckConstraint(
                condition=models.Q(status=Status.MERGED, merged_into__isnull=False)
                | (~models.Q(status=Status.MERGED) & models.Q(merged_into__isnull=True)),
                name="merged_incidents_say_into_which",
            ),
            models.CheckConstraint(
                condition=~models.Q(merged_into=models.F("id")), name="no_incident_merges_into_itself"
            ),
            models.CheckConstraint(condition=models.Q(kind__in=Kind.values), name="incident_kind_is_known"),
            models.CheckConstraint(
                condition=models.Q(impact_started_until__isnull=True)
                | models.Q(impact_started_at__isnull=False, impact_started_until__gte=models.F("impact_started_at")),
                name="impact_ranges_run_forward",
            ),
            models.CheckConstraint(
                condition=~models.Q(status__in=[Status.RESOLVED, Status.CLOSED]) | models.Q(resolved_at__isnull=False),
                name="resolved_incidents_say_when",
            ),
        ]
        indexes = [
            models.Index(fields=["status", "severity", "-number"], name="incidents_by_status"),
            models.Index(fields=["system", "-number"], name="incidents_by_system"),
            models.Index(fields=["-declared_at"], name="incidents_by_declared"),
            models.Index(fields=["-changed_at"], name="incidents_by_change"),
            models.Index(fields=["id"], condition=models.Q(private=True), name="incidents_private"),
            models.Index(fields=["id"], condition=~models.Q(kind="real"), name="incidents_not_real"),
            models.Index(fields=["failure_mode", "-number"], name="incidents_by_mode"),
            models.Index(fields=["category", "-number"], name="incidents_by_category"),
            models.Index(fields=["team", "-number"], name="incidents_by_team"),
            GinIndex(WORDS, name="incidents_by_words"),
        ]

    def __str__(self) -> str:
        return f"INC-{self.number}"

    def get_absolute_url(self) -> str:
        return f"/incidents/{self.number}/"

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def silence(self) -> timedelta | None:
        """How long the output was wrong before anybody noticed; None while either end is unknown.

        Where the start is a range, this is the longest that it can have been.
        """
        if self.impact_started_at is None or self.detected_at is None:
            return None
        return self.detected_at - self.impact_started_at

    @property
    def shortest_silence(self) -> timedelta | None:
        """The least that the silence can have been, where the start is a range; else None."""
        if self.impact_started_until is None or self.detected_at is None:
            return None
        return max(self.detected_at - self.impact_started_until, timedelta())

    @property
    def category_name(self) -> str:
        return taxonomy.category(self.category).name

    # Verbs

    def acknowledge(self, *, by: User) -> None:
        """Take the incident: whoever acknowledges leads it until somebody else does."""
        self._move(
            [Status.TRIAGE],
            to=Status.INVESTIGATING,
            by=by,
            kind=Event.Kind.ACKNOWLEDGED,
            acknowledged_at=models.functions.Coalesce("acknowledged_at", models.Value(timezone.now())),
            lead=models.functions.Coalesce("lead", models.Value(by.pk)),
        )

    def decline(self, *, by: User, reason: str) -> None:
        """Say that this is no incident, and why; its alerts stay."""
        self._move([Status.TRIAGE], to=Status.DECLINED, by=by, reason=_needed(reason, "Say why this is no incident."))

    def undo(self, *, by: User) -> None:
        """Take back the last decision of triage: that it was accepted, declined or merged. What came later stands in the way."""
        with transaction.atomic():
            self._lock()
            moved = self.events.filter(kind__in=_MOVES).order_by("-pk").first()
            self.refresh_from_db()
            if moved is None or moved.detail.get("was") is None or moved.detail.get("became") != self.status:
                raise Refused("Nothing can be taken back here.")
            match self.status:
                case Status.INVESTIGATING if moved.kind == Event.Kind.ACKNOWLEDGED:
                    lead = {} if moved.by_id != self.lead_id else {"lead": None}
                    self._move(
                        [Status.INVESTIGATING], to=Status.TRIAGE, by=by, acknowledged_at=None, undone=True, **lead
                    )
                case Status.DECLINED:
                    self._move(
                        [Status.DECLINED], to=Status(moved.detail["was"]), by=by, undone=True, **self._if_taken()
                    )
                case Status.MERGED if self.merged_into is not None:
                    into = self.merged_into
                    self._move(
                        [Status.MERGED],
                        to=Status(moved.detail["was"]),
                        by=by,
                        merged_into=None,
                        undone=True,
                        **self._if_taken(),
                    )
                    back = f"Moved back to {self} when its merge into {into} was undone."
                    into.alerts.filter(pk__in=moved.detail.get("alerts", [])).update(incident=self, routed_because=back)
                    into.record(Event.Kind.MERGED, by=by, unmerged=str(self))
                case _:
                    raise Refused("Only what triage decided can be taken back: accepting, declining and merging.")

    def contain(
        self, *, by: User, action: str, note: str = "", at: datetime | None = None, remove_by: datetime | None = None
    ) -> "Containment":
        """Record an act that limits the harm and is done. The first one moves the incident to contained."""
        with transaction.atomic():
            self._lock()
            made = self.containments.create(
                action=taxonomy.containment(action).code, note=note.strip(), by=by, remove_by=remove_by,
                state=Containment.State.DONE, done_at=at or timezone.now(),
            )  # fmt: skip
            self.mark_contained(made, by=by)
        return made

    def plan_containment(
        self, *, by: User, action: str, note: str = "", remove_by: datetime | None = None
    ) -> "Containment":
        """Say what is going to be done."""
        with transaction.atomic():
            if self._lock().status not in OPEN:
                raise WrongStatus(f"{self} is over; nothing is left to contain.")
            code = taxonomy.containment(action).code
            made = self.containments.create(action=code, note=note.strip(), by=by, remove_by=remove_by)
            self.record(Event.Kind.CONTAINMENT, by=by, **made.told())
        return made

    def mark_contained(self, done: "Containment", *, by: User) -> None:
        """Take over that a containment was done."""
        if self._lock().status == Status.CONTAINED:
            self.record(Event.Kind.CONTAINMENT, by=by, **done.told())
        else:
            at = models.Value(done.done_at)
            self._move(
                [Status.INVESTIGATING], to=Status.CONTAINED, by=by, kind=Event.Kind.CONTAINMENT,
                contained_at=models.functions.Coalesce("contained_at", at, output_field=models.DateTimeField()), **done.told(),
            )  # fmt: skip

    def follow_containments(self, *, by: User) -> None:
        """Let the contained clock follow the first containment that worked, or else the first that may have.

        Where none is left, the harm is not limited: a contained incident is being investigated again. A clock that a
        person corrected stays as they said.
        """
        corrected = self.events.filter(
            kind=Event.Kind.CLOCK, by__isnull=False, detail__became__has_key="contained_at"
        ).exists()
        tried = self.containments.exclude(done_at=None)
        first = (
            tried.filter(worked=True).aggregate(at=models.Min("done_at"))["at"]
            or tried.filter(worked=None).aggregate(at=models.Min("done_at"))["at"]
        )
        if first is None and self._lock().status == Status.CONTAINED:
            reason = "No containment has worked so far."
            self._move([Status.CONTAINED], to=Status.INVESTIGATING, by=by, reason=reason, contained_at=None)
        elif not corrected:
            self._set(Event.Kind.CLOCK, by=None, reason="The first containment that worked.", contained_at=first)

    def resolve(self, *, by: User, note: str = "") -> None:
        """Say that the output is right again."""
        self._move(
            [Status.INVESTIGATING, Status.CONTAINED],
            to=Status.RESOLVED,
            by=by,
            resolved_at=timezone.now(),
            note=note.strip(),
        )

    def reopen(self, *, by: User | None, reason: str) -> None:
        """Take it up again. Where a newer incident already gathers its alerts, that one goes on gathering them."""
        reason = _needed(reason, "Say why it is open again.")
        with transaction.atomic():
            self._lock()
            try:
                with transaction.atomic():
                    self._reopen(by=by, reason=reason, **self._if_taken())
            except IntegrityError:  # an alert opened the newer one between the look and the move
                self._reopen(by=by, reason=reason, correlation_key=None)

    def _reopen(self, *, by: User | None, reason: str, **changes: Any) -> None:
        start = [Status.RESOLVED, Status.CLOSED, Status.DECLINED]
        self._move(start, to=Status.INVESTIGATING, by=by, reason=reason, resolved_at=None, **changes)

    def _if_taken(self) -> dict[str, Any]:
        """Give up the correlation key where another open incident has it meanwhile."""
        key = Incident.objects.values_list("correlation_key", flat=True).get(pk=self.pk)
        taken = key and Incident.objects.open().filter(correlation_key=key).exclude(pk=self.pk).exists()
        return {"correlation_key": None} if taken else {}

    def close(self, *, by: User) -> None:
        """Nothing is left to do or to learn here."""
        self._move([Status.RESOLVED], to=Status.CLOSED, by=by)

    def release_key(self) -> None:
        """Stop gathering alerts: later ones of its kind open an incident of their own."""
        Incident.objects.filter(pk=self.pk).update(correlation_key=None)
        self.correlation_key = None

    def merge_into(self, other: "Incident", *, by: User) -> None:
        """Say that this is the same failure as `other`; its alerts move there."""
        with transaction.atomic():
            # Both rows in one order, so that merging A into B while B goes into A cannot deadlock or make a ring.
            rows = {
                row.pk: row
                for row in Incident.objects.filter(pk__in=[self.pk, other.pk]).order_by("pk").select_for_update()
            }
            if self.pk == other.pk:
                raise Refused("An incident cannot be merged into itself.")
            if rows[other.pk].status in (Status.MERGED, Status.DECLINED):
                raise Refused(
                    f"{other} is {rows[other.pk].get_status_display().lower()}; choose one that is still counted."
                )
            moved = f"Moved to {other} when {self} was merged into it."
            alerts = list(self.alerts.values_list("pk", flat=True))
            self._move(list(OPEN), to=Status.MERGED, by=by, merged_into=other, into=str(other), alerts=alerts)
            self.alerts.update(incident=other, routed_because=moved)
            other.record(Event.Kind.MERGED, by=by, merged=str(self))

    def set_severity(self, severity: str, *, by: User | None, reason: str = "") -> None:
        self._set(Event.Kind.SEVERITY, by=by, reason=reason, severity=Severity(severity))

    def assign_lead(self, lead: User | None, *, by: User) -> None:
        if lead and not Incident.objects.visible_to(lead).filter(pk=self.pk).exists():
            raise Refused(f"{lead} may not see this incident, so they cannot lead it.")
        self._set(Event.Kind.LEAD, by=by, lead=lead)

    def classify(self, category: str, failure_mode: str = "", *, by: User | None, reason: str = "") -> None:
        """Settle what kind of failure it is; an empty category makes it unclassified again."""
        if failure_mode:
            category = taxonomy.failure_mode(failure_mode).category
        elif category:
            taxonomy.category(category)
        self._set(
            Event.Kind.CLASSIFIED,
            by=by,
            category=category,
            failure_mode=failure_mode,
            classified_because=reason or (f"Settled by {by}." if by else ""),
        )
        self._follow_key()

    def set_system(self, system: System | None, *, by: User) -> None:
        team: dict[str, Any] = {"team": system.team} if system else {}
        self._set(Event.Kind.SYSTEM, by=by, system=system, **team)
        self._follow_key()

    def describe(self, *, title: str, summary: str, by: User) -> None:
        title = _needed(" ".join(title.split()), "An incident needs a title.")
        self._set(Event.Kind.DESCRIBED, by=by, title=title[:200], summary=summary.strip())

    def say_who_noticed(self, noticed_by: str, *, by: User) -> None:
        self._set(Event.Kind.NOTICED, by=by, noticed_by=NoticedBy(noticed_by))

    def set_clock(
        self,
        clock: str,
        at: datetime | None,
        *,
        by: User,
        reason: str = "",
        until: datetime | None = None,
        method: str = ImpactMethod.PERSON,
    ) -> None:
        """Correct one of the six clocks. None is “unknown”, which is a fact and never zero.

        When the impact started may be a range: then `at` is its earliest moment and `until` its latest, and `method`
        says how one knows.
        """
        if clock not in CLOCKS:
            raise Refused(f"“{clock}” is not a clock; the six are {', '.join(CLOCKS)}.")
        if at is None and clock == "declared_at":
            raise Refused("When it was declared is always known.")
        if at is None and clock == "resolved_at" and self.status in (Status.RESOLVED, Status.CLOSED):
            raise Refused("A resolved incident has a time of resolution; reopen it instead.")
        if at and at > timezone.now() + timedelta(minutes=5):
            raise Refused(f"{CLOCKS[clock]} cannot be in the future.")
        given: dict[str, Any] = {clock: at}
        if clock == "impact_started_at":
            if until and (at is None or until < at):
                raise Refused("A range runs from its earliest moment to its latest.")
            method = ImpactMethod(method) if at else ImpactMethod.UNKNOWN
            given |= {"impact_started_until": until, "impact_method": method}
        self._set(Event.Kind.CLOCK, by=by, reason=reason, **given)

    def set_kind(self, kind: str, *, by: User) -> None:
        self._set(Event.Kind.KIND, by=by, kind=Kind(kind))

    def restrict(self, people: list[User], *, by: User) -> None:
        """Make it private: only `people`, the lead and whoever does this see it, here and in everything about it."""
        self._set(Event.Kind.VISIBILITY, by=by, private=True)
        self.people.set({*people, by, *([self.lead] if self.lead else [])})

    def open_up(self, *, by: User) -> None:
        """Make a private incident visible to the organisation."""
        self._set(Event.Kind.VISIBILITY, by=by, private=False)

    def add_note(self, text: str, *, by: User) -> "Note":
        text = _needed(text, "Write something first; an empty note was not kept.")
        with transaction.atomic():
            note = Note.objects.create(incident=self, author=by, text=text)
            self.record(Event.Kind.NOTE, by=by, written=note)
        return note

    def record(
        self,
        kind: "Event.Kind",
        /,
        *,
        by: User | None,
        written: "Note | None" = None,
        at: datetime | None = None,
        **detail: Any,
    ) -> "Event":
        """Append what happened; nothing here is ever updated or deleted."""
        moment = at or timezone.now()
        event = Event.objects.create(incident=self, kind=kind, by=by, note=written, at=moment, detail=detail)
        Incident.objects.filter(pk=self.pk).update(changed_at=timezone.now())
        return event

    # How they are done

    def _follow_key(self) -> None:
        """Gather from now on the alerts of what the incident was found to be; where another open one does, let it."""
        if not self.correlation_key:
            return
        where, _, group = self.correlation_key.rpartition("|")[0].partition("\t")
        key = correlation_key(f"system:{self.system_id}" if self.system_id else where, self.category, group)
        try:
            with transaction.atomic():
                Incident.objects.filter(pk=self.pk).update(correlation_key=key)
        except IntegrityError:  # the key is another open incident’s
            return
        self.correlation_key = key

    def _lock(self) -> "Incident":
        return Incident.objects.select_for_update(no_key=True).get(pk=self.pk)

    def _move(
        self,
        start: list[Status],
        *,
        to: Status,
        by: User | None,
        kind: "Event.Kind | None" = None,
        **given: Any,
    ) -> None:
        """Move from one of `start` to `to`; whatever in `given` is no field goes into the Event as it is."""
        fields = {name: value for name, value in given.items() if name in _FIELDS}
        detail = {name: value for name, value in given.items() if name not in _FIELDS and value != ""}
        with transaction.atomic():
            was = self._lock().status
            # Compared and set in one statement: of two people who press the same button at once, one moves it.
            if not Incident.objects.filter(pk=self.pk, status__in=start).update(status=to, **fields):
                wanted = " or ".join(status.label.lower() for status in start)
                raise WrongStatus(f"{self} is {Status(was).label.lower()}, not {wanted}.")
            self.record(kind or Event.Kind.STATUS, by=by, was=was, became=to.value, **detail)
        self.refresh_from_db()

    def _set(self, kind: "Event.Kind", /, *, by: User | None, reason: str = "", **changes: Any) -> None:
        """Change facts and record what each was; setting what is already so records nothing."""
        with transaction.atomic():
            row = self._lock()
            was = {name: getattr(row, name) for name in changes}
            if was != changes:
                Incident.objects.filter(pk=self.pk).update(**changes)
                extra: dict[str, Any] = {"reason": reason.strip()} if reason.strip() else {}
                self.record(kind, by=by, was=_readable(was), became=_readable(changes), **extra)
        self.refresh_from_db()


_MOVES = ("acknowledged", "status", "containment")
_FIELDS = {field.name for field in Incident._meta.concrete_fields}


def _needed(text: str, sentence: str) -> str:
    text = text.strip()
    if not text:
        raise Refused(sentence)
    return text


def _readable(facts: dict[str, Any]) -> dict[str, str | bool | None]:
    """Write facts as an Event keeps them: names instead of rows, times as ISO 8601 in UTC."""
    return {
        name: value.isoformat()
        if isinstance(value, datetime)
        else value
        if isinstance(value, bool | None)
        else str(value)
        for name, value in facts.items()
    }


class Note(models.Model):
    """A person's own words on an incident; the text can be corrected, the Event that it was written cannot."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="notes")
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    text = models.TextField(max_length=20_000)
    created_at = models.DateTimeField(default=timezone.now)
    edited_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.text[:80]

    def rewrite(self, text: str, *, by: User) -> None:
        """Correct one's own note."""
        if self.author_id != by.pk:
            raise Refused("Only whoever wrote a note may rewrite it.")
        text = _needed(text, "A note cannot be empty; its old text was kept.")
        Note.objects.filter(pk=self.pk).update(text=text, edited_at=timezone.now())
        self.refresh_from_db()


class ContainmentQuerySet(models.QuerySet["Containment"]):
    def overdue(self) -> Self:
        """Keep what is in force and should have been taken back by now."""
        in_force = self.filter(state__in=[Containment.State.DONE, Containment.State.VERIFIED])
        return in_force.filter(remove_by__lt=timezone.now()).filter(models.Q(worked=None) | models.Q(worked=True))


class Containment(models.Model):
    """An act that limits harm, from the catalogue in the taxonomy: planned, done, checked, and taken back one day."""

    class State(models.TextChoices):
        PLANNED = "planned", "Planned"
        DONE = "done", "Done"
        VERIFIED = "verified", "Checked"
        REMOVED = "removed", "Removed"
        DROPPED = "dropped", "Not done"

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="containments")
    action = models.CharField(max_length=40)
    state = models.CharField(max_length=12, choices=State, default=State.PLANNED)
    note = models.TextField(blank=True, max_length=2000)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    planned_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    worked = models.BooleanField(null=True, blank=True)  # None: nobody has checked yet
    result = models.TextField(blank=True, max_length=2000)
    remove_by = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = ContainmentQuerySet.as_manager()

    class Meta:
        ordering = ["planned_at", "pk"]
        indexes = [
            models.Index(fields=["done_at"], name="containments_by_time"),
            models.Index(fields=["remove_by"], condition=models.Q(state__in=["done", "verified"]), name="containments_in_force"),
        ]  # fmt: skip
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["planned", "dropped"]) | models.Q(done_at__isnull=False),
                name="done_containments_say_when",
            ),
            models.CheckConstraint(
                condition=models.Q(worked__isnull=True, verified_at__isnull=True)
                | models.Q(worked__isnull=False, verified_at__isnull=False),
                name="checked_containments_say_whether_they_worked",
            ),
            models.CheckConstraint(
                condition=models.Q(state="removed", removed_at__isnull=False)
                | (~models.Q(state="removed") & models.Q(removed_at__isnull=True)),
                name="removed_containments_say_when",
            ),
        ]

    def __str__(self) -> str:
        return taxonomy.containment(self.action).name

    @property
    def is_in_force(self) -> bool:
        return self.state in (self.State.DONE, self.State.VERIFIED) and self.worked is not False

    @property
    def is_overdue(self) -> bool:
        """Whether it should have been taken back by now."""
        return self.is_in_force and self.remove_by is not None and self.remove_by < timezone.now()

    def told(self, **more: Any) -> dict[str, Any]:
        """Give what its Events say of it."""
        return {
            "containment": self.pk,
            "action": self.action,
            "name": str(self),
            "state": self.state,
            "note": self.note,
        } | more

    def do(self, *, by: User, at: datetime | None = None) -> None:
        """Say that what was planned is done."""
        with transaction.atomic():
            self._move([self.State.PLANNED], to=self.State.DONE, done_at=at or timezone.now())
            self.incident.mark_contained(self, by=by)

    def verify(self, *, by: User, worked: bool, result: str = "") -> None:
        """Say whether it limited the harm, and how that shows. May be said again: what was believed can be wrong."""
        with transaction.atomic():
            self._move(
                [self.State.DONE, self.State.VERIFIED], to=self.State.VERIFIED, worked=worked, result=result.strip(),
                verified_at=timezone.now(),
            )  # fmt: skip
            self.incident.record(Event.Kind.CONTAINMENT, by=by, **self.told(worked=worked, note=self.result))
            self.incident.follow_containments(by=by)

    def remove(self, *, by: User, note: str = "") -> None:
        """Say that it was taken back: the system runs as before."""
        self._close([self.State.DONE, self.State.VERIFIED], to=self.State.REMOVED, by=by, note=note)

    def drop(self, *, by: User, note: str = "") -> None:
        """Say that what was planned is not done."""
        self._close([self.State.PLANNED], to=self.State.DROPPED, by=by, note=note)

    def _close(self, start: list[State], *, to: State, by: User, note: str) -> None:
        with transaction.atomic():
            self._move(start, to=to, **({"removed_at": timezone.now()} if to == self.State.REMOVED else {}))
            self.incident.record(Event.Kind.CONTAINMENT, by=by, **self.told(note=note.strip()))

    def _move(self, start: list[State], *, to: State, **changes: Any) -> None:
        self.incident._lock()  # first, as everywhere, so that no two verbs wait for each other
        if not Containment.objects.filter(pk=self.pk, state__in=start).update(state=to, **changes):
            self.refresh_from_db(fields=["state"])
            raise WrongStatus(f"“{self}” is {self.get_state_display().lower()} already.")
        self.refresh_from_db()


class Event(models.Model):
    """One thing that happened to an incident. The database itself refuses to change or delete it."""

    class Kind(models.TextChoices):
        OPENED = "opened", "opened the incident"
        ACKNOWLEDGED = "acknowledged", "acknowledged"
        STATUS = "status", "changed the status"
        SEVERITY = "severity", "changed the severity"
        LEAD = "lead", "changed the lead"
        CLASSIFIED = "classified", "classified it"
        SYSTEM = "system", "set the system"
        DESCRIBED = "described", "edited the description"
        NOTICED = "noticed", "said who noticed first"
        CLOCK = "clock", "corrected a clock"
        VISIBILITY = "visibility", "changed who may see it"
        NOTE = "note", "wrote a note"
        CONTAINMENT = "containment", "contained it"
        MERGED = "merged", "merged another incident into this one"
        ALERT_LINKED = "alert_linked", "linked an alert"
        ALERTS_CLEARED = "alerts_cleared", "all alerts cleared"
        POSTMORTEM = "postmortem", "moved the postmortem"
        FOLLOW_UP = "follow_up", "changed a follow-up"
        UPDATE = "update", "posted a status update"
        OVERDUE = "overdue", "the next update is overdue"
        ROLE = "role", "changed who does what"
        HANDOVER = "handover", "handed over"
        TASK = "task", "changed a task"
        IMPACT = "impact", "assessed the impact"
        CURATED = "curated", "edited the story"
        ATTACHMENT = "attachment", "attached a file"
        LINK = "link", "linked another incident"
        KIND = "kind", "said whether it is real"
        PUBLIC = "public", "wrote for the public page"

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=16, choices=Kind)
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    note = models.OneToOneField(Note, on_delete=models.PROTECT, null=True, blank=True, related_name="event")
    detail = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["at", "pk"]
        indexes = [models.Index(fields=["incident", "at", "id"], name="events_by_incident")]
        triggers: ClassVar = [
            pgtrigger.Protect(name="events_are_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.incident} {self.kind}"
