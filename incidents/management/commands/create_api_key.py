"""Creates an API key for a person and prints it, once, as one JSON object."""

import json
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from incidents.people.models import ApiKey, KeyScope, User


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", required=True)
        parser.add_argument("--scope", action="append", required=True, choices=KeyScope.values)
        parser.add_argument("--days", type=int, help="days until it expires; without this it never does")

    def handle(self, *, email: str, name: str, scope: list[str], days: int | None, **options: Any) -> None:
        user = User.objects.filter(email__iexact=email, is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active account with the address {email}.")
        expires_at = timezone.now() + timedelta(days=days) if days else None
        key, secret = ApiKey.issue(user, name=name, scopes=scope, expires_at=expires_at)
        self.stdout.write(json.dumps({"id": key.pk, "name": name, "scopes": key.scopes, "key": secret}))
