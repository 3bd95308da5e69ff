"""The parts of a postmortem and the questions that each asks: data that an organisation may change, in versions.

The order follows how people understand a failure: what users got, how long nobody knew, what changed, what made it
possible. There is no part for a “root cause”: one trigger, several contributing factors.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from incidents import taxonomy
from incidents.errors import Refused
from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.response.vocabulary import Severity


class Depth(models.TextChoices):
    """How much is asked. What hurt least teaches too, where asking takes ten minutes and not an afternoon."""

    BRIEF = "brief", "Brief"
    STANDARD = "standard", "Standard"
    DEEP = "deep", "Deep"

    @property
    def rank(self) -> int:
        return list(Depth).index(self)


@dataclass(frozen=True, slots=True)
class GuidePart:
    key: str
    title: str
    help: str
    minutes: int
    depth: str = Depth.BRIEF  # from which depth on it is asked
    required: str = ""  # from which depth on it may not stay empty; "" means never
    questions: tuple[str, ...] = ()
    by_category: bool = False  # whether the questions of the category and the failure mode are asked here

    def is_required(self, depth: str) -> bool:
        return bool(self.required) and Depth(self.required).rank <= Depth(depth).rank

    def as_data(self) -> dict[str, Any]:
        return {name: list(value) if isinstance(value := getattr(self, name), tuple) else value for name in _FIELDS}


_FIELDS = ("key", "title", "help", "minutes", "depth", "required", "questions", "by_category")
_B, _S, _D = Depth.BRIEF.value, Depth.STANDARD.value, Depth.DEEP.value

# What Faultline brings along. Parts with these keys get facts filled in; an organisation may add others beside them.
BUILT_IN: tuple[GuidePart, ...] = (
    GuidePart(
        key="summary",
        title="Summary",
        help="At most five sentences, for a colleague in another team.",
        minutes=4,
        depth=_B,
        required=_B,
        questions=("What did users get that was wrong, for how long, and what ended it?",),
    ),
    GuidePart(
        key="impact",
        title="Impact",
        help="Numbers, or “unknown, because …”.",
        minutes=5,
        depth=_B,
        required=_S,
        questions=(
            "Which outputs were wrong but looked right, and how many (range)?",
            "How many decisions, answers or actions were made on them? Can they be found and corrected?",
            "Which slices were hit: language, region, cohort, tenant?",
            "What was reversible, what was not, and what still needs correcting?",
        ),
    ),
    GuidePart(
        key="silence",
        title="Silence",
        help="The time between the first wrong output and somebody noticing.",
        minutes=4,
        depth=_B,
        questions=(
            "What was green while the system was wrong?",
            "Which signal moved first, and who was looking at it?",
            "What would have shown it a day earlier?",
        ),
    ),
    GuidePart(
        key="timeline",
        title="Timeline",
        help="The story as it looked at the time; begin before the incident. Dead ends belong here.",
        minutes=5,
        depth=_S,
        questions=("What did people see, think and try, and what surprised them?",),
    ),
    GuidePart(
        key="trigger",
        title="What changed",
        help="One trigger, or “none found”.",
        minutes=3,
        depth=_B,
        questions=(
            "Which model, prompt, index, data set, feature, permission, guardrail or provider changed before it began?",
            "Do several small changes overlap on different slices?",
        ),
    ),
    GuidePart(
        key="factors",
        title="Contributing factors",
        help="A factor is a property of the system or of how we work, never a person.",
        minutes=8,
        depth=_B,
        required=_S,
        questions=(
            "What made this possible, what made it worse, what made it hard to see?",
            "What usually protects us, and how did it let this through?",
            "Which evaluation or test should have stopped it: missing, not run, passed wrongly, overridden?",
        ),
        by_category=True,
    ),
    GuidePart(
        key="response",
        title="Response",
        help="How it was contained, and by whom it could be.",
        minutes=4,
        depth=_S,
        questions=(
            "Was there a fallback or a stop, was it used, and was it better than nothing?",
            "Who was needed, and how were they found? What information was missing?",
        ),
    ),
    GuidePart(
        key="well",
        title="What went well",
        help="What helped, so that it is kept.",
        minutes=2,
        depth=_S,
        questions=("What worked as it should, or better?",),
    ),
    GuidePart(
        key="hard",
        title="What was hard",
        help="What cost time or nerves.",
        minutes=2,
        depth=_S,
        questions=("What made finding, deciding or acting slower than it need be?",),
    ),
    GuidePart(
        key="lucky",
        title="Where we were lucky",
        help="What happened to hold this time.",
        minutes=2,
        depth=_S,
        questions=("What could have been worse, and what kept it from being so?",),
    ),
    GuidePart(
        key="learning",
        title="What we know now",
        help="What surprised us about our own system. Open questions may stay open.",
        minutes=4,
        depth=_S,
        questions=(
            "Which dashboard, runbook or assumption was wrong?",
            "What would we tell ourselves a month before?",
        ),
    ),
    GuidePart(
        key="again",
        title="Past and future",
        help="Whether it is a repeat, and whether it will come again.",
        minutes=3,
        depth=_S,
        questions=(
            "Which earlier incident is this like, and why did its follow-ups not prevent it?",
            "Will growth or a planned change make it likelier?",
        ),
    ),
    GuidePart(
        key="accounts",
        title="People’s accounts",
        help="What those who were there saw and thought, in their own words.",
        minutes=20,
        depth=_D,
        required=_D,
        questions=("What did each see, expect and decide, at which moment, knowing what?",),
    ),
    GuidePart(
        key="themes",
        title="Themes",
        help="What this shares with other incidents.",
        minutes=10,
        depth=_D,
        questions=("Which pattern of how we build or run AI systems shows here?",),
    ),
)


class GuideQuerySet(models.QuerySet["Guide"]):
    def current(self) -> "Guide":
        """The newest version; the one that Faultline brings along is written down when it is first asked for."""
        newest = self.order_by("-number").first()
        if newest is None:
            newest, _ = self.get_or_create(number=1, defaults={"content": _content(BUILT_IN, {}), "note": "As it came"})
        return newest

    def publish(
        self, parts: Iterable[GuidePart], prompts: dict[str, list[str]], *, note: str, by: User, over: int
    ) -> "Guide":
        """Make a new version over the one numbered `over`; postmortems that were begun keep theirs.

        Raises Refused where a part has no name or a name twice, or somebody published another version meanwhile.
        """
        parts = tuple(parts)
        _check(parts)
        with transaction.atomic():
            newest = self.select_for_update().order_by("-number").first()
            number = newest.number if newest else 0
            if number != over:
                raise Refused(f"Someone published version {number} meanwhile. Look at it, and save again.")
            return self.create(number=number + 1, content=_content(parts, prompts), note=note.strip()[:200], by=by)


class Guide(models.Model):
    """One version of the parts and questions."""

    number = models.PositiveIntegerField(unique=True)
    content = models.JSONField()
    note = models.CharField(max_length=200, blank=True)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    objects = GuideQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"Version {self.number}"

    @property
    def parts(self) -> tuple[GuidePart, ...]:
        return _parts(self.content["parts"])

    @property
    def prompts(self) -> dict[str, list[str]]:
        """The questions by category that were changed; the others are those of the taxonomy."""
        return dict(self.content.get("prompts", {}))

    def part(self, key: str) -> GuidePart:
        """The part with this key; one that the guide no longer has is shown by its key."""
        return next(
            (part for part in self.parts if part.key == key),
            GuidePart(key=key, title=key.replace("-", " ").capitalize(), help="", minutes=3),
        )

    def at_depth(self, depth: str) -> list[GuidePart]:
        return [part for part in self.parts if Depth(part.depth).rank <= Depth(depth).rank]

    def asked(self, part: GuidePart, incidents: Iterable[Incident]) -> list[str]:
        """The questions of this part for these failures: its own, then those of their categories and failure modes."""
        questions = list(part.questions)
        if part.by_category:
            for category in dict.fromkeys(incident.category for incident in incidents if incident.category):
                questions += self.questions_for(category)
            for mode in dict.fromkeys(incident.failure_mode for incident in incidents if incident.failure_mode):
                questions += _of_mode(mode)
        return questions

    def questions_for(self, category: str) -> list[str]:
        changed = self.prompts.get(category)
        if changed is not None:
            return changed
        return [prompt.text for prompt in taxonomy.prompts_for(category) if prompt.category == category]


def _content(parts: Iterable[GuidePart], prompts: dict[str, list[str]]) -> dict[str, Any]:
    return {"parts": [part.as_data() for part in parts], "prompts": prompts}


def _parts(raw: list[dict[str, Any]]) -> tuple[GuidePart, ...]:
    return tuple(GuidePart(**{**values, "questions": tuple(values.get("questions", ()))}) for values in raw)


def _of_mode(code: str) -> list[str]:
    """Two questions made from what the taxonomy knows of a failure mode."""
    try:
        mode = taxonomy.failure_mode(code)
    except taxonomy.Unknown:
        return []
    name = mode.name[:1].lower() + mode.name[1:]
    signals, ways = ", ".join(mode.signals[:4]), ", ".join(way.name.lower() for way in mode.containments[:3])
    questions = []
    if signals:
        questions.append(f"Which signals of {name} ({signals}) did we have, which moved first, and who saw it?")
    if ways:
        questions.append(f"Which of the usual containments were available: {ways}?")
    return questions


def _check(parts: tuple[GuidePart, ...]) -> None:
    if not parts:
        raise Refused("A guide needs at least one part.")
    for part in parts:
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,23}", part.key) or not part.title.strip():
            raise Refused("Every part needs a title.")
    twice = [key for key, times in Counter(part.key for part in parts).items() if times > 1]
    if twice:
        raise Refused(f"Two parts are called “{twice[0]}”. Give each its own title.")
    if missing := [
        part.title for part in BUILT_IN if part.key in ("summary", "factors") and part.key not in {p.key for p in parts}
    ]:
        raise Refused(f"“{missing[0]}” cannot be left out: reports and the library are made of it.")


class PolicyQuerySet(models.QuerySet["Policy"]):
    def of(self, severity: str) -> "Policy":
        return self.filter(severity=severity).first() or Policy(severity=severity, **DEFAULTS[Severity(severity)])


class Policy(models.Model):
    """What is asked of the postmortem of an incident of one severity."""

    severity = models.CharField(max_length=8, choices=Severity, unique=True)
    depth = models.CharField(max_length=10, choices=Depth, default=Depth.STANDARD)
    due_days = models.PositiveSmallIntegerField("due after, in business days", default=10)
    reviewers = models.PositiveSmallIntegerField("approvals needed", default=1)

    objects = PolicyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "policies"

    def __str__(self) -> str:
        return f"{self.get_severity_display()}: {self.get_depth_display().lower()}"


# What hurts most is understood first, and by most.
DEFAULTS: dict[Severity, dict[str, Any]] = {
    Severity.SEV1: {"depth": Depth.DEEP, "due_days": 3, "reviewers": 2},
    Severity.SEV2: {"depth": Depth.STANDARD, "due_days": 5, "reviewers": 1},
    Severity.SEV3: {"depth": Depth.STANDARD, "due_days": 10, "reviewers": 1},
    Severity.SEV4: {"depth": Depth.BRIEF, "due_days": 15, "reviewers": 1},
    Severity.UNKNOWN: {"depth": Depth.BRIEF, "due_days": 10, "reviewers": 1},
}
