"""The pages of evaluation cases."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from incidents.errors import Refused, WrongStatus
from incidents.evaluations import checks
from incidents.evaluations.cases import EvaluationCase
from incidents.evaluations.exporting import canonical, chosen
from incidents.evaluations.formats.exports import FORMATS
from incidents.evaluations.forms import CaseForm, RetireForm, TryForm, initial_of, shown
from incidents.evaluations.listing import choices, narrowed_by, of_tab, rows
from incidents.evaluations.listing import grid as grid_of
from incidents.evaluations.permissions import get_case, get_system, may_write, require_write
from incidents.evaluations.runs import CaseResult
from incidents.evaluations.starting import origin_of
from incidents.web.paging import newest_first
from incidents.web.request import Answer, Request, change, page, whole_number

LATEST = 20


@page
@require_safe
def cases(request: Request, slug: str) -> Answer:
    system = get_system(request.user, slug)
    visible = EvaluationCase.objects.visible_to(request.user).filter(system=system)
    show = request.GET.get("show", "in_force")
    found = narrowed_by(of_tab(visible, show), request.GET).for_list()
    listed, before = newest_first(found, before=request.GET.get("before", ""), key="number")
    in_force = Q(retired_at=None)
    context = {
        "system": system,
        "rows": rows(listed),
        "before": before,
        "show": show,
        "words": request.GET.get("q", ""),
        "choices": choices(visible, request.GET),
        "chosen_count": sum(bool(request.GET.get(name)) for name in ("severity", "tag")),
        "is_filtered": any(request.GET.get(name) for name in ("q", "severity", "tag", "mode")),
        "counts": visible.aggregate(
            in_force=Count("pk", filter=in_force),
            worse=Count("pk", filter=in_force & Q(regressed_at__isnull=False)),
            retired=Count("pk", filter=~in_force),
        ),
        "formats": [(key, one.name) for key, one in FORMATS.items()],
        "may_write": may_write(request.user, system),
    }
    return render(request, "evaluations/list.html", context)


@page
@require_safe
def grid(request: Request, slug: str) -> Answer:
    """Cases in force by the newest versions of the system."""
    system = get_system(request.user, slug)
    visible = EvaluationCase.objects.visible_to(request.user).filter(system=system).in_force().for_list()
    listed, before = newest_first(visible, before=request.GET.get("before", ""), key="number")
    context = {"system": system, "grid": grid_of(system, listed, user=request.user), "before": before}
    return render(request, "evaluations/grid.html", context)


@page
@require_safe
def export(request: Request, slug: str, file_format: str) -> Answer:
    """The cases in force that the person may see, as a file; the API gives the same."""
    system = get_system(request.user, slug)
    if file_format not in FORMATS:
        raise Http404
    file = FORMATS[file_format]
    visible = EvaluationCase.objects.visible_to(request.user).filter(system=system)
    body = file.write(canonical(chosen(visible).for_list()))
    answer = HttpResponse(body, content_type=f"{file.media_type}; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{system.slug}-cases.{file.ending}"'
    return answer


@page
@require_http_methods(["GET", "HEAD", "POST"])
def case(request: Request, slug: str, number: int) -> Answer:
    """One case; POST holds a pasted output against its checks and keeps nothing of it."""
    found = get_case(request.user, slug, number)
    asked = whole_number(request.GET.get("version", ""))
    version = found.versions.select_related("by").filter(number=asked or found.version).first() or found.current
    form = TryForm(request.POST if request.method == "POST" else None)
    findings = checks.run(version.content.checks, form.answer) if form.is_bound and form.is_valid() else []
    context = {
        "case": found,
        "system": found.system,
        "version": version,
        "content": version.content,
        "versions": found.versions.select_related("by").order_by("-number")[:LATEST],
        "results": CaseResult.objects.filter(case=found).newest_first()[:LATEST],
        "form": form,
        "findings": findings,
        "passed": all(finding.passed for finding in findings),
        "may_write": may_write(request.user, found.system),
    }
    return render(request, "evaluations/case.html", context, status=422 if form.is_bound and form.errors else 200)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: Request, slug: str) -> Answer:
    """Write a case, from nothing, from an incident or from a sample. A case that asks the same is shown first."""
    system = get_system(request.user, slug)
    require_write(request.user, system, to="write its evaluation cases")
    origin = origin_of(request.POST or request.GET, user=request.user)
    try:
        content = origin.content
    except Refused as refusal:
        messages.error(request, " ".join(refusal.messages))
        return redirect(origin.incident or system)
    begun = shown(content) if content else {}
    form = CaseForm(request.POST or None, initial=origin.labels | begun)
    same: list[EvaluationCase] = []
    if request.method == "POST" and form.is_valid():
        visible = EvaluationCase.objects.visible_to(request.user)
        same = list(visible.same_input(system, form.cleaned_data["input"])[:5])
        if not same or "anyway" in request.POST:
            try:
                made = EvaluationCase.objects.add(
                    system, form.content, by=request.user, incident=origin.incident, sample=origin.sample, **form.labels
                )
            except ValidationError as refusal:
                form.add_error(None, refusal)
            else:
                messages.success(request, f"{made.key} is added.")
                return redirect(made)
    context = {
        "form": form,
        "system": system,
        "incident": origin.incident,
        "sample": origin.sample,
        "same": same,
        "case": None,
    }
    return render(request, "evaluations/edit.html", context, status=422 if form.is_bound else 200)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: Request, slug: str, number: int) -> Answer:
    """Change a case; what it tests becomes a new version where it differs."""
    found = get_case(request.user, slug, number)
    require_write(request.user, found.system, to="change its evaluation cases")
    form = CaseForm(request.POST or None, initial=initial_of(found))
    if request.method == "POST" and form.is_valid():
        try:
            is_new = found.edit(
                form.content, by=request.user, base=form.cleaned_data["base"] or found.version, **form.labels
            )
        except (ValidationError, WrongStatus) as refusal:
            form.add_error(None, _words(refusal))
        else:
            messages.success(request, f"Version {found.version} is saved." if is_new else "The change is saved.")
            return redirect(found)
    context: dict[str, Any] = {
        "form": form,
        "system": found.system,
        "incident": found.incident,
        "case": found,
        "same": (),
    }
    return render(request, "evaluations/edit.html", context, status=422 if form.is_bound else 200)


def _words(refusal: Exception) -> str:
    return " ".join(refusal.messages) if isinstance(refusal, ValidationError) else str(refusal)


@change(WrongStatus)
def retire(request: Request, slug: str, number: int) -> Answer:
    found = get_case(request.user, slug, number)
    require_write(request.user, found.system, to="retire its evaluation cases")
    form = RetireForm(request.POST)
    found.retire(because=form.cleaned_data["reason"] if form.is_valid() else "", by=request.user)
    messages.success(request, f"{found.key} is retired.")
    return redirect(found)
