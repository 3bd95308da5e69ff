"""What people enter to connect a channel, checked: each function returns it as it is stored or raises ValueError."""

import re
from collections.abc import Callable
from fnmatch import fnmatch
from ipaddress import ip_address

from django.conf import settings

from incidents import outgoing

Check = Callable[[str], str]


def address(what: str, *hosts: str, path: str = "") -> Check:
    """An address that may be asked, of one of these hosts; a host in OUTGOING_ALLOW, such as one's own relay, is taken too."""

    def check(text: str) -> str:
        url = text.strip()
        parts = outgoing.checked(url)
        host = parts.hostname or ""
        if hosts and _is_own(host):
            return url
        if hosts and not any(fnmatch(host, pattern) for pattern in hosts):
            raise ValueError(f"This is not an address of {what}: it begins with https://{hosts[0].replace('*', '…')}/.")
        if not re.search(path, parts.path):
            raise ValueError(f"This is not an address of {what}. Copy all of it.")
        return url

    return check


def server(text: str) -> str:
    """The address of a server, without a slash at its end."""
    url = text.strip()
    if outgoing.checked(url).query:
        raise ValueError("Enter the address of the server alone, without a question mark.")
    return url.rstrip("/")


def token(what: str, pattern: str) -> Check:
    def check(text: str) -> str:
        if not re.fullmatch(pattern, text.strip(), re.ASCII):
            raise ValueError(f"This is not {what}. Copy all of it.")
        return text.strip()

    return check


def _is_own(host: str) -> bool:
    """A host that was allowed by name, or one without a name, of which the way out decides."""
    if host in settings.OUTGOING_ALLOW:
        return True
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
