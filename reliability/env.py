"""Typed readers of the environment: a value that cannot be used stops the start with one sentence."""

import re
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from urllib.parse import unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

_read = environ.Env()


def text(name: str, default: str = "") -> str:
    return str(_read.str(name, default=default)).strip()


def flag(name: str, *, default: bool) -> bool:
    """Read 1/0, true/false, yes/no or on/off; unset or empty is `default`."""
    value = text(name).lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} must be 1 or 0, not “{value}”.")


def number(name: str, *, default: int, least: int = 0, most: int | None = None) -> int:
    value = text(name)
    if not value:
        return default
    try:
        chosen = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not “{value}”.") from None
    if chosen < least or (most is not None and chosen > most):
        limit = f"between {least} and {most}" if most is not None else f"at least {least}"
        raise ImproperlyConfigured(f"{name} must be {limit}, not {chosen}.")
    return chosen


def words(name: str, default: str = "") -> list[str]:
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def hosts(name: str) -> list[str]:
    """Read names of hosts, addresses and networks, with commas between. A name is one, not a pattern."""
    given = words(name)
    for word in given:
        if not re.fullmatch(r"[\w.:-]+(/\d+)?", word):
            raise ImproperlyConfigured(
                f"{name} must list hosts and networks such as hooks.example, 10.1.0.0/16; not “{word}”."
            )
    return [word.lower() for word in given]


def networks(name: str, default: str = "") -> list[IPv4Network | IPv6Network]:
    """Read addresses and networks such as 10.0.0.5 and 172.16.0.0/12, with commas between; “none” is none of them."""
    given = words(name, default)
    try:
        return [] if given == ["none"] else [ip_network(word) for word in given]
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name} must list addresses or networks such as 10.0.0.5, 172.16.0.0/12: {error}."
        ) from None


def folder(name: str, default: Path) -> Path:
    value = text(name)
    return (Path(value).expanduser() if value else default).resolve()


def database(name: str) -> dict[str, object] | None:
    """Read a PostgreSQL address into Django's form; None where the variable is unset."""
    address = text(name)
    if not address:
        return None
    if urlsplit(address).scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(f"{name} must begin with postgresql://; Faultline runs on PostgreSQL only.")
    settings = dict(_read.db_url_config(address))
    # A socket's folder stands percent-encoded where a host would be.
    return settings | {"HOST": unquote(settings["HOST"])}


def redis(name: str) -> str:
    """Read a Redis address (redis://, rediss:// or redis+socket://); empty where the variable is unset."""
    address = text(name)
    if address and urlsplit(address).scheme not in {"redis", "rediss", "redis+socket"}:
        raise ImproperlyConfigured(f"{name} must begin with redis://, rediss:// or redis+socket://.")
    return address


def origin(name: str, default: str) -> str:
    """Read an address people use in a browser, such as https://faultline.example, without its last slash."""
    value = text(name, default).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path:
        raise ImproperlyConfigured(f"{name} must look like https://faultline.example, not “{value}”.")
    return value


def mail(name: str) -> dict[str, object]:
    """Read an address such as smtp+tls://user:password@mail.example:587 into Django's email settings."""
    return dict(_read.email_url(name))


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach the host."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def demonstration(name: str, *, hosts: Iterable[str]) -> bool:
    """Read whether to load the demonstration: by default where only this machine can reach all hosts, and never elsewhere.

    The password of its accounts is published. Raises ImproperlyConfigured where it is wanted all the same.
    """
    others = sorted(host for host in hosts if not is_loopback(host))
    wanted = flag(name, default=not others)
    if wanted and others:
        raise ImproperlyConfigured(
            f"{name}=1 loads accounts whose password is published, and others can reach {others[0]}: "
            f"unset {name}, or keep to an address of this machine only."
        )
    return wanted
