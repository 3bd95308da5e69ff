"""How django-allauth sees our people."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.core.exceptions import ValidationError

from incidents.people.models import PUBLISHED_PASSWORD, User


class InviteOnly(DefaultAccountAdapter):
    """Administrators create accounts: nobody signs up."""

    def is_open_for_signup(self, request: Any) -> bool:
        return False

    def pre_authenticate(self, request: Any, **credentials: Any) -> None:
        """Say why the published password opens nothing (see `User.check_password`); a wrong one is only wrong."""
        if settings.IS_SHARED and credentials.get("password") == PUBLISHED_PASSWORD:
            raise ValidationError("This password is published, so it does not work where others can sign in too.")
        super().pre_authenticate(request, **credentials)


def display_name(user: User) -> str:
    return str(user)
