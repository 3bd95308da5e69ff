"""What people wrote, as whoever reads it may see it."""

from typing import Any

from django import template
from django.utils.html import conditional_escape, escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from incidents.postmortems.merge import compare, is_rewritten
from incidents.postmortems.prose import unfurled

register = template.Library()


@register.simple_tag(takes_context=True)
def prose(context: dict[str, Any], text: str) -> SafeString:
    """Render Markdown; `titles` in the context says what the incidents are called that this reader may see."""
    return unfurled(text, context.get("titles") or {})


@register.simple_tag
def difference(was: str, now: str) -> SafeString:
    """What changed from one text to the next, marked for eyes and for screen readers; long calm is cut.

    Where more than half of it changed, the two stand one after the other: words of both in turn are read by nobody.
    """
    words = compare(was, now)
    if is_rewritten(words):
        return format_html(
            '<div class="compare compare--whole"><div><p class="faint small">Before</p><div class="diff"><del>{}</del></div>'
            '</div><div><p class="faint small">Now</p><div class="diff"><ins>{}</ins></div></div></div>',
            was,
            now,
        )
    marked = format_html_join("", "{}", ((_shown(word.how, word.text),) for word in words))
    return format_html('<div class="diff">{}</div>', marked)


def _shown(how: str, text: str) -> SafeString:
    if how:
        return mark_safe(f"<{how}>{escape(text)}</{how}>")  # noqa: S308 - escaped, and `how` is ins or del
    if len(text) > 240:
        text = f"{text[:100]} … {text[-100:]}"
    return conditional_escape(text)


@register.filter
def at(found: dict[Any, Any], key: Any) -> Any:
    """What a mapping holds for a key, or nothing."""
    return found.get(key)


@register.filter
def highlighted(snippet: str) -> SafeString:
    """A snippet of the search, with what was found marked."""
    return mark_safe(escape(snippet).replace("⟦", "<mark>").replace("⟧", "</mark>"))  # noqa: S308 - escaped first
