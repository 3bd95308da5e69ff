"""What all endpoints share: whose token it is, how much is taken, who signed it, and that it is stored before the answer."""

import base64
import re
import zlib
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import wraps
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from incidents import outgoing
from incidents.alerts import bodies, signatures, sns
from incidents.alerts.deliveries import SourceChanged, receive
from incidents.alerts.headers import stored_headers
from incidents.alerts.models import Delivery, Source
from incidents.alerts.nudge import nudge
from incidents.people.models import digest_of
from incidents.web.problems import problem

_TOKEN = re.compile(r"[0-9a-f]{32}", re.ASCII)
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class Rejected(Exception):
    """The delivery was not taken. Each endpoint says so in its own form."""

    def __init__(self, status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.headers = status, code, detail, dict(headers or {})


def endpoint(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """An endpoint of our own, which says as problem+json what it rejects."""

    @csrf_exempt
    @wraps(view)
    def guarded(request: HttpRequest, token: str | None = None) -> HttpResponse:
        try:
            return view(request, token)
        except Rejected as rejection:
            return problem(rejection.status, rejection.code, rejection.detail, headers=rejection.headers)

    return guarded


def source_of(request: HttpRequest, token: str | None) -> Source:
    """Find whose token it is: in the address, as Bearer, GenieKey, password of Basic, or `access_token` of the query."""
    presented = token or presented_token(request)
    source = source_named(presented, anew=request.method not in {"POST", "PUT"})
    if source is None and token:
        raise Rejected(404, "unknown_source", "No source has this address. Was the token rotated?")
    if source is None:
        raise Rejected(
            401,
            "bad_credential",
            "Send the source’s token as Bearer or as Basic password.",
            headers={"WWW-Authenticate": 'Bearer realm="ingest"'},
        )
    return source


def source_named(token: str, *, anew: bool = False) -> Source | None:
    """Find the source of a token. Raises Rejected where it was retired.

    Unless it is read `anew` it may be one that was changed since; `take` notices.
    """
    if not _TOKEN.fullmatch(token):
        return None
    source = Source.objects.for_token(token) if anew else _known(token)
    _refuse_retired(source)
    return source


# Sources by the digest of their token, as this process last read them. One that was changed since is noticed when a
# delivery is stored; without this, finding the source costs more than storing.
_remembered: dict[str, Source] = {}
_MOST_REMEMBERED = 1000


def _known(token: str) -> Source | None:
    digest = digest_of(token)
    if remembered := _remembered.get(digest):
        return remembered
    source = Source.objects.for_token(token)
    # A former token ends by the clock, which no version tells, and a retired source stores nothing.
    if source and source.digest == digest and not source.retired_at:
        if len(_remembered) >= _MOST_REMEMBERED:
            _remembered.clear()
        _remembered[digest] = source
    return source


def _read_again(source: Source) -> Source:
    """Read a source that was changed since it was remembered. Raises Rejected where its token is good no longer."""
    _remembered.pop(source.digest, None)
    fresh = Source.objects.with_version().filter(pk=source.pk).first()
    if fresh is None or not fresh.honours(source.digest):
        raise Rejected(404, "unknown_source", "No source has this address. Was the token rotated?")
    _refuse_retired(fresh)
    return fresh


def _refuse_retired(source: Source | None) -> None:
    if source and source.retired_at:
        raise Rejected(410, "retired_source", "This source was retired; its monitor should stop sending.")


def presented_token(request: HttpRequest) -> str:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    match scheme.lower():
        case "bearer" | "geniekey":
            return value.strip()
        case "basic":
            try:
                return base64.b64decode(value, validate=True).decode().partition(":")[2]
            except ValueError:  # not base64, or not text inside
                return ""
    return request.GET.get("access_token", "")


def body_of(request: HttpRequest, *, limit: int) -> bytes:
    """Read the body, unpacked. Raises Rejected where it is larger than the limit, packed or not, or cannot be unpacked.

    Not `request.body`: Django's own limit is meant for forms. A chunked body has no length, and Django would read
    nothing of it; the server marks such a stream as ending by itself.
    """
    length = request.META.get("CONTENT_LENGTH") or ""
    body = b""
    if not (length.isdigit() and int(length) > limit):
        stream = request.META["wsgi.input"] if not length and request.META.get("wsgi.input_terminated") else request
        body = cast(bytes, stream.read(limit + 1))
        if len(body) <= limit:
            return _unpacked(body, request.headers.get("Content-Encoding", ""), limit=limit)
    raise _too_large(limit)


# How zlib is told what to expect: a gzip header, or zlib's own.
_WINDOWS = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


def _unpacked(body: bytes, encoding: str, *, limit: int) -> bytes:
    """Unpack a body, never more of it than the limit: a few packed kilobytes can hold gigabytes."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding not in _WINDOWS:
        raise Rejected(415, "unknown_encoding", "The body may be sent as it is, or packed as gzip or deflate.")
    stream = zlib.decompressobj(_WINDOWS[encoding])
    try:
        unpacked = stream.decompress(body, limit + 1)
    except zlib.error:
        raise Rejected(400, "not_unpackable", f"The body says that it is {encoding}, and is not.") from None
    if len(unpacked) > limit:
        raise _too_large(limit)
    if not stream.eof:
        raise Rejected(400, "not_unpackable", f"The {encoding} body ends too early.")
    return unpacked


def _too_large(limit: int) -> Rejected:
    return Rejected(413, "too_large", f"A delivery may have {limit / 1024 / 1024:g} MiB at most.")


def headers_of(request: HttpRequest, **made_up: str) -> dict[str, str]:
    """Give the headers in lower case, with `:method` and `:path` (without the token) as HTTP/2 has them."""
    path = re.sub(r"^/ingest/[0-9a-f]{32}", "", request.path)
    named = {name.lower(): value for name, value in request.headers.items()}
    return named | {":method": request.method or "", ":path": path} | made_up


def take(
    source: Source,
    body: bytes,
    headers: dict[str, str],
    *,
    door: str = "",
    is_json: bool | None = None,
) -> Delivery:
    """Store one delivery, if it is signed as its source wants and is what it says. Raises Rejected.

    What is rejected is recorded once for each body, and shown on the source's page.
    """
    _check_signature(source, body, headers)
    if is_json if is_json is not None else _should_be_json(headers):
        _check_json(source, body, headers, door=door)
    try:
        delivery = receive(source, body, headers=headers, door=door)
    except SourceChanged:
        return take(_read_again(source), body, headers, door=door, is_json=is_json)
    nudge()
    return delivery


def _check_signature(source: Source, body: bytes, headers: dict[str, str]) -> None:
    try:
        if source.signing_scheme == "aws_sns":
            envelope = bodies.parse(body)
            sns.check(envelope if isinstance(envelope, dict) else {})
        elif secrets := source.secrets():
            scheme = signatures.SCHEMES[source.signing_scheme]
            signatures.verify(scheme, filter(None, secrets), body, headers, now=timezone.now())
    except (signatures.Unsigned, bodies.Unreadable) as error:
        Delivery.objects.refuse(source, body, because=str(error), headers=stored_headers(headers), keep=False)
        raise Rejected(401, "bad_signature", str(error)) from None
    except outgoing.Unreachable as error:
        raise Rejected(503, "not_verifiable", f"{error} Send it again.", headers={"Retry-After": "30"}) from None


def _should_be_json(headers: Mapping[str, str]) -> bool:
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    # In CloudEvents' binary mode the body is whatever the sender's data is.
    return media not in _FORMS and "ce-specversion" not in headers


def _check_json(source: Source, body: bytes, headers: dict[str, str], *, door: str) -> None:
    try:
        value = bodies.parse(body)
    except bodies.Unreadable as error:
        rejected = Delivery.objects.refuse(source, body, because=str(error), headers=stored_headers(headers), door=door)
        raise Rejected(400, "not_json", f"{error} It is stored as {rejected}.") from None
    if (longest := _longest_list(value)) > source.alert_limit:
        because = f"It holds {longest:,} alerts; at most {source.alert_limit:,} are taken at once."
        Delivery.objects.refuse(source, body, because=because, headers=stored_headers(headers), door=door, keep=False)
        raise Rejected(413, "too_many", because)


def _longest_list(value: Any) -> int:
    """Count what may be alerts: the items of a list, or of the longest list in an object."""
    listed = value.values() if isinstance(value, dict) else [value]
    return max((len(items) for items in listed if isinstance(items, list)), default=0)


def limits_reached(source: Source) -> bool:
    """Tell whether the source has sent more in the last minute than may be, for endpoints whose clients slow down then."""
    since = timezone.now() - timedelta(minutes=1)
    return source.deliveries.filter(received_at__gt=since).count() >= settings.INGEST_EVENTS_A_MINUTE
