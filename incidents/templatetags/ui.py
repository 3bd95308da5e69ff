"""The atoms of every page. Built in, so templates use them without loading anything."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from typing import Any

from django import template
from django.forms import BoundField
from django.http import QueryDict
from django.templatetags.static import static
from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.html import format_html
from django.utils.safestring import SafeString

from incidents import taxonomy
from incidents.alerts.models import Alert, AlertSeverity
from incidents.alerts.rules import RoutingRule
from incidents.people.models import User
from incidents.response.impact import in_words
from incidents.response.vocabulary import CLOCKS
from incidents.web.durations import span
from incidents.web.markdown import render
from incidents.web.zones import in_own_zone

register = template.Library()

_CATEGORY_ICONS = {
    "drift": "trending-down",
    "retrieval": "search-x",
    "feedback_loop": "repeat",
    "agent_action": "bot",
    "data_quality": "database",
    "model_release": "rocket",
    "output_safety": "shield-alert",
}


@cache
def _sprite() -> str:
    return static("icons.svg")


@register.simple_tag
@cache
def icon(name: str) -> SafeString:
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>', _sprite(), name)


@register.simple_tag
@cache
def severity(value: str) -> SafeString:
    """The badge of sev1 … sev4 or unknown: word, shade and, where unknown, a dashed outline."""
    if value == "unknown":
        return SafeString('<span class="sev sev--unknown" title="Severity not set yet">SEV?</span>')
    return format_html('<span class="sev sev--{}">SEV{}</span>', value[-1], value[-1])


_ALERT_SHADES = {"critical": "1", "high": "2", "medium": "3", "low": "4"}


@register.simple_tag
def alert_severity(alert: Alert) -> SafeString:
    """How bad an alert is, in its word; on hover what its monitor said, where a rule made something else of it."""
    return _alert_severity(alert.severity, alert.claimed_severity or alert.severity)


@cache
def _alert_severity(value: str, claimed: str) -> SafeString:
    word, shade = AlertSeverity(value).label, _ALERT_SHADES.get(value, "none")
    if claimed == value:
        return format_html('<span class="sev sev--{}">{}</span>', shade, word)
    title = f"Its monitor says {AlertSeverity(claimed).label.lower()}; a rule set it."
    return format_html('<span class="sev sev--{}" title="{}">{}</span>', shade, title, word)


@register.simple_tag
@cache
def category(code: str) -> SafeString:
    name = taxonomy.category(code).name
    drawing = icon(_CATEGORY_ICONS.get(code, "circle-question-mark"))
    return format_html('<span class="cat cat--{}">{}{}</span>', code or "none", drawing, name)


@register.simple_tag
def failure_mode(code: str) -> str:
    return taxonomy.failure_mode(code).name if code else ""


@register.simple_tag
@cache
def status(value: str, label: str) -> SafeString:
    return format_html('<span class="phase phase--{}">{}</span>', value, label)


@register.simple_tag
def when(moment: datetime | None, age: bool = True) -> SafeString:
    """A moment in the reader's zone with how long ago it was, unless without `age`; the exact UTC time on hover."""
    if moment is None:
        return SafeString('<span class="faint">unknown</span>')
    local = in_own_zone(moment)
    this_year = local.year == timezone.localtime().year
    shown = format_date(local, "D j M, H:i T" if this_year else "j M Y, H:i T")
    if not age:
        return format_html('<time datetime="{0}" title="{0}">{1}</time>', _iso(moment), shown)
    html = '<time datetime="{0}" title="{0}">{1} <span class="faint">({2})</span></time>'
    return format_html(html, _iso(moment), shown, _ago(moment))


@register.simple_tag
def from_to(start: datetime, end: datetime) -> SafeString:
    """From when until when, in the reader's zone: the days of the week and the times; the exact UTC times on hover."""
    html = '<time datetime="{0}" title="{0}">{1}</time> – <time datetime="{2}" title="{2}">{3}</time>'
    first, last = (format_date(in_own_zone(moment), "D j M, H:i") for moment in (start, end))
    return format_html(html, _iso(start), first, _iso(end), last)


@register.simple_tag
def clock_time(moment: datetime) -> SafeString:
    """A moment in a timeline: the time, with the day where it is not today."""
    local = in_own_zone(moment)
    today = local.date() == timezone.localdate()
    shown = format_date(local, "H:i" if today else "j M, H:i")
    return format_html('<time datetime="{0}" title="{0}">{1}</time>', _iso(moment), shown)


@register.filter
def clocks(changes: dict[str, str | None]) -> list[tuple[str, datetime | None]]:
    """The clocks that an Event says were set, each with its label in lower case and its moment; None is unknown."""
    labels = CLOCKS | {"impact_started_until": "impact started at the latest"}
    return [
        (label.lower(), datetime.fromisoformat(text) if (text := changes[name]) else None)
        for name, label in labels.items()
        if name in changes
    ]


@register.simple_tag
def late(moment: datetime) -> SafeString:
    """How long something has been owed, kept fresh by static/js/ages.js; the exact time on hover."""
    passed = timezone.now() - moment
    words = "due now" if passed < timedelta(minutes=1) else f"{_rough(passed)} late"
    exact = timezone.localtime(moment).strftime("%a %-d %b %Y, %H:%M %Z")
    return format_html('<time data-late datetime="{}" title="Due {}">{}</time>', _iso(moment), exact, words)


@register.simple_tag
def ago(moment: datetime | None) -> SafeString:
    """How long ago, kept fresh by static/js/ages.js; the exact time on hover."""
    if moment is None:
        return SafeString('<span class="faint">never</span>')
    exact = in_own_zone(moment).strftime("%a %-d %b %Y, %H:%M:%S %Z")
    return format_html('<time data-ago datetime="{}" title="{}">{}</time>', _iso(moment), exact, _ago(moment))


@register.simple_tag
def runs(moment: datetime) -> SafeString:
    """A timer: how long it has been, in hours, minutes and seconds, kept running by static/js/ages.js."""
    seconds = max(int((timezone.now() - moment).total_seconds()), 0)
    shown = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}" if seconds < 4 * 86400 else span(seconds)
    return format_html('<time class="num" data-runs datetime="{}">{}</time>', _iso(moment), shown)


@register.filter
def counted(number: int, noun: str) -> str:
    """A count with its noun: 1 comment, 12,400 comments. A plural that is not with s comes after a comma: "match,matches"."""
    one, _, many = noun.partition(",")
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


@register.filter
def commas(number: int | None) -> str:
    """A count, readable: 12,400. Nothing where it is unknown."""
    return "" if number is None else f"{number:,}"


@register.filter
def quantity(parts: int, unit: str) -> str:
    """A number of the smallest parts of a unit, readable: 12,400, or 1,200.50 EUR."""
    return in_words(parts, unit)


register.filter(span)


_FLAGS = {
    "no_identity": "identified by its title",
    "start_inferred": "start time not sent",
    "end_inferred": "end time not sent",
    "end_before_start": "end was before start",
    "time_zone_assumed": "no time zone, UTC assumed",
    "severity_defaulted": "severity not recognised",
    "status_unknown": "status not recognised",
    "resolved_unseen": "resolved before it was received",
    "unexpanded_template": "contains an unfilled template variable",
    "value_not_finite": "value is not a finite number",
    "replaced_characters": "text was not UTF-8",
    "truncated_group": "group was truncated by the sender",
    "contradictory_status": "group and alert disagree",
    "expired": "did not repeat in time",
    "end_vanished": "ended because its data stopped, not because it recovered",
}


@register.simple_tag
def flag(code: str) -> str:
    """What was put right in reading an alert, in words."""
    return _FLAGS.get(code, code.replace("_", " "))


@register.simple_tag
def fact_name(code: str) -> str:
    """Name a fact such as `prompt_version` in words."""
    return code.replace("_", " ").capitalize()


@register.simple_tag
def condition(code: str) -> str:
    """What a statement of a monitor is about, in words."""
    return "test" if code == "test" else str(Alert.Condition(code).label).lower()


@register.simple_tag
def drops(counts: dict[str, int], rule: RoutingRule) -> int | str:
    """How many alerts a rule dropped; a dash where it drops none by what it says."""
    return counts.get(rule.name, 0) if rule.act == "drop" or rule.name in counts else "–"


@register.simple_tag
def avatar(user: User | None) -> SafeString:
    if user is None:
        return SafeString(
            '<span class="avatar avatar--none" title="Nobody yet" role="img" aria-label="Nobody yet">–</span>'
        )
    return _face(str(user), user.initials)


@lru_cache(maxsize=1000)
def _face(name: str, initials: str) -> SafeString:
    return format_html('<span class="avatar" title="{0}" role="img" aria-label="{0}">{1}</span>', name, initials)


@register.simple_tag
def person(user: User | None) -> SafeString:
    if user is None:
        return SafeString('<span class="faint">nobody yet</span>')
    return format_html(
        '<span class="person"><span class="avatar" aria-hidden="true">{}</span>{}</span>', user.initials, str(user)
    )


@register.simple_tag
def due(day: date | None, is_open: bool = True) -> SafeString:
    """A due date; late is said in words, not by colour."""
    if day is None:
        return SafeString('<span class="faint small">no due date</span>')
    days = (day - timezone.localdate()).days
    text = format_date(day, "j M Y" if day.year != timezone.localdate().year else "j M")
    if is_open and days < 0:
        return format_html('<span class="chip chip--late">{} d late · {}</span>', -days, text)
    if is_open and days <= 2:
        return format_html('<span class="chip chip--warn">due {}</span>', "today" if days == 0 else text)
    return format_html('<span class="chip">{}{}</span>', "due " if is_open else "", text)


@register.filter
def pairs(table: Mapping[Any, Any]) -> list[tuple[Any, Any]]:
    """The keys and values of a table. A template's own `table.items` is the entry “items”, where it has one."""
    return list(table.items())


@register.filter
def words(text: str) -> list[str]:
    return text.split()


@register.filter
def markdown(text: str) -> SafeString:
    return render(text)


@register.simple_tag(takes_context=True)
def query(context: dict[str, Any], **changes: Any) -> str:
    """This page's address with some of its parameters changed; None or empty takes one away."""
    parameters: QueryDict = context["request"].GET.copy()
    for own in ("cursor", "seen"):  # what paging and live updates add
        parameters.pop(own, None)
    for name, value in changes.items():
        parameters.pop(name, None)
        if value not in (None, ""):
            parameters[name] = str(value)
    return f"?{parameters.urlencode()}"


@register.inclusion_tag("web/_field.html")
def field(bound: BoundField) -> dict[str, Any]:
    """A form field with its label, help and error, tied together for those who do not see them."""
    identity = bound.id_for_label or bound.auto_id  # a group of choices has no element of its own to label
    described = [f"{identity}_help"] if bound.help_text else []
    attributes: dict[str, Any] = {}
    if bound.errors:
        described.insert(0, f"{identity}_error")
        attributes["aria-invalid"] = "true"
    if described:
        attributes["aria-describedby"] = " ".join(described)
    return {
        "field": bound,
        "identity": identity,
        "is_group": bound.use_fieldset,
        "widget": bound.as_widget(attrs=attributes),
        "is_choice": bound.widget_type == "checkbox",
        "optional": getattr(bound.field, "needed", "" if bound.field.required else "optional"),
    }


def _iso(moment: datetime) -> str:
    return moment.astimezone(timezone.get_default_timezone()).strftime("%Y-%m-%dT%H:%M:%SZ")


def _ago(moment: datetime) -> str:
    passed = timezone.now() - moment
    if passed < timedelta(0):
        return f"in {span(-passed)}"
    if passed < timedelta(minutes=1):
        return "just now"
    return f"{_rough(passed)} ago"


def _rough(length: timedelta) -> str:
    """One unit is enough for an age."""
    days = length.days
    if days >= 60:
        return f"{days // 30} months"
    if days:
        return f"{days} d"
    return span(length).split(" min")[0].split(" h")[0] + (" h" if length >= timedelta(hours=1) else " min")
