"""The pages for leaders: trends as they are now, and what leads out of them."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, JsonResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from incidents import taxonomy
from incidents.people.models import Role, Team
from incidents.people.permissions import has_role
from incidents.reports import export
from incidents.reports.cache import report
from incidents.reports.scope import BY, COMPARISONS, PERIODS, Asked, address
from incidents.reports.views.shared import as_pdf, asked_of, context_of
from incidents.response.vocabulary import IncidentKind, Severity
from incidents.systems.models import System
from incidents.web.request import Answer, Request, page


@dataclass(frozen=True, slots=True)
class ReportFilter:
    """One filter: its name in the address, what it says now, and what it may say."""

    name: str
    label: str
    value: str
    options: tuple[tuple[str, str], ...]
    usual: str = ""  # what it says where nobody chose

    @property
    def is_chosen(self) -> bool:
        return self.value != self.usual


@page
@require_safe
def trends(request: Request) -> Answer:
    """The trends of a period, all of it in the address."""
    asked = asked_of(request)
    filters = _filters(asked)
    context = context_of(*report(request.user, asked)) | {
        "asked": asked,
        "query": urlencode(asked.parameters()),
        "choices": filters,
        "chosen_count": sum(one.is_chosen for one in filters),
        "since": asked.period.since.isoformat(),
        "until": (asked.period.until - timedelta(days=1)).isoformat(),
        "split": [
            {"code": code, "label": label, "query": urlencode(_as_chosen(replace(asked, by=code)))}
            for code, label in BY.items()
        ],
        "may_keep": has_role(request.user, Role.LEAD, team=None),
    }
    return render(request, "reports/trends.html", context)


def _as_chosen(asked: Asked) -> dict[str, str]:
    """The address with the period as it was chosen: “12 months” stays that, and moves with the days."""
    parameters = asked.parameters()
    if asked.months == "own":
        return parameters
    rest = {name: value for name, value in parameters.items() if name not in ("since", "until")}
    return rest | {"months": asked.months}


def _filters(asked: Asked) -> list[ReportFilter]:
    scope = asked.scope
    comparisons = tuple((code, f"with {name}") for code, name in COMPARISONS.items())
    teams = Team.objects.values_list("slug", "name")
    systems = System.objects.order_by("name").values_list("slug", "name")
    categories = (*taxonomy.category_choices(), ("none", "Unclassified"))
    return [
        ReportFilter("months", "Period", asked.months, tuple(PERIODS.items()), "12"),
        ReportFilter("compare", "Compare with", asked.compare, comparisons, "before"),
        ReportFilter("team", "Team", scope.team, (("", "All teams"), *teams)),
        ReportFilter("system", "System", scope.system, (("", "All systems"), *systems)),
        ReportFilter("category", "Category", scope.category, (("", "All categories"), *categories)),
        ReportFilter("severity", "Severity", scope.severity, (("", "All severities"), *Severity.choices)),
        ReportFilter("kind", "Which incidents", scope.kind, tuple(IncidentKind.choices), IncidentKind.REAL.value),
    ]


@page
@require_safe
def rows(request: Request, form: str) -> Any:
    """The incidents that the report counts, as CSV line by line, or as JSON."""
    asked = asked_of(request)
    name = f"incidents-{asked.period.since}-{asked.period.until - timedelta(days=1)}"
    if form == "json":
        data = {"report": asked.parameters(), "incidents": list(export.rows(request.user, asked))}
        answer: Any = JsonResponse(data, json_dumps_params={"ensure_ascii": False})
    elif form == "csv":
        answer = StreamingHttpResponse(export.as_csv(request.user, asked), content_type="text/csv; charset=utf-8")
    else:
        raise Http404
    answer["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return answer


@page
@require_safe
def pdf(request: Request) -> Answer:
    asked = asked_of(request)
    return as_pdf(request, context_of(*report(request.user, asked)), address("reports", **asked.parameters()))
