"""The pages of sources: connect a monitor, see what it sends, change how it is taken."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, F, Max, Q, Sum
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from incidents import outgoing
from incidents.alerts import setup_guide, sns
from incidents.alerts.deliveries import receive
from incidents.alerts.forms.sources import SecretForm, SettingsForm, SourceForm
from incidents.alerts.models import (
    Alert,
    Delivery,
    Outcome,
    SigningSecret,
    Source,
    Subscription,
    ingest_url,
)
from incidents.alerts.nudge import nudge
from incidents.alerts.policies import Correction
from incidents.alerts.signatures import SCHEMES, Unsigned
from incidents.alerts.sources import KINDS, by_group, example
from incidents.errors import Refused
from incidents.people.models import Role, User
from incidents.people.permissions import has_role, require_role
from incidents.web.request import Answer, Request, change, page, visible_or_404


def visible_source(request: Request, slug: str) -> Source:
    """Load a source that the person may see, or answer 404."""
    source: Source = visible_or_404(Source.objects.visible_to(request.user).select_related("team", "system"), slug=slug)
    return source


def may_map(user: User, source: Source) -> bool:
    """Tell whether somebody may say how a source's JSON is read, and whether that still matters."""
    return source.retired_at is None and has_role(user, Role.LEAD, team=source.team)


def managed_source(request: Request, slug: str, *, to: str) -> Source:
    """Load a source that the person may manage, or answer 404 or 403."""
    source = visible_source(request, slug)
    require_role(request.user, Role.LEAD, team=source.team, to=to)
    return source


@page
@require_safe
def sources(request: Request) -> Answer:
    context = {
        "sources": Source.objects.visible_to(request.user).for_list(request.user),
        "may_connect": has_role(request.user, Role.LEAD, team=None),
    }
    return render(request, "alerts/sources.html", context)


# Connecting


@page
@require_safe
def choose(request: Request) -> Answer:
    """Which monitor?"""
    require_role(request.user, Role.LEAD, team=None, to="connect monitors")
    return render(request, "alerts/choose.html", {"groups": by_group()})


@page
@require_http_methods(["GET", "HEAD", "POST"])
def connect(request: Request, kind: str) -> Answer:
    """Name it, get its address, and see at once when it has sent something."""
    require_role(request.user, Role.LEAD, team=None, to="connect monitors")
    about = KINDS.get(kind)
    if about is None:
        raise Http404
    form = SourceForm(request.POST or None, user=request.user, kind=about)
    if request.method == "POST" and form.is_valid():
        source, token = Source.objects.connect(by=request.user, kind=kind, **form.cleaned_data)
        return _show_token(request, source, token)
    context = {"form": form, "kind": about, "guide": setup_guide.guide(kind)}
    return render(request, "alerts/connect.html", context, status=422 if form.is_bound else 200)


def _show_token(request: Request, source: Source, token: str) -> HttpResponse:
    """Show the token, in this one answer and never again."""
    context = {
        "source": source,
        "token": token,
        "url": ingest_url(token),
        "guide": setup_guide.guide(source.kind, token=token),
        "reachable": setup_guide.is_reachable_from_elsewhere(),
        **_latest(request, source),
    }
    answer = render(request, "alerts/token.html", context)
    answer["Cache-Control"] = "no-store"
    return answer


@page
@require_safe
def connected(request: Request, slug: str) -> Answer:
    """Say whether something has come already; asked again each second while somebody waits."""
    source = visible_source(request, slug)
    return render(request, "alerts/_connected.html", {"source": source, **_latest(request, source)})


def _latest(request: Request, source: Source) -> dict[str, Any]:
    rows = Delivery.objects.visible_to(request.user).filter(source=source, is_test=False)
    return {"latest": rows.for_list().first(), "may_map": may_map(request.user, source)}


@page
@require_safe
def setup(request: Request, slug: str) -> Answer:
    """The guide again, without the token, which nobody can read any more."""
    source = visible_source(request, slug)
    return render(request, "alerts/setup.html", {"source": source, "guide": setup_guide.guide(source.kind)})


# One source


@page
@require_safe
def source(request: Request, slug: str) -> Answer:
    source = visible_source(request, slug)
    return render(request, "alerts/source.html", _source_context(request, source))


def _source_context(request: Request, source: Source) -> dict[str, Any]:
    mine = Delivery.objects.visible_to(request.user).filter(source=source)
    now = timezone.now()
    spans = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
    counts = mine.aggregate(
        all=Count("pk"),
        trouble=Sum(F("repeats") + 1, filter=Q(status__in=["dead", "refused"]), default=0),
        **{name: Count("pk", filter=Q(received_at__gt=now - length)) for name, length in spans.items()},
    )
    alerts = (
        Alert.objects.visible_to(request.user)
        .filter(source=source)
        .aggregate(all=Count("pk"), firing=Count("pk", filter=Q(status="firing")), occurrences=Sum("occurrences"))
    )
    may_manage = has_role(request.user, Role.LEAD, team=source.team)
    return {
        "source": source,
        "deliveries": mine.for_list()[:10],
        "counts": counts,
        "alerts": alerts,
        "ratio": round(alerts["occurrences"] / alerts["all"], 1) if alerts["all"] else None,
        "refusals": _refusals(mine),
        "others": _others(mine),
        "subscriptions": source.subscriptions.select_related("approved_by"),
        "signing": source.signing_scheme,
        "scheme": SCHEMES.get(source.signing_scheme),
        "secrets": source.signing_secrets.select_related("added_by").order_by("pk"),
        "secret_form": SecretForm(),
        "corrections": Correction.objects.visible_to(request.user)
        .filter(source=source)
        .select_related("made_by", "undone_by")[:20],
        "watch": source.watches.first(),
        "watch_url": reverse("source-watch", args=[source.slug]),
        "may_respond": has_role(request.user, Role.RESPONDER, team=source.team),
        "may_manage": may_manage and not source.retired_at,
    }


def _refusals(mine: Any) -> Any:
    """What was rejected and why, most frequent first."""
    rows = mine.filter(status__in=[Delivery.Status.DEAD, Delivery.Status.REFUSED]).order_by()
    unread = Max("pk", filter=Q(status=Delivery.Status.DEAD))
    return (
        rows.values("error")
        .annotate(times=Sum(F("repeats") + 1), last=Max("received_at"), newest=Max("pk"), unread=unread)
        .order_by("-times")[:10]
    )


def _others(mine: Any) -> dict[str, int]:
    """How many tests, changes and handshakes it has sent."""
    rows = Outcome.objects.filter(delivery__in=mine, result__in=["test", "change", "handshake"]).order_by()
    return dict(rows.values_list("result").annotate(Count("pk")))


@page
@require_http_methods(["GET", "HEAD", "POST"])
def configure(request: Request, slug: str) -> Answer:
    """Change a source's name, system, timer, limits and way of signing."""
    source = managed_source(request, slug, to="change it")
    form = SettingsForm(request.POST or None, instance=source)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Saved.")
        return redirect(source)
    return render(
        request, "alerts/configure.html", {"form": form, "source": source}, status=422 if form.is_bound else 200
    )


@change(Refused)
def test(request: Request, slug: str) -> Answer:
    """Send it what its monitor would send, as a test: processed as usual, but it opens no incident."""
    source = visible_source(request, slug)
    require_role(request.user, Role.RESPONDER, team=source.team, to="test it")
    # A map is about what this source sends; the kind's own example would not fit it.
    # Only of what everybody may see: the test delivery is nobody's secret.
    public = Delivery.objects.of_nothing_private().filter(source=source).exclude(body=b"")
    last = public.order_by("-pk").first() if source.field_map else None
    body, headers = (
        (bytes(last.body), last.headers) if last else (example(source.kind), {"content-type": "application/json"})
    )
    delivery = receive(source, body, headers=headers, door=last.door if last else "", is_test=True)
    nudge()
    return redirect(delivery)


@change()
def rotate(request: Request, slug: str) -> Answer:
    source = managed_source(request, slug, to="rotate its token")
    return _show_token(request, source, source.rotate())


@change()
def retire(request: Request, slug: str) -> Answer:
    source = managed_source(request, slug, to="retire it")
    source.retire()
    messages.success(request, f"{source} is retired. Its monitor gets a 410 from now on.")
    return redirect(source)


@change(Refused)
def add_secret(request: Request, slug: str) -> Answer:
    source = managed_source(request, slug, to="change its secrets")
    form = SecretForm(request.POST)
    if not form.is_valid():
        raise ValidationError(list(form.errors["secret"]))
    source.add_secret(form.cleaned_data["secret"], by=request.user)
    messages.success(request, "From now on, only deliveries signed with one of its secrets are accepted.")
    return redirect(source)


@change()
def remove_secret(request: Request, slug: str, pk: int) -> Answer:
    source = managed_source(request, slug, to="change its secrets")
    visible_or_404(SigningSecret.objects.filter(source=source), pk=pk).delete()
    left = source.signing_secrets.count()
    messages.success(
        request, "Removed." if left else "Removed. No secret is left, so unsigned deliveries are accepted again."
    )
    return redirect(source)


@change(Unsigned, outgoing.Unreachable)
def approve(request: Request, slug: str, pk: int) -> Answer:
    """Confirm a subscription of Amazon SNS, by asking the address that it gave, if that is Amazon's."""
    source = managed_source(request, slug, to="approve its subscriptions")
    asked = visible_or_404(Subscription.objects.filter(source=source), pk=pk)
    try:
        sns.confirm(asked.url)
    except (Unsigned, outgoing.Unreachable) as error:
        Subscription.objects.filter(pk=asked.pk).update(approved_by=request.user, error=str(error)[:300])
        raise
    Subscription.objects.filter(pk=asked.pk).update(approved_by=request.user, error="", confirmed_at=timezone.now())
    messages.success(request, f"Confirmed. {asked.topic} will be delivered here from now on.")
    return redirect(source)
