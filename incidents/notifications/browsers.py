"""Browsers that a person wants to be told in, and the key by which their push services know this Faultline."""

import base64
import hashlib
import json
import os
from typing import ClassVar
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.db import models
from django.utils import timezone

from incidents.errors import Refused
from incidents.people.models import User
from incidents.web.sealing import seal, unseal

MOST = 20  # browsers of a person


class PushKey(models.Model):
    """The one private key, made when it is first needed and sealed at rest. Browsers that subscribed with it need it for ever."""

    only = models.BooleanField(primary_key=True, default=True)
    sealed = models.BinaryField()

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=models.Q(only=True), name="one_push_key")]

    def __str__(self) -> str:
        return "push key"

    @classmethod
    def private(cls) -> str:
        """The key as 32 bytes in base64 for addresses. Raises Refused where SECRET_KEY was changed without a fallback."""
        number = int.from_bytes(os.urandom(40), "big") % (_ORDER - 1) + 1
        made = base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode()
        row, _ = cls.objects.get_or_create(only=True, defaults={"sealed": seal(made)})
        key = unseal(bytes(row.sealed))
        if key is None:
            raise Refused("The push key cannot be read, because SECRET_KEY was changed.")
        return key

    @classmethod
    def public(cls) -> str:
        """The public key, as browsers want it when they subscribe."""
        number = int.from_bytes(base64.urlsafe_b64decode(cls.private() + "="), "big")
        point = ec.derive_private_key(number, ec.SECP256R1()).public_key()
        raw = point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256


class BrowserQuerySet(models.QuerySet["Browser"]):
    def subscribe(self, person: User, *, name: str, endpoint: str, p256dh: str, auth: str) -> "Browser":
        """Tell a person in this browser from now on; a browser belongs to whoever turned it on last."""
        digest = hashlib.sha256(endpoint.encode()).hexdigest()
        if self.filter(person=person).exclude(digest=digest).count() >= MOST:
            raise Refused(f"You have {MOST} browsers already. Remove one first.")
        sealed = seal(json.dumps({"endpoint": endpoint, "p256dh": p256dh, "auth": auth}))
        facts = {"person": person, "name": name[:80], "sealed": sealed, "created_at": timezone.now(), "error": ""}
        return self.update_or_create(digest=digest, defaults=facts)[0]


class Browser(models.Model):
    """One browser's subscription. Its address lets anybody who knows it send there, so it is sealed."""

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="browsers")
    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True)
    sealed = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)

    objects = BrowserQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    def config(self) -> dict[str, str]:
        """Its subscription and our keys. Raises Refused where SECRET_KEY was changed without a fallback."""
        text = unseal(bytes(self.sealed))
        if text is None:
            raise Refused("The subscription cannot be read, because SECRET_KEY was changed.")
        host = urlsplit(settings.BASE_URL).hostname or "localhost"
        subscription: dict[str, str] = json.loads(text)
        return subscription | {"vapid_key": PushKey.private(), "vapid_subject": f"mailto:faultline@{host}"}
