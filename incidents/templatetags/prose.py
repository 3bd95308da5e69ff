"""What people wrote, as whoever reads it may see it."""

from typing import Any

from django import template
from django.utils.html import conditional_escape, escape, format_html_join
from django.utils.safestring import SafeString, mark_safe

from incidents.postmortems.merge import compare
from incidents.postmortems.prose import unfurled

register = template.Library()


@register.simple_tag(takes_context=True)
def prose(context: dict[str, Any], text: str) -> SafeString:
    """Render Markdown; `titles` in the context says what the incidents are called that this reader may see."""
    return unfurled(text, context.get("titles") or {})


@register.simple_tag
def difference(was: str, now: str) -> SafeString:
    """Two texts as one, with what was taken out and put in marked for eyes and for screen readers; long calm is cut."""
    return format_html_join("", "{}", ((_shown(word.how, word.text),) for word in compare(was, now)))


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
