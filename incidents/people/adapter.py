"""How django-allauth sees our people."""

from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse

from incidents.people import signin
from incidents.people.models import PUBLISHED_PASSWORD, User


class InviteOnly(DefaultAccountAdapter):
    """Administrators create accounts: nobody signs up. Failed sign-ins are limited by signin.py, not by the library."""

    error_messages: ClassVar[dict[str, Any]] = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": "The email address or the password is wrong.",
    }

    def is_open_for_signup(self, request: Any) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return str(request.META.get("REMOTE_ADDR") or "unknown")

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        """Limit failures, and say why the published password opens nothing (see `User.check_password`)."""
        if settings.IS_SHARED and credentials.get("password") == PUBLISHED_PASSWORD:
            raise ValidationError("This password is published, so it does not work where others can sign in too.")
        try:
            tried = signin.attempt(request, str(credentials.get("email", "")))
        except signin.TooManyFailures as error:
            raise ValidationError(
                f"Too many failed sign-ins. Try again in {error.minutes} min, use a browser you have signed in with before, "
                "or reset your password."
            ) from None
        user: AbstractBaseUser | None = super().authenticate(request, **credentials)
        if user:
            tried.delete()
        return user

    def set_password(self, user: User, password: str) -> None:
        super().set_password(user, password)
        signin.forgive(user.email)

    def post_login(self, request: HttpRequest, user: User, **more: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **more)
        signin.remember_browser(request, response, user)
        return response


def display_name(user: User) -> str:
    return str(user)
