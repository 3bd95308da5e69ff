"""Creates a source and prints its token and address as one JSON object."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from incidents.alerts.models import Source, ingest_url
from incidents.alerts.models.source import LONGEST_TIMER
from incidents.alerts.sources import KINDS
from incidents.people.models import Team
from incidents.systems.models import System


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=list(KINDS))
        parser.add_argument("name")
        parser.add_argument("--team", metavar="SLUG")
        parser.add_argument("--system", metavar="SLUG")
        parser.add_argument(
            "--secret", help="the secret that its monitor signs with; unsigned deliveries are then refused"
        )
        parser.add_argument(
            "--timer",
            type=int,
            metavar="MINUTES",
            help="end its alerts when they are not repeated for so long; for monitors that never say that one is over",
        )

    def handle(self, *, kind: str, name: str, team: str | None, system: str | None, **options: Any) -> None:
        timer = options["timer"]
        if timer is not None and not 1 <= timer <= LONGEST_TIMER:
            raise CommandError(f"A timer has 1 to {LONGEST_TIMER} minutes, which are 30 days.")
        try:
            source, token = Source.objects.connect(
                kind=kind,
                name=name,
                team=Team.objects.get(slug=team) if team else None,
                system=System.objects.get(slug=system) if system else None,
                auto_resolve_minutes=timer,
            )
            if options["secret"]:
                source.add_secret(options["secret"], by=None)
        except Team.DoesNotExist:
            raise CommandError(f"There is no team “{team}”.") from None
        except System.DoesNotExist:
            raise CommandError(f"There is no system “{system}”.") from None
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.stdout.write(json.dumps({"slug": source.slug, "kind": kind, "token": token, "url": ingest_url(token)}))
