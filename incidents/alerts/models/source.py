"""A source: one monitor that may send, with its token and its secrets."""

import secrets
from datetime import timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models.expressions import RawSQL
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify

from incidents.alerts import sources
from incidents.alerts.models.delivery import Delivery
from incidents.alerts.signatures import SCHEMES
from incidents.errors import Refused
from incidents.people.models import Team, User, digest_of
from incidents.systems.models import System
from incidents.texts import one_line
from incidents.web.sealing import seal, unseal

TOKEN_OVERLAP = timedelta(hours=24)
LONGEST_TIMER = 60 * 24 * 30  # minutes


class SourceQuerySet(models.QuerySet["Source"]):
    def visible_to(self, user: User) -> Self:
        return self if user.is_active else self.none()

    def for_list(self, user: User) -> Self:
        """With when each delivered last, among what the user may see of it."""
        latest = (
            Delivery.objects.visible_to(user)
            .filter(source=models.OuterRef("pk"))
            .order_by("-pk")
            .values("received_at")[:1]
        )
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
        name = one_line(name)
        if not name:
            raise Refused("A source needs a name.")
        token = secrets.token_hex(16)
        base = slugify(name)[:40] or "source"
        used = {"new", *self.filter(slug__startswith=base).values_list("slug", flat=True)}  # “new” is a page's address
        slug = next(s for s in (base, *(f"{base}-{n}" for n in range(2, 10_000))) if s not in used)
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
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(LONGEST_TIMER)]
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
        return reverse("source", args=[self.slug])

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
        return [unseal(bytes(secret.sealed)) for secret in self.signing_secrets.all()] if self.signing_scheme else []

    def rotate(self) -> str:
        """Give it a new token; the old one works for another 24 hours, so that monitors can be changed one by one."""
        token = secrets.token_hex(16)
        with transaction.atomic():
            current = Source.objects.select_for_update(no_key=True).get(pk=self.pk)
            Source.objects.filter(pk=self.pk).update(
                previous_digest=current.digest,
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
    return settings.BASE_URL + reverse("ingest-token", args=[token])
