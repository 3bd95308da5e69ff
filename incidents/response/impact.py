"""What an incident did: how bad, for how many, how one knows, and which severity that suggests.

Unknown is unknown and never zero: an empty estimate is not counted anywhere.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from incidents.errors import Refused
from incidents.people.models import User
from incidents.response.events import Event
from incidents.response.incident import Incident
from incidents.response.quantities import CURRENCIES, amount, decimals_of, smallest, written
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
    """How many outputs, decisions, actions or users were wrong or at risk, or how much money, work or tokens that took: an
    estimate, its interval, and how one knows. Numbers are whole, in the smallest part of the unit (quantities.py).
    """

    class Of(models.TextChoices):
        OUTPUTS = "outputs", "Outputs"
        DECISIONS = "decisions", "Decisions"
        ACTIONS = "actions", "Actions"
        USERS = "users", "Users"
        MONEY = "money", "Money"
        HOURS = "hours", "Hours of work"
        TOKENS = "tokens", "Tokens"

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="exposures")
    of = models.CharField(max_length=12, choices=Of)
    currency = models.CharField(max_length=3, blank=True, default="", db_default="")  # ISO 4217, of money only
    estimate = models.PositiveBigIntegerField()
    low = models.PositiveBigIntegerField(null=True, blank=True)
    high = models.PositiveBigIntegerField(null=True, blank=True)
    how = models.CharField(max_length=300)
    evidence = models.CharField(max_length=300, blank=True, default="", db_default="")  # an address, or a name
    corrected = models.PositiveBigIntegerField(null=True, blank=True)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["of", "currency"]
        constraints = [
            models.UniqueConstraint(fields=["incident", "of", "currency"], name="one_exposure_per_unit"),
            models.CheckConstraint(
                condition=(models.Q(low__isnull=True) | models.Q(low__lte=models.F("estimate")))
                & (models.Q(high__isnull=True) | models.Q(high__gte=models.F("estimate"))),
                name="exposure_lies_in_its_interval",
            ),
            models.CheckConstraint(
                condition=models.Q(of="money", currency__regex="^[A-Z]{3}$")
                | (~models.Q(of="money") & models.Q(currency="")),
                name="money_alone_has_a_currency",
            ),
        ]

    def __str__(self) -> str:
        """How much of what, with its interval: ≈ 1,200 (1,000 to 1,500) outputs."""
        return f"about {self.words}{f' {self.interval}' if self.interval else ''}"

    @property
    def unit(self) -> str:
        """What is counted, as forms, reports and addresses call it: a currency, or what it is of."""
        return self.currency or self.of

    @property
    def label(self) -> str:
        return label_of(self.unit)

    @property
    def place(self) -> str:
        """Where it stands on the page of its incident."""
        return f"exposure-{self.unit}"

    @property
    def words(self) -> str:
        """The estimate, with the currency of money: 12,400, or 1,200.50 EUR."""
        return in_words(self.estimate, self.unit)

    @property
    def in_short(self) -> str:
        """The estimate with its unit: 12,400 outputs, or 1,200.50 EUR."""
        return in_short(self.estimate, self.unit)

    @property
    def interval(self) -> str:
        """The interval, as “(1,000 to 1,500)”; "" where neither end is known."""
        if self.low is self.high is None:
            return ""
        low, high = ("?" if end is None else written(end, self.unit) for end in (self.low, self.high))
        return f"({low} to {high})"

    @property
    def corrected_words(self) -> str:
        """How much of it was put right; "" while that is unknown."""
        return "" if self.corrected is None else in_words(self.corrected, self.unit)

    def amounts(self) -> dict[str, Decimal | None]:
        """Its numbers, as amounts of its unit."""
        parts = {name: getattr(self, name) for name in NUMBERS}
        return {name: None if part is None else amount(part, self.unit) for name, part in parts.items()}


# What the severity is suggested by. How bad an amount of money is, a team knows and Faultline does not.
COUNTED = (Exposure.Of.OUTPUTS, Exposure.Of.DECISIONS, Exposure.Of.ACTIONS, Exposure.Of.USERS)
UNITS = (*(of.value for of in Exposure.Of if of != Exposure.Of.MONEY), *CURRENCIES)
NUMBERS = ("estimate", "low", "high", "corrected")


def label_of(unit: str) -> str:
    """Name a unit: “Outputs”, “Money, EUR”."""
    return f"Money, {unit}" if unit in CURRENCIES else str(Exposure.Of(unit).label)


def in_words(parts: int, unit: str) -> str:
    return f"{written(parts, unit)} {unit}" if unit in CURRENCIES else written(parts, unit)


def in_short(parts: int, unit: str) -> str:
    """A number of smallest parts with its unit: 12,400 outputs, or 1,200.50 EUR."""
    return in_words(parts, unit) if unit in CURRENCIES else f"{in_words(parts, unit)} {label_of(unit).lower()}"


def columns_of(unit: str) -> dict[str, Any]:
    """What tells the exposure of a unit from others of its incident. Raises ValueError for an unknown unit."""
    return {"of": "money", "currency": unit} if unit in CURRENCIES else {"of": Exposure.Of(unit).value, "currency": ""}


MOST = 10**15  # of any unit; with three decimals still a whole number that the database holds


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
    unit: str,
    *,
    by: User,
    estimate: Decimal | int | None,
    low: Decimal | int | None = None,
    high: Decimal | int | None = None,
    how: str = "",
    evidence: str = "",
    corrected: Decimal | int | None = None,
) -> None:
    """Say how much of a unit was wrong or at risk, as amounts of that unit; None makes it unknown again.

    Raises Refused, naming the field.
    """
    if unit not in UNITS:
        raise Refused({"of": [f"“{unit}” is neither counted nor a currency (ISO 4217), such as EUR."]})
    label = label_of(unit)
    amounts = {"estimate": estimate, "low": low, "high": high, "corrected": corrected}
    numbers = {name: _smallest(name, amount, unit) for name, amount in amounts.items()}
    if estimate is None and any(number is not None for number in numbers.values()):
        raise Refused({"estimate": [f"{label}: an interval needs an estimate."]})
    if estimate is not None and not how.strip():
        raise Refused({"how": [f"{label}: say how you know, such as “query log” or “50 sampled, 12 wrong”."]})
    within = [number for name in ("low", "estimate", "high") if (number := numbers[name]) is not None]
    if within != sorted(within):
        raise Refused({"estimate": [f"{label}: the estimate lies outside its interval."]})
    with transaction.atomic():
        incident.locked()
        exposure = Exposure.objects.filter(incident=incident, **columns_of(unit)).first()
        facts: dict[str, Any] = {**numbers, "how": how.strip()[:300], "evidence": evidence.strip()[:300]}
        was = {name: getattr(exposure, name) for name in facts} if exposure else None
        if numbers["estimate"] is None:
            if exposure:
                exposure.delete()
                incident.record(Event.Kind.IMPACT, by=by, of=label, was=was, became=None)
        elif was != facts:
            changes = {**facts, "changed_at": timezone.now()}
            exposure, _ = Exposure.objects.update_or_create(changes, incident=incident, **columns_of(unit))
            incident.record(Event.Kind.IMPACT, by=by, of=label, was=was, became=facts, words=exposure.words)


def _smallest(name: str, amount: Decimal | int | None, unit: str) -> int | None:
    if amount is None:
        return None
    if not 0 <= amount <= MOST:
        raise Refused({name: [f"{label_of(unit)}: a number from 0 to {MOST:,} is needed."]})
    try:
        return smallest(amount, unit)
    except ValueError:
        most = decimals_of(unit)
        allowed = f"at most {most} decimals" if most else "a whole number"
        raise Refused({name: [f"{label_of(unit)}: {allowed}."]}) from None


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
    worse; a near miss or a hazard found in time is SEV3 at the worst. Money, hours and tokens have no part in it. A
    person decides.
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
    known: dict[str, int] = {exposure.of: exposure.estimate for exposure in exposures if exposure.of in COUNTED}
    suggested = suggest_severity(
        known,
        tier=incident.system.tier if incident.system else None,
        harm=impact.harm if impact else "",
        reversible=impact.reversible if impact else "",
    )
    if suggested is None or suggested.severity == incident.severity:
        return None
    # What is not known yet may be the worst of it, and so may an amount that the rule does not weigh: while it is open,
    # neither talks a severity down.
    is_weighed = all(exposure.of in COUNTED for exposure in exposures)
    is_known = impact is not None and impact.harm and impact.reversible and is_weighed
    is_lower = suggested.severity.rank < Severity(incident.severity).rank
    return None if is_lower and incident.is_open and not is_known else suggested


@dataclass(frozen=True, slots=True)
class Question:
    """One of the questions about the impact beside how much: how its answer is called, and how it is asked."""

    name: str
    label: str
    asked: str
    choices: type[models.TextChoices] | None = None
    help: str = ""

    @property
    def place(self) -> str:
        """Where it stands on the page of its incident."""
        return f"impact-{self.name}"

    def words_of(self, impact: Impact) -> str:
        """The answer in words; "" while it is unknown."""
        answer = str(getattr(impact, self.name))
        return str(self.choices(answer).label) if answer and self.choices else answer


QUESTIONS = {
    question.name: question
    for question in (
        Question("harm", "Harm", "Did harm occur?", Harm),
        Question("reversible", "Reversible", "Can it be undone?", Reversible),
        Question("fallback", "Fallback", "Was a fallback used?", Fallback),
        Question("oversight", "Oversight", "Human oversight", Oversight),
        Question("trust", "Trust", "Trust of users", Trust),
        Question(
            "slices",
            "Slices affected",
            "Which slices were affected?",
            help="Languages, regions or customers that were affected more than others.",
        ),
        Question("note", "Note", "Anything else about the impact"),
    )
}


def answers(impact: Impact | None) -> list[tuple[Question, str]]:
    """Every question with its answer in words; "" where it is unknown."""
    return [(question, question.words_of(impact) if impact else "") for question in QUESTIONS.values()]


def facts(impact: Impact | None) -> list[tuple[str, str]]:
    """Give what is known, to show: label and words; what is unknown is left out."""
    return [(question.label, words) for question, words in answers(impact) if words and question.name != "note"]
