"""What people write, part by part: saved over the text it was read as, with every word that was ever saved."""

from datetime import datetime, timedelta

from django.db import models, transaction
from django.utils import timezone

from incidents.errors import Refused, WrongStatus
from incidents.people.models import User
from incidents.postmortems.merge import Merge, merge

LONGEST = 100_000  # characters of a section


class Clash(Exception):
    """Somebody changed the same lines meanwhile; `draft` keeps what was not saved, `merge` shows where people must choose."""

    def __init__(self, section: "Section", draft: "Draft", merged: Merge) -> None:
        who = section.edited_by or "Someone"
        super().__init__(f"{who} changed the same lines of “{section.title}” while you were writing. Nothing is lost.")
        self.section, self.draft, self.merge = section, draft, merged


class Section(models.Model):
    """One part of a postmortem: what people wrote under its questions."""

    postmortem = models.ForeignKey("incidents.Postmortem", on_delete=models.CASCADE, related_name="sections")
    key = models.CharField(max_length=24)
    position = models.PositiveSmallIntegerField()
    text = models.TextField(blank=True, max_length=LONGEST)
    version = models.PositiveIntegerField(default=0)
    edited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    edited_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [models.UniqueConstraint(fields=["postmortem", "key"], name="one_section_per_key")]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        return self.postmortem.guide.part(self.key).title

    def write(self, text: str, *, by: User, base: str) -> bool:
        """Save `text`, which was written over `base`; returns whether it was put together with somebody else's.

        Where others saved meanwhile, what they changed in other lines stays. Where they changed the same lines, the
        text is kept as the person's draft and Clash is raised. Raises WrongStatus once it is no longer editable, and
        Refused where it is too long. Locks the postmortem's row, so that two who save at once take turns.
        """
        text, base = clean(text), clean(base)
        if len(text) > LONGEST:
            raise Refused(f"A section holds at most {LONGEST:,} characters; this one has {len(text):,}.")
        try:
            with transaction.atomic():
                self.postmortem.lock_editable()
                stored = Section.objects.select_for_update(of=("self",)).get(pk=self.pk)
                merged = merge(base, text, stored.text)
                if not merged.is_clean:
                    raise _CannotMerge(merged)
                stored.store(merged.text, by=by, at=timezone.now())
                Draft.objects.filter(section=stored, person=by).delete()
        except (_CannotMerge, WrongStatus) as trouble:
            # Outside of the transaction that was undone: what was typed is kept in any case.
            draft = Draft.objects.keep(self, text, base=base, by=by)
            self.refresh_from_db()
            if isinstance(trouble, WrongStatus):
                raise
            raise Clash(self, draft, trouble.merge) from None
        self.refresh_from_db()
        return merged.text != text

    def add(self, text: str, *, by: User) -> None:
        """Append a paragraph to whatever stands there by now."""
        self.refresh_from_db()
        joint = "" if not self.text else "\n" if self.text.endswith("\n") else "\n\n"
        self.write(f"{self.text}{joint}{text.strip()}", by=by, base=self.text)

    def store(self, text: str, *, by: User, at: datetime) -> None:
        """Replace the text as it is, with a revision; the caller holds the lock."""
        if text == self.text:
            return
        Revision.objects.keep(self, text, by=by, at=at)
        Section.objects.filter(pk=self.pk).update(text=text, version=self.version + 1, edited_by=by, edited_at=at)
        self.postmortem.index()


class _CannotMerge(Exception):
    def __init__(self, merged: Merge) -> None:
        self.merge = merged


def clean(text: str) -> str:
    """What a browser sends, as it is kept: bare line feeds, no NUL, no white space at the end."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").rstrip()


class RevisionQuerySet(models.QuerySet["Revision"]):
    def keep(self, section: Section, text: str, *, by: User, at: datetime) -> None:
        """Write down how the section reads now. Somebody who types on adds to their own last revision; who takes
        something out, or follows somebody else, starts a new one: no word that was ever saved is lost.
        """
        last = self.filter(section=section).order_by("-pk").first()
        if last and last.by_id == by.pk and at - last.began_at < timedelta(minutes=10) and _only_adds(last.text, text):
            self.filter(pk=last.pk).update(text=text, at=at, version=section.version + 1)
        else:
            self.create(section=section, text=text, by=by, at=at, began_at=at, version=section.version + 1)


class Revision(models.Model):
    """How a section once read."""

    section = models.ForeignKey(Section, on_delete=models.CASCADE, related_name="revisions")
    text = models.TextField(blank=True)
    version = models.PositiveIntegerField()
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    began_at = models.DateTimeField(default=timezone.now)
    at = models.DateTimeField(default=timezone.now)

    objects = RevisionQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.section} {self.version}"


def _only_adds(old: str, new: str) -> bool:
    """Whether everything of `old` is still in `new`, with something put in at one place."""
    if len(new) < len(old):
        return False
    start = 0
    while start < len(old) and old[start] == new[start]:
        start += 1
    return new.endswith(old[start:])


class DraftQuerySet(models.QuerySet["Draft"]):
    def keep(self, section: Section, text: str, *, base: str, by: User) -> "Draft":
        draft, _ = self.update_or_create(
            section=section, person=by, defaults={"text": text, "base": base, "at": timezone.now()}
        )
        return draft


class Draft(models.Model):
    """What somebody wrote and could not save, until they settle it."""

    section = models.ForeignKey(Section, on_delete=models.CASCADE, related_name="drafts")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    text = models.TextField(blank=True)
    base = models.TextField(blank=True)
    at = models.DateTimeField(default=timezone.now)

    objects = DraftQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["section", "person"], name="one_draft_per_section_and_person")]

    def __str__(self) -> str:
        return f"{self.person}’s draft of {self.section}"

    def merge(self) -> Merge:
        return merge(self.base, self.text, self.section.text)
