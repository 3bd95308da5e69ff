"""What only reports draw.

{% part "Detection" "detection" %} … {% endpart %}
{% section "By email" %} … {% endsection %}
{% count_link row.count row.url %}
{% share_of trends.repeats "none" %}
{% how "tile" tile.label tile.how %}
"""

import math
from itertools import repeat
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import slugify

from incidents.reports import wording
from incidents.response.impact import in_short

register = template.Library()


@register.simple_block_tag
def section(content: str, title: str, name: str = "", **options: Any) -> SafeString:
    """A part of a report with its heading; `name` is its anchor, `level` of the heading (2), `wide` spans a grid."""
    facts = {"level": 2, "content": content, "title": title, "name": name}
    return render_to_string("reports/_section.html", facts | options)


@register.simple_block_tag(takes_context=True)
def part(context: Any, content: str, title: str, name: str) -> SafeString:
    """A part of a report that folds. On a phone it is folded, and `name` in reports/_briefs.html stands for it."""
    known = {"trends": context.get("trends"), "learning": context.get("learning")}
    brief = SafeString(" ".join(render_to_string(f"reports/_briefs.html#{name}", known).split()))
    return render_to_string("reports/_part.html", {"content": content, "title": title, "name": name, "brief": brief})


@register.inclusion_tag("reports/_how.html")
def how(group: str, label: str, lines: Any, face: str = "") -> dict[str, Any]:
    """A “?” that opens how one knows what `label` says: n, interval and test, a line each; without lines there is none.

    A label stands once in its `group`. `face` is a word to press instead of the question mark.
    """
    return {"name": slugify(f"{group} {label}")[:100], "label": label, "lines": lines, "face": face}


@register.filter
def beside(sentences: Any, hows: Any) -> list[tuple[str, Any]]:
    """Each sentence with how one knows it; nothing where that was not kept, or a person wrote it."""
    return list(zip(sentences, [*(hows or ()), *repeat((), len(sentences))], strict=False))


@register.filter
def how_of_row(row: Any) -> tuple[str, ...]:
    """How one knows that a line of a breakdown changed; `row` is a document.BreakdownRow, or what one was frozen as."""
    count, before, p = _facts(row, "count", "before", "p")
    test = f"Exact conditional test of two Poisson rates: p = {wording.chance(p)}."
    return f"{count:,} in the period, {before:,} in the one before.", test


@register.filter
def how_of_share(share: Any) -> tuple[str, ...]:
    """The interval of a share; `share` is a document.Share, or what one was frozen as."""
    k, n, low, high = _facts(share, "k", "n", "low", "high")
    return (f"{k:,} of {n:,}; 95 %: {low} to {high} % (Wilson’s interval).",)


def _facts(record: Any, *names: str) -> tuple[Any, ...]:
    if isinstance(record, dict):
        return tuple(record[name] for name in names)
    return tuple(getattr(record, name) for name in names)


register.filter(in_short)


@register.filter
def most_in_cells(rows: Any) -> int:
    """The largest count of a document.Grid’s rows."""
    return max((count for _, cells, _, _ in rows for count, _ in cells), default=0)


@register.filter
def most_of(rows: Any) -> int:
    """The largest of (name, counts) rows."""
    return max((count for _, counts in rows for count in counts), default=0)


@register.filter
def shade(count: int, most: int) -> str:
    """The class of a cell that is the darker the more it counts, in four steps; none for zero."""
    return f"heat heat--{math.ceil(4 * count / most)}" if count and most else ""


@register.simple_tag
def count_link(count: int, url: str, zero: str = "0", variant: str = "") -> SafeString:
    """A count that leads to its rows; zero leads nowhere. `variant` adds a class: link--quiet, cell."""
    if not count:
        return format_html("{}", zero) if zero == "0" else format_html('<span class="faint">{}</span>', zero)
    if not url:
        return format_html("{}", f"{count:,}")
    style = f"link {variant}".strip()
    return format_html('<a class="{}" href="{}">{}</a>', style, url, f"{count:,}")


@register.simple_tag
def share_of(share: Any, none: str = "none") -> SafeString:
    """k of n with its interval, each of them a link to its rows; `share` is a document.Share, or what one was frozen as."""
    if not share:
        return format_html('<span class="faint">{}</span>', none)
    names = ("k", "n", "low", "high", "url", "url_of_all")
    facts = dict(zip(names, _facts(share, *names), strict=True))
    return format_html(
        '<a class="link" href="{url}">{k}</a> of <a class="link" href="{url_of_all}">{n}</a> '
        '<span class="faint small">({low}–{high} %)</span>',
        **facts | {"k": f"{facts['k']:,}", "n": f"{facts['n']:,}"},
    )
