"""How the process is put together: settings, the task queue, the embedded servers."""

from .celery import app as celery_app

__all__ = ["celery_app"]
