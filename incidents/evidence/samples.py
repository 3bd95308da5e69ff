"""Samples of what the AI said in an incident: kept as they were, judged by people, redacted before they leave.

Three things are apart: what the AI did (fixed once it is frozen), what people think of it (a verdict, what was expected),
and whether somebody confirmed that it holds nothing that may not leave.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import pgtrigger
from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone

from incidents.errors import Refused, WrongStatus
from incidents.evidence.exchange import (
    LONGEST_NAME,
    LONGEST_TEXT,
    LONGEST_WISH,
    Exchange,
    calls_from,
    digest_of,
    passages_from,
)
from incidents.people.models import User
from incidents.response.events import Event
from incidents.response.incident import Incident, of_visible
from incidents.systems.models import System

MOST_SAMPLES = 2_000  # of one incident

# What nobody changes once it is frozen: what the AI did, where that comes from, and that it was frozen.
_EVIDENCE = "incident_id input output context tool_calls source reference occurred_at drawn added_at frozen_at".split()
_IS_CHANGED = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in _EVIDENCE)


class SampleQuerySet(models.QuerySet["Sample"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(of_visible(user)) if user.is_active else self.none()

    def may_leave(self) -> Self:
        """Keep what a person confirmed as redacted: nothing else goes into exports, postmortems, cases or public pages.

        Who may see it is asked beside this: begin with `visible_to`.
        """
        return self.filter(redacted_at__isnull=False)

    def drawn(self) -> Self:
        """Keep those that were drawn at random, from which a rate can be told."""
        return self.filter(drawn=True)

    def judged(self) -> Self:
        """Keep those of which somebody said whether the output was right or wrong."""
        return self.filter(verdict__in=[Sample.Verdict.RIGHT, Sample.Verdict.WRONG])

    def of_verdict(self, verdict: str) -> Self:
        """Keep those of one verdict; “open” keeps those that nobody has judged."""
        return self.filter(verdict="" if verdict == "open" else verdict)

    def add(
        self, incident: Incident, exchanges: Sequence[Exchange], *, by: User, source: str, drawn: bool = False
    ) -> "list[Sample]":
        """Keep exchanges as samples of an incident, all or none; those whose reference is here already are left out.

        Raises Refused where one cannot be stored, or where there would be more than MOST_SAMPLES.
        """
        for exchange in exchanges:
            if problem := exchange.problem():
                raise Refused(problem)
        with transaction.atomic():
            incident.locked()
            here = self.known_references(incident, exchanges)
            new = [exchange for exchange in exchanges if exchange.reference not in here]
            new = list({exchange.reference or index: exchange for index, exchange in enumerate(new)}.values())
            if self.filter(incident=incident).count() + len(new) > MOST_SAMPLES:
                raise Refused(f"An incident can hold at most {MOST_SAMPLES:,} samples.")
            added = self.bulk_create([_row(incident, one, by=by, source=source, drawn=drawn) for one in new])
            if added:
                incident.record(Event.Kind.EVIDENCE, by=by, did="added", count=len(added), source=source, drawn=drawn)
        return added

    def known_references(self, incident: Incident, exchanges: Sequence[Exchange]) -> set[str]:
        """Which references of these exchanges are those of samples that are here already."""
        asked = {exchange.reference for exchange in exchanges} - {""}
        return set(self.filter(incident=incident, reference__in=asked).values_list("reference", flat=True))

    def freeze(self, incident: Incident, *, by: User) -> int:
        """Let nobody change any more what the AI did in the samples that are here; returns how many were frozen by this."""
        with transaction.atomic():
            incident.locked()
            count = self.filter(incident=incident, frozen_at=None).update(frozen_at=timezone.now(), frozen_by=by)
            if count:
                incident.record(Event.Kind.EVIDENCE, by=by, did="frozen", count=count)
        return count


def _row(incident: Incident, exchange: Exchange, *, by: User, source: str, drawn: bool) -> "Sample":
    return Sample(
        incident=incident,
        system=incident.system,
        source=source,
        drawn=drawn,
        added_by=by,
        reference=exchange.reference,
        occurred_at=exchange.occurred_at,
        **exchange.texts(),
    )


class Sample(models.Model):
    """One exchange with the AI in an incident. Once it is frozen, the database lets nobody change or delete what it did."""

    class Verdict(models.TextChoices):
        OPEN = "", "Not judged"
        RIGHT = "right", "Right"
        WRONG = "wrong", "Wrong"
        UNCLEAR = "unclear", "Unclear"

    class Source(models.TextChoices):
        PASTED = "pasted", "Pasted"
        UPLOAD = "upload", "Uploaded"
        API = "api", "API"
        TRACE = "trace", "Trace"

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="samples")
    system = models.ForeignKey(System, on_delete=models.PROTECT, null=True, blank=True, related_name="samples")
    input = models.TextField(max_length=LONGEST_TEXT, blank=True)
    context = models.JSONField(default=list, blank=True)  # of {id, text, score}
    output = models.TextField(max_length=LONGEST_TEXT, blank=True)
    tool_calls = models.JSONField(default=list, blank=True)  # of {name, arguments, result}
    expected = models.TextField(max_length=LONGEST_WISH, blank=True)
    must_not = models.TextField(max_length=LONGEST_WISH, blank=True)
    verdict = models.CharField(max_length=8, choices=Verdict, blank=True, default=Verdict.OPEN)
    judged_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    judged_at = models.DateTimeField(null=True, blank=True)
    source = models.CharField(max_length=8, choices=Source)
    reference = models.CharField(max_length=LONGEST_NAME, blank=True)
    occurred_at = models.DateTimeField(null=True, blank=True)
    drawn = models.BooleanField(default=False)
    added_at = models.DateTimeField(default=timezone.now)
    added_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    redacted_at = models.DateTimeField(null=True, blank=True)
    redacted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    frozen_at = models.DateTimeField(null=True, blank=True)
    frozen_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    objects = SampleQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "reference"],
                condition=~models.Q(reference=""),
                name="one_sample_per_reference",
            ),
            models.CheckConstraint(
                condition=models.Q(verdict__in=["", "right", "wrong", "unclear"]), name="sample_verdict_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(verdict="", judged_at__isnull=True)
                | (~models.Q(verdict="") & models.Q(judged_at__isnull=False)),
                name="judged_samples_say_when",
            ),
        ]
        triggers: ClassVar = [
            pgtrigger.Protect(
                name="frozen_samples_stay",
                operation=pgtrigger.Delete,
                condition=pgtrigger.Q(old__frozen_at__isnull=False),
            ),
            pgtrigger.Protect(
                name="frozen_samples_are_not_changed",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(f"OLD.frozen_at IS NOT NULL AND ({_IS_CHANGED})"),
            ),
        ]

    def __str__(self) -> str:
        return f"sample {self.pk} of {self.incident}"

    def get_absolute_url(self) -> str:
        return reverse("sample", args=[self.incident.number, self.pk])

    @property
    def exchange(self) -> Exchange:
        return Exchange(
            input=self.input,
            output=self.output,
            context=passages_from(self.context),
            tool_calls=calls_from(self.tool_calls),
            expected=self.expected,
            must_not=self.must_not,
            reference=self.reference,
            occurred_at=self.occurred_at,
        )

    @property
    def digest(self) -> str:
        """What its texts are: whoever confirms or rewrites them says which they read."""
        return digest_of(self.exchange.texts())

    @property
    def may_leave(self) -> bool:
        return self.redacted_at is not None

    @property
    def is_frozen(self) -> bool:
        return self.frozen_at is not None

    def judge(
        self,
        verdict: str,
        *,
        by: User,
        expected: str | None = None,
        must_not: str | None = None,
        was: str | None = None,
    ) -> None:
        """Say whether the output was right, and what was expected instead; what is not given stays.

        `was` is the verdict that the person saw: raises WrongStatus where somebody else judged meanwhile. New words take
        the confirmation that nothing in it must stay inside back. Raises Refused for words that are too long.
        """
        with transaction.atomic():
            row = self._locked()
            if was is not None and row.verdict not in (was, verdict):
                raise WrongStatus(f"{row.judged_by or 'Somebody'} has judged this sample meanwhile.")
            wishes = {"expected": expected, "must_not": must_not}
            words = {name: text.strip() for name, text in wishes.items() if text is not None}
            changes: dict[str, Any] = {name: text for name, text in words.items() if getattr(row, name) != text}
            if any(len(text) > LONGEST_WISH for text in changes.values()):
                raise Refused(f"What is expected, or must not be said, has {LONGEST_WISH:,} characters at most.")
            if changes:
                changes |= {"redacted_at": None, "redacted_by": None}
            if row.verdict != verdict:
                judged = {"judged_at": timezone.now(), "judged_by": by} if verdict else _UNJUDGED
                changes |= {"verdict": verdict} | judged
            self._change(changes, by=by, did="judged", verdict=verdict, was=row.verdict)

    def redact(self, exchange: Exchange, *, by: User, digest: str) -> None:
        """Replace its texts, before it is frozen; that they may leave is for somebody to confirm afterwards.

        `digest` is that of the texts the person edited. Raises WrongStatus where it is frozen or they changed meanwhile,
        Refused where the new texts cannot be stored.
        """
        if problem := exchange.problem():
            raise Refused(problem)
        with transaction.atomic():
            row = self._locked()
            if row.is_frozen:
                raise WrongStatus("This sample is frozen: its text cannot be changed. Add a redacted copy.")
            row.require_read(digest)
            texts = exchange.texts()
            changed = [name for name, text in texts.items() if getattr(row, name) != text]
            if changed:
                self._change(texts | _UNCONFIRMED, by=by, did="redacted", fields=changed)

    def confirm_redaction(self, *, by: User, digest: str) -> None:
        """Say that nothing in it must stay inside. Raises WrongStatus where it changed since the person read it."""
        with transaction.atomic():
            row = self._locked()
            row.require_read(digest)
            if row.redacted_at is None:
                self._change({"redacted_at": timezone.now(), "redacted_by": by}, by=by, did="confirmed")

    def remove(self, *, by: User) -> None:
        """Take it away, before it is frozen; that it was here stays in the log, and none of its words."""
        with transaction.atomic():
            if self._locked().is_frozen:
                raise WrongStatus("This sample is frozen: it cannot be removed.")
            self.incident.record(Event.Kind.EVIDENCE, by=by, did="removed", sample=self.pk)
            self.delete()

    def require_read(self, digest: str) -> None:
        """Raise WrongStatus unless these are the texts that the person read."""
        if digest != self.digest:
            raise WrongStatus("The text of this sample was changed meanwhile. Read it again.")

    def _locked(self) -> "Sample":
        row = Sample.objects.select_for_update(of=("self",)).select_related("judged_by").filter(pk=self.pk).first()
        if row is None:
            raise WrongStatus("This sample was removed meanwhile.")
        return row

    def _change(self, changes: dict[str, Any], *, by: User, did: str, **detail: Any) -> None:
        if changes:
            Sample.objects.filter(pk=self.pk).update(**changes)
            self.incident.record(Event.Kind.EVIDENCE, by=by, did=did, sample=self.pk, **detail)
        self.refresh_from_db()


_UNJUDGED: dict[str, Any] = {"judged_at": None, "judged_by": None}
_UNCONFIRMED: dict[str, Any] = {"redacted_at": None, "redacted_by": None}
