"""What only reports draw.

{% section "Detection" "detection" %} … {% endsection %}
{% count_link row.count row.url %}
{% share_of trends.repeats "none" %}
"""

from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_block_tag
def section(content: str, title: str, name: str = "", **options: Any) -> SafeString:
    """A part of a report with its heading; `name` is its anchor, `level` of the heading (2), `wide` spans a grid."""
    facts = {"level": 2, "content": content, "title": title, "name": name}
    return render_to_string("reports/_section.html", facts | options)


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
    facts = share if isinstance(share, dict) else {name: getattr(share, name) for name in share.__slots__}
    return format_html(
        '<a class="link" href="{url}">{k}</a> of <a class="link" href="{url_of_all}">{n}</a> '
        '<span class="faint small">({low}–{high} %)</span>',
        **facts | {"k": f"{facts['k']:,}", "n": f"{facts['n']:,}"},
    )
