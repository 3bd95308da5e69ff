"""Cases that leave: which, and as which lines of the canonical form."""

from collections.abc import Iterable, Sequence
from typing import Any

from incidents.evaluations.cases import CaseVersion, EvaluationCase, EvaluationCaseQuerySet


def canonical(cases: Iterable[EvaluationCase]) -> list[dict[str, Any]]:
    """Each case as a line of the canonical form (formats/schema.json), in the order of their numbers."""
    listed = list(cases)
    versions = CaseVersion.objects.of(listed)
    return [_line(case, versions[case.pk]) for case in sorted(listed, key=lambda case: case.number)]


def _line(case: EvaluationCase, version: CaseVersion) -> dict[str, Any]:
    content = version.content.as_fields()
    return {
        "id": case.key,
        "version": version.number,
        "system": case.system.slug,
        "title": case.title,
        **content,
        "tags": case.tags,
        "severity": case.severity,
        "failure_mode": case.failure_mode,
        "incident": str(case.incident) if case.incident else None,
    }


def chosen(
    cases: EvaluationCaseQuerySet, *, tags: Sequence[str] = (), severities: Sequence[str] = ()
) -> EvaluationCaseQuerySet:
    """Keep cases in force that have all of the tags and one of the severities, where any are asked for."""
    cases = cases.in_force()
    cases = cases.filter(tags__contains=list(tags)) if tags else cases
    return cases.filter(severity__in=severities) if severities else cases
