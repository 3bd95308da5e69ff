"""A delivery: one request of a monitor as it came, and what came of each claim in it."""

import hashlib
from typing import TYPE_CHECKING, ClassVar, Self

from django.db import IntegrityError, models, transaction
from django.urls import reverse
from django.utils import timezone

from incidents.people.models import User
from incidents.response.incident import Incident

if TYPE_CHECKING:
    from incidents.alerts.models.source import Source


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def visible_to(self, user: User) -> Self:
        """Keep deliveries all of whose alerts the user may see: one hidden incident hides the whole body."""
        hidden = Outcome.objects.filter(
            delivery=models.OuterRef("pk"), alert__incident__in=Incident.objects.hidden_from(user)
        )
        return self.filter(~models.Exists(hidden)) if user.is_active else self.none()

    def of_nothing_private(self) -> Self:
        """Keep deliveries none of whose alerts belongs to a private incident."""
        private = Outcome.objects.filter(delivery=models.OuterRef("pk"), alert__incident__private=True)
        return self.filter(~models.Exists(private))

    def due(self) -> Self:
        return self.filter(status=Delivery.Status.RECEIVED, due_at__lte=timezone.now())

    def refuse(
        self, source: "Source", body: bytes, *, because: str, headers: dict[str, str], door: str = "", keep: bool = True
    ) -> "Delivery":
        """Record what was rejected, once for each body: a monitor sends the same poison again and again.

        `keep` says whether the bytes are kept as well; those of an unsigned sender are not. Safe under concurrency.
        """
        digest = hashlib.sha256(body).hexdigest()
        again = self.filter(source=source, digest=digest, status=Delivery.Status.REFUSED)
        changes = {"repeats": models.F("repeats") + 1, "received_at": timezone.now(), "error": because[:1000]}
        if not again.update(**changes):
            try:
                with transaction.atomic():
                    return self.create(
                        source=source,
                        body=body if keep else b"",
                        size=len(body),
                        digest=digest,
                        headers=headers,
                        door=door,
                        status=Delivery.Status.REFUSED,
                        error=because[:1000],
                        processed_at=timezone.now(),
                    )
            except IntegrityError:
                again.update(**changes)
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

    source = models.ForeignKey("Source", on_delete=models.PROTECT, related_name="deliveries")
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
        return reverse("delivery", args=[self.pk])

    @property
    def raw_text(self) -> str:
        return bytes(self.body).decode("utf-8", "replace")

    def retry(self) -> None:
        """Put a dead delivery back into the queue, for after its cause was mended."""
        Delivery.objects.filter(pk=self.pk).retry_all()
        self.refresh_from_db()


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
        CHANGE = "change", "Announced a change"
        HANDSHAKE = "handshake", "Was part of setting up"
        REFUSED = "refused", "Rejected"
        DROPPED = "dropped", "Dropped by a rule"
        GROUP_OVER = "group_over", "Ended its whole group"

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="outcomes")
    position = models.PositiveIntegerField()
    alert = models.ForeignKey("Alert", on_delete=models.CASCADE, null=True, related_name="outcomes")
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
