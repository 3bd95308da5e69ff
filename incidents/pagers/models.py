"""What a pager sends back: the address that is its own, its secrets, each delivery as it came, and who its people are here."""

import hashlib
import secrets
from datetime import timedelta
from typing import ClassVar, Self

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.urls import reverse
from django.utils import timezone

from incidents.errors import Refused
from incidents.notifications.destinations import Destination
from incidents.pagers.readers import READERS, Who
from incidents.people.models import User, digest_of
from incidents.response.incident import Incident, of_visible
from incidents.web.sealing import seal, unseal

TOKEN_OVERLAP = timedelta(hours=24)
KEPT = timedelta(days=90)
MOST_SECRETS, MOST_PEOPLE = 5, 500


class PagerAddressQuerySet(models.QuerySet["PagerAddress"]):
    def for_token(self, token: str) -> "PagerAddress | None":
        """Find the one whose token this is, or was until its overlap ended."""
        digest = digest_of(token)
        previous = models.Q(previous_digest=digest, previous_until__gt=timezone.now())
        return self.select_related("destination").filter(models.Q(digest=digest) | previous).first()

    def open(self, destination: Destination, *, by: User | None) -> "tuple[PagerAddress, str]":
        """Give a pager an address of its own, or a new one, and return its token, which cannot be read again.

        The old token works for another 24 hours. Raises Refused where this kind of pager sends nothing back.
        """
        if destination.kind not in READERS:
            raise Refused(f"{destination.receiver.name} does not tell other programs who acknowledged an alert.")
        token, now = secrets.token_hex(16), timezone.now()
        with transaction.atomic():
            row, new = self.select_for_update(no_key=True, of=("self",)).get_or_create(
                pk=destination.pk, defaults={"digest": digest_of(token), "hint": token[-4:], "made_by": by}
            )
            if not new:
                row.previous_digest, row.previous_until = row.digest, now + TOKEN_OVERLAP
                row.digest, row.hint, row.made_by, row.made_at = digest_of(token), token[-4:], by, now
                row.save(update_fields=["previous_digest", "previous_until", "digest", "hint", "made_by", "made_at"])
        return row, token


class PagerAddress(models.Model):
    """Where a pager posts what its people do. Its token is 32 hex digits, shown once and stored hashed."""

    destination = models.OneToOneField(
        Destination, on_delete=models.CASCADE, primary_key=True, related_name="pager_address"
    )
    digest = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=4)
    previous_digest = models.CharField(max_length=64, blank=True, db_index=True)
    previous_until = models.DateTimeField(null=True, blank=True)
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    heard_at = models.DateTimeField(null=True, blank=True)  # when something was last taken from it

    objects = PagerAddressQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Address of {self.destination}"

    def get_absolute_url(self) -> str:
        return reverse("pager", args=[self.pk])

    @property
    def signs(self) -> bool:
        return bool(READERS[self.destination.kind].scheme)

    @property
    def old_token_works(self) -> bool:
        return self.previous_until is not None and self.previous_until > timezone.now()

    def add_secret(self, secret: str, *, by: User) -> "PagerSecret":
        """Take what is signed with this secret too. From the first one on, what is not signed is refused."""
        secret = secret.strip()
        if not self.signs:
            raise Refused(f"{self.destination.receiver.name} does not sign what it sends; its address is its secret.")
        if len(secret) < 8:
            raise Refused("A secret needs 8 characters at least.")
        if self.secrets.count() >= MOST_SECRETS:
            raise Refused(f"There are {MOST_SECRETS} secrets already. Remove one first.")
        return self.secrets.create(sealed=seal(secret), hint=secret[-4:], added_by=by)

    def signing_secrets(self) -> list[str | None]:
        """All secrets that are valid now; None for one that cannot be opened, which no signature fits."""
        return [unseal(bytes(row.sealed)) for row in self.secrets.all()]


class PagerSecret(models.Model):
    """One secret that a pager signs with, sealed at rest. Several are valid at once, so that one can be changed."""

    address = models.ForeignKey(PagerAddress, on_delete=models.CASCADE, related_name="secrets")
    sealed = models.BinaryField()
    hint = models.CharField(max_length=4)
    added_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    added_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"…{self.hint}"


class PagerDeliveryQuerySet(models.QuerySet["PagerDelivery"]):
    def visible_to(self, user: User) -> Self:
        """Those of channels one may see, without what is about an incident that is hidden from one now."""
        return self.filter(of_visible(user), address__destination__in=Destination.objects.visible_to(user))

    def due(self) -> Self:
        return self.filter(status=PagerDelivery.Status.RECEIVED, due_at__lte=timezone.now())

    def take(self, address: PagerAddress, body: bytes) -> "PagerDelivery":
        """Store one as it came. Once this is committed it will be read, whatever dies meanwhile."""
        row = self.create(address=address, body=body, size=len(body), digest=hashlib.sha256(body).hexdigest())
        PagerAddress.objects.filter(pk=address.pk).update(heard_at=row.received_at)
        return row

    def refuse(self, address: PagerAddress, body: bytes, *, because: str) -> None:
        """Note what was rejected, once for each body and without its bytes. Safe under concurrency."""
        digest = hashlib.sha256(body).hexdigest()
        again = self.filter(address=address, digest=digest, status=PagerDelivery.Status.REFUSED)
        changes = {"repeats": models.F("repeats") + 1, "received_at": timezone.now(), "reason": because[:300]}
        if again.update(**changes):
            return
        refused = {"status": PagerDelivery.Status.REFUSED, "reason": because[:300], "processed_at": timezone.now()}
        try:
            with transaction.atomic():
                self.create(address=address, body=b"", size=len(body), digest=digest, **refused)
        except IntegrityError:
            again.update(**changes)

    def prune(self) -> int:
        """Delete what is older than 90 days and was read."""
        old = self.filter(received_at__lt=timezone.now() - KEPT)
        return old.exclude(status=PagerDelivery.Status.RECEIVED).delete()[0]


class PagerDelivery(models.Model):
    """One request of a pager, kept as it came, and what came of it. The row is the queue: what is received is read."""

    class Status(models.TextChoices):
        RECEIVED = "received", "Waiting"
        ACKNOWLEDGED = "acknowledged", "Acknowledged"
        NOTED = "noted", "Noted"
        NOTHING = "nothing", "No change"
        DEAD = "dead", "Unreadable"
        REFUSED = "refused", "Refused"

    id = models.BigAutoField(primary_key=True)
    address = models.ForeignKey(PagerAddress, on_delete=models.CASCADE, related_name="deliveries")
    received_at = models.DateTimeField(default=timezone.now)
    body = models.BinaryField()
    size = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    repeats = models.PositiveIntegerField(default=0)  # how often the same bytes were refused again
    status = models.CharField(max_length=12, choices=Status, default=Status.RECEIVED)
    due_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    processed_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    said = models.CharField(max_length=24, blank=True)  # what happened there, in the pager's own word
    who = models.CharField(max_length=200, blank=True)
    key = models.CharField(max_length=200, blank=True)  # what tells this event from others; empty where it came again
    ref = models.CharField(max_length=200, blank=True)  # the pager's own id of the alert
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, null=True, blank=True, related_name="+")

    objects = PagerDeliveryQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["address", "key"], condition=~models.Q(key=""), name="a_pagers_event_counts_once"
            ),
            models.UniqueConstraint(
                fields=["address", "digest"],
                condition=models.Q(status="refused"),
                name="one_refusal_of_a_pager_per_body",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], condition=models.Q(status="received"), name="pager_deliveries_due"),
            models.Index(fields=["address", "-id"], name="pager_deliveries_by_address"),
            models.Index(fields=["address", "ref"], condition=~models.Q(ref=""), name="pager_deliveries_by_ref"),
        ]

    def __str__(self) -> str:
        return f"delivery {self.pk} of a pager"

    @property
    def phase(self) -> str:
        """What came of it, as the tags of statuses know it."""
        return {"acknowledged": "done", "noted": "done", "dead": "dead", "refused": "dead"}.get(self.status, "open")


class PagerPerson(models.Model):
    """Somebody of a pager, and who that is here. Those whom the pager names by their address here need nobody to say it."""

    address = models.ForeignKey(PagerAddress, on_delete=models.CASCADE, related_name="people")
    ref = models.CharField(max_length=200)  # how the pager knows them
    name = models.CharField(max_length=200)
    person = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["address", "ref"], name="one_row_per_person_of_a_pager"),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def meet(cls, address: PagerAddress, who: Who) -> User | None:
        """Who somebody of the pager is here: as somebody said it, else by the address that the pager gives.

        Whoever is met for the first time is listed, so that somebody can say who it is. Whoever calls holds the address.
        """
        row = cls.objects.filter(address=address, ref=who.ref).select_related("person").first()
        if row is None and cls.objects.filter(address=address).count() < MOST_PEOPLE:
            row = cls.objects.create(address=address, ref=who.ref, name=who.name)
        elif row:
            cls.objects.filter(pk=row.pk).update(name=who.name, seen_at=timezone.now())
        if row and row.person and row.person.is_active:
            return row.person
        return User.objects.active().filter(email__iexact=who.email).first() if who.email else None


def pager_url(token: str) -> str:
    """The address to paste into a pager."""
    return settings.BASE_URL + reverse("pager-in", args=[token])
