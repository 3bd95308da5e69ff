"""The pages of sources: connect a monitor, see what it sends, teach how to read it."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, F, Max, Q, Sum
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from incidents.alerts import bodies, setup_guide, sns
from incidents.alerts.bodies import Unreadable
from incidents.alerts.deliveries import receive
from incidents.alerts.forms import MapForm, SecretForm, SettingsForm, SourceForm, kind_or_none, pretty
from incidents.alerts.models import Alert, Delivery, Outcome, SigningSecret, Source, Subscription, ingest_url
from incidents.alerts.nudge import nudge
from incidents.alerts.signatures import SCHEMES, Unsigned
from incidents.alerts.sources import by_group, example, mapped
from incidents.errors import Refused
from incidents.people.models import Role
from incidents.people.permissions import has_role, require_role
from incidents.web.request import Answer, Request, change, page, visible_or_404

PREVIEWED = 5


def _mine(request: Request, slug: str, *, to: str = "") -> Source:
    """Load a source that the person may see; with `to`, one that they may also manage."""
    rows = Source.objects.visible_to(request.user).select_related("team", "system")
    shown: Source = visible_or_404(rows, slug=slug)
    if to:
        require_role(request.user, Role.LEAD, team=shown.team, to=to)
    return shown


@page
@require_GET
def sources(request: Request) -> Answer:
    context = {
        "sources": Source.objects.visible_to(request.user).for_list(),
        "may_connect": has_role(request.user, Role.LEAD, team=None),
    }
    return render(request, "alerts/sources.html", context)


# Connecting


@page
@require_GET
def choose(request: Request) -> Answer:
    """Which monitor?"""
    require_role(request.user, Role.LEAD, team=None, to="connect monitors")
    return render(request, "alerts/choose.html", {"groups": by_group()})


@page
@require_http_methods(["GET", "POST"])
def connect(request: Request, kind: str) -> Answer:
    """Name it, get its address, and see at once when it has sent something."""
    require_role(request.user, Role.LEAD, team=None, to="connect monitors")
    about = kind_or_none(kind)
    if about is None:
        raise Http404
    form = SourceForm(request.POST or None, user=request.user, kind=about)
    if request.method == "POST" and form.is_valid():
        made, token = Source.objects.connect(by=request.user, kind=kind, **form.cleaned_data)
        return _show_token(request, made, token)
    context = {"form": form, "kind": about, "guide": setup_guide.guide(kind)}
    return render(request, "alerts/connect.html", context, status=422 if form.is_bound else 200)


def _show_token(request: Request, shown: Source, token: str) -> HttpResponse:
    """Show the token, in this one answer and never again."""
    context = {
        "source": shown, "token": token, "url": ingest_url(token), "guide": setup_guide.guide(shown.kind, token=token),
        "reachable": setup_guide.is_reachable_from_elsewhere(), **_latest(request, shown),
    }  # fmt: skip
    answer = render(request, "alerts/token.html", context)
    answer["Cache-Control"] = "no-store"
    return answer


@page
@require_GET
def connected(request: Request, slug: str) -> Answer:
    """Say whether something has come already; asked again each second while somebody waits."""
    shown = _mine(request, slug)
    return render(request, "alerts/_connected.html", {"source": shown, **_latest(request, shown)})


def _latest(request: Request, shown: Source) -> dict[str, Any]:
    rows = Delivery.objects.visible_to(request.user).filter(source=shown, is_test=False)
    return {"latest": rows.for_list().first()}


@page
@require_GET
def setup(request: Request, slug: str) -> Answer:
    """The guide again, without the token, which nobody can read any more."""
    shown = _mine(request, slug)
    return render(request, "alerts/setup.html", {"source": shown, "guide": setup_guide.guide(shown.kind)})


# One source


@page
@require_GET
def source(request: Request, slug: str) -> Answer:
    shown = _mine(request, slug)
    return render(request, "alerts/source.html", _source_context(request, shown))


def _source_context(request: Request, shown: Source) -> dict[str, Any]:
    mine = Delivery.objects.visible_to(request.user).filter(source=shown)
    now = timezone.now()
    spans = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
    counts = mine.aggregate(
        all=Count("pk"),
        trouble=Sum(F("repeats") + 1, filter=Q(status__in=["dead", "refused"]), default=0),
        **{name: Count("pk", filter=Q(received_at__gt=now - length)) for name, length in spans.items()},
    )
    alerts = Alert.objects.visible_to(request.user).filter(source=shown).aggregate(
        all=Count("pk"), firing=Count("pk", filter=Q(status="firing")), told=Sum("occurrences")
    )  # fmt: skip
    may_manage = has_role(request.user, Role.LEAD, team=shown.team)
    return {
        "source": shown,
        "deliveries": mine.for_list()[:10],
        "counts": counts,
        "alerts": alerts,
        "ratio": round(alerts["told"] / alerts["all"], 1) if alerts["all"] else None,
        "refusals": _refusals(mine),
        "others": _others(shown),
        "subscriptions": shown.subscriptions.select_related("approved_by"),
        "signing": shown.signing_scheme,
        "scheme": SCHEMES.get(shown.signing_scheme),
        "secrets": shown.signing_secrets.select_related("added_by").order_by("pk"),
        "secret_form": SecretForm(),
        "corrections": shown.corrections.select_related("made_by", "undone_by")[:20],
        "watch": shown.watches.first(),
        "watch_url": reverse("source-watch", args=[shown.slug]),
        "may_respond": has_role(request.user, Role.RESPONDER, team=shown.team),
        "may_manage": may_manage and not shown.retired_at,
    }


def _refusals(mine: Any) -> Any:
    """What was not taken and why, most often first."""
    rows = mine.filter(status__in=[Delivery.Status.DEAD, Delivery.Status.REFUSED]).order_by()
    return rows.values("error").annotate(
        times=Sum(F("repeats") + 1), last=Max("received_at"), newest=Max("pk")
    ).order_by("-times")[:10]  # fmt: skip


def _others(shown: Source) -> dict[str, int]:
    """How many tests, changes and handshakes it has told of."""
    rows = Outcome.objects.filter(delivery__source=shown, result__in=["test", "change", "handshake"]).order_by()
    return dict(rows.values_list("result").annotate(Count("pk")))


@page
@require_http_methods(["GET", "POST"])
def configure(request: Request, slug: str) -> Answer:
    """Change a source's name, system, timer, limits and way of signing."""
    shown = _mine(request, slug, to="change it")
    form = SettingsForm(request.POST or None, instance=shown)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Saved.")
        return redirect(shown)
    return render(
        request, "alerts/configure.html", {"form": form, "source": shown}, status=422 if form.is_bound else 200
    )


@change(Refused)
def test(request: Request, slug: str) -> Answer:
    """Send it what its monitor would send, as a test: everything happens but the opening."""
    shown = _mine(request, slug)
    require_role(request.user, Role.RESPONDER, team=shown.team, to="test it")
    # A map is about what this source sends; the kind's own example would not fit it.
    last = shown.deliveries.exclude(body=b"").order_by("-pk").first() if shown.field_map else None
    body, headers = (
        (bytes(last.body), last.headers) if last else (example(shown.kind), {"content-type": "application/json"})
    )
    delivery = receive(shown, body, headers=headers, door=last.door if last else "", is_test=True)
    nudge()
    return redirect(delivery)


@change()
def rotate(request: Request, slug: str) -> Answer:
    shown = _mine(request, slug, to="rotate its token")
    return _show_token(request, shown, shown.rotate())


@change()
def retire(request: Request, slug: str) -> Answer:
    shown = _mine(request, slug, to="retire it")
    shown.retire()
    messages.success(request, f"{shown} is retired: its monitor is told 410 from now on.")
    return redirect(shown)


@change(Refused)
def add_secret(request: Request, slug: str) -> Answer:
    shown = _mine(request, slug, to="change its secrets")
    form = SecretForm(request.POST)
    if not form.is_valid():
        raise ValidationError(list(form.errors["secret"]))
    shown.add_secret(form.cleaned_data["secret"], by=request.user)
    messages.success(request, "From now on only deliveries signed with one of its secrets are taken.")
    return redirect(shown)


@change()
def remove_secret(request: Request, slug: str, pk: int) -> Answer:
    shown = _mine(request, slug, to="change its secrets")
    visible_or_404(SigningSecret.objects.filter(source=shown), pk=pk).delete()
    left = shown.signing_secrets.count()
    messages.success(
        request, "Removed." if left else "Removed. No secret is left, so unsigned deliveries are taken again."
    )
    return redirect(shown)


@change(Unsigned, sns.Unreachable)
def approve(request: Request, slug: str, pk: int) -> Answer:
    """Confirm a subscription of Amazon SNS, by asking the address that it gave, if that is Amazon's."""
    shown = _mine(request, slug, to="approve its subscriptions")
    asked = visible_or_404(Subscription.objects.filter(source=shown), pk=pk)
    try:
        sns.confirm(asked.url)
    except (Unsigned, sns.Unreachable) as error:
        Subscription.objects.filter(pk=asked.pk).update(approved_by=request.user, error=str(error)[:300])
        raise
    Subscription.objects.filter(pk=asked.pk).update(
        approved_by=request.user, error="", confirmed_at=timezone.now()
    )  # fmt: skip
    messages.success(request, f"Confirmed: {asked.topic} is sent here from now on.")
    return redirect(shown)


# The field map


@page
@require_http_methods(["GET", "POST"])
def field_map(request: Request, slug: str) -> Answer:
    """Say where in this source's JSON the title, the key, the status … are."""
    shown = _mine(request, slug, to="change how it is read")
    if request.method == "GET":
        start = mapped.PRESETS.get(request.GET.get("preset", "")) or shown.field_map
        form = MapForm(data={**start, "sample": _sample(request, shown)})
        context = _map_context(request, shown, form)
        return render(request, "alerts/map.html", context)
    form = MapForm(request.POST)
    if "preview" not in request.POST and form.is_valid():
        shown.map_fields(form.expressions)
        said = (
            "It is read by this map from now on."
            if form.expressions
            else "The map is gone; it is read in its kind’s own way."
        )
        messages.success(request, f"{said} Deliveries that were not understood can be tried again.")
        return redirect(shown)
    template = "alerts/_map_preview.html" if request.htmx else "alerts/map.html"
    refused = form.is_bound and not form.is_valid() and "preview" not in request.POST
    return render(
        request, template, _map_context(request, shown, form), status=422 if refused and not request.htmx else 200
    )


def _sample(request: Request, shown: Source) -> str:
    """The delivery that was asked for, else the last one that has a body."""
    rows = shown.deliveries.filter(is_test=False).exclude(body=b"").order_by("-pk")
    wanted = request.GET.get("delivery", "")
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 18:
        rows = rows.filter(pk=int(wanted))
    found = rows.first()
    return pretty(bytes(found.body))[:200_000] if found else ""


def _map_context(request: Request, shown: Source, form: MapForm) -> dict[str, Any]:
    faults = mapped.FieldMap.of(form.expressions).errors() if form.expressions else {}
    understood, error = ([], "") if faults or not form.expressions else _try(form)
    return {
        "source": shown,
        "form": form,
        "faults": faults,
        "understood": understood[:PREVIEWED],
        "more": max(0, len(understood) - PREVIEWED),
        "error": error,
        "recent": shown.deliveries.filter(is_test=False).exclude(body=b"").defer("body").order_by("-pk")[:5],
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
