"""What the list of a system’s cases may be narrowed by, how each stands, and the grid of cases and versions."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from django.db import models
from django.http import QueryDict

from incidents.evaluations.cases import EvaluationCase, EvaluationCaseQuerySet
from incidents.evaluations.regression import NONE, Tally
from incidents.evaluations.runs import CaseResult, EvaluationRun
from incidents.people.models import User
from incidents.response.vocabulary import Severity
from incidents.systems.models import System

MOST_COLUMNS, RUNS_READ = 8, 200
Standing = Literal["retired", "worse", "never run", "failing", "flaky", "passing"]


@dataclass(frozen=True, slots=True)
class Row:
    """A case in a list, with how it stands: by its newest run of the version that it has now."""

    case: EvaluationCase
    latest: CaseResult | None

    @property
    def standing(self) -> Standing:
        if self.case.is_retired:
            return "retired"
        if self.case.regressed_at:
            return "worse"
        if self.latest is None:
            return "never run"
        return "passing" if self.latest.is_passed else "flaky" if self.latest.passed else "failing"


def of_tab(cases: EvaluationCaseQuerySet, show: str) -> EvaluationCaseQuerySet:
    """Keep those of one tab; whatever is no tab is all that are in force."""
    match show:
        case "worse":
            return cases.in_force().filter(regressed_at__isnull=False)
        case "retired":
            return cases.filter(retired_at__isnull=False)
        case "never":
            run = CaseResult.objects.filter(case=models.OuterRef("pk"), version=models.OuterRef("version"))
            return cases.in_force().filter(~models.Exists(run))
    return cases.in_force()


def narrowed_by(cases: EvaluationCaseQuerySet, asked: QueryDict) -> EvaluationCaseQuerySet:
    """Keep what the words, the tag, the severity and the failure mode of the address ask for."""
    if words := asked.get("q", "").replace("\x00", ""):
        cases = cases.search(words[:200])
    if tag := asked.get("tag", "").replace("\x00", ""):
        cases = cases.filter(tags__contains=[tag[:40]])
    if (severity := asked.get("severity", "")) in Severity.values:
        cases = cases.filter(severity=severity)
    if mode := asked.get("mode", "").replace("\x00", ""):
        cases = cases.filter(failure_mode=mode[:64])
    return cases


def choices(cases: EvaluationCaseQuerySet, asked: QueryDict) -> list[tuple[str, str, list[tuple[str, str]], str]]:
    """What may be chosen: the parameter, what any of it is called, the values with their names, and the one chosen."""
    tags = sorted({tag for listed in cases.in_force().values_list("tags", flat=True) for tag in listed})
    every = [
        ("severity", "Any severity", list(Severity.choices)),
        ("tag", "Any tag", [(tag, tag) for tag in tags]),
    ]
    return [(name, label, values, asked.get(name, "")) for name, label, values in every]


def rows(cases: Sequence[EvaluationCase]) -> list[Row]:
    """Each case with its newest result; one query, however many there are."""
    newest = CaseResult.objects.filter(case__in=[case.pk for case in cases], version=models.F("case__version"))
    newest = newest.order_by("case_id", "-run__ran_at", "-pk").distinct("case_id").select_related("run")
    by_case = {result.case_id: result for result in newest}
    return [Row(case, by_case.get(case.pk)) for case in cases]


@dataclass(frozen=True, slots=True)
class Cell:
    tally: Tally
    worse: bool

    @property
    def tone(self) -> str:
        """How it looks: as it is read, with words beside it."""
        if not self.tally.tries:
            return ""
        return "good" if self.tally.passed == self.tally.tries else "bad" if not self.tally.passed else "mixed"


@dataclass(frozen=True, slots=True)
class VersionGrid:
    """Cases by versions of the system: newest version first."""

    subjects: list[str]
    lines: list[tuple[EvaluationCase, list[Cell]]]


def grid(system: System, cases: Sequence[EvaluationCase], *, user: User) -> VersionGrid:
    """How often each case, as it is now, passed with each of the newest versions of the system; two queries."""
    runs = list(EvaluationRun.objects.filter(system=system).order_by("-ran_at", "-pk")[:RUNS_READ])
    subjects = list(dict.fromkeys(run.subject for run in runs))[:MOST_COLUMNS]
    of_run = {run.pk: run.subject for run in runs if run.subject in subjects}
    results = CaseResult.objects.visible_to(user).filter(run__in=list(of_run), case__in=[case.pk for case in cases])
    totals: dict[tuple[int, str], Tally] = defaultdict(lambda: NONE)
    worse: set[tuple[int, str]] = set()
    for result in results.filter(version=models.F("case__version")):
        place = (result.case_id, of_run[result.run_id])
        totals[place] += result.tally
        if result.verdict == CaseResult.Verdict.REGRESSED:
            worse.add(place)
    lines = [
        (case, [Cell(totals.get(place, NONE), place in worse) for place in _places(case, subjects)]) for case in cases
    ]
    return VersionGrid(subjects, lines)


def _places(case: EvaluationCase, subjects: Iterable[str]) -> list[tuple[int, str]]:
    return [(case.pk, subject) for subject in subjects]
