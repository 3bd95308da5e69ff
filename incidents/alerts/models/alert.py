"""An alert: one episode of one fingerprint."""

from typing import Self

from django.db import models
from django.urls import reverse

from incidents import taxonomy
from incidents.people.models import User
from incidents.response.incident import Incident, of_visible
from incidents.systems.models import System


class AlertSeverity(models.TextChoices):
    CRITICAL = "critical", "Critical"
    HIGH = "high", "High"
    MEDIUM = "medium", "Medium"
    LOW = "low", "Low"
    INFO = "info", "Info"


class AlertQuerySet(models.QuerySet["Alert"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(of_visible(user)) if user.is_active else self.none()

    def firing(self) -> Self:
        return self.filter(status=Alert.Status.FIRING)

    def newest_ended(self) -> Self:
        """Keep the newest ended episode of each fingerprint; for one source's alerts."""
        ended = self.filter(status=Alert.Status.RESOLVED)
        return ended.order_by("fingerprint", "-starts_at").distinct("fingerprint")

    def for_list(self) -> Self:
        return self.select_related("source", "system", "incident").order_by("-last_received_at", "-pk")

    def unsettled(self) -> Self:
        """Keep those whose system nobody knows, though they name one or a service."""
        return self.filter(system=None).exclude(system_name="", service="")

    def named(self, name: str) -> Self:
        """Keep those that call their system so, or, where they name none, their service."""
        service = models.Q(system_name="", service__iexact=name)
        return self.filter(models.Q(system_name__iexact=name) | service)


class Alert(models.Model):
    """One episode of one fingerprint: from its first firing to its resolve."""

    class Status(models.TextChoices):
        FIRING = "firing", "Firing"
        RESOLVED = "resolved", "Resolved"

    class Condition(models.TextChoices):
        """What it is about; a test is none of these, because nothing is kept of it but its outcome."""

        BAD_VALUE = "bad_value", "Bad value"
        NO_DATA = "no_data", "No data"
        CHECK_FAILED = "check_failed", "Check failed to run"
        NOTICE = "notice", "Notice"

    class Held(models.TextChoices):
        """Why it has opened nothing."""

        WAITING = "waiting", "Waiting for more repeats"
        RECORDED = "recorded", "Recorded only"
        SILENCED = "silenced", "Silenced"

    source = models.ForeignKey("Source", on_delete=models.PROTECT, related_name="alerts")
    fingerprint = models.CharField(max_length=64)
    status = models.CharField(max_length=12, choices=Status, default=Status.FIRING)
    title = models.CharField(max_length=300)
    description = models.TextField(blank=True)
    severity = models.CharField(max_length=12, choices=AlertSeverity, default=AlertSeverity.MEDIUM)
    severity_raw = models.CharField(max_length=64, blank=True)
    # The worst its monitor said while it fired; a rule may have set another `severity`. Empty: as `severity`.
    claimed_severity = models.CharField(max_length=12, choices=AlertSeverity, blank=True, default="", db_default="")
    condition = models.CharField(
        max_length=12, choices=Condition, default=Condition.BAD_VALUE, db_default=Condition.BAD_VALUE.value
    )
    system = models.ForeignKey(System, on_delete=models.PROTECT, null=True, blank=True, related_name="alerts")
    system_name = models.CharField(max_length=200, blank=True)
    category = models.CharField(max_length=32, blank=True)
    failure_mode = models.CharField(max_length=64, blank=True)
    confidence = models.CharField(max_length=8, blank=True)
    classified_because = models.CharField(max_length=500, blank=True)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, null=True, blank=True, related_name="alerts")
    correlation_key = models.CharField(max_length=300, blank=True)
    held = models.CharField(max_length=12, choices=Held, blank=True, default="")
    silence = models.ForeignKey("Silence", on_delete=models.SET_NULL, null=True, blank=True, related_name="alerts")
    telling_name = models.CharField(max_length=200, blank=True)  # what corrections remember it by, normalised
    flaps = models.PositiveIntegerField(default=0)  # episodes that ended less than ten minutes before
    routed_because = models.CharField(max_length=1000, blank=True)
    service = models.CharField(max_length=200, blank=True)
    environment = models.CharField(max_length=100, blank=True)
    labels = models.JSONField(default=dict)
    annotations = models.JSONField(default=dict)
    ai = models.JSONField(default=dict)  # model, prompt, index …, as far as the labels say
    links = models.JSONField(default=list)
    flags = models.JSONField(default=list)
    value = models.CharField(max_length=100, blank=True)
    measured = models.JSONField(default=dict)  # metric, number, threshold, operator, unit
    group = models.CharField(max_length=512, blank=True)
    upstream_id = models.CharField(max_length=512, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)  # a lease: over unless it is repeated before
    starts_at = models.DateTimeField()
    # The newest start that a repeat gave: a resolve from before it belongs to an earlier episode.
    newest_start_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    first_received_at = models.DateTimeField()
    last_received_at = models.DateTimeField()
    occurrences = models.PositiveIntegerField(default=1)

    objects = AlertQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "fingerprint"],
                condition=models.Q(status="firing"),
                name="one_firing_alert_per_fingerprint",
            ),
            models.CheckConstraint(
                condition=models.Q(status="firing", ends_at__isnull=True)
                | models.Q(status="resolved", ends_at__isnull=False),
                name="resolved_alerts_say_when",
            ),
        ]
        indexes = [
            models.Index(fields=["source", "fingerprint", "-starts_at"], name="alerts_by_fingerprint"),
            models.Index(fields=["incident", "-starts_at"], name="alerts_by_incident"),
            models.Index(fields=["-last_received_at", "-id"], name="alerts_by_last_received"),
            models.Index(fields=["system", "-starts_at"], name="alerts_by_system"),
            models.Index(fields=["correlation_key"], condition=models.Q(held="waiting"), name="alerts_waiting"),
            models.Index(fields=["silence"], condition=models.Q(held="silenced"), name="alerts_silenced"),
            models.Index(fields=["-first_received_at"], name="alerts_by_first_received"),
            models.Index(
                fields=["expires_at"],
                condition=models.Q(status="firing", expires_at__isnull=False),
                name="alerts_leased",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("alert", args=[self.pk])

    @property
    def is_firing(self) -> bool:
        return self.status == self.Status.FIRING

    @property
    def unknown_name(self) -> str:
        """What its monitor calls the system that nobody knows; empty where it is known, or nothing names it."""
        return "" if self.system_id else self.system_name.strip() or self.service.strip()

    @property
    def category_name(self) -> str:
        return taxonomy.category(self.category).name
