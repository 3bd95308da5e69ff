"""What monitors send: sources, their deliveries, the alerts these are about, and what came of every claim."""

import hashlib
import secrets
from datetime import timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import IntegrityError, models, transaction
from django.db.models.expressions import RawSQL
from django.utils import timezone

from incidents import taxonomy
from incidents.alerts import sources
from incidents.alerts.signatures import SCHEMES
from incidents.errors import Refused
from incidents.people.models import Team, User, digest_of
from incidents.response.incident import Incident, of_visible
from incidents.systems.models import System
from incidents.web.sealing import seal, unseal

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
        return self.with_version().filter(models.Q(digest=digest) | previous).first()

    def with_version(self) -> Self:
        """Say which version of its row each source was read from, so that an endpoint may remember it: see `receive`.

        PostgreSQL writes a new version of a row at each update: `xmin` is the transaction that wrote this one and `ctid`
        the place where it lies. Together they differ after any update, also after two in one transaction, so equal ones
        mean that nothing was changed since. (Moved by VACUUM FULL it looks changed: then it is only read once more.)
        """
        return self.annotate(version=RawSQL("incidents_source.xmin::text || incidents_source.ctid::text", []))

    def connect(self, *, kind: str, name: str, by: User | None = None, **fields: Any) -> "tuple[Source, str]":
        """Make a source and return it with its token, which cannot be read again."""
        from django.utils.text import slugify

        name = " ".join(name.split())
        if not name:
            raise Refused("A source needs a name.")
        token = secrets.token_hex(16)
        base = slugify(name)[:40] or "source"
        taken = {"new", *self.filter(slug__startswith=base).values_list("slug", flat=True)}  # “new” is a page's address
        slug = next(s for s in (base, *(f"{base}-{n}" for n in range(2, 10_000))) if s not in taken)
        source = self.create(
            kind=kind, name=name[:80], slug=slug, created_by=by, digest=digest_of(token), hint=token[-4:], **fields
        )
        return source, token


class Source(models.Model):
    """One monitor that may send. Its token is 32 hex digits, shown once and stored hashed."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=24, choices=sources.choices)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="sources")
    system = models.ForeignKey(System, on_delete=models.PROTECT, null=True, blank=True, related_name="sources")
    digest = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=4)
    previous_digest = models.CharField(max_length=64, blank=True, db_index=True)
    previous_until = models.DateTimeField(null=True, blank=True)
    field_map = models.JSONField(default=dict, blank=True)  # expressions by field, see sources/mapped.py
    scheme = models.CharField(max_length=24, blank=True)  # how it signs, where that is not its kind's own way
    auto_resolve_minutes = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(60 * 24 * 30)]
    )
    max_bytes = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(1024)])
    max_alerts = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    retired_at = models.DateTimeField(null=True, blank=True)
    version: str | None = None  # of the row it was read from, where that was asked for

    objects = SourceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(auto_resolve_minutes__isnull=True) | models.Q(auto_resolve_minutes__gte=1),
                name="alerts_resolve_themselves_after_a_minute_at_least",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/sources/{self.slug}/"

    def honours(self, digest: str) -> bool:
        """Tell whether a token of this digest is, or until its overlap ends still is, this source's."""
        is_previous = digest == self.previous_digest and self.previous_until and self.previous_until > timezone.now()
        return digest == self.digest or bool(is_previous)

    @property
    def about(self) -> sources.SourceKind:
        return sources.KINDS[self.kind]

    @property
    def signing_scheme(self) -> str:
        """How its deliveries are signed, by name; its kind's own way unless another was chosen; empty if none."""
        return self.scheme or self.about.scheme

    @property
    def byte_limit(self) -> int:
        return self.max_bytes or settings.INGEST_MAX_BYTES

    @property
    def alert_limit(self) -> int:
        return self.max_alerts or settings.INGEST_MAX_ALERTS

    def map_fields(self, expressions: dict[str, str]) -> None:
        """Read its deliveries by a field map from now on; an empty one means its kind's own way."""
        Source.objects.filter(pk=self.pk).update(field_map=expressions)
        self.refresh_from_db()

    def add_secret(self, secret: str, *, by: User | None) -> "SigningSecret":
        """Accept deliveries signed with this secret too. From the first one on, unsigned deliveries are refused."""
        if self.signing_scheme not in SCHEMES:
            raise Refused(f"{self.about.name} does not sign what it sends; its address is its secret.")
        if len(secret.strip()) < 8:
            raise Refused("A secret needs 8 characters at least.")
        return SigningSecret.objects.create(
            source=self, sealed=seal(secret.strip()), hint=secret.strip()[-4:], added_by=by
        )

    def secrets(self) -> list[str | None]:
        """Give all secrets that are valid now; None for one that cannot be opened, which no signature fits."""
        return [unseal(bytes(row.sealed)) for row in self.signing_secrets.all()] if self.signing_scheme else []

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


class SigningSecret(models.Model):
    """One secret that a source signs with, sealed at rest. Several are valid at once, so that one can be changed."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="signing_secrets")
    sealed = models.BinaryField()
    hint = models.CharField(max_length=4)
    added_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    added_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"…{self.hint}"


class Subscription(models.Model):
    """Amazon SNS asks to confirm that a source wants a topic's messages; a person approves it first."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="subscriptions")
    topic = models.CharField(max_length=300)
    url = models.TextField()
    asked_at = models.DateTimeField(default=timezone.now)
    approved_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering: ClassVar = ["-asked_at"]
        constraints = [models.UniqueConstraint(fields=["source", "topic"], name="one_subscription_per_topic")]

    def __str__(self) -> str:
        return self.topic


def ingest_url(token: str) -> str:
    """The address to paste into a monitor."""
    return f"{settings.BASE_URL}/ingest/{token}"


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def visible_to(self, user: User) -> Self:
        """Keep deliveries all of whose alerts the user may see: one hidden incident hides the whole body."""
        hidden = Outcome.objects.filter(
            delivery=models.OuterRef("pk"), alert__incident__in=Incident.objects.hidden_from(user)
        )
        return self.filter(~models.Exists(hidden)) if user.is_active else self.none()

    def due(self) -> Self:
        return self.filter(status=Delivery.Status.RECEIVED, due_at__lte=timezone.now())

    def refuse(
        self, source: Source, body: bytes, *, because: str, headers: dict[str, str], door: str = "", keep: bool = True
    ) -> "Delivery":
        """Note what was refused, once for each body: a monitor sends the same poison again and again.

        `keep` says whether the bytes are kept as well; those of an unsigned sender are not. Safe under concurrency.
        """
        digest = hashlib.sha256(body).hexdigest()
        again = self.filter(source=source, digest=digest, status=Delivery.Status.REFUSED)
        told = {"repeats": models.F("repeats") + 1, "received_at": timezone.now(), "error": because[:1000]}
        if not again.update(**told):
            try:
                with transaction.atomic():
                    return self.create(
                        source=source, body=body if keep else b"", size=len(body), digest=digest, headers=headers,
                        door=door, status=Delivery.Status.REFUSED, error=because[:1000], processed_at=timezone.now(),
                    )  # fmt: skip
            except IntegrityError:
                again.update(**told)
        return again.get()

    def retry_all(self) -> int:
        """Put dead deliveries back into the queue, for after their cause was mended; returns how many."""
        again = {"status": Delivery.Status.RECEIVED, "due_at": timezone.now(), "attempts": 0, "error": ""}
        return self.filter(status=Delivery.Status.DEAD).update(**again)

    def for_list(self) -> Self:
        return self.with_poison().select_related("source").defer("body").order_by("-pk")

    def with_poison(self) -> Self:
        """Count for each dead delivery how many dead ones of its source have the same body, itself among them."""
        same = Delivery.objects.filter(
            source=models.OuterRef("source"), digest=models.OuterRef("digest"), status=Delivery.Status.DEAD
        )
        count = same.order_by().values("digest").annotate(count=models.Count("*")).values("count")
        dead = models.When(status=Delivery.Status.DEAD, then=models.Subquery(count))
        return self.annotate(poison=models.Case(dead, default=1, output_field=models.IntegerField()))


class Delivery(models.Model):
    """One request of a monitor, kept as it came. The row is the queue: what is `received` and due is drained."""

    class Status(models.TextChoices):
        RECEIVED = "received", "Received"
        PROCESSED = "processed", "Processed"
        DEAD = "dead", "Not understood"
        REFUSED = "refused", "Refused"

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="deliveries")
    received_at = models.DateTimeField(default=timezone.now)
    body = models.BinaryField()
    size = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    headers = models.JSONField(default=dict)
    door = models.CharField(max_length=24, blank=True)  # the API it came by, where that is not its source's own address
    is_test = models.BooleanField(default=False)
    repeats = models.PositiveIntegerField(default=0)  # how often the same bytes were refused again
    status = models.CharField(max_length=12, choices=Status, default=Status.RECEIVED)
    due_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    processed_at = models.DateTimeField(null=True, blank=True)
    claim_count = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=1000, blank=True)
    pruned_at = models.DateTimeField(null=True, blank=True)  # when its body was forgotten by policy
    wiped_at = models.DateTimeField(null=True, blank=True)  # when somebody took out what it said
    wiped_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    wiped_because = models.CharField(max_length=300, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(status="received"), name="deliveries_due"),
            models.Index(fields=["source", "-id"], name="deliveries_by_source"),
            models.Index(fields=["source", "-received_at"], name="deliveries_by_arrival"),
            models.Index(
                fields=["-id"], condition=models.Q(status__in=["dead", "refused"]), name="deliveries_in_trouble"
            ),
            models.Index(fields=["source", "digest"], condition=models.Q(status="dead"), name="deliveries_poisoned"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "digest"], condition=models.Q(status="refused"), name="one_refusal_per_body"
            ),
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
        Delivery.objects.filter(pk=self.pk).retry_all()
        self.refresh_from_db()


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
        """Keep those whose system nobody knows."""
        return self.filter(system=None).exclude(system_name="")


class Alert(models.Model):
    """One episode of one fingerprint: from its first firing to its resolve."""

    class Status(models.TextChoices):
        FIRING = "firing", "Firing"
        RESOLVED = "resolved", "Resolved"

    class Held(models.TextChoices):
        """Why it has opened nothing."""

        WAITING = "waiting", "Waiting to be told again"
        RECORDED = "recorded", "Only recorded"
        SILENCED = "silenced", "Silenced"

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
    expires_at = models.DateTimeField(null=True, blank=True)  # a lease: over unless it is told again before
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
        ACKNOWLEDGED = "acknowledged", "Was acknowledged in the monitor"
        CHANGE = "change", "Told of a change"
        HANDSHAKE = "handshake", "Was part of setting up"
        REFUSED = "refused", "Could not be taken"
        DROPPED = "dropped", "Dropped by a rule"
        GROUP_OVER = "group_over", "Ended its whole group"

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="outcomes")
    position = models.PositiveIntegerField()
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, null=True, related_name="outcomes")
    says = models.CharField(max_length=12)
    result = models.CharField(max_length=12, choices=Result)
    reason = models.CharField(max_length=500, blank=True)
    rule = models.CharField(max_length=80, blank=True)  # the rule that dropped it

    class Meta:
        ordering: ClassVar = ["delivery_id", "position"]
        constraints = [
            # A delivery that were drained twice would break this, so it cannot be.
            models.UniqueConstraint(fields=["delivery", "position"], name="one_outcome_per_claim"),
        ]

    def __str__(self) -> str:
        return f"{self.says}: {self.get_result_display()}"
