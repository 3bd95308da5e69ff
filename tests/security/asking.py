"""Asking every address as everybody: which there are, how an answer reads, and whether two answers are the same."""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pypdfium2
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import get_resolver
from django.urls.resolvers import URLPattern, URLResolver

ANSWERED_WITHOUT_PAGES = ("ingest", "v2/", "^v2/")  # endpoints of monitors: they only take
QUERIES = {  # what narrows a list, so that a count of none or one would tell
    "incidents/": ("?status=all", "?status=all&q={word}", "?status=all&q=INC-{number}", "?status=all&private=1"),
    "incidents/alike/": ("?title={word}", "?system=support-assistant&title={word}"),
    "alerts/": ("?show=all", "?show=all&q={word}", "?incident={number}", "?show=unsettled", "?show=all&q=INC-{number}"),
    "deliveries/": ("?q={word}", "?source=quality-monitors", "?status=processed"),
    "postmortems/": ("?show=all", "?show=all&q={word}", "?show=all&q=INC-{number}"),
    "postmortems/people/": ("?q=m", "?words=m", "?q={word}"),
    "systems/<slug:slug>/cases/": ("?q={word}", "?q=case-{number}", "?show=worse", "?show=retired&tag={word}"),
    "api/^v1/systems/(?P<slug>[-a-zA-Z0-9_]{1,50})/evaluation-cases/?$": ("?format=pytest", "?tags={word}"),
    "follow-ups/": ("?show=all", "?show=all&q={word}", "?show=all&owner=jo"),
    "palette/": ("?q={word}", "?q=INC-{number}", "?q={number}", "?q=deliver"),
    "reports/": ("?months=3", "?months=3&by=system", "?months=3&team=assistants"),
    "reports/report.pdf": ("?months=3",),
    "status/": ("?show=all",),
    "silences/new/": ("?matchers=alertname%3D{word}", "?alert={alert}", "?alerts={alert}"),
    "incidents/new/": ("?alert={alert}", "?from={number}", "?title={word}"),
    "sources/<slug:slug>/map/": ("?delivery={delivery}",),
    "admin/incidents/change/": ("?q={word}",),
    "api/v1/^incidents/$": ("?status=all", "?search={word}", "?q={word}"),
    "api/v1/^alerts/$": ("?incident={number}", "?q={word}"),
    "api/v1/^deliveries/$": ("?source=quality-monitors",),
    "api/v1/^follow-ups/$": ("?incident={number}",),
    "api/v1/^postmortems/$": ("?incident={number}", "?q={word}"),
    "api/^v1/reports/trends/?$": ("?months=3",),
}


def routes() -> list[str]:
    """Every address that is routed, as its pattern is written."""

    def walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[str]:
        for pattern in patterns:
            path = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, path)
            else:
                yield path

    return list(dict.fromkeys(walk(get_resolver().url_patterns, "")))


def parameters(route: str) -> list[str]:
    return re.findall(r"<(?:\w+:)?(\w+)>", route)


def filled(route: str, values: dict[str, Any]) -> str:
    """An address of a route: `values` by the names of its parameters."""
    path = re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", r"<\1>", route)
    path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(values[found[1]]), path)
    return "/" + path.replace("^", "").replace("$", "").replace("/?", "/").replace("\\Z", "")


def text_of(answer: HttpResponseBase) -> str:
    """Everything that an answer tells: its headers and its body, of PDF files and archives what is in them."""
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
    headers = "\n".join(f"{name}: {value}" for name, value in answer.items())
    cookies = "\n".join(morsel.value for name, morsel in answer.cookies.items() if name == "messages")
    return f"{headers}\n{cookies}\n{_read(body)}"


def _read(body: bytes) -> str:
    if body.startswith(b"%PDF"):
        pages = [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(body)]
        return "\n".join([*pages, *_streams(body)])
    if body.startswith(b"PK\x03\x04"):
        archive = zipfile.ZipFile(io.BytesIO(body))
        return "\n".join(f"{name}\n{_read(archive.read(name))}" for name in archive.namelist())
    return body.decode("utf-8", "replace")


def _streams(pdf: bytes) -> Iterator[str]:
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        try:
            yield zlib.decompress(stream).decode("latin-1")
        except zlib.error:
            continue


# What differs between two answers to the same question and tells nothing: tokens against forgery, nonces, request ids.
_NOISE = re.compile(
    r'name="csrfmiddlewaretoken" value="[^"]*"|"X-CSRFToken": ?"[^"]*"|&quot;X-CSRFToken&quot;: ?&quot;[^&]*&quot;'
    r'|"csrf": "\w+"|nonce-[\w+/=-]+|nonce="[^"]*"|X-Request-ID: .*|Content-Length: \d+|ETag: .*'
    r'|data-push-key="[^"]*"|\d+ events? waited'
    r"|sessionid=[^;]*|csrftoken=[^;]*|/(?:CreationDate|ModDate|ID) ?[(\[].*"
    # That a merge was undone is said, and not of which.
    r"|Linked to INC-2 by Mara Okafor\.|Moved back to INC-2 when a merge was undone\."
)


def plain(text: str) -> str:
    """An answer without what differs each time."""
    return _NOISE.sub("", text)


def first_difference(one: str, other: str) -> str:
    """The first lines in which two answers differ."""
    for line, (left, right) in enumerate(zip(one.splitlines(), other.splitlines(), strict=False), start=1):
        if left != right:
            return f"line {line}: {left.strip()[:300]!r} became {right.strip()[:300]!r}"
    return f"{len(one.splitlines())} lines became {len(other.splitlines())}"


@contextmanager
def undone() -> Iterator[None]:
    """Take back what was written in the database meanwhile."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@dataclass
class Asker:
    """Somebody who asks: a person in a browser, nobody at all, or a script with a key."""

    name: str
    client: Client
    key: dict[str, str] | None = None
    asked: int = 0
    part: bool = False  # asks as a page does that is open already, and is answered with a part of it

    def may_ask(self, path: str) -> bool:
        if path.partition("?")[0].endswith(("/pdf/", ".pdf")):  # half a second each, and made of what /print/ shows
            return self.name == "jo"
        return self.key is None or path.startswith("/api/")

    def get(self, path: str) -> Any:
        with undone():  # that somebody read it is counted, and would be read in the next answer
            return self._ask("get", path)

    def send(self, method: str, path: str, data: dict[str, Any]) -> Any:
        """Ask for a change, as a form does with its token, or as a script with JSON."""
        if self.key is not None:
            return self._ask(method, path, data, content_type="application/json")
        self.client.cookies["csrftoken"] = "c" * 32
        return self._ask(method, path, data, headers={"X-CSRFToken": "c" * 32})

    def _ask(self, method: str, path: str, *data: Any, headers: dict[str, str] | None = None, **options: Any) -> Any:
        self.asked += 1
        sent = (headers or {}) | (self.key or {}) | ({"HX-Request": "true"} if self.part else {})
        answer = getattr(self.client, method)(path, *data, headers=sent, **options)
        self.client.cookies.pop("messages", None)  # a message would be shown on the next page
        return answer
