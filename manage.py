#!/usr/bin/env python
"""Faultline's command line; `manage.py help` lists what it can do."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from reliability.local import CannotStart


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reliability.settings")
    try:
        execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, CannotStart) as reason:
        if "--traceback" in sys.argv:
            raise
        sys.exit(str(reason))
    except KeyboardInterrupt:
        sys.exit(130)  # what a shell says of a program that Ctrl-C stopped


if __name__ == "__main__":
    main()
