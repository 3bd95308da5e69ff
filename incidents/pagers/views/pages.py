"""The pages of what a pager sends back: its address, its secrets, its people, its deliveries."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from incidents.errors import Refused
from incidents.notifications.destinations import Destination, may_manage, require_manager
from incidents.pagers import guide
from incidents.pagers.forms import PagerPersonForm, PagerSecretForm
from incidents.pagers.models import PagerAddress, PagerDelivery, PagerPerson, pager_url
from incidents.pagers.readers import READERS
from incidents.web.paging import newest_first
from incidents.web.request import Answer, Request, change, page, visible_or_404

SHOWN_PEOPLE = 100


def _channel(request: Request, pk: int) -> Destination:
    """Load a pager that the person may see and that can answer, or answer 404."""
    rows = Destination.objects.visible_to(request.user).select_related("team")
    row: Destination = visible_or_404(rows, pk=pk, kind__in=READERS)
    return row


def _managed(request: Request, pk: int, *, to: str) -> PagerAddress:
    """Load the address of a pager that the person may manage, or answer 404 or 403."""
    row = _channel(request, pk)
    require_manager(request.user, row.team, to=to)
    address: PagerAddress = visible_or_404(PagerAddress.objects.select_related("destination"), pk=row.pk)
    return address


@page
@require_safe
def pager(request: Request, pk: int) -> Answer:
    return _shown(request, _channel(request, pk))


def _shown(request: Request, row: Destination, *, token: str = "") -> HttpResponse:
    """The page of what a pager sends back; with its address where that was made just now."""
    address = PagerAddress.objects.select_related("destination").filter(pk=row.pk).first()
    managing = may_manage(request.user, row.team)
    log = PagerDelivery.objects.visible_to(request.user).filter(address=row.pk).select_related("incident")
    rows, older_than = newest_first(log.defer("body"), before=request.GET.get("before", ""))
    people = PagerPerson.objects.filter(address=row.pk).select_related("person").order_by("-seen_at", "pk")
    context = {
        "channel": row,
        "address": address,
        "url": pager_url(token) if token else "",
        "guide": guide.of(row.kind),
        "secrets": address.secrets.select_related("added_by") if address and address.signs else [],
        "secret_form": PagerSecretForm(),
        "people": [(one, PagerPersonForm(row=one) if managing else None) for one in people[:SHOWN_PEOPLE]],
        "log": rows,
        "older_than": older_than,
        "may_manage": managing,
    }
    answer = render(request, "pagers/pager.html", context)
    if token:
        answer["Cache-Control"] = "no-store"
    return answer


@change(Refused)
def make_address(request: Request, pk: int) -> Answer:
    """Make its address, or a new one; it is shown in this one answer and never again."""
    row = _channel(request, pk)
    require_manager(request.user, row.team, to="make its address")
    _, token = PagerAddress.objects.open(row, by=request.user)
    return _shown(request, row, token=token)


@change(Refused)
def add_secret(request: Request, pk: int) -> Answer:
    address = _managed(request, pk, to="change its secrets")
    form = PagerSecretForm(request.POST)
    if not form.is_valid():
        raise Refused("Enter the signing secret, 200 characters at most.")
    address.add_secret(form.cleaned_data["secret"], by=request.user)
    messages.success(request, "Added. What is not signed with one of its secrets is refused from now on.")
    return redirect(address)


@change(Refused)
def remove_secret(request: Request, pk: int, secret_pk: int) -> Answer:
    address = _managed(request, pk, to="change its secrets")
    visible_or_404(address.secrets.all(), pk=secret_pk).delete()
    left = "" if address.secrets.exists() else " What is not signed is taken again."
    messages.success(request, f"The secret is removed.{left}")
    return redirect(address)


@change(Refused)
def set_person(request: Request, pk: int, person_pk: int) -> Answer:
    """Say who somebody of the pager is here."""
    address = _managed(request, pk, to="say who its people are")
    row = visible_or_404(PagerPerson.objects.filter(address=address), pk=person_pk)
    form = PagerPersonForm(request.POST, row=row)
    if not form.is_valid():
        raise Refused("Choose somebody who is active here.")
    PagerPerson.objects.filter(pk=row.pk).update(person=form.cleaned_data["person"])
    messages.success(request, f"{row} is {form.cleaned_data['person'] or 'nobody here'} from now on.")
    return redirect(address)


@page
@require_safe
def delivery(request: Request, pk: int, row_pk: int) -> Answer:
    """One delivery as it came, and what came of it."""
    rows = PagerDelivery.objects.visible_to(request.user).filter(address=pk).select_related("incident")
    row = visible_or_404(rows.select_related("address__destination"), pk=row_pk)
    if row.address.destination.kind not in READERS:
        raise Http404
    text = bytes(row.body).decode("utf-8", "replace")
    context = {"row": row, "channel": row.address.destination, "text": text}
    return render(request, "pagers/delivery.html", context)
