"""The incident. Its columns are in `fields`, what can be done with it in `verbs`; here is how incidents are found and opened."""

import re
from typing import Any, Self

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db import models, transaction
from django.utils import timezone

from incidents.errors import Refused
from incidents.people.models import User
from incidents.response.containments import Containment
from incidents.response.events import Event
from incidents.response.verbs.clocks import Clocks
from incidents.response.verbs.containing import Containing
from incidents.response.verbs.ending import Ending
from incidents.response.verbs.facts import Facts
from incidents.response.verbs.privacy import Privacy
from incidents.response.vocabulary import COUNTED, OPEN, IncidentKind, Severity, Status
from incidents.systems.models import System
from incidents.texts import one_line

WORDS = SearchVector("title", "summary", config="english")


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

    def counted(self, kind: str = IncidentKind.REAL) -> Self:
        """Keep what reports count: not declined, not merged into another, and of one kind."""
        return self.filter(status__in=COUNTED, kind=kind)

    def for_list(self) -> Self:
        standing = Containment.objects.only("incident", "state", "worked")
        return self.select_related("system", "team", "lead").prefetch_related(models.Prefetch("containments", standing))

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

    def lock(self, *incidents: "Incident") -> "dict[int, Incident]":
        """Lock several rows until the transaction ends, in one order, so that no two who do it wait for each other."""
        locked = self.filter(pk__in=[incident.pk for incident in incidents]).order_by("pk").select_for_update()
        return {incident.pk: incident for incident in locked}

    def worst_open(self) -> str:
        """Give the worst severity that is open, or “none”."""
        worst = (
            self.open().filter(kind=IncidentKind.REAL).order_by("severity").values_list("severity", flat=True).first()
        )
        return worst or "none"

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
        title = one_line(title)
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
            if incident.private:
                incident.people.add(*{person for person in (by, incident.lead) if person})
            incident.record(Event.Kind.OPENED, by=by, severity=severity, system=system.name if system else "")
        return incident


def of_visible(user: User) -> models.Q:
    """Keep rows whose `incident` the user may see, or that have none."""
    return ~models.Q(models.Exists(Incident.objects.hidden_from(user).filter(pk=models.OuterRef("incident_id"))))


class Incident(Containing, Ending, Clocks, Facts, Privacy):
    """The operational record of one failure. It may have no alert at all."""

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
            models.CheckConstraint(condition=models.Q(kind__in=IncidentKind.values), name="incident_kind_is_known"),
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
