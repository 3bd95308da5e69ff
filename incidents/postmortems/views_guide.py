"""What is asked, as data that leads change; and postmortems that were written elsewhere."""

from typing import Any

from django.contrib import messages
from django.forms import formset_factory
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_http_methods

from incidents import taxonomy
from incidents.errors import Refused
from incidents.people.models import Role
from incidents.people.permissions import has_role, require_administrator, require_role
from incidents.postmortems.document import Postmortem
from incidents.postmortems.forms import ImportForm, PartForm
from incidents.postmortems.guide import Guide, GuidePart, Policy
from incidents.postmortems.importing import MOST_BYTES, MOST_FILES, ImportBatch
from incidents.postmortems.public import library
from incidents.response.vocabulary import Severity
from incidents.web.request import Answer, Request, change, page, visible_or_404

PartForms = formset_factory(PartForm, extra=1, max_num=40, absolute_max=60)


@page
@require_http_methods(["GET", "POST"])
def guide(request: Request) -> Answer:
    """The parts and questions: read by everybody, changed by administrators, each change a new version."""
    current = Guide.objects.current()
    initial = [_initial(part, place) for place, part in enumerate(current.parts, 1)]
    forms = PartForms(request.POST or None, initial=initial, prefix="part")
    prompts = {
        code: request.POST.get(f"prompts-{code}", "\n".join(current.questions_for(code))) for code in _categories()
    }
    status = 200
    if request.method == "POST":
        require_administrator(request.user, to="change what postmortems ask")
        if forms.is_valid():
            try:
                made = _publish(request, current, forms, prompts)
            except Refused as refusal:
                messages.error(request, " ".join(refusal.messages))
            else:
                messages.success(request, f"{made} is asked from now on. Postmortems that were begun keep theirs.")
                return redirect("postmortem-guide")
        status = 422
    context = {
        "guide": current,
        "versions": Guide.objects.select_related("by"),
        "forms": forms,
        "prompts": [(taxonomy.category(code), text) for code, text in prompts.items()],
        "policies": [Policy.objects.of(severity) for severity in Severity.values],
        "may_edit": request.user.is_superuser,
    }
    return render(request, "postmortems/guide.html", context, status=status)


def _categories() -> list[str]:
    return [category.code for category in taxonomy.categories() if category.code]


def _initial(part: GuidePart, place: int) -> dict[str, Any]:
    return {
        "key": part.key, "title": part.title, "help": part.help, "minutes": part.minutes, "depth": part.depth,
        "required": part.required, "questions": "\n".join(part.questions), "by_category": part.by_category, "position": place,
    }  # fmt: skip


def _publish(request: Request, current: Guide, forms: Any, prompts: dict[str, str]) -> Guide:
    rows = [
        form.cleaned_data
        for form in forms
        if form.cleaned_data.get("title", "").strip() and not form.cleaned_data.get("leave_out")
    ]
    rows.sort(key=lambda row: 999 if row["position"] is None else row["position"])
    known = {part.key for part in current.parts}
    parts = [
        GuidePart(
            key=row["key"] if row["key"] in known else slugify(row["title"])[:24] or "part",
            title=" ".join(row["title"].split()), help=row["help"], minutes=row["minutes"] or 5, depth=row["depth"],
            required=row["required"], questions=tuple(_lines(row["questions"])), by_category=row["by_category"],
        )
        for row in rows
    ]  # fmt: skip
    changed = {
        code: _lines(text)
        for code, text in prompts.items()
        if _lines(text) != [prompt.text for prompt in taxonomy.prompts_for(code) if prompt.category == code]
    }
    over = request.POST.get("over", "")
    return Guide.objects.publish(
        parts, changed, note=request.POST.get("note", ""), by=request.user,
        over=int(over) if over.isascii() and over.isdigit() and len(over) < 9 else -1,
    )  # fmt: skip


def _lines(text: str) -> list[str]:
    return [" ".join(line.split())[:500] for line in text.splitlines() if line.strip()][:40]


@page
@require_GET
def guide_version(request: Request, number: int) -> Answer:
    """A version as it was, and what was begun with it."""
    shown: Guide = visible_or_404(Guide.objects.select_related("by"), number=number)
    context = {
        "guide": shown,
        "prompts": [(taxonomy.category(code), questions) for code, questions in shown.prompts.items()],
        "used": Postmortem.objects.visible_to(request.user).filter(guide=shown).count(),
    }
    return render(request, "postmortems/guide_version.html", context)


@page
@require_GET
def public_library(request: Request) -> Answer:
    """Failures of AI systems that were told in public, by category."""
    category = request.GET.get("category", "")
    rows = [row for row in library() if not category or row.category == category]
    context = {"rows": rows, "category": category, "categories": taxonomy.categories()}
    return render(request, "postmortems/public.html", context)


# Postmortems from elsewhere


@page
@require_http_methods(["GET", "POST"])
def bring(request: Request) -> Answer:
    """Choose Markdown files; what they would become is shown before anything is made of them."""
    form = ImportForm(request.POST if request.method == "POST" else None)
    may = has_role(request.user, Role.LEAD, team=None)
    if request.method == "POST":
        require_role(request.user, Role.LEAD, team=None, to="take over postmortems")
        files = request.FILES.getlist("files")[: MOST_FILES + 1]
        if form.is_valid():
            try:
                batch = ImportBatch.keep(
                    ((file.name or "file.md", file.read(MOST_BYTES + 1)) for file in files),
                    by=request.user,
                    team=form.cleaned_data["team"],
                )
            except Refused as refusal:
                messages.error(request, " ".join(refusal.messages))
            else:
                return redirect("postmortem-import-preview", batch.pk)
    context = {"form": form, "may_import": may, "most": MOST_FILES}
    return render(request, "postmortems/import.html", context, status=422 if request.method == "POST" else 200)


@page
@require_GET
def bring_preview(request: Request, pk: int) -> Answer:
    batch: ImportBatch = visible_or_404(ImportBatch.objects.filter(by=request.user), pk=pk)
    found = batch.read()
    fit = sum(1 for one in found if not one.trouble)
    return render(request, "postmortems/import_preview.html", {"batch": batch, "found": found, "fit": fit})


@change(Refused)
def bring_in(request: Request, pk: int) -> Answer:
    require_role(request.user, Role.LEAD, team=None, to="take over postmortems")
    batch: ImportBatch = visible_or_404(ImportBatch.objects.filter(by=request.user), pk=pk)
    taken = batch.take(by=request.user)
    messages.success(request, f"{taken} postmortem{'s are' if taken != 1 else ' is'} in the library now.")
    return redirect("/postmortems/?show=published")
