"""System checks of how this installation is set up; each says what to do."""

from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Info, register
from django.core.checks import Warning as Caution

OPERATION = "operation"


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach the host."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _is_shared() -> bool:
    """Whether other people's browsers come here, so that the defaults for one's own machine are not enough."""
    return not is_loopback(urlsplit(settings.BASE_URL).hostname or "")


@register(OPERATION)
def check_address(**_: Any) -> list[CheckMessage]:
    if not _is_shared() or settings.BASE_URL.startswith("https://"):
        return []
    return [
        Caution(
            f"Passwords and alerts travel to {settings.BASE_URL} unencrypted.",
            hint="Put a proxy that speaks TLS in front, and set BASE_URL=https://…",
            id="incidents.W001",
        )
    ]


@register(OPERATION)
def check_secret_key(**_: Any) -> list[CheckMessage]:
    """Several machines on one database must share one key; the key made in DATA is this machine's own."""
    if settings.SECRET_KEY_GIVEN or settings.EMBEDDED_POSTGRES or not _is_shared():
        return []
    return [
        Caution(
            "DATABASE_URL is set and SECRET_KEY is not, so each machine signs with its own key.",
            hint="Set SECRET_KEY to the same long random text on every machine, or people are signed out at random.",
            id="incidents.W002",
        )
    ]


@register(OPERATION)
def check_mail(**_: Any) -> list[CheckMessage]:
    if settings.EMAIL_CONFIG or not _is_shared():
        return []
    return [
        Caution(
            "EMAIL_URL is not set, so email, such as password reset links, is only written to the log.",
            hint="Set EMAIL_URL=smtp+tls://user:password@mail.example:587",
            id="incidents.W003",
        )
    ]


@register(OPERATION)
def check_demo(**_: Any) -> list[CheckMessage]:
    if not settings.DEMO or not _is_shared():
        return []
    return [
        Info(
            "The demonstration, with accounts whose password is public, is loaded into an empty installation.",
            hint="Set DEMO=0 before the first start.",
            id="incidents.I001",
        )
    ]
