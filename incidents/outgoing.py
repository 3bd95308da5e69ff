"""The one way out: every request that Faultline makes to another host goes through here.

An address may come from a message or from somebody's form, and this process stands inside the network. So a host is resolved
once, every address it has must be a public one, and the connection goes to the address that was checked: a name that resolves
to something else a moment later changes nothing. Redirects are not followed, and nothing is read beyond a bound.
"""

import http.client
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], list[str]]

SECONDS = 5.0
MOST = 65_536
LONGEST = 2048
_PORTS = {443, 8443}
# Public addresses that answer from inside the machine's own network: Azure's metadata, and IPv6 forms of IPv4 addresses
# whose gateways a network may run itself. (6to4, Teredo, NAT64.)
_NOT_PUBLIC = [ip_network(text) for text in ("168.63.129.16/32", "2002::/16", "2001::/32", "fec0::/10")]
_NAT64 = IPv6Network("64:ff9b::/96")


class Blocked(ValueError):
    """The address must not be asked; the message says why."""


class Unreachable(Exception):
    """The host could not be asked or did not answer in time; the same may work later."""


@dataclass(frozen=True)
class Answer:
    """What a host answered: a status of any kind, redirects included, and at most as many bytes as were allowed."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def send(
    method: str,
    url: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
    most: int = MOST,
    resolve: Resolve | None = None,
) -> Answer:
    """Ask a host once, within `seconds` after its name is resolved, and read at most `most` bytes of its answer.

    Raises Blocked where the address is not a public one (or one of OUTGOING_ALLOW), Unreachable where nobody answers, and
    ValueError for a header that would break the request. It is not tried again: a row remembers what is still to be sent.
    """
    parts = checked(url)
    addresses = _addresses(parts, resolve or _resolve)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    always = {"Host": _netloc(parts), "User-Agent": "Faultline", "Accept-Encoding": "identity", "Connection": "close"}
    try:
        with _connected(addresses, _port(parts), seconds) as plain:
            connection = http.client.HTTPConnection(parts.hostname or "")
            connection.sock = _secured(plain, parts)
            connection.request(method, path, body=body, headers=always | dict(headers or {}))
            answer = _read(connection.getresponse(), most)
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(f"{parts.hostname} did not answer: {_reason(error)}.") from None
    return answer


def checked(url: str) -> SplitResult:
    """Read an address that may be asked, as far as its text can tell. Raises Blocked."""
    if len(url) > LONGEST:
        raise Blocked(f"The address is longer than {LONGEST} characters.")
    if not url.isascii() or any(character <= " " or character in '\\"<>^`{|}\x7f' for character in url):
        raise Blocked(
            "The address holds a character that no address has. Write it percent-encoded, and a host in its ASCII form."
        )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", _port(parts)
    except ValueError:
        raise Blocked("This is not an address.") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise Blocked("The address must begin with https:// and name a host.")
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise Blocked("The address must not hold a name or a password.")
    if not _is_allowed_name(host) and not _allowed_networks() and (parts.scheme, port in _PORTS) != ("https", True):
        raise Blocked(f"Only https:// on port 443 or 8443 is allowed, unless {host} is in OUTGOING_ALLOW.")
    return parts


def is_public(address: Address) -> bool:
    """Tell whether an address belongs to a host on the open Internet, whatever form it is written in."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return is_public(address.ipv4_mapped)
        if address in _NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    blocked = any(address.version == network.version and address in network for network in _NOT_PUBLIC)
    return address.is_global and not address.is_multicast and not blocked


def _addresses(parts: SplitResult, resolve: Resolve) -> list[Address]:
    """Resolve the host, once. One address that is not allowed blocks them all: which one is asked is left to chance."""
    host, port = parts.hostname or "", _port(parts)
    try:
        addresses = [ip_address(text.partition("%")[0]) for text in dict.fromkeys(resolve(host, port))]
    except (OSError, ValueError, UnicodeError):
        raise Unreachable(f"{host} cannot be found.") from None
    if not addresses:
        raise Unreachable(f"{host} cannot be found.")
    if _is_allowed_name(host) or all(map(_is_in_allowed_network, addresses)):
        return addresses
    if not all(map(is_public, addresses)):
        raise Blocked(f"{host} is not on the Internet. Add it to OUTGOING_ALLOW if Faultline may ask it.")
    if parts.scheme != "https" or port not in _PORTS:
        raise Blocked(f"Only https:// on port 443 or 8443 is allowed, unless {host} is in OUTGOING_ALLOW.")
    return addresses


def _resolve(host: str, port: int) -> list[str]:
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _is_allowed_name(host: str) -> bool:
    return host in settings.OUTGOING_ALLOW


def _allowed_networks() -> list[IPv4Network | IPv6Network]:
    networks = []
    for entry in settings.OUTGOING_ALLOW:
        with suppress(ValueError):  # a name
            networks.append(ip_network(entry))
    return networks


def _is_in_allowed_network(address: Address) -> bool:
    plain = (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
    return any(plain.version == network.version and plain in network for network in _allowed_networks())


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _netloc(parts: SplitResult) -> str:
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{host}:{parts.port}" if parts.port else f"{host}"


@contextmanager
def _connected(addresses: list[Address], port: int, seconds: float) -> Iterator[socket.socket]:
    """Connect to the first address that answers; after `seconds` the connection ends, whatever it is doing.

    A time-out of the socket starts anew with each byte, so a host that sends one now and then would hold us for ever.
    """
    plain = _first_that_answers(addresses, port, seconds)
    line = socket.socket(fileno=os.dup(plain.fileno()))  # TLS takes the socket itself away
    too_late = threading.Event()

    def cut() -> None:
        too_late.set()
        _hang_up(line)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield plain
    except (OSError, http.client.HTTPException):
        if not too_late.is_set():
            raise
    finally:
        timer.cancel()
        _hang_up(line)
        line.close()
        plain.close()
    if too_late.is_set():  # what was read may end anywhere
        raise TimeoutError


def _first_that_answers(addresses: list[Address], port: int, seconds: float) -> socket.socket:
    trouble: OSError = TimeoutError()
    for address in addresses:
        try:
            return socket.create_connection((str(address), port), timeout=seconds / len(addresses))
        except OSError as error:
            trouble = error
    raise trouble


def _hang_up(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)


def _secured(plain: socket.socket, parts: SplitResult) -> socket.socket:
    """Speak TLS where the address says so: the host proves its name by its certificate, whatever its address."""
    if parts.scheme == "http":
        return plain
    return ssl.create_default_context().wrap_socket(plain, server_hostname=parts.hostname)


def _read(answer: http.client.HTTPResponse, most: int) -> Answer:
    body = answer.read(most)
    if len(body) < most and answer.length:  # it hung up before it had sent what it promised
        raise http.client.IncompleteRead(body, answer.length)
    return Answer(answer.status, body, {name.lower(): value for name, value in answer.getheaders()})


def _reason(error: OSError | http.client.HTTPException) -> str:
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, http.client.RemoteDisconnected | http.client.IncompleteRead):
        return "it hung up"
    if isinstance(error, ssl.SSLError):
        return f"its certificate or TLS is wrong ({error.reason or 'unknown'})"
    if isinstance(error, OSError):
        return (error.strerror or type(error).__name__).lower()
    return "what it sent is not HTTP"
