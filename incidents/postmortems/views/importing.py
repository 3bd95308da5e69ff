"""Postmortems that were written elsewhere, and failures that were published."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from incidents import taxonomy
from incidents.errors import Refused
from incidents.people.models import Role
from incidents.people.permissions import has_role, require_role
from incidents.postmortems import public
from incidents.postmortems.archives import MOST_ARCHIVE_BYTES
from incidents.postmortems.forms import ImportForm
from incidents.postmortems.importing import MOST_FILES, ImportBatch
from incidents.response.vocabulary import Severity
from incidents.systems.models import System
from incidents.web.request import Answer, Request, change, page, visible_or_404

PUBLIC_PAGE = 10


@page
@require_safe
def public_library(request: Request) -> Answer:
    """Published failures of AI systems: by category, and by the words that somebody looks for."""
    category = request.GET.get("category", "")
    words = " ".join(request.GET.get("q", "").split())[:300]
    found = Paginator(public.search(words, category=category), PUBLIC_PAGE).get_page(request.GET.get("page"))
    context = {"page": found, "words": words, "category": category, "categories": taxonomy.categories()}
    return render(request, "postmortems/public.html", context)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: Request) -> Answer:
    """Choose Markdown files; what they would become is shown before anything is made of them."""
    form = ImportForm(request.POST if request.method == "POST" else None)
    may = has_role(request.user, Role.LEAD, team=None)
    if request.method == "POST":
        require_role(request.user, Role.LEAD, team=None, to="import postmortems")
        files = request.FILES.getlist("files")[: MOST_FILES + 1]
        if form.is_valid():
            try:
                batch = ImportBatch.keep(
                    ((file.name or "file.md", file.read(MOST_ARCHIVE_BYTES + 1)) for file in files),
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
@require_safe
def preview(request: Request, pk: int) -> Answer:
    batch: ImportBatch = visible_or_404(ImportBatch.objects.filter(by=request.user), pk=pk)
    files = batch.read()
    context = {
        "batch": batch,
        "found": files,
        "fit": sum(1 for file in files if file.is_fit),
        "askable": sum(1 for file in files if not file.trouble),
        "systems": System.objects.visible_to(request.user).order_by("name"),
        "severities": Severity.choices,
    }
    return render(request, "postmortems/import_preview.html", context)


@change(Refused)
def take(request: Request, pk: int) -> Answer:
    require_role(request.user, Role.LEAD, team=None, to="import postmortems")
    batch: ImportBatch = visible_or_404(ImportBatch.objects.filter(by=request.user), pk=pk)
    chosen = len(batch.files)
    made = batch.take(by=request.user, answers=request.POST.dict())
    messages.success(request, f"{len(made)} postmortem{'s' if len(made) != 1 else ''} imported.")
    if left := chosen - len(made):
        messages.warning(request, f"{left} file{'s were' if left != 1 else ' was'} not imported.")
    return redirect(f"{reverse('postmortems')}?show=all")
