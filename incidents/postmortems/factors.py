"""Contributing factors: what made a failure possible, worse or hard to see, from a list that reports can count by."""

from typing import Self

from django.db import models, transaction
from django.utils import timezone

from incidents.errors import Refused
from incidents.people.models import User
from incidents.postmortems.document import Postmortem


class FactorGroup(models.TextChoices):
    TECHNICAL = "technical", "Technical"
    DATA = "data", "Data"
    PROCESS = "process", "Process"
    MONITORING = "monitoring", "Monitoring gap"
    EVALUATION = "evaluation", "Evaluation gap"
    OVERSIGHT = "oversight", "Oversight gap"
    ORGANISATION = "organisation", "Organisational"


# What Faultline brings along; an organisation adds its own on the administrator's pages.
SEEDS: dict[str, tuple[str, ...]] = {
    "technical": (
        "Silent fallback or default",
        "Tight coupling to another system",
        "Stale cache or index",
        "Version mismatch",
        "Missing limit or guard",
        "No way back to the previous version",
        "Provider changed its model",
    ),
    "data": (
        "Missing contract with the source",
        "Schema or meaning changed",
        "Late or incomplete data",
        "Labels wrong or delayed",
        "Own output fed back",
        "Training and serving differ",
        "Population changed",
    ),
    "process": (
        "Change without review",
        "Change without a canary",
        "Runbook missing or wrong",
        "Access wider than needed",
        "Rollback not practised",
        "Several changes at once",
    ),
    "monitoring": (
        "No monitor on the output",
        "Monitor on averages only",
        "Threshold too wide",
        "Alert went to nobody",
        "Alert lost among many",
        "Signal came too late",
    ),
    "evaluation": (
        "No evaluation for this case",
        "Evaluation not run",
        "Evaluation passed wrongly",
        "Failed evaluation overridden",
        "Golden set out of date",
        "Slices not evaluated",
    ),
    "oversight": (
        "No approval where one was needed",
        "Approval without understanding",
        "Reviewer overloaded",
        "No stop within reach",
        "Too much trusted to the output",
        "Bypass without a trace",
    ),
    "organisation": (
        "Nobody owned it",
        "Knowledge with one person",
        "Goals in conflict",
        "Earlier follow-up not done",
        "Partner or vendor did not tell",
        "Not enough people or time",
    ),
}


class FactorKind(models.Model):
    """One entry of the two-level list. One that is retired stays where it was used and is offered no more."""

    group = models.CharField(max_length=16, choices=FactorGroup)
    name = models.CharField(max_length=80)
    retired = models.BooleanField(default=False)

    class Meta:
        ordering = ["group", "pk"]
        constraints = [models.UniqueConstraint(fields=["group", "name"], name="one_factor_kind_per_name")]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def offered(cls) -> list[tuple[str, list["FactorKind"]]]:
        """The two-level list to choose from, by group."""
        kinds = list(cls.objects.filter(retired=False))
        return [(group.label, [kind for kind in kinds if kind.group == group]) for group in FactorGroup]


class FactorQuerySet(models.QuerySet["Factor"]):
    def add(self, postmortem: Postmortem, kind: FactorKind, *, text: str, evidence: str, by: User) -> "Factor":
        """Add a factor. Raises Refused where one of this kind is there already: say more in that one."""
        if not text.strip():
            raise Refused("Say in a sentence how it contributed.")
        with transaction.atomic():
            postmortem.lock_editable()
            content = {"text": text.strip()[:2000], "evidence": evidence.strip()[:500], "by": by}
            factor, new = self.get_or_create(postmortem=postmortem, kind=kind, defaults=content)
            if not new:
                raise Refused(f"“{kind}” is already one of the factors. Edit that one.")
            postmortem.index()
        return factor

    def for_list(self) -> Self:
        return self.select_related("kind", "by").order_by("pk")


class Factor(models.Model):
    """One factor of one postmortem, and what shows it."""

    postmortem = models.ForeignKey(Postmortem, on_delete=models.CASCADE, related_name="factors")
    kind = models.ForeignKey(FactorKind, on_delete=models.PROTECT, related_name="factors")
    text = models.TextField(max_length=2000)
    evidence = models.CharField(max_length=500, blank=True)  # an address, or where to find it
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    objects = FactorQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["postmortem", "kind"], name="one_factor_per_kind")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"

    def rewrite(self, *, text: str, evidence: str) -> None:
        if not text.strip():
            raise Refused("Say in a sentence how it contributed.")
        with transaction.atomic():
            self.postmortem.lock_editable()
            Factor.objects.filter(pk=self.pk).update(text=text.strip()[:2000], evidence=evidence.strip()[:500])
            self.postmortem.index()

    def remove(self) -> None:
        with transaction.atomic():
            self.postmortem.lock_editable()
            Factor.objects.filter(pk=self.pk).delete()
            self.postmortem.index()
