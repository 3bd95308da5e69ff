"""What postmortems ask, as data that administrators change."""

from typing import Any

from django.contrib import messages
from django.forms import formset_factory
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods, require_safe

from incidents import taxonomy
from incidents.errors import Refused
from incidents.people.permissions import require_administrator
from incidents.postmortems.document import Postmortem
from incidents.postmortems.forms import PartForm
from incidents.postmortems.guide import Guide, GuidePart, Policy
from incidents.response.vocabulary import Severity
from incidents.texts import one_line
from incidents.web.request import Answer, Request, page, visible_or_404, whole_number

PartForms = formset_factory(PartForm, extra=1, max_num=40, absolute_max=60)


@page
@require_http_methods(["GET", "HEAD", "POST"])
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
                version = _publish(request, current, forms, prompts)
            except Refused as refusal:
                messages.error(request, " ".join(refusal.messages))
            else:
                messages.success(request, f"{version} is in use from now on. Postmortems already begun keep theirs.")
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
    return part.as_data() | {"questions": "\n".join(part.questions), "position": place}


def _publish(request: Request, current: Guide, forms: Any, prompts: dict[str, str]) -> Guide:
    entries = [
        form.cleaned_data
        for form in forms
        if form.cleaned_data.get("title", "").strip() and not form.cleaned_data.get("leave_out")
    ]
    entries.sort(key=lambda fields: 999 if fields["position"] is None else fields["position"])
    known = {part.key for part in current.parts}
    parts = [
        GuidePart(
            key=fields["key"] if fields["key"] in known else slugify(fields["title"])[:24] or "part",
            title=one_line(fields["title"]),
            help=fields["help"],
            minutes=fields["minutes"] or 5,
            depth=fields["depth"],
            required=fields["required"],
            questions=tuple(_lines(fields["questions"])),
            by_category=fields["by_category"],
        )
        for fields in entries
    ]
    changed = {
        code: _lines(text)
        for code, text in prompts.items()
        if _lines(text) != [prompt.text for prompt in taxonomy.prompts_for(code) if prompt.category == code]
    }
    over = whole_number(request.POST.get("over", ""))
    note = request.POST.get("note", "")
    return Guide.objects.publish(parts, changed, note=note, by=request.user, over=-1 if over is None else over)


def _lines(text: str) -> list[str]:
    return [" ".join(line.split())[:500] for line in text.splitlines() if line.strip()][:40]


@page
@require_safe
def guide_version(request: Request, number: int) -> Answer:
    """A version as it was, and how many postmortems were begun with it."""
    version: Guide = visible_or_404(Guide.objects.select_related("by"), number=number)
    context = {
        "guide": version,
        "prompts": [(taxonomy.category(code), questions) for code, questions in version.prompts.items()],
        "used": Postmortem.objects.visible_to(request.user).filter(guide=version).count(),
    }
    return render(request, "postmortems/guide_version.html", context)
