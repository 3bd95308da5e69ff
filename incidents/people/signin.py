"""Limits on failed sign-ins: per account and per address, kept in the database so that all processes share them.

One attacker must not lock others out. So what is refused first is a pair, one account from one address; and a browser in
which somebody has signed in before is neither held up by what other browsers did to that account, nor by what others did
from its address. (The protocol is known as device cookies; OWASP describes it under that name.)
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network

import structlog
from django.conf import settings
from django.core import signing
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import get_random_string

from incidents.people.models import User

log = structlog.get_logger(__name__)

COOKIE = "faultline_browser"
_SALT = "incidents.people.signin"
_REMEMBERED = timedelta(days=365)
_PEOPLE_A_BROWSER = 5
KEPT = timedelta(days=1)


@dataclass(frozen=True)
class Limit:
    """How many sign-ins may fail within how long."""

    failures: int
    within: timedelta


PAIR = Limit(5, timedelta(minutes=5))
ACCOUNT = Limit(50, timedelta(hours=1))
ADDRESS = Limit(100, timedelta(minutes=10))
BROWSER = Limit(10, timedelta(minutes=10))


class FailedSignIn(models.Model):
    """A try to sign in that did not succeed, or that is under way. What was typed is stored as a digest: it may be anything."""

    account = models.CharField(max_length=64)
    address = models.GenericIPAddressField(null=True)
    browser = models.CharField(max_length=32, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["account", "at"], name="failed_sign_in_account"),
            models.Index(fields=["address", "at"], name="failed_sign_in_address"),
            models.Index(fields=["at"], name="failed_sign_in_at"),
        ]

    def __str__(self) -> str:
        return f"{self.address or 'unknown'} at {self.at:%Y-%m-%d %H:%M}"


class TooManyFailures(Exception):
    """No further try now; `minutes` until the next."""

    def __init__(self, minutes: int) -> None:
        super().__init__(minutes)
        self.minutes = minutes


def attempt(request: HttpRequest, email: str) -> FailedSignIn:
    """Write down a try as failed and return it, to be deleted when it succeeds. Raises TooManyFailures.

    Written before it is counted, each in its own transaction: of tries at the same moment no more than the limit get on.
    A refused try does not count, so nobody keeps a limit up by knocking.
    """
    account, address = _digest(email), _whose(request.META.get("REMOTE_ADDR", ""))
    known = _browser_of(request, email)
    tried = FailedSignIn.objects.create(account=account, address=address, browser=known)
    if known:
        limits = [(BROWSER, models.Q(account=account, browser=known))]
    else:
        strangers = models.Q(account=account, browser="")
        limits = [
            (PAIR, strangers & models.Q(address=address)),
            (ACCOUNT, strangers),
            (ADDRESS, models.Q(address=address)),
        ]
    for limit, those in limits:
        if until := _full_until(limit, those, tried):
            tried.delete()
            log.warning("sign_in_refused", address=address, failures=limit.failures)
            raise TooManyFailures(max(1, round((until - tried.at).total_seconds() / 60)))
    return tried


def _full_until(limit: Limit, those: models.Q, tried: FailedSignIn) -> datetime | None:
    """Tell until when a limit is reached, or None. The try itself is among those counted."""
    recent = FailedSignIn.objects.filter(those, at__gt=tried.at - limit.within).exclude(pk=tried.pk)
    times = list(recent.order_by("-at").values_list("at", flat=True)[: limit.failures])
    return times[-1] + limit.within if len(times) == limit.failures else None


def forgive(email: str) -> None:
    """Forget an account's failures: its owner has just set a new password."""
    FailedSignIn.objects.filter(account=_digest(email)).delete()


def prune() -> None:
    FailedSignIn.objects.filter(at__lt=timezone.now() - KEPT).delete()


def remember_browser(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Let this browser be recognised when the same person signs in again. A new password makes all browsers strangers."""
    others = [mark for mark in _marks(request) if not mark.startswith(f"{user.pk}:")]
    marks = [f"{user.pk}:{get_random_string(16)}:{_stamp(user)}", *others][:_PEOPLE_A_BROWSER]
    response.set_cookie(
        COOKIE,
        signing.dumps(marks, salt=_SALT),
        max_age=_REMEMBERED,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def _browser_of(request: HttpRequest, email: str) -> str:
    """Name the browser if this person has signed in with it before; empty for a stranger's."""
    marks = _marks(request)
    user = User.objects.filter(email__iexact=email.strip(), is_active=True).first() if marks else None
    if user is None:
        return ""
    for mark in marks:
        pk, name, stamp = mark.split(":")
        if pk == str(user.pk) and stamp == _stamp(user):
            return name
    return ""


def _marks(request: HttpRequest) -> list[str]:
    try:
        return list(signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=_REMEMBERED))
    except signing.BadSignature:
        return []


def _stamp(user: User) -> str:
    return user.get_session_auth_hash()[:12]


def _whose(address: str) -> str | None:
    """The address of a visitor; of IPv6 the network of 64 bits, in which one subscriber has all the addresses."""
    if ":" not in address:
        return address or None
    return str(ip_network(f"{address}/64", strict=False).network_address)


def _digest(email: str) -> str:
    return hashlib.sha256(email.strip().casefold().encode()).hexdigest()
