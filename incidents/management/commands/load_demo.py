"""Loads the demonstration into an empty Faultline."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from incidents.demonstration.loader import load
from incidents.people.models import User


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--if-empty", action="store_true", help="do nothing where there are accounts already")

    def handle(self, *, if_empty: bool = False, **options: Any) -> None:
        if settings.IS_SHARED:
            raise CommandError(
                "The password of the demonstration's accounts is published, and others can reach this installation; "
                "load it only where BASE_URL, HOST and ALLOWED_HOSTS are this machine's own."
            )
        if User.objects.exists():
            if if_empty:
                return
            raise CommandError("There are accounts already; the demonstration loads only into an empty Faultline.")
        count = load(settings.DATA / "first_alert.txt")
        self.stdout.write(f"Loaded the demonstration: {count} incidents.")
