"""How the process is put together: settings, the task queue, and all of it on one machine."""

from .celery import app as celery_app

__all__ = ["celery_app"]
