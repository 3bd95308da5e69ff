"""What a system must get right: an evaluation case, and each version of what it tests."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone

from incidents.errors import Refused, WrongStatus
from incidents.evaluations import alarms, checks
from incidents.evaluations.checks import OutputCheck
from incidents.evidence.samples import Sample
from incidents.people.models import User
from incidents.response.incident import Incident, of_visible
from incidents.response.permissions import require_visible
from incidents.response.vocabulary import Severity
from incidents.systems.models import System
from incidents.taxonomy import failure_mode as find_mode
from incidents.texts import one_line

MOST_CASES = 2000  # that one system may have in force
LONGEST_TEXT, LONGEST_CONTEXT, MOST_TAGS, LONGEST_PHRASE = 20_000, 100_000, 10, 80


@dataclass(frozen=True, slots=True)
class CasePassage:
    """A piece of text that the system was given to answer from."""

    id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a case tests: the part that has versions."""

    input: str
    context: tuple[CasePassage, ...] = ()
    expected: str = ""
    must_not: str = ""
    rubric: str = ""
    checks: tuple[OutputCheck, ...] = ()

    def as_fields(self) -> dict[str, Any]:
        return {
            "input": self.input,
            "context": [asdict(passage) for passage in self.context],
            "expected": self.expected,
            "must_not": self.must_not,
            "rubric": self.rubric,
            "checks": [check.as_json() for check in self.checks],
        }


def content_of(sample: Sample) -> Content:
    """What a sample says that a case tests; what must not be said becomes a check where it is a phrase.

    Raises Refused where nobody confirmed it as redacted: a case leaves, into files and other tools.
    """
    if not Sample.objects.may_leave().filter(pk=sample.pk).exists():
        raise Refused("Confirm first that the sample is redacted: what a case tests leaves Faultline.")
    phrase = one_line(sample.must_not)
    is_phrase = bool(phrase) and "\n" not in sample.must_not.strip() and len(phrase) <= LONGEST_PHRASE
    return Content(
        input=sample.input[:LONGEST_TEXT],
        context=tuple(CasePassage(one.id, one.text) for one in sample.exchange.context),
        expected=sample.expected[:LONGEST_TEXT],
        must_not=sample.must_not[:LONGEST_TEXT],
        checks=checks.parse(f"not contains: {phrase}") if is_phrase else (),
    )


def digest_of_input(text: str) -> str:
    """Name an input by what it asks: letters and digits alone, without case, so that a comma makes no other case."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return hashlib.sha256(" ".join(re.findall(r"\w+", plain)).encode()).hexdigest()


class EvaluationCaseQuerySet(models.QuerySet["EvaluationCase"]):
    def visible_to(self, user: User) -> Self:
        """Keep cases that came from no incident, or from one that the user may see."""
        return self.filter(of_visible(user)) if user.is_active else self.none()

    def in_force(self) -> Self:
        return self.filter(retired_at=None)

    def for_list(self) -> Self:
        return self.select_related("system", "system__team", "incident").order_by("-number")

    def same_input(self, system: System, text: str) -> Self:
        """Keep the system's cases in force that ask the same."""
        return self.in_force().filter(system=system, input_digest=digest_of_input(text))

    def search(self, words: str) -> Self:
        """By the words of its title, its input or its key."""
        for word in words.split()[:10]:
            texts = CaseVersion.objects.current().filter(case=models.OuterRef("pk"), input__icontains=word)
            match = models.Q(title__icontains=word) | models.Q(models.Exists(texts))
            number = word.lower().removeprefix("case-")
            if number.isascii() and number.isdigit() and len(number) <= 9:
                match |= models.Q(number=int(number))
            self = self.filter(match)
        return self

    def from_sample(self, sample: Sample, *, by: User, system: System | None = None) -> "EvaluationCase":
        """Make a case of what the AI did: its input, its context, and what was expected of it.

        Raises Refused where nobody confirmed the sample as redacted, or no system is known.
        """
        owner = system or sample.system or sample.incident.system
        if owner is None:
            raise Refused("Say first which system it was.")
        labels = {"severity": sample.incident.severity, "failure_mode": sample.incident.failure_mode}
        facts = labels | {"incident": sample.incident, "sample": sample}
        return self.add(owner, content_of(sample), title=sample.incident.title, by=by, **facts)

    def add(self, system: System, content: Content, *, title: str, by: User, **labels: Any) -> "EvaluationCase":
        """Write a case. Raises Refused where nothing could be tested, or its incident may not be seen.

        The same input twice is no error here: whoever asks is shown the other first (`same_input`).
        """
        _refuse_empty(content)
        incident: Incident | None = labels.get("incident")
        sample: Sample | None = labels.get("sample")
        if sample and sample.incident != incident:
            raise Refused("The sample belongs to another incident.")
        if incident:
            require_visible(incident, by)
        with transaction.atomic():
            System.objects.select_for_update(no_key=True).get(pk=system.pk)  # numbers are given one after another
            cases = self.filter(system=system)
            if cases.in_force().count() >= MOST_CASES:
                raise Refused(f"{system} has {MOST_CASES:,} cases. Retire some before you add others.")
            last = cases.aggregate(last=models.Max("number"))["last"] or 0
            case = self.create(
                system=system,
                number=last + 1,
                title=_title(title, content),
                input_digest=digest_of_input(content.input),
                created_by=by,
                **_labels(labels),
            )
            CaseVersion.objects.create(case=case, number=1, by=by, **content.as_fields())
        return case


class EvaluationCase(models.Model):
    """One thing that a system must get right. What it tests has versions; what it is called and tagged has none."""

    system = models.ForeignKey(System, on_delete=models.CASCADE, related_name="evaluation_cases")
    number = models.PositiveIntegerField()  # within its system, for ever: `key` says it
    title = models.CharField(max_length=200)
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    severity = models.CharField(max_length=8, choices=Severity, default=Severity.SEV3)
    failure_mode = models.CharField(max_length=64, blank=True)
    incident = models.ForeignKey(
        Incident, on_delete=models.CASCADE, null=True, blank=True, related_name="evaluation_cases"
    )
    sample = models.ForeignKey(
        Sample, on_delete=models.SET_NULL, null=True, blank=True, related_name="evaluation_cases"
    )
    version = models.PositiveIntegerField(default=1)  # the number of what it tests now
    input_digest = models.CharField(max_length=64)
    regressed_at = models.DateTimeField(null=True, blank=True)  # while it passes less often than it did
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    retired_at = models.DateTimeField(null=True, blank=True)
    retired_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    retired_because = models.CharField(max_length=500, blank=True)

    objects = EvaluationCaseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["system", "number"], name="one_case_per_number"),
            models.CheckConstraint(
                condition=models.Q(retired_at__isnull=True) | ~models.Q(retired_because=""),
                name="retired_cases_say_why",
            ),
        ]
        indexes = [
            models.Index(fields=["system", "input_digest"], name="cases_by_input"),
            models.Index(fields=["incident"], name="cases_by_incident"),
            GinIndex(fields=["tags"], name="cases_by_tag"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("evaluation-case", args=[self.system.slug, self.number])

    @property
    def key(self) -> str:
        """Its name in files and reports, for ever. It says nothing of what it tests."""
        return f"case-{self.number}"

    @property
    def is_retired(self) -> bool:
        return self.retired_at is not None

    @property
    def current(self) -> "CaseVersion":
        """What it tests now."""
        return self.versions.get(number=self.version)

    def edit(self, content: Content, *, by: User, base: int, **labels: Any) -> bool:
        """Change it; what it tests becomes a new version where it differs. Returns whether there is a new one.

        `base` is the version that was read: raises WrongStatus where somebody wrote another one since, or retired it.
        """
        _refuse_empty(content)
        with transaction.atomic():
            case = EvaluationCase.objects.select_for_update(no_key=True).get(pk=self.pk)
            if case.is_retired:
                raise WrongStatus(f"{case.key} is retired, so it cannot be changed.")
            if case.version != base:
                raise WrongStatus(f"Somebody changed {case.key} meanwhile. Look at version {case.version} first.")
            is_new = case.current.content != content
            changes: dict[str, Any] = _labels(labels) | {"title": _title(labels["title"], content)}
            if is_new:
                CaseVersion.objects.create(case=case, number=base + 1, by=by, **content.as_fields())
                changes |= {"version": base + 1, "input_digest": digest_of_input(content.input), "regressed_at": None}
            EvaluationCase.objects.filter(pk=self.pk).update(**changes)
            if is_new and case.regressed_at:
                case.clear_alarm(f"{case.key} was changed; its new version has not failed.")
        self.refresh_from_db()
        return is_new

    def retire(self, *, because: str, by: User) -> None:
        """Take it out of exports and comparisons; what it was and how it went stays."""
        reason = one_line(because)[:500]
        if not reason:
            raise Refused("Say why it is retired.")
        changes = {"retired_at": timezone.now(), "retired_by": by, "retired_because": reason, "regressed_at": None}
        with transaction.atomic():
            case = EvaluationCase.objects.select_for_update(no_key=True).get(pk=self.pk)
            if case.is_retired:
                raise WrongStatus(f"{self.key} is already retired.")
            EvaluationCase.objects.filter(pk=self.pk).update(**changes)
            if case.regressed_at:
                case.clear_alarm(f"{case.key} was retired.")
        self.refresh_from_db()

    @property
    def alarm_key(self) -> str:
        """By what its alert is known; it says nothing of the case."""
        return f"evaluation-case/{self.pk}"

    def clear_alarm(self, because: str) -> None:
        """Let the alert of its regression end."""
        few = self.incident_id is not None and self.incident is not None and self.incident.private
        alarms.send(
            self.system,
            key=self.alarm_key,
            status="resolved",
            title=self.alarm_title,
            description="" if few else because,
        )

    @property
    def alarm_title(self) -> str:
        """What its alert is called: its key alone, since alerts are read by more people than some cases."""
        if self.incident and self.incident.private:
            return f"An evaluation case of {self.system} passes less often than it did"
        return f"{self.system}: {self.key} passes less often than it did"


class CaseVersionQuerySet(models.QuerySet["CaseVersion"]):
    def current(self) -> Self:
        """Keep what each case tests now."""
        return self.filter(number=models.F("case__version"))

    def of(self, cases: Iterable[EvaluationCase]) -> "dict[int, CaseVersion]":
        """What each of the cases tests now, by the case’s id; one query."""
        return {version.case_id: version for version in self.current().filter(case__in=list(cases))}


class CaseVersion(models.Model):
    """What a case tests, from one edit to the next. The database refuses to change or delete it."""

    case = models.ForeignKey(EvaluationCase, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    input = models.TextField(max_length=LONGEST_TEXT)
    context = models.JSONField(default=list, blank=True)  # [{"id": …, "text": …}]
    expected = models.TextField(max_length=LONGEST_TEXT, blank=True)
    must_not = models.TextField(max_length=LONGEST_TEXT, blank=True)
    rubric = models.TextField(max_length=LONGEST_TEXT, blank=True)
    checks = models.JSONField(default=list, blank=True)  # [{"type": …, "value": …}]
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    objects = CaseVersionQuerySet.as_manager()

    class Meta:
        ordering = ["case_id", "number"]
        constraints = [models.UniqueConstraint(fields=["case", "number"], name="one_version_per_number")]
        triggers: ClassVar = [
            pgtrigger.Protect(name="case_versions_are_append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"version {self.number}"

    @property
    def content(self) -> Content:
        return Content(
            input=self.input,
            context=tuple(
                CasePassage(str(one.get("id", "")), str(one.get("text", ""))) for one in _objects(self.context)
            ),
            expected=self.expected,
            must_not=self.must_not,
            rubric=self.rubric,
            checks=checks.from_json(_objects(self.checks)),
        )


def _objects(items: Any) -> list[dict[str, Any]]:
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _refuse_empty(content: Content) -> None:
    if not content.input.strip():
        raise Refused("Enter the input that the system is given.")
    if not content.checks and not content.rubric.strip() and not content.expected.strip():
        raise Refused("Say what a good answer is: a check, an expected answer or a rubric.")
    if sum(len(passage.text) for passage in content.context) > LONGEST_CONTEXT:
        raise Refused(f"The context may have {LONGEST_CONTEXT:,} characters at most.")


def _title(title: str, content: Content) -> str:
    return (one_line(title) or one_line(content.input) or "A case")[:200]


def _labels(labels: dict[str, Any]) -> dict[str, Any]:
    """What a case is called and sorted by, cleaned. Raises Unknown where the failure mode is none."""
    clean: dict[str, Any] = {
        name: labels[name] for name in ("severity", "failure_mode", "incident", "sample") if name in labels
    }
    if clean.get("failure_mode"):
        find_mode(clean["failure_mode"])
    if "tags" in labels:
        clean["tags"] = tidy_tags(labels["tags"])
    return clean


def tidy_tags(tags: Sequence[str]) -> list[str]:
    """Tags in lower case, each once. Raises Refused where there are too many."""
    clean = list(dict.fromkeys(tag for tag in (one_line(tag).lower()[:40] for tag in tags) if tag))
    if len(clean) > MOST_TAGS:
        raise Refused(f"A case has {MOST_TAGS} tags at most.")
    return clean
