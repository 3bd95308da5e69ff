"""Works out anew the months that reports keep; with --check only says which differ from their rows."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from incidents.reports import months


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="change nothing; fail if a month differs from its rows"
        )

    def handle(self, *, check: bool = False, **options: Any) -> None:
        if not check:
            self.stdout.write(f"{months.rebuild()} months were worked out.")
        elif differing := months.differing():
            raise CommandError(
                f"These months differ from their rows: {', '.join(f'{month:%Y-%m}' for month in differing)}."
            )
        else:
            self.stdout.write("Every month is what its rows say.")
