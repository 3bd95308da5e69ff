"""The review meeting: one part at a time, with ideas for fixes parked until the end."""

from typing import Any

from django.db import models, transaction
from django.utils import timezone

from incidents.errors import Refused
from incidents.followups.models import FollowUp
from incidents.people.models import User
from incidents.postmortems.document import Postmortem
from incidents.texts import one_line


class ParkedFix(models.Model):
    """An idea for a fix that came up before the discussion was over."""

    postmortem = models.ForeignKey(Postmortem, on_delete=models.CASCADE, related_name="parked")
    text = models.CharField(max_length=300)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    follow_up = models.ForeignKey(FollowUp, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    dropped_because = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.text

    @property
    def is_open(self) -> bool:
        return self.follow_up_id is None and not self.dropped_because

    @classmethod
    def park(cls, postmortem: Postmortem, text: str, *, by: User) -> "ParkedFix":
        if not text.strip():
            raise Refused("Say what you would fix.")
        return cls.objects.create(postmortem=postmortem, text=one_line(text)[:300], by=by)

    def take(self, *, by: User, **fields: Any) -> FollowUp:
        """Make a follow-up of it, with its owner, due date, priority and check; safe to press twice."""
        with transaction.atomic():
            fixes = ParkedFix.objects.select_for_update(of=("self",)).select_related("postmortem__incident")
            stored = fixes.get(pk=self.pk)
            if stored.follow_up:
                return stored.follow_up
            if stored.dropped_because:
                raise Refused("It has been dropped already.")
            follow_up = FollowUp.objects.add(stored.postmortem.incident, title=stored.text[:200], by=by, **fields)
            ParkedFix.objects.filter(pk=self.pk).update(follow_up=follow_up)
        return follow_up

    def drop(self, *, reason: str) -> None:
        if not reason.strip():
            raise Refused("Give a reason for not doing it.")
        ParkedFix.objects.filter(pk=self.pk, follow_up=None).update(dropped_because=reason.strip()[:300])
