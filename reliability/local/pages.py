"""Asking the web process from outside: whether its port is free, whether it answers, and what it lacks."""

import errno
import http.client
import json
import socket

from django.conf import settings

from reliability.local import CannotStart


def refuse_taken_port() -> None:
    host, port = settings.HOST, settings.PORT
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
            trial.listen()
    except (socket.gaierror, UnicodeError):
        raise CannotStart(f"HOST must be an address of this machine, not “{host}”.") from None
    except PermissionError:
        raise CannotStart(f"Port {port} is for administrators; choose another, such as PORT=8000.") from None
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:
            raise CannotStart(f"HOST must be an address of this machine, not “{host}”.") from None
        raise CannotStart(
            f"Port {port} on {host} cannot be used ({(error.strerror or '').lower()}); "
            f"choose another, such as PORT={port + 1 if port < 65535 else 8000}."
        ) from None


def ask(path: str) -> tuple[int, bytes]:
    """Ask the web process over loopback, past any proxy; 0 where it does not answer."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.HOST, settings.HOST)  # noqa: S104
    caller = http.client.HTTPConnection(host, settings.PORT, timeout=5)
    try:
        caller.request("GET", path, headers={"Host": f"{settings.ALLOWED_HOSTS[0].lstrip('.*') or 'localhost'}"})
        answer = caller.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        caller.close()


def reasons() -> str:
    try:
        return " ".join(json.loads(ask("/readyz")[1])["reasons"])
    except (ValueError, KeyError):
        return "/readyz does not say why."
