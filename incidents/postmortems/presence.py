"""Who else is writing now."""

from datetime import timedelta

from django.db import models
from django.utils import timezone

from incidents.people.models import User
from incidents.postmortems.document import Postmortem


class Presence(models.Model):
    """Where somebody was last seen writing. Only the last minute counts."""

    postmortem = models.ForeignKey(Postmortem, on_delete=models.CASCADE, related_name="presences")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=24, blank=True)
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["postmortem", "person"], name="one_presence_per_person")]

    def __str__(self) -> str:
        return f"{self.person} in {self.key or 'the document'}"

    @classmethod
    def note(cls, postmortem: Postmortem, person: User, key: str) -> None:
        cls.objects.update_or_create(
            postmortem=postmortem, person=person, defaults={"key": key[:24], "seen_at": timezone.now()}
        )

    @classmethod
    def others(cls, postmortem: Postmortem, person: User) -> "list[Presence]":
        recent = cls.objects.filter(postmortem=postmortem, seen_at__gt=timezone.now() - timedelta(seconds=45))
        return list(recent.exclude(person=person).select_related("person").order_by("person__name"))
