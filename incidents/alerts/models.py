"""What monitors send: sources, their deliveries, the alerts these are about, and what came of every claim."""

import secrets
from datetime import timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from incidents import taxonomy
from incidents.people.models import Team, User, digest_of
from incidents.response.models import Incident, Refused
from incidents.systems.models import System

TOKEN_OVERLAP = timedelta(hours=24)


class SourceQuerySet(models.QuerySet["Source"]):
    def visible_to(self, user: User) -> Self:
        return self if user.is_active else self.none()

    def for_list(self) -> Self:
        latest = Delivery.objects.filter(source=models.OuterRef("pk")).order_by("-pk").values("received_at")[:1]
        return self.select_related("team", "system").annotate(last_delivery_at=models.Subquery(latest)).order_by("name")

    def for_token(self, token: str) -> "Source | None":
        """Find the source whose token this is, or was until its overlap ended. Retired sources are found too."""
        digest = digest_of(token)
        previous = models.Q(previous_digest=digest, previous_until__gt=timezone.now())
        return self.filter(models.Q(digest=digest) | previous).first()

    def connect(self, *, kind: str, name: str, by: User | None = None, **fields: Any) -> "tuple[Source, str]":
        """Make a source and return it with its token, which cannot be read again."""
        from django.utils.text import slugify

        name = " ".join(name.split())
        if not name:
            raise Refused("A source needs a name.")
        token = secrets.token_hex(16)
        base = slugify(name)[:40] or "source"
        taken = set(self.filter(slug__startswith=base).values_list("slug", flat=True))
        slug = next(s for s in (base, *(f"{base}-{n}" for n in range(2, 10_000))) if s not in taken)
        source = self.create(
            kind=kind, name=name[:80], slug=slug, created_by=by, digest=digest_of(token), hint=token[-4:], **fields
        )
        return source, token


class Source(models.Model):
    """One monitor that may send. Its token is 32 hex digits, shown once and stored hashed."""

    class Kind(models.TextChoices):
        ALERTMANAGER = "alertmanager", "Prometheus Alertmanager"
        GRAFANA = "grafana", "Grafana"
        GENERIC = "generic", "Generic JSON"

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=24, choices=Kind)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="sources")
    system = models.ForeignKey(System, on_delete=models.PROTECT, null=True, blank=True, related_name="sources")
    digest = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=4)
    previous_digest = models.CharField(max_length=64, blank=True, db_index=True)
    previous_until = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = SourceQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/sources/{self.slug}/"

    def rotate(self) -> str:
        """Give it a new token; the old one works for another 24 hours, so that monitors can be changed one by one."""
        token = secrets.token_hex(16)
        with transaction.atomic():
            row = Source.objects.select_for_update(no_key=True).get(pk=self.pk)
            Source.objects.filter(pk=self.pk).update(
                previous_digest=row.digest,
                previous_until=timezone.now() + TOKEN_OVERLAP,
                digest=digest_of(token),
                hint=token[-4:],
            )
        self.refresh_from_db()
        return token

    def retire(self) -> None:
        """Stop accepting from it: its senders are told 410, and what it sent stays."""
        Source.objects.filter(pk=self.pk, retired_at=None).update(retired_at=timezone.now())
        self.refresh_from_db()


def ingest_url(token: str) -> str:
    """The address to paste into a monitor."""
    return f"{settings.BASE_URL}/ingest/{token}"


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def visible_to(self, user: User) -> Self:
        """Keep deliveries all of whose alerts the user may see: one hidden incident hides the whole body."""
        hidden = Outcome.objects.filter(delivery=models.OuterRef("pk"), alert__incident__private=True).exclude(
            alert__incident__in=Incident.objects.visible_to(user)
        )
        return self.filter(~models.Exists(hidden)) if user.is_active else self.none()

    def due(self) -> Self:
        return self.filter(status=Delivery.Status.RECEIVED, due_at__lte=timezone.now())

    def for_list(self) -> Self:
        return self.select_related("source").defer("body").order_by("-pk")


class Delivery(models.Model):
    """One request of a monitor, kept as it came. The row is the queue: what is `received` and due is drained."""

    class Status(models.TextChoices):
        RECEIVED = "received", "Received"
        PROCESSED = "processed", "Processed"
        DEAD = "dead", "Could not be understood"

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="deliveries")
    received_at = models.DateTimeField(default=timezone.now)
    body = models.BinaryField()
    size = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    headers = models.JSONField(default=dict)
    status = models.CharField(max_length=12, choices=Status, default=Status.RECEIVED)
    due_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    processed_at = models.DateTimeField(null=True, blank=True)
    claim_count = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=1000, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(status="received"), name="deliveries_due"),
            models.Index(fields=["source", "-id"], name="deliveries_by_source"),
            models.Index(fields=["-id"], condition=models.Q(status="dead"), name="deliveries_dead"),
        ]

    def __str__(self) -> str:
        return f"delivery {self.pk}"

    def get_absolute_url(self) -> str:
        return f"/deliveries/{self.pk}/"

    @property
    def raw_text(self) -> str:
        return bytes(self.body).decode("utf-8", "replace")

    def retry(self) -> None:
        """Put a dead delivery back into the queue, for after its cause was mended."""
        Delivery.objects.filter(pk=self.pk, status=self.Status.DEAD).update(
            status=self.Status.RECEIVED, due_at=timezone.now(), attempts=0, error=""
        )
        self.refresh_from_db()


class AlertSeverity(models.TextChoices):
    CRITICAL = "critical", "Critical"
    HIGH = "high", "High"
    MEDIUM = "medium", "Medium"
    LOW = "low", "Low"
    INFO = "info", "Info"


class AlertQuerySet(models.QuerySet["Alert"]):
    def visible_to(self, user: User) -> Self:
        if not user.is_active:
            return self.none()
        return self.filter(models.Q(incident=None) | models.Q(incident__in=Incident.objects.visible_to(user)))

    def firing(self) -> Self:
        return self.filter(status=Alert.Status.FIRING)

    def for_list(self) -> Self:
        return self.select_related("source", "system", "incident").order_by("-last_received_at", "-pk")

    def unsettled(self) -> Self:
        """Keep those whose system nobody knows."""
        return self.filter(system=None).exclude(system_name="")


class Alert(models.Model):
    """One episode of one fingerprint: from its first firing to its resolve."""

    class Status(models.TextChoices):
        FIRING = "firing", "Firing"
        RESOLVED = "resolved", "Resolved"

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="alerts")
    fingerprint = models.CharField(max_length=64)
    status = models.CharField(max_length=12, choices=Status, default=Status.FIRING)
    title = models.CharField(max_length=300)
    description = models.TextField(blank=True)
    severity = models.CharField(max_length=12, choices=AlertSeverity, default=AlertSeverity.MEDIUM)
    severity_raw = models.CharField(max_length=64, blank=True)
    system = models.ForeignKey(System, on_delete=models.PROTECT, null=True, blank=True, related_name="alerts")
    system_name = models.CharField(max_length=200, blank=True)
    category = models.CharField(max_length=32, blank=True)
    failure_mode = models.CharField(max_length=64, blank=True)
    confidence = models.CharField(max_length=8, blank=True)
    classified_because = models.CharField(max_length=500, blank=True)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, null=True, blank=True, related_name="alerts")
    routed_because = models.CharField(max_length=500, blank=True)
    labels = models.JSONField(default=dict)
    annotations = models.JSONField(default=dict)
    links = models.JSONField(default=list)
    flags = models.JSONField(default=list)
    value = models.CharField(max_length=100, blank=True)
    starts_at = models.DateTimeField()
    # The newest start that a repeat told of: a resolve from before it belongs to an earlier episode.
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
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return f"/alerts/{self.pk}/"

    @property
    def is_firing(self) -> bool:
        return self.status == self.Status.FIRING

    @property
    def category_name(self) -> str:
        return taxonomy.category(self.category).name


class Outcome(models.Model):
    """What came of one claim of a delivery, and why: the trace of every alert."""

    class Result(models.TextChoices):
        OPENED = "opened", "Opened an alert"
        REPEATED = "repeated", "Repeated a firing alert"
        RESOLVED = "resolved", "Resolved the alert"
        STALE = "stale", "Came late and changed nothing"
        UNSEEN = "unseen", "Resolved what never fired here"
        TEST = "test", "Was a test"

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="outcomes")
    position = models.PositiveIntegerField()
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, null=True, related_name="outcomes")
    says = models.CharField(max_length=12)
    result = models.CharField(max_length=12, choices=Result)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering: ClassVar = ["delivery_id", "position"]
        constraints = [
            # A delivery that were drained twice would break this, so it cannot be.
            models.UniqueConstraint(fields=["delivery", "position"], name="one_outcome_per_claim"),
        ]

    def __str__(self) -> str:
        return f"{self.says}: {self.get_result_display()}"
