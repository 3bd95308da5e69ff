"""The components of every page, as tags; their HTML is in templates/components/. Built in: templates load nothing.

{% panel "Impact" "impact" action=url action_label="Assess" action_icon="pencil" %} … {% endpanel %}
{% table "Month" "Count|num" %} <tr>…</tr> {% endtable %}
{% menu "Contain" icon="shield-check" id="act-contain" variant="primary" %} … {% endmenu %}
{% command "Decline" "x" id="act-decline" %} <form> … </form> {% endcommand %}
{% empty_state "inbox" "Nothing is firing" %} Alerts arrive from … {% endempty_state %}
{% callout "triangle-alert" tone="warn" %} It is stale. {% endcallout %}
{% row_title url title %} a word beside it {% endrow_title %}
{% post_button url "Acknowledge" icon="check" variant="primary" key="a" %}
{% fact "Severity" "severity" url=change key="s" %} {% severity incident.severity %} {% endfact %}
{% form_errors form %} … {% form_buttons "Save clocks" cancel=url %}
{% tab "Mine" "?show=mine" current=show|is:"mine" count=counts.mine %}
{% more_filters chosen=2 %} <select …> … {% endmore_filters %}
{% slot "incident.actions" incident %}
{% slot_each "incidents.similar" similar as rows %}{% for likeness, outcome in rows %} … {{ outcome }} … {% endfor %}
"""

from typing import Any

from django import template
from django.forms import BaseForm
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from incidents.shell import slots

register = template.Library()


@register.simple_block_tag
def panel(content: str, title: str, name: str, **options: Any) -> SafeString:
    """A titled section with the id `name`.

    `level` of the heading (2), `count` beside it (`of` how many), `tight` (rows close together), and one link at its end:
    `action` (address; none, no link), `action_label`, `action_icon`, `action_key` (keyboard), `action_into` (the selector
    of the element that its page is loaded into). With `fold` it folds, and is folded on a phone, where `value` stands for
    its content. With `line` it is one line: what an empty panel says.
    """
    facts = {"level": 2, "content": content, "title": title, "name": name}
    return render_to_string("components/panel.html", facts | options)


@register.simple_block_tag
def table(content: str, *headings: str, **options: Any) -> SafeString:
    """A table that scrolls sideways on its own. A heading "Count|num" aligns as numbers do; `caption` is read out, not seen.

    `stack` puts the cells of a row below one another on a phone, each after its `data-label`. `dense` keeps rows close; `content` is the rows of its body. `label` lets the keyboard scroll it, where no row has a link.
    """
    columns = [heading.partition("|")[::2] for heading in headings]
    return render_to_string("components/table.html", {"content": content, "columns": columns} | options)


@register.simple_block_tag
def menu(content: str, label: str, **options: Any) -> SafeString:
    """A button that opens a panel. `icon`, `id`, `variant` (primary, quiet), `small`, `icon_only`, `open`, `key`,
    `act` (for the palette)."""
    return render_to_string("components/menu.html", {"content": content, "label": label} | options)


@register.simple_block_tag
def command(content: str, label: str, icon: str, **options: Any) -> SafeString:
    """One command of a menu that asks something first: its form unfolds below it. `id`, `open`."""
    return render_to_string("components/command.html", {"content": content, "label": label, "icon": icon} | options)


@register.simple_block_tag
def empty_state(content: str, icon: str, title: str = "", **options: Any) -> SafeString:
    """What an empty list says: what would fill it. `level` of the heading (2)."""
    facts = {"content": content, "icon": icon, "title": title, "level": 2}
    return render_to_string("components/empty_state.html", facts | options)


@register.simple_block_tag
def callout(content: str, icon: str, **options: Any) -> SafeString:
    """A sentence that stands out, led by its icon. `tone` is "warn"; `blocks` where it holds more than text; `id`."""
    return render_to_string("components/callout.html", {"content": content, "icon": icon} | options)


@register.simple_block_tag
def fact(content: str, label: str, name: str, **options: Any) -> SafeString:
    """One row of facts: its label and what it is. With `url`, a button: the form of that address opens in its place.

    `key` opens it from the keyboard; `see` is a row with a page of its own, linked beside it.
    """
    return render_to_string("components/fact.html", {"content": content, "label": label, "name": name} | options)


@register.simple_block_tag
def row_title(content: str, url: str, title: str) -> SafeString:
    """What a row of a list is: the link that covers the row, and a quiet word beside it (the content, which may be empty)."""
    facts = {"note": SafeString(content.strip()), "url": url, "title": title}
    return render_to_string("components/row_title.html", facts)


@register.simple_tag(takes_context=True)
def post_button(context: dict[str, Any], url: str, label: str, **options: Any) -> SafeString:
    """A form of one button. `icon`, `variant` (primary, quiet, danger), `small`, `key`, `name`, `value`, `push`, `aria_label`."""
    facts = {"url": url, "label": label, "csrf_token": context.get("csrf_token")}
    return render_to_string("components/post_button.html", facts | options)


@register.inclusion_tag("components/form_errors.html")
def form_errors(form: BaseForm) -> dict[str, Any]:
    """What is wrong with a form as a whole; nothing where nothing is."""
    return {"errors": form.non_field_errors()}


@register.inclusion_tag("components/form_buttons.html")
def form_buttons(label: str, **options: Any) -> dict[str, Any]:
    """The end of a form: its button with an `icon`, a way out (`cancel`, an address; `cancel_label`), and a quiet `note`."""
    return {"label": label, "cancel_label": "Cancel"} | options


@register.inclusion_tag("components/tab.html")
def tab(label: str, url: str, current: bool = False, count: int | str | None = None) -> dict[str, Any]:
    """One of several views of a list, with how many it holds."""
    return {"label": label, "url": url, "current": current, "count": count}


@register.simple_block_tag
def more_filters(content: str, chosen: int = 0, name: str = "filters-more") -> SafeString:
    """What narrows a list beyond its words: on a phone folded into one button, which says how many are chosen."""
    return render_to_string("components/more_filters.html", {"content": content, "chosen": chosen, "name": name})


@register.filter(name="is")
def equals(value: object, other: object) -> bool:
    return value == other


@register.simple_tag(takes_context=True)
def slot(context: dict[str, Any], name: str, row: Any) -> SafeString:
    """What upper slices show here; see shell/slots.py."""
    return slots.fill(name, context["request"], row)


@register.simple_tag(takes_context=True)
def slot_each(context: dict[str, Any], name: str, rows: Any) -> list[tuple[Any, SafeString]]:
    """The rows of a list, each with what upper slices show beside it; see shell/slots.py."""
    return slots.fill_each(name, context["request"], rows)
