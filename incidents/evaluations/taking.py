"""A reported run becomes rows, and what got worse becomes an alert: one transaction, once for each run’s id.

Runs of one system are taken one after another, under the lock of its row.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from incidents.errors import WrongStatus
from incidents.evaluations import alarms
from incidents.evaluations.cases import EvaluationCase
from incidents.evaluations.formats.reports import CaseReport, RunReport
from incidents.evaluations.regression import FALSE_ALARMS, Comparison, is_well_again, judge, newest
from incidents.evaluations.runs import CaseResult, EvaluationRun
from incidents.people.models import User
from incidents.response.vocabulary import Severity
from incidents.systems.models import System

LOOKED_BACK = 400  # results of a case that are looked at: more than the tries that are compared
_SEVERITIES = {"sev1": "critical", "sev2": "high", "sev3": "medium", "sev4": "low"}


@dataclass(slots=True)
class Taken:
    """What came of a report."""

    run: EvaluationRun
    results: list[CaseResult] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)  # keys that name no case that the sender may see
    retired: list[str] = field(default_factory=list)
    again: bool = False  # the same run was reported before
    alerts_are_off: bool = False

    @property
    def false_alarms(self) -> float:
        """How many false alarms such a run raises at most, on average."""
        return FALSE_ALARMS * len(self.results)


def take(system: System, report: RunReport, *, run_id: str, digest: str, by: User) -> Taken:
    """Record a run of cases that the person may see, and compare it with the runs before.

    The same id with the same body (`digest`) gives what was recorded then. Raises WrongStatus where the body is another.
    """
    with transaction.atomic():
        system = System.objects.select_for_update(no_key=True).get(pk=system.pk)
        known = EvaluationRun.objects.filter(system=system, run_id=run_id).first()
        if known:
            return _again(known, digest, by)
        run = EvaluationRun.objects.create(
            system=system,
            run_id=run_id,
            format=report.format,
            model=report.model,
            prompt_version=report.prompt_version,
            revision=report.revision,
            url=report.url,
            ran_at=_not_ahead(report.ran_at),
            posted_by=by,
            digest=digest,
        )
        taken = Taken(run)
        pairs = list(_matched(taken, report.results, by))
        earlier = _earlier(case for case, _ in pairs)
        for case, row in pairs:
            _record(taken, case, row, earlier.get(case.pk, []))
        CaseResult.objects.bulk_create(taken.results)
    return taken


def _again(run: EvaluationRun, digest: str, by: User) -> Taken:
    if run.digest != digest:
        raise WrongStatus(f"Run “{run.run_id}” was reported before with other results. Give each run an id of its own.")
    results = CaseResult.objects.visible_to(by).filter(run=run).select_related("case").order_by("case__number")
    return Taken(run, list(results), again=True)


def _not_ahead(moment: datetime | None) -> datetime:
    """When it ran; a clock that is ahead or far behind is not believed."""
    now = timezone.now()
    return moment if moment and now - timedelta(days=3650) < moment < now else now


def _matched(taken: Taken, rows: Iterable[CaseReport], by: User) -> Iterator[tuple[EvaluationCase, CaseReport]]:
    """Pair what is reported with the cases, locked in one order; one report a case, that of its newest version."""
    reported: dict[int, CaseReport] = {}
    for row in rows:
        known = reported.get(row.number)
        if known is None or (row.version or 2**31) > (known.version or 2**31):
            reported[row.number] = row
    visible = EvaluationCase.objects.visible_to(by).filter(system=taken.run.system, number__in=reported)
    locked = EvaluationCase.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=visible.values("pk"))
    cases = {case.number: case for case in locked.select_related("incident", "system").order_by("pk")}
    for number, row in sorted(reported.items()):
        case = cases.get(number)
        if case is None or (row.version or 1) not in range(1, case.version + 1):
            taken.unknown.append(f"case-{number}" + (f"@{row.version}" if case else ""))
        elif case.is_retired:
            taken.retired.append(case.key)
        else:
            yield case, row


def _earlier(cases: Iterable[EvaluationCase]) -> dict[int, list[CaseResult]]:
    """The results so far of what each case tests now, oldest first."""
    return {case.pk: list(CaseResult.objects.of_current(case).newest_first()[:LOOKED_BACK])[::-1] for case in cases}


def _record(taken: Taken, case: EvaluationCase, row: CaseReport, earlier: list[CaseResult]) -> None:
    result = CaseResult(
        run=taken.run,
        case=case,
        version=row.version or case.version,
        passed=row.passed,
        tries=row.tries,
        note=row.note,
    )
    taken.results.append(result)
    is_newest = not earlier or earlier[-1].run.ran_at <= taken.run.ran_at
    if result.version == case.version and is_newest:
        _compare(taken, case, result, earlier)


def _compare(taken: Taken, case: EvaluationCase, result: CaseResult, earlier: list[CaseResult]) -> None:
    """Say whether it got worse or is well again. While it is known to fail, nothing counts as “before”."""
    healthy, since = split(earlier)
    if case.regressed_at:
        before = newest([one.tally for one in healthy], 200)
        if is_well_again(before, [*(one.tally for one in since), result.tally]):
            result.verdict, result.because = CaseResult.Verdict.RECOVERED, f"It passes {result.tally} again."
            EvaluationCase.objects.filter(pk=case.pk).update(regressed_at=None)
            case.clear_alarm(result.because)
        else:
            _alarm(taken, case, Comparison(before, result.tally, 0.0, worse=True), still=True)
        return
    comparison = judge([*(one.tally for one in healthy), result.tally])
    if comparison and comparison.worse:
        result.verdict, result.because = CaseResult.Verdict.REGRESSED, compared(comparison)
        EvaluationCase.objects.filter(pk=case.pk).update(regressed_at=taken.run.ran_at)
        _alarm(taken, case, comparison)


def split(results: list[CaseResult]) -> tuple[list[CaseResult], list[CaseResult]]:
    """Part results, oldest first, into those while nothing was wrong and those since the last regression that is open."""
    healthy: list[CaseResult] = []
    since: list[CaseResult] = []
    is_failing = False
    for result in results:
        if result.verdict == CaseResult.Verdict.REGRESSED:
            is_failing, since = True, []
        elif result.verdict == CaseResult.Verdict.RECOVERED:
            is_failing = False
        (since if is_failing else healthy).append(result)
    return healthy, since if is_failing else []


def compared(comparison: Comparison) -> str:
    chance = f"= {comparison.p:.1g}" if comparison.p >= 1e-6 else "< 0.000001"
    return f"It passes {comparison.now} now and {comparison.before} before; by chance alone: p {chance}."


def _alarm(taken: Taken, case: EvaluationCase, comparison: Comparison, *, still: bool = False) -> None:
    """Deliver that it passes less often. Of a case that only some may see the claim says nothing but that."""
    facts = {
        "severity": _SEVERITIES.get(Severity(case.severity), "medium"),
        "metric": "evaluation_pass_rate",
        "value": round(comparison.now.rate, 4),
        "threshold": f"{comparison.before.rate:.4g}",
    }
    if not (case.incident and case.incident.private):
        facts |= _words(taken.run, case, comparison, still=still)
    taken.alerts_are_off = not alarms.send(
        case.system, key=case.alarm_key, status="firing", title=case.alarm_title, **facts
    )


def _words(run: EvaluationRun, case: EvaluationCase, comparison: Comparison, *, still: bool) -> dict[str, object]:
    origin = f" The case came from {case.incident}." if case.incident else ""
    now = f"It still passes {comparison.now}; {comparison.before} before." if still else compared(comparison)
    kind = case.failure_mode or (case.incident.failure_mode or case.incident.category if case.incident else "")
    return {
        "description": f"{now} Version: {run.subject}.{origin}",
        "url": settings.BASE_URL + case.get_absolute_url(),
        # What a case is about is certain: its failure was seen before.
        "labels": {"failure_mode": kind, "evaluation_case": case.key} if kind else {"evaluation_case": case.key},
    }
