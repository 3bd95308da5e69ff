"""What people write, as safe HTML.

Two guards. What the parser would take too long over (see markdown_bounds.py) is shown as it was typed, and says so. And
whatever the parser produces passes a tight allow-list: no style, no classes but ours, no attribute that htmx would act
on, and no picture but the files of incidents, which are drawn anew when they are kept.
"""

import re
from functools import lru_cache

import markdown as python_markdown
import nh3
from django.urls import Resolver404, resolve, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from incidents.web.markdown_bounds import is_too_much

_TAGS = set(
    """
    a abbr blockquote br code dd del details div dl dt em h2 h3 h4 h5 h6 hr img input kbd li ol p pre section strong sub
    summary sup table tbody td th thead tr ul
    """.split()
)
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt"},
    "input": {"type", "checked", "disabled"},
    "li": {"class"},
    "ol": {"start"},
    "td": {"align"},
    "th": {"align"},
    "abbr": {"title"},
}
_PERSON = re.compile(r"(?<![\w/@.])@([a-z0-9][a-z0-9._+-]{0,63}[a-z0-9]|[a-z0-9])(?![\w@])", re.IGNORECASE)
_INCIDENT = re.compile(r"(?<![\w/#-])INC-([1-9][0-9]{0,8})(?![\w-])")


def render(text: str) -> SafeString:
    """Render Markdown; never raises, never takes long, and never leaves anything out."""
    return _render(text.replace("\x00", "�").replace("\x02", "").replace("\x03", ""))


@lru_cache(maxsize=512)
def _render(text: str) -> SafeString:
    if not text.strip():
        return mark_safe("")
    if is_too_much(text):
        return _as_written(text, "This text is too long or too complex to format. It is shown as written.")
    try:
        html = _markdown().convert(text)
    except (ValueError, AssertionError, IndexError, RecursionError):  # its parser trips over some malformed HTML
        return _as_written(text, "This text could not be formatted. It is shown as written.")
    safe = nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener nofollow",
        attribute_filter=_keep,
        strip_comments=True,
    )
    return mark_safe(_link_names(_drop_blank_pictures(_mark_boxes(safe))))  # noqa: S308 - cleaned above; the links added are made of digits


def _as_written(text: str, reason: str) -> SafeString:
    return format_html('<p><em>{}</em></p><pre class="plain">{}</pre>', reason, text)


def _markdown() -> python_markdown.Markdown:
    return python_markdown.Markdown(
        extensions=["tables", "footnotes", "sane_lists", "pymdownx.superfences", "pymdownx.tasklist", "pymdownx.tilde"],
        extension_configs={"tables": {"use_align_attribute": True}, "pymdownx.superfences": {"css_class": ""}},
        output_format="html",
    )


# A scheme behind signs that a browser may one day pass over, as it does with spaces: to nh3 such an address is relative.
_HIDDEN_SCHEME = re.compile(r"(?:[^\x21-\x7e]|%[0-9a-f]{2})+[a-z][a-z0-9+.\-\s]*:", re.IGNORECASE)


def _keep(tag: str, attribute: str, value: str) -> str | None:
    if attribute == "class":
        return value if value == "task-list-item" else None
    if tag == "input" and attribute == "type":
        return value if value == "checkbox" else None
    if tag == "img" and attribute == "src":
        return value if _is_own_picture(value) else None
    if tag == "a" and attribute == "href" and (value.startswith("#") or _HIDDEN_SCHEME.match(value)):
        return None
    return value


def _is_own_picture(address: str) -> bool:
    try:
        return resolve(address).view_name == "attachment"
    except Resolver404:
        return False


def _mark_boxes(html: str) -> str:
    """Write the boxes of a task list as signs: an input that cannot be used needs a label and says nothing."""
    return re.sub(r"<input[^>]*>", lambda box: "☑" if "checked" in box.group() else "☐", html)


def _drop_blank_pictures(html: str) -> str:
    """A picture from elsewhere lost its address; what is left of it is its name."""
    return re.sub(r"<img(?![^>]* src=)(?:[^>]* alt=\"([^\"]*)\")?[^>]*>", lambda picture: picture[1] or "", html)


def _link_names(html: str) -> str:
    """Make INC-12 a link and @mara a name, outside of code and of other links."""
    parts = re.split(r"(<(?:a|code|pre)\b.*?</(?:a|code|pre)>|<[^>]+>)", html, flags=re.DOTALL)
    return "".join(part if part.startswith("<") else _names(part) for part in parts)


def _names(text: str) -> str:
    text = _PERSON.sub(r'<span class="mention">@\1</span>', text)
    return _INCIDENT.sub(lambda named: f'<a href="{reverse("incident", args=[named[1]])}">INC-{named[1]}</a>', text)


def mentioned(text: str) -> set[str]:
    """The handles, in lower case, of whom a text names as @mara; those within code are left out."""
    return {found.lower() for found in _PERSON.findall(re.sub(r"```.*?```|`[^`\n]*`", " ", text, flags=re.DOTALL))}


def incidents_in(text: str) -> set[int]:
    return {int(number) for number in _INCIDENT.findall(text)}


def excerpt(text: str, *, longest: int = 160) -> str:
    """The beginning of a text without its marks, on one line."""
    plain = " ".join(re.sub(r"[#*_`>\[\]|~]+", " ", text).split())
    return plain if len(plain) <= longest else plain[: longest - 1].rsplit(" ", 1)[0] + "…"
