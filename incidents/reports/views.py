"""The pages for leaders: trends as they are now, and what leads out of them."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from incidents import taxonomy
from incidents.people.models import Role, Team
from incidents.people.permissions import has_role
from incidents.reports import export
from incidents.reports.cache import report
from incidents.reports.scope import BY, COMPARISONS, PERIODS, Asked, read
from incidents.response.vocabulary import IncidentKind, Severity
from incidents.systems.models import System
from incidents.web.pdf import NoPdf
from incidents.web.request import Answer, Request, page


@dataclass(frozen=True, slots=True)
class Choice:
    """One filter: its name in the address, what it says now, and what it may say."""

    name: str
    label: str
    value: str
    options: tuple[tuple[str, str], ...]


def asked_of(request: Request) -> Asked:
    return read(request.GET.dict(), today=timezone.now().date())


@page
@require_GET
def trends(request: Request) -> Answer:
    """The trends of a period, all of it in the address."""
    asked = asked_of(request)
    shown, learnt = report(request.user, asked)
    context = context_of(shown, learnt) | {
        "asked": asked,
        "query": urlencode(asked.parameters()),
        "choices": _choices(asked),
        "since": asked.period.since.isoformat(),
        "until": (asked.period.until - timedelta(days=1)).isoformat(),
        "split": [
            {"code": code, "label": label, "query": urlencode(_as_shown(replace(asked, by=code)))}
            for code, label in BY.items()
        ],
        "may_keep": has_role(request.user, Role.LEAD, team=None),
    }
    return render(request, "reports/trends.html", context)


def context_of(shown: Any, learnt: Any) -> dict[str, Any]:
    """What the templates of a report take, live or frozen."""
    as_of = shown["as_of"] if isinstance(shown, dict) else shown.as_of
    return {"t": shown, "l": learnt, "as_of": datetime.fromisoformat(as_of).astimezone(UTC)}


def _as_shown(asked: Asked) -> dict[str, str]:
    """The address with the period as it was chosen: “12 months” stays that, and moves with the days."""
    told = asked.parameters()
    return told if asked.months == "own" else {k: v for k, v in told.items() if k not in ("since", "until")} | {"months": asked.months}  # fmt: skip


def _choices(asked: Asked) -> list[Choice]:
    scope = asked.scope
    periods = PERIODS | ({"own": "From … to …"} if asked.months == "own" else {})
    return [
        Choice("months", "Period", asked.months, tuple(periods.items())),
        Choice("compare", "Compare with", asked.compare, tuple((code, f"with {name}") for code, name in COMPARISONS.items())),
        Choice("team", "Team", scope.team, (("", "All teams"), *Team.objects.values_list("slug", "name"))),
        Choice("system", "System", scope.system, (("", "All systems"), *System.objects.order_by("name").values_list("slug", "name"))),
        Choice("category", "Category", scope.category, (("", "All categories"), *taxonomy.category_choices(), ("none", "Unclassified"))),
        Choice("severity", "Severity", scope.severity, (("", "All severities"), *Severity.choices)),
        Choice("kind", "Which incidents", scope.kind, tuple(IncidentKind.choices)),
    ]  # fmt: skip


@page
@require_GET
def rows(request: Request, form: str) -> Any:
    """The incidents that the report counts, as CSV line by line, or as JSON."""
    asked = asked_of(request)
    name = f"incidents-{asked.period.since}-{asked.period.until - timedelta(days=1)}"
    if form == "json":
        told = {"report": asked.parameters(), "incidents": list(export.rows(request.user, asked))}
        answer: Any = JsonResponse(told, json_dumps_params={"ensure_ascii": False})
    elif form == "csv":
        answer = StreamingHttpResponse(export.as_csv(request.user, asked), content_type="text/csv; charset=utf-8")
    else:
        raise Http404
    answer["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return answer


@page
@require_GET
def pdf(request: Request) -> Answer:
    asked = asked_of(request)
    return as_pdf(request, context_of(*report(request.user, asked)), f"/reports/?{urlencode(asked.parameters())}")


def as_pdf(request: Request, context: dict[str, Any], instead: str) -> Answer:
    """Answer with a PDF, or where the machine cannot draw one say so on the page that can be printed."""
    try:
        drawn = export.as_pdf(context)
    except NoPdf as trouble:
        messages.info(request, str(trouble))
        return redirect(instead)
    answer = Answer(drawn, content_type="application/pdf")
    answer["Content-Disposition"] = 'attachment; filename="report.pdf"'
    return answer
