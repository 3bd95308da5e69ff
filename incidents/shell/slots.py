"""What a page of one slice shows of a slice above it: the one registry.

A template says `{% slot "incident.actions" incident %}`; it knows the name of the place and nothing of who fills it. Each
filler is a function of an upper slice that takes the request and the row, begins with `visible_to(request.user)` and
renders a template of its own slice; it gives "" where there is nothing to show.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.http import HttpRequest
from django.utils.safestring import SafeString, mark_safe

from incidents.alerts import slots as alerts
from incidents.evaluations import slots as evaluations
from incidents.evidence import slots as evidence
from incidents.followups import slots as followups
from incidents.notifications import slots as notifications
from incidents.oncall import slots as oncall
from incidents.pagers import slots as pagers
from incidents.postmortems import slots as postmortems
from incidents.response import slots as response

Filler = Callable[[HttpRequest, Any], str]

SLOTS: dict[str, tuple[Filler, ...]] = {
    "account": (notifications.account_notifications, oncall.account, response.account_follows),
    "channel.facts": (pagers.channel_facts,),
    "incident.actions": (postmortems.incident_actions,),
    "incident.clocks": (postmortems.incident_clocks,),
    "incident.evidence": (
        alerts.incident_evidence,
        evidence.incident_evidence,
        evidence.incident_actions,
        evidence.incident_context,
    ),
    "incident.facts": (notifications.incident_facts, followups.incident_facts, evaluations.incident_facts),
    "incident.starts": (alerts.incident_starts,),
    "on-call.pager": (notifications.on_call_pager,),
    "on-call.pagers": (notifications.on_call_choices,),
    "sample.actions": (evaluations.sample_actions,),
    "system.actions": (response.system_actions,),
    "system.facts": (oncall.system_facts, notifications.system_facts, alerts.system_facts),
    "system.records": (response.system_incidents, alerts.system_records, evaluations.system_records),
}

# Rows of a list are filled together, so that a longer list asks no more queries.
ListFiller = Callable[[HttpRequest, Sequence[Any]], list[str]]

LIST_SLOTS: dict[str, tuple[ListFiller, ...]] = {
    "incidents.similar": (followups.similar_incidents, postmortems.similar_incidents),
}


def fill(name: str, request: HttpRequest, row: Any) -> SafeString:
    """Render everything that fills a slot, in order. An unknown name raises KeyError: a slot that nobody fills is a typo."""
    return mark_safe("".join(filler(request, row) for filler in SLOTS[name]))  # noqa: S308 - each filler renders a template


def fill_each(name: str, request: HttpRequest, rows: Sequence[Any]) -> list[tuple[Any, SafeString]]:
    """Pair each row with what fills the slot beside it. A filler of LIST_SLOTS gives one string for each row, in their order."""
    columns = [filler(request, rows) for filler in LIST_SLOTS[name]]
    return [(row, mark_safe("".join(parts))) for row, *parts in zip(rows, *columns, strict=True)]  # noqa: S308 - as above
