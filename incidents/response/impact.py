"""What an incident did: how bad, for how many, how one knows, and which severity that suggests.

Unknown is unknown and never zero: an empty estimate is not counted anywhere.
"""

from dataclasses import dataclass
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from incidents.errors import Refused
from incidents.people.models import User
from incidents.response.events import Event
from incidents.response.incident import Incident
from incidents.response.vocabulary import Severity


class Harm(models.TextChoices):
    """CSET's distinction: harm that came about, harm that nearly did, and a hazard found in time."""

    UNKNOWN = "", "Not known yet"
    EVENT = "event", "Harm occurred"
    NEAR_MISS = "near_miss", "Near miss"
    ISSUE = "issue", "Hazard found in time"


class Reversible(models.TextChoices):
    UNKNOWN = "", "Unknown"
    REVERSIBLE = "reversible", "Can be undone"
    COMPENSABLE = "compensable", "Can be compensated"
    MIXED = "mixed", "Partly"
    IRREVERSIBLE = "irreversible", "Cannot be undone"


class Fallback(models.TextChoices):
    UNKNOWN = "", "Unknown"
    NONE = "none", "None used"
    AUTOMATIC = "automatic", "Took over automatically"
    MANUAL = "manual", "Switched on manually"
    FAILED = "failed", "Failed too"


class Oversight(models.TextChoices):
    UNKNOWN = "", "Unknown"
    WORKED = "worked", "A person caught it"
    BYPASSED = "bypassed", "Bypassed"
    ABSENT = "absent", "No human in the loop"
    OVERLOADED = "overloaded", "Overloaded"
    INATTENTIVE = "inattentive", "Looked but missed it"
    NOT_APPLICABLE = "not_applicable", "Not applicable"


class Trust(models.TextChoices):
    UNKNOWN = "", "Unknown"
    NONE = "none", "No effect seen"
    COMPLAINTS = "complaints", "Complaints"
    CRITICISM = "criticism", "Public criticism"
    CHURN = "churn", "Users left"
    REGULATORY = "regulatory", "Regulatory or legal"


class Impact(models.Model):
    """What an incident did, apart from how many it did it to."""

    incident = models.OneToOneField(Incident, on_delete=models.CASCADE, related_name="impact")
    harm = models.CharField(max_length=12, choices=Harm, blank=True, default=Harm.UNKNOWN)
    reversible = models.CharField(max_length=16, choices=Reversible, blank=True, default=Reversible.UNKNOWN)
    fallback = models.CharField(max_length=12, choices=Fallback, blank=True, default=Fallback.UNKNOWN)
    oversight = models.CharField(max_length=16, choices=Oversight, blank=True, default=Oversight.UNKNOWN)
    trust = models.CharField(max_length=16, choices=Trust, blank=True, default=Trust.UNKNOWN)
    slices = models.CharField(max_length=500, blank=True)
    note = models.TextField(max_length=5000, blank=True)

    def __str__(self) -> str:
        return f"impact of {self.incident}"


class Exposure(models.Model):
    """How many outputs, decisions, actions or users were wrong or at risk: an estimate, its interval, and how one knows."""

    class Of(models.TextChoices):
        OUTPUTS = "outputs", "Outputs"
        DECISIONS = "decisions", "Decisions"
        ACTIONS = "actions", "Actions"
        USERS = "users", "Users"

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="exposures")
    of = models.CharField(max_length=12, choices=Of)
    estimate = models.PositiveBigIntegerField()
    low = models.PositiveBigIntegerField(null=True, blank=True)
    high = models.PositiveBigIntegerField(null=True, blank=True)
    how = models.CharField(max_length=300)
    corrected = models.PositiveBigIntegerField(null=True, blank=True)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["of"]
        constraints = [
            models.UniqueConstraint(fields=["incident", "of"], name="one_exposure_per_kind"),
            models.CheckConstraint(
                condition=(models.Q(low__isnull=True) | models.Q(low__lte=models.F("estimate")))
                & (models.Q(high__isnull=True) | models.Q(high__gte=models.F("estimate"))),
                name="exposure_lies_in_its_interval",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.estimate:,} {self.of}"


MOST = 2**62


def assess(incident: Incident, *, by: User, **answers: str) -> None:
    """Say what it did; records what each field was. Saying what is known already records nothing."""
    with transaction.atomic():
        incident.locked()
        impact, _ = Impact.objects.get_or_create(incident=incident)
        was = {name: getattr(impact, name) for name in answers}
        changed = {name: value for name, value in answers.items() if was[name] != value}
        if changed:
            Impact.objects.filter(pk=impact.pk).update(**changed)
            incident.record(Event.Kind.IMPACT, by=by, was={name: was[name] for name in changed}, became=changed)


def expose(
    incident: Incident,
    of: str,
    *,
    by: User,
    estimate: int | None,
    low: int | None = None,
    high: int | None = None,
    how: str = "",
    corrected: int | None = None,
) -> None:
    """Say how many of a kind were wrong or at risk; None makes it unknown again."""
    kind = Exposure.Of(of)
    numbers = [number for number in (estimate, low, high, corrected) if number is not None]
    if any(not 0 <= number <= MOST for number in numbers):
        raise Refused(f"{kind.label}: a number from 0 to {MOST:,} is needed.")
    if estimate is None and (low is not None or high is not None or corrected is not None):
        raise Refused(f"{kind.label}: an interval needs an estimate.")
    if estimate is not None and not (
        (low if low is not None else 0) <= estimate <= (high if high is not None else MOST)
    ):
        raise Refused(f"{kind.label}: the estimate lies outside its interval.")
    if estimate is not None and not how.strip():
        raise Refused(f"{kind.label}: say how you know, such as “query log” or “50 sampled, 12 wrong”.")
    with transaction.atomic():
        incident.locked()
        exposure = Exposure.objects.filter(incident=incident, of=kind).first()
        facts = {"estimate": estimate, "low": low, "high": high, "how": how.strip()[:300], "corrected": corrected}
        was = {name: getattr(exposure, name) for name in facts} if exposure else None
        if estimate is None:
            if exposure:
                exposure.delete()
                incident.record(Event.Kind.IMPACT, by=by, of=kind.label, was=was, became=None)
        elif was != facts:
            changes = {**facts, "changed_at": timezone.now()}
            Exposure.objects.update_or_create(incident=incident, of=kind, defaults=changes)
            incident.record(Event.Kind.IMPACT, by=by, of=kind.label, was=was, became=facts)


# Which severity that suggests


@dataclass(frozen=True, slots=True)
class Suggested:
    severity: Severity
    reason: str


def suggest_severity(
    exposures: dict[str, int], *, tier: int | None, harm: str = "", reversible: str = ""
) -> Suggested | None:
    """Suggest a severity from how many were hit and what kind of system it is; None while that is unknown.

    Faultline's own rule of thumb, deliberately coarse: 10,000 or more is the worst, each power of ten below is one step
    less; a tier 1 system is one step worse and a tier 3 system one step better; what cannot be undone is one step
    worse; a near miss or a hazard found in time is SEV3 at the worst. A person decides.
    """
    if not exposures or tier is None:
        return None
    of, most = max(exposures.items(), key=lambda pair: pair[1])
    step = 2 if most >= 10_000 else 3 if most >= 1_000 else 4 if most >= 100 else 5
    reasons = [f"{most:,} {of}", f"tier {tier}"]
    step += {1: -1, 2: 0, 3: 1}[tier]
    if reversible == Reversible.IRREVERSIBLE and most:
        step -= 1
        reasons.append("cannot be undone")
    if harm in (Harm.NEAR_MISS, Harm.ISSUE):
        step = max(step, 3)
        reasons.append(Harm(harm).label.lower())
    severity = [Severity.SEV1, Severity.SEV2, Severity.SEV3, Severity.SEV4][min(max(step, 1), 4) - 1]
    return Suggested(severity, ", ".join(reasons))


def suggested_for(incident: Incident, *, impact: Impact | None, exposures: list[Exposure]) -> Suggested | None:
    """Suggest a severity for an incident, where it differs from what is set."""
    known: dict[str, int] = {exposure.of: exposure.estimate for exposure in exposures}
    suggested = suggest_severity(
        known,
        tier=incident.system.tier if incident.system else None,
        harm=impact.harm if impact else "",
        reversible=impact.reversible if impact else "",
    )
    if suggested is None or suggested.severity == incident.severity:
        return None
    # What is not known yet may be the worst of it: while it is open, unknown harm talks no severity down.
    is_known = impact is not None and impact.harm and impact.reversible
    is_lower = suggested.severity.rank < Severity(incident.severity).rank
    return None if is_lower and incident.is_open and not is_known else suggested


def facts(impact: Impact | None) -> list[tuple[str, Any]]:
    """Give what is known, to show: label and words; what is unknown is left out."""
    if impact is None:
        return []
    answers = [
        ("Harm", impact.harm, Harm),
        ("Reversible", impact.reversible, Reversible),
        ("Fallback", impact.fallback, Fallback),
        ("Oversight", impact.oversight, Oversight),
        ("Trust", impact.trust, Trust),
    ]
    known: list[tuple[str, Any]] = [(label, choices(value).label) for label, value, choices in answers if value]
    return [*known, *([("Slices affected", impact.slices)] if impact.slices else [])]
