"""What only reports draw."""

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


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
