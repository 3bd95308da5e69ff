"""The page that says how a source’s own JSON is read: its field map, tried on a delivery before it is saved."""

from typing import Any

from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from incidents.alerts import bodies
from incidents.alerts.bodies import Unreadable
from incidents.alerts.forms.field_map import MapForm, pretty
from incidents.alerts.models import Delivery, DeliveryQuerySet, Source
from incidents.alerts.nudge import nudge
from incidents.alerts.sources import KINDS, mapped
from incidents.alerts.views.sources import managed_source
from incidents.people.models import User
from incidents.web.request import Answer, Request, page, whole_number

PREVIEWED = 5


@page
@require_http_methods(["GET", "HEAD", "POST"])
def field_map(request: Request, slug: str) -> Answer:
    """Say where in this source's JSON the title, the key, the status … are."""
    source = managed_source(request, slug, to="change how it is read")
    if request.method != "POST":
        start = mapped.PRESETS.get(request.GET.get("preset", "")) or source.field_map
        delivery = (
            _asked_for(source, request.GET.get("delivery", ""), request.user)
            or _with_a_body(source, request.user).first()
        )
        sample = pretty(bytes(delivery.body))[:200_000] if delivery else ""
        context = _map_context(request, source, MapForm(data={**start, "sample": sample}), delivery)
        return render(request, "alerts/map.html", context)
    form = MapForm(request.POST)
    delivery = _asked_for(source, request.POST.get("delivery", ""), request.user)
    if "preview" not in request.POST and form.is_valid():
        return _save(request, source, form, delivery)
    template = "alerts/_map_preview.html" if request.htmx else "alerts/map.html"
    refused = form.is_bound and not form.is_valid() and "preview" not in request.POST
    return render(
        request,
        template,
        _map_context(request, source, form, delivery),
        status=422 if refused and not request.htmx else 200,
    )


def _save(request: Request, source: Source, form: MapForm, delivery: Delivery | None) -> Answer:
    """Keep the map, and read by it at once what it was made for: where that came out is what the person wants to see."""
    source.map_fields(form.expressions)
    outcome = (
        "Deliveries are read by this map from now on."
        if form.expressions
        else "The map was removed. Deliveries are read in the usual format of their kind."
    )
    if delivery is None or delivery.status != Delivery.Status.DEAD:
        messages.success(request, f"{outcome} Deliveries that were not understood can be retried.")
        return redirect(source)
    delivery.retry()
    nudge()
    messages.success(request, f"{outcome} This one is being read again.")
    return redirect(delivery)


def _with_a_body(source: Source, user: User) -> DeliveryQuerySet:
    """What it sent, as far as the user may see it: a private incident hides the body of its alert here too."""
    visible = Delivery.objects.visible_to(user).filter(source=source, is_test=False)
    return visible.exclude(body=b"").order_by("-pk")


def _asked_for(source: Source, wanted: str, user: User) -> Delivery | None:
    number = whole_number(wanted, digits=17)
    return _with_a_body(source, user).filter(pk=number).first() if number is not None else None


def _map_context(request: Request, source: Source, form: MapForm, delivery: Delivery | None = None) -> dict[str, Any]:
    faults = mapped.FieldMap.of(form.expressions).errors() if form.expressions else {}
    understood, error = ([], "") if faults or not form.expressions else _try(form)
    return {
        "source": source,
        "form": form,
        "faults": faults,
        "understood": understood[:PREVIEWED],
        "more": max(0, len(understood) - PREVIEWED),
        "error": error,
        "delivery": delivery,
        "recent": _with_a_body(source, request.user).defer("body")[:5],
        "presets": sorted((KINDS[slug].name if slug in KINDS else slug.capitalize(), slug) for slug in mapped.PRESETS),
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
