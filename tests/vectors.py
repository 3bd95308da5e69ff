"""1,500 ways to make a script of what people and monitors write, and a demonstration that has one in every text."""

from collections.abc import Iterator
from itertools import cycle, product
from typing import Any

import pgtrigger
from django.apps import apps
from django.core.management import call_command
from django.db import DatabaseError, models, transaction

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


def write_everywhere() -> int:
    """Load the demonstration, and write one of them into every text of every row that may hold any; returns how many."""
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
