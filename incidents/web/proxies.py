"""What stands between a browser and this process: which proxies are believed, and what comes of a request that is not HTTPS.

Everything behind reads `REMOTE_ADDR` and `request.is_secure()`; nothing else reads a header that a stranger could send.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.template.loader import render_to_string

View = Callable[[HttpRequest], HttpResponse]
Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

log = structlog.get_logger(__name__)

_FORWARDED = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_FORWARDED",
)
_ASKED_BY_MACHINES = frozenset({"/healthz", "/readyz"})


def behind_proxies(get_response: View) -> View:
    """Take the visitor's address and scheme from a trusted proxy's X-Forwarded-For and X-Forwarded-Proto, and from nobody else's.

    The address is the last one in X-Forwarded-For that is no trusted proxy: what stands before it came from outside.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        sent = {name: request.META.pop(name, "") for name in _FORWARDED}
        peer = _address(request.META.get("REMOTE_ADDR", ""))
        if peer is not None:
            request.META["REMOTE_ADDR"] = str(peer)  # one way of writing it, as the database takes it
        if is_trusted(peer, settings.TRUSTED_PROXIES):
            request.META["REMOTE_ADDR"] = _visitor(peer, sent["HTTP_X_FORWARDED_FOR"], settings.TRUSTED_PROXIES)
            scheme = sent["HTTP_X_FORWARDED_PROTO"].strip().lower()
            if scheme in {"http", "https"}:
                request.META["wsgi.url_scheme"] = request.META["faultline.forwarded_scheme"] = scheme
        return get_response(request)

    return middleware


def is_trusted(peer: Address | None, proxies: Sequence[Network]) -> bool:
    """Tell whether a peer is a proxy that this installation believes; a socket in the file system, which has no address, is."""
    return peer is None or any(peer.version == network.version and peer in network for network in proxies)


def _visitor(peer: Address | None, chain: str, proxies: Sequence[Network]) -> str:
    nearest = peer
    for part in reversed(chain.split(",")):
        hop = _address(part)
        if hop is None:
            break
        nearest = hop
        if not is_trusted(hop, proxies):
            break
    return str(nearest or "")


def _address(text: str) -> Address | None:
    """Read an address as proxies write it, with or without a port or zone. An IPv4 address inside IPv6 is the IPv4 one."""
    text = text.strip().partition("%")[0]
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    with suppress(ValueError):
        address = ip_address(text)
        return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
    return None


def only_https(get_response: View) -> View:
    """Send a browser that came by plain HTTP to the address people use, where that address is HTTPS.

    A request that already names that address is not sent to itself, which a browser would follow until it gives up: it
    came through a proxy that does not say which scheme it was asked by, so the answer says what to set.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if not settings.SERVED_OVER_TLS or request.is_secure() or request.path_info in _ASKED_BY_MACHINES:
            return get_response(request)
        came_by_http = request.META.get("faultline.forwarded_scheme") == "http"
        if came_by_http or request.get_host().lower() != urlsplit(settings.BASE_URL).netloc.lower():
            return HttpResponsePermanentRedirect(settings.BASE_URL + request.get_full_path())
        log.error("scheme_unknown", peer=request.META.get("REMOTE_ADDR"))
        return HttpResponse(render_to_string("needs_https.html", {"address": settings.BASE_URL}), status=400)

    return middleware
