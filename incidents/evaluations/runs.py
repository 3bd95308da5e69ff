"""What came of evaluation runs: which case passed how often, with which version of the system."""

from typing import Self

from django.db import models
from django.utils import timezone

from incidents.evaluations.cases import EvaluationCase
from incidents.evaluations.regression import Tally
from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.systems.models import System


class EvaluationRun(models.Model):
    """One run of a system’s cases, as somebody’s CI reported it."""

    class Format(models.TextChoices):
        FAULTLINE = "faultline", "Faultline"
        JUNIT = "junit", "JUnit XML"
        PROMPTFOO = "promptfoo", "promptfoo"
        INSPECT = "inspect", "Inspect"

    system = models.ForeignKey(System, on_delete=models.CASCADE, related_name="evaluation_runs")
    run_id = models.CharField(max_length=100)  # as the sender calls it: the same again is the same run
    format = models.CharField(max_length=12, choices=Format)
    model = models.CharField(max_length=100, blank=True)
    prompt_version = models.CharField(max_length=100, blank=True)
    revision = models.CharField(max_length=100, blank=True)  # of the code, the index or whatever else changed
    url = models.URLField(max_length=2000, blank=True)
    ran_at = models.DateTimeField(default=timezone.now)
    received_at = models.DateTimeField(default=timezone.now)
    posted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["system", "run_id"], name="one_run_per_id")]
        indexes = [models.Index(fields=["system", "-ran_at", "-id"], name="runs_by_system")]

    def __str__(self) -> str:
        return f"run {self.run_id}"

    @property
    def subject(self) -> str:
        """Which version of the system it was, in words."""
        prompt = f"prompt {self.prompt_version}" if self.prompt_version else ""
        return " · ".join(filter(None, (self.model, prompt, self.revision))) or "not said"


class CaseResultQuerySet(models.QuerySet["CaseResult"]):
    def visible_to(self, user: User) -> Self:
        """Keep results of cases that the user may see."""
        hidden = Incident.objects.hidden_from(user).filter(pk=models.OuterRef("case__incident"))
        return self.filter(~models.Exists(hidden)) if user.is_active else self.none()

    def of_current(self, case: EvaluationCase) -> Self:
        """Keep what is known of the version that the case has now."""
        return self.filter(case=case, version=case.version)

    def newest_first(self) -> Self:
        return self.select_related("run").order_by("-run__ran_at", "-pk")


class CaseResult(models.Model):
    """How often one version of a case passed in one run."""

    class Verdict(models.TextChoices):
        """What the comparison with the runs before says."""

        REGRESSED = "regressed", "Got worse"
        RECOVERED = "recovered", "Passes again"

    run = models.ForeignKey(EvaluationRun, on_delete=models.CASCADE, related_name="results")
    case = models.ForeignKey(EvaluationCase, on_delete=models.CASCADE, related_name="results")
    version = models.PositiveIntegerField()
    passed = models.PositiveIntegerField()
    tries = models.PositiveIntegerField()
    note = models.CharField(max_length=500, blank=True)  # why a try failed, as the sender says
    verdict = models.CharField(max_length=12, choices=Verdict, blank=True)
    because = models.CharField(max_length=300, blank=True)

    objects = CaseResultQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "case"], name="one_result_per_run_and_case"),
            models.CheckConstraint(
                condition=models.Q(tries__gte=1, passed__lte=models.F("tries")), name="no_more_passes_than_tries"
            ),
        ]
        indexes = [models.Index(fields=["case", "-id"], name="results_by_case")]

    def __str__(self) -> str:
        return str(self.tally)

    @property
    def tally(self) -> Tally:
        return Tally(self.passed, self.tries)

    @property
    def is_passed(self) -> bool:
        """Whether every try passed."""
        return self.passed == self.tries
