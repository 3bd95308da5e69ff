"""The Celery application. Tasks take ids, are safe to run twice, and find their work in PostgreSQL."""

import os

from celery import Celery
from celery.signals import setup_logging, task_prerun
from django.db import close_old_connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reliability.settings")

app = Celery("faultline")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["incidents"])


@setup_logging.connect
def keep_our_logging(**_: object) -> None:
    """Celery would otherwise replace the logging that Django's settings configured."""


@task_prerun.connect
def leave_dead_connections(**_: object) -> None:
    """Connections are kept from task to task; one that broke, with its server perhaps, is left here."""
    close_old_connections()
