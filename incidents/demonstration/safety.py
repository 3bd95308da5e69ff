"""The demonstration's accounts share a published password, so they must not stand where others can reach them."""

from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.core.checks import CheckMessage, Error, register
from django.db import DatabaseError

from incidents.demonstration.organisation import PEOPLE
from incidents.people.models import PUBLISHED_PASSWORD, User
from reliability.checks import OPERATION


def published_accounts() -> list[str]:
    """The email addresses of the demonstration's people who can sign in and have the published password still."""
    ours = User.objects.filter(email__in=[f"{name}@example.com" for name, _, _, _ in PEOPLE], is_active=True)
    accounts = list(ours.order_by("email").values_list("email", "password"))
    # They were hashed once, together: asking of each of them anew would take seconds.
    published = {hashed for hashed in {hashed for _, hashed in accounts} if check_password(PUBLISHED_PASSWORD, hashed)}
    return [email for email, hashed in accounts if hashed in published]


@register(OPERATION)
def check_published_passwords(**_: Any) -> list[CheckMessage]:
    """Before the database runs or has its tables, nothing can be said; `manage.py up` asks again once it has."""
    if not settings.IS_SHARED:
        return []
    try:
        accounts = published_accounts()
    except DatabaseError:
        return []
    if not accounts:
        return []
    return [
        Error(
            f"{len(accounts)} accounts of the demonstration, such as {accounts[0]}, have the password that is published, "
            "and others can reach this installation.",
            hint="Start on an empty database (another DATA= or DATABASE_URL=), or give each a new password "
            f"(manage.py changepassword {accounts[0]}).",
            id="incidents.E001",
        )
    ]
