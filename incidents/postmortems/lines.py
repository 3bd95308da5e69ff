"""Filled-in lines that people reworded."""

from django.db import models, transaction
from django.utils import timezone

from incidents.people.models import User
from incidents.postmortems.document import Postmortem
from incidents.texts import one_line


class EditedLine(models.Model):
    """A filled-in line that a person reworded; it no longer follows the record."""

    postmortem = models.ForeignKey(Postmortem, on_delete=models.CASCADE, related_name="edited_lines")
    key = models.CharField(max_length=60)
    text = models.CharField(max_length=1000, blank=True)  # empty: left out
    was = models.TextField(blank=True)  # what the record said then
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["postmortem", "key"], name="one_edit_per_line")]

    def __str__(self) -> str:
        return self.text

    @classmethod
    def put(cls, postmortem: Postmortem, key: str, *, text: str, was: str, by: User) -> None:
        """Reword a line, or, with the words of the record itself, let it follow the record again."""
        text = one_line(text)[:1000]
        with transaction.atomic():
            postmortem.lock_editable()
            if text == was:
                cls.objects.filter(postmortem=postmortem, key=key).delete()
            else:
                edit = {"text": text, "was": was, "by": by, "at": timezone.now()}
                cls.objects.update_or_create(postmortem=postmortem, key=key, defaults=edit)

    @classmethod
    def follow_again(cls, postmortem: Postmortem, key: str) -> None:
        with transaction.atomic():
            postmortem.lock_editable()
            cls.objects.filter(postmortem=postmortem, key=key).delete()
