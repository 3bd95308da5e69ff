"""What people and monitors wrote is text: 1,500 ways to make it a script, in every field that is shown."""

from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import cycle, product
from typing import Any

import pgtrigger
import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import DatabaseError, models, transaction
from django.test import Client

from incidents.people.models import User
from incidents.web.markdown import render
from tests.crawler import crawl
from tests.tools import reported

RUN = "globalThis.ran=1"
HANDLERS = (
    "onerror",
    "onload",
    "ONCLICK",
    "onmouseover",
    "onfocus",
    "ontoggle",
    "onbegin",
    "onanimationend",
    "onpointerenter",
)
TAGS = (
    "<img src=x {}>",
    "<svg {}></svg>",
    "<svg><animate {} attributeName=x dur=1s></svg>",
    "<math><mtext {}>x</mtext></math>",
    "<details open {}>x</details>",
    "<input autofocus {}>",
    "<video src=x {}></video>",
    "<body {}>",
    "<a href=x {}>x</a>",
    "<p style='animation:x' {}>x</p>",
    "<iframe {}></iframe>",
    "<x/{} tabindex=1>",
)
SCHEMES = (
    f"javascript:{RUN}",
    f"JaVaScRiPt:{RUN}",
    f"java\tscript:{RUN}",
    f"java\nscript:{RUN}",
    f"\x01javascript:{RUN}",
    f"\u2028javascript:{RUN}",
    f"\u00a0javascript:{RUN}",
    f"\u1680javascript:{RUN}",
    f"&#106;avascript:{RUN}",
    f"&#x6A;avascript&colon;{RUN}",
    f"vbscript:{RUN}",
    f"data:text/html,<script>{RUN}</script>",
    "data:text/html;base64,PHNjcmlwdD5nbG9iYWxUaGlzLnJhbj0xPC9zY3JpcHQ+",
    f"javascript://x.example/%0A{RUN}",
)
LINKS = (
    "[x]({})",
    "[x](<{}>)",
    "![x]({})",
    "<{}>",
    "[x]: {}\n\n[x]",
    "<a href='{}'>x</a>",
    "<form action='{}'><button>x</button></form>",
    "<button formaction='{}'>x</button>",
    "<iframe src='{}'></iframe>",
    "<object data='{}'></object>",
    "<embed src='{}'>",
    "<base href='{}'>",
    "<meta http-equiv=refresh content='0;url={}'>",
    "<link rel=stylesheet href='{}'>",
    "<svg><a xlink:href='{}'><text y=9>x</text></a></svg>",
    "<math href='{}'>x</math>",
)
BARE = (
    f"<script>{RUN}</script>",
    f"<ScRiPt/x>{RUN}</sCrIpT >",
    f"<scr<script>ipt>{RUN}</scr</script>ipt>",
    f"<style>@import 'javascript:{RUN}';</style>",
    f"<noscript><p title='</noscript><img src=x onerror={RUN}>'>",
    f"<template><script>{RUN}</script></template>",
    f"<svg><style><img src=x onerror={RUN}></style></svg>",
    f"<math><mi><mglyph><style><!--</style><img title='--&gt;&lt;img src=x onerror={RUN}&gt;'>",
    f"{{{{constructor.constructor('{RUN}')()}}}}",
    f"${{{RUN}}}",
    f"%3Cscript%3E{RUN}%3C/script%3E",
    f"\\u003cscript\\u003e{RUN}\\u003c/script\\u003e",
    f"+ADw-script+AD4-{RUN}+ADw-/script+AD4-",
)
OUT_OF = (
    "{}",
    "'>{}",
    '">{}',
    "</textarea>{}",
    "</title>{}",
    "</script>{}",
    "-->{}",
    "]]>{}",
    "`x`{}",
    "&lt;{}",
    "<x {}",
)


def _vectors() -> Iterator[str]:
    for tag, handler in product(TAGS, HANDLERS):
        for way in OUT_OF:
            yield way.format(tag.format(f"{handler}={RUN}"))
    for link, scheme in product(LINKS, SCHEMES):
        yield link.format(scheme)
    for bare, way in product(BARE, OUT_OF):
        yield way.format(bare)


VECTORS = list(dict.fromkeys(_vectors()))


class Dangerous(HTMLParser):
    """What of a page could run, or lead to where something runs."""

    ADDRESSES = frozenset(
        {"href", "src", "action", "formaction", "xlink:href", "data", "hx-get", "hx-post", "poster", "srcset"}
    )
    NEVER = frozenset(
        {"iframe", "object", "embed", "base", "applet", "frame", "frameset", "math", "style", "template", "noscript"}
    )

    def __init__(self, html: str, *, ours: bool) -> None:
        super().__init__()
        self.found: list[str] = []
        self._ours = ours  # a whole page of ours has scripts and metadata, what Markdown became has none
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name.lower(): value or "" for name, value in attrs}
        if tag in self.NEVER or (tag == "meta" and "http-equiv" in given):
            self.found.append(f"<{tag}>")
        if tag in {"script", "link"} and not (self._ours and self._is_ours(given)):
            self.found.append(f"<{tag} {given}>")
        for name, value in given.items():
            if name.startswith("on") or name == "srcdoc" or name == "style":
                self.found.append(f"<{tag} {name}={value[:60]!r}>")
            if name in self.ADDRESSES and _runs(value):
                self.found.append(f"<{tag} {name}={value[:60]!r}>")

    @staticmethod
    def _is_ours(given: dict[str, str]) -> bool:
        return (given.get("src") or given.get("href") or "/static/").startswith(
            ("/static/", "/admin/jsi18n/", "/incidents/", "/postmortems/", "/public/")
        )


def _runs(address: str) -> bool:
    """As browsers read it, and a little worse: what is blank in any script does not stand in front of a scheme."""
    plain = address.translate(dict.fromkeys(map(ord, "\t\n\r")))
    while plain and (plain[0] <= " " or plain[0].isspace()):
        plain = plain[1:]
    return plain.lower().startswith(("javascript:", "vbscript:", "data:text", "data:application", "data:image/svg"))


def test_there_are_enough_of_them() -> None:
    assert len(VECTORS) >= 1500
    assert Dangerous(f"<img src=x onerror={RUN}>", ours=False).found
    assert Dangerous(f"<a href='\u2028javascript:{RUN}'>", ours=False).found
    assert not Dangerous("<a href='/incidents/1/'>x</a>", ours=False).found


def test_markdown_makes_nothing_of_them_that_runs() -> None:
    wrong = {vector: found for vector in VECTORS if (found := Dangerous(str(render(vector)), ours=False).found)}
    assert not wrong, list(wrong.items())[:5]


@pytest.fixture
def written_on(db: None) -> int:
    """The demonstration, with one of them in every text of every row that may hold any."""
    call_command("load_demo")
    ways = cycle(VECTORS)
    written = 0
    with pgtrigger.ignore():
        for model in apps.get_app_config("incidents").get_models():
            names = [column.name for column in model._meta.get_fields() if _takes_any_text(column)]
            for name in names:
                written += _write(model, name, ways)
    return written


def _takes_any_text(column: Any) -> bool:
    kinds = (models.CharField, models.TextField)
    own = (
        "slug",
        "digest",
        "code",
        "key",
        "fingerprint",
        "kind",
        "status",
        "zone",
        "currency",
        "identity",
        "identifier",
        "matchers",
        "mode",
        "category",
        "action",
    )
    return (
        isinstance(column, kinds)
        and not isinstance(column, models.SlugField | models.EmailField)
        and not column.choices
        and not column.unique
        and not any(word in column.name for word in own)
    )


def _write(model: type[models.Model], name: str, ways: Iterator[str]) -> int:
    longest = getattr(model._meta.get_field(name), "max_length", None) or 10_000
    rows = list(model._default_manager.exclude(**{name: ""})[:400])
    for row in rows:
        setattr(row, name, next(ways)[:longest])
    try:
        with transaction.atomic():
            model._default_manager.bulk_update(rows, [name], batch_size=100)
    except DatabaseError:  # a constraint says what it may hold
        return 0
    return len(rows)


def test_no_page_makes_anything_of_them_that_runs(written_on: int) -> None:
    assert written_on > len(VECTORS)
    browser = Client(raise_request_exception=False)
    browser.force_login(User.objects.get(email="ada@example.com"))
    wrong, pages, shown_on = {}, 0, 0
    for page in crawl(browser):
        pages += 1
        shown_on += "globalThis" in page.html
        if found := Dangerous(page.html, ours=True).found:
            wrong[page.url] = found[:3]
    reported.append(
        f"scripts in texts: {len(VECTORS)} vectors in {written_on} texts, shown on {shown_on} of {pages} pages"
    )
    assert not wrong, list(wrong.items())[:10]
    assert shown_on > 40
