"""People, their teams, and the keys with which scripts act for them."""

import hashlib
import secrets
from datetime import datetime
from typing import Any, ClassVar, Self
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from incidents.texts import check_readable

# That of the demonstration's accounts: documented, so it opens nothing where others can come.
PUBLISHED_PASSWORD = "faultline-demo"  # noqa: S105


def check_time_zone(name: str) -> None:
    """Raise ValidationError unless the tz database knows the name."""
    if name not in available_timezones():
        raise ValidationError(f"“{name}” is not a time zone; enter one such as Europe/Berlin.")


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email).strip(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)

    def active(self) -> "models.QuerySet[User]":
        return self.filter(is_active=True).order_by(Lower("name"))


class Theme(models.TextChoices):
    SYSTEM = "", "Match system"
    LIGHT = "light", "Light"
    DARK = "dark", "Dark"


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in by email; `is_superuser` makes them the organisation's administrator."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, validators=[check_readable])
    time_zone = models.CharField(max_length=64, default="UTC", validators=[check_time_zone])
    theme = models.CharField(max_length=8, choices=Theme, blank=True, default=Theme.SYSTEM)
    digest = models.BooleanField("mail me last week’s postmortems on Mondays", default=True)
    is_staff = models.BooleanField("may open the admin site", default=False)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="one_user_per_email")]

    def __str__(self) -> str:
        return self.name or self.email

    def check_password(self, raw_password: str | None) -> bool:
        if settings.IS_SHARED and raw_password == PUBLISHED_PASSWORD:
            return False
        return super().check_password(raw_password)

    @property
    def initials(self) -> str:
        words = (self.name or self.email).split()
        return "".join(word[0] for word in words[:2]).upper()


class Team(models.Model):
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=80, validators=[check_readable])
    members = models.ManyToManyField(User, through="Membership", related_name="teams")

    class Meta:
        ordering = [Lower("name")]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    """What a member may do, each role including the ones before it."""

    VIEWER = "viewer", "Viewer"
    RESPONDER = "responder", "Responder"
    LEAD = "lead", "Lead"
    ADMIN = "admin", "Admin"

    @property
    def rank(self) -> int:
        return list(Role).index(self)

    def and_above(self) -> list[str]:
        return [role.value for role in Role if role.rank >= self.rank]


class Membership(models.Model):
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role, default=Role.VIEWER)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "user"], name="one_membership_per_team_and_user"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.team} as {self.role}"


class KeyScope(models.TextChoices):
    READ = "read", "Read"
    WRITE = "write", "Read and write"
    INGEST = "ingest", "Send deliveries"


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def usable(self) -> Self:
        now = timezone.now()
        return self.filter(revoked_at=None, user__is_active=True).filter(
            models.Q(expires_at=None) | models.Q(expires_at__gt=now),
        )

    def for_secret(self, secret: str) -> "ApiKey | None":
        """Find the usable key with this secret. Only its digest is stored, so the index does the comparing."""
        return self.usable().select_related("user").filter(digest=digest_of(secret)).first()


class ApiKey(models.Model):
    """A person's key for scripts: it may do what the person may, within its scopes. Shown once, stored hashed."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80)
    hint = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=8, choices=KeyScope))
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    @classmethod
    def issue(
        cls, user: User, *, name: str, scopes: list[str], expires_at: datetime | None = None
    ) -> tuple["ApiKey", str]:
        """Create a key and return it with its secret, which cannot be read again."""
        # 256 random bits need no slow hash: there is nothing to guess.
        secret = f"flk_{secrets.token_hex(32)}"
        key = cls.objects.create(
            user=user,
            name=name,
            hint=secret[:10],
            digest=digest_of(secret),
            scopes=sorted(set(scopes)),
            expires_at=expires_at,
        )
        return key, secret

    def allows(self, scope: str) -> bool:
        return scope in self.scopes or (scope == KeyScope.READ and KeyScope.WRITE in self.scopes)

    def revoke(self) -> None:
        ApiKey.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=timezone.now())

    def touch(self) -> None:
        """Record its use, at most once a minute: a write on every request would cost more than it is worth."""
        now = timezone.now()
        if self.last_used_at is None or (now - self.last_used_at).total_seconds() > 60:
            ApiKey.objects.filter(pk=self.pk).update(last_used_at=now)


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
