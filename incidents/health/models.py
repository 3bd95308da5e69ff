"""Signs of life of the processes that have no address of their own."""

from datetime import timedelta

from django.db import models
from django.utils import timezone


class Heartbeat(models.Model):
    """When a process last did its work. The worker's proves beat and broker too: it runs what beat sent."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.at:%H:%M:%S}"

    @classmethod
    def note(cls, name: str) -> None:
        cls.objects.update_or_create(name=name, defaults={"at": timezone.now()})

    @classmethod
    def age(cls, name: str) -> timedelta | None:
        """How long ago it was seen; None if never."""
        seen = cls.objects.filter(name=name).first()
        return timezone.now() - seen.at if seen else None
