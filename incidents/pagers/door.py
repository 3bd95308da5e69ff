"""Where pagers post what their people do: authenticate, verify, bound, store, answer. What it means is read later."""

import re

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from incidents.alerts import bodies, signatures
from incidents.alerts.endpoints import guard
from incidents.alerts.endpoints.guard import Rejected, endpoint
from incidents.pagers.models import PagerAddress, PagerDelivery
from incidents.pagers.readers import READERS

MOST_BYTES = 256 * 1024
_TOKEN = re.compile(r"[0-9a-f]{32}", re.ASCII)


@endpoint
def receive(request: HttpRequest, token: str | None = None) -> HttpResponse:
    """Store one delivery of a pager. 2xx only once it is durable; a 4xx says what is wrong with it."""
    address = PagerAddress.objects.for_token(token) if token and _TOKEN.fullmatch(token) else None
    if address is None:
        raise Rejected(404, "unknown_pager", "No pager has this address. Was a new one made?")
    if request.method != "POST":
        raise Rejected(405, "method_not_allowed", "This address takes POST from a pager.", headers={"Allow": "POST"})
    body = guard.body_of(request, limit=MOST_BYTES)
    _check_signature(address, body, request)
    try:
        bodies.parse(body)
    except bodies.Unreadable as error:
        PagerDelivery.objects.refuse(address, body, because=str(error))
        raise Rejected(400, "not_json", str(error)) from None
    row = PagerDelivery.objects.take(address, body)
    return JsonResponse({"delivery": row.pk})


def _check_signature(address: PagerAddress, body: bytes, request: HttpRequest) -> None:
    secrets = address.signing_secrets() if address.signs else []
    if not secrets:
        return
    headers = {name.lower(): value for name, value in request.headers.items()}
    scheme = signatures.SCHEMES[READERS[address.destination.kind].scheme]
    try:
        signatures.verify(scheme, filter(None, secrets), body, headers, now=timezone.now())
    except signatures.Unsigned as error:
        PagerDelivery.objects.refuse(address, body, because=str(error))
        raise Rejected(401, "bad_signature", str(error)) from None
