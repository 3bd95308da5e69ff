"""System checks of how this installation is set up; each says what to do."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, register
from django.core.checks import Warning as Caution

OPERATION = "operation"


@register(OPERATION)
def check_address(**_: Any) -> list[CheckMessage]:
    if not settings.IS_SHARED or settings.BASE_URL.startswith("https://"):
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
    if settings.SECRET_KEY_GIVEN or settings.EMBEDDED_POSTGRES or not settings.IS_SHARED:
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
    if settings.EMAIL_CONFIG or not settings.IS_SHARED:
        return []
    return [
        Caution(
            "EMAIL_URL is not set, so email, such as password reset links, is only written to files in DATA/mail.",
            hint="Set EMAIL_URL=smtp+tls://user:password@mail.example:587",
            id="incidents.W003",
        )
    ]
