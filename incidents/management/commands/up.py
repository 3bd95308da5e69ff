"""Runs all of Faultline on this machine until Ctrl-C."""

from typing import Any

from django.core.management.base import BaseCommand

from reliability.checks import OPERATION
from reliability.local.supervisor import Supervisor


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = [OPERATION]
    requires_migrations_checks = False

    def handle(self, **options: Any) -> None:
        Supervisor().run()
