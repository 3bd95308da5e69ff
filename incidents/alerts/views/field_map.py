"""The page that says how a source’s own JSON is read: its field map, tried on a delivery before it is saved."""

from typing import Any

from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from incidents.alerts import bodies
from incidents.alerts.bodies import Unreadable
from incidents.alerts.forms.field_map import MapForm, pretty
from incidents.alerts.models import (
    Source,
)
from incidents.alerts.sources import mapped
from incidents.alerts.views.sources import managed_source
from incidents.web.request import Answer, Request, page

PREVIEWED = 5


@page
@require_http_methods(["GET", "POST"])
def field_map(request: Request, slug: str) -> Answer:
    """Say where in this source's JSON the title, the key, the status … are."""
    source = managed_source(request, slug, to="change how it is read")
    if request.method == "GET":
        start = mapped.PRESETS.get(request.GET.get("preset", "")) or source.field_map
        form = MapForm(data={**start, "sample": _sample(request, source)})
        context = _map_context(request, source, form)
        return render(request, "alerts/map.html", context)
    form = MapForm(request.POST)
    if "preview" not in request.POST and form.is_valid():
        source.map_fields(form.expressions)
        outcome = (
            "Deliveries are read by this map from now on."
            if form.expressions
            else "The map was removed. Deliveries are read in the usual format of their kind."
        )
        messages.success(request, f"{outcome} Deliveries that were not understood can be retried.")
        return redirect(source)
    template = "alerts/_map_preview.html" if request.htmx else "alerts/map.html"
    refused = form.is_bound and not form.is_valid() and "preview" not in request.POST
    return render(
        request, template, _map_context(request, source, form), status=422 if refused and not request.htmx else 200
    )


def _sample(request: Request, source: Source) -> str:
    """The delivery that was asked for, else the last one that has a body."""
    rows = source.deliveries.filter(is_test=False).exclude(body=b"").order_by("-pk")
    wanted = request.GET.get("delivery", "")
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 18:
        rows = rows.filter(pk=int(wanted))
    delivery = rows.first()
    return pretty(bytes(delivery.body))[:200_000] if delivery else ""


def _map_context(request: Request, source: Source, form: MapForm) -> dict[str, Any]:
    faults = mapped.FieldMap.of(form.expressions).errors() if form.expressions else {}
    understood, error = ([], "") if faults or not form.expressions else _try(form)
    return {
        "source": source,
        "form": form,
        "faults": faults,
        "understood": understood[:PREVIEWED],
        "more": max(0, len(understood) - PREVIEWED),
        "error": error,
        "recent": source.deliveries.filter(is_test=False).exclude(body=b"").defer("body").order_by("-pk")[:5],
        "presets": sorted(mapped.PRESETS),
    }


def _try(form: MapForm) -> tuple[list[Any], str]:
    sample = str(form.data.get("sample", ""))
    if not sample.strip():
        return [], "Paste a delivery to see what the map makes of it."
    try:
        return list(
            mapped.apply(mapped.FieldMap.of(form.expressions), bodies.load(sample.encode("utf-8", "replace")))
        ), ""
    except Unreadable as refusal:
        return [], str(refusal)
