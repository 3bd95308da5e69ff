"""How django-allauth sees our people."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter

from incidents.people.models import User


class InviteOnly(DefaultAccountAdapter):
    """Administrators create accounts: nobody signs up."""

    def is_open_for_signup(self, request: Any) -> bool:
        return False


def display_name(user: User) -> str:
    return str(user)
