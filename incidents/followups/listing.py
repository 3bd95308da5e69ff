"""The list of follow-ups: what it may be narrowed by, and its rows for a spreadsheet."""

from collections.abc import Iterator
from typing import Any

from django.http import QueryDict

from incidents.followups.models import FollowUp
from incidents.followups.rows import FollowUpQuerySet
from incidents.followups.states import ACHIEVED, AGES, STAGES
from incidents.people.models import Team, User
from incidents.systems.models import System
from incidents.web.request import midnight_of, whole_number

PRIORITIES = [*((str(value), label) for value, label in FollowUp.Priority.choices), ("urgent", "P0 and P1")]
BY_HAND = ("q", "team", "owner", "system", "priority")


def narrowed_by(rows: FollowUpQuerySet, asked: QueryDict, *, user: User) -> FollowUpQuerySet:
    """Keep what the filters ask for, and what a number of a report counted: how timely, how far on its way, how old,
    whether anybody planned it, and whether its failure came back."""
    if words := asked.get("q", "").replace("\x00", ""):
        rows = rows.search(words[:200])
    if owner := asked.get("owner", ""):
        rows = rows.filter(owner=None) if owner == "none" else rows.filter(owner=whole_number(owner) or 0)
    match asked.get("priority", ""):
        case "urgent":
            rows = rows.filter(priority__lte=FollowUp.Priority.P1)
        case "0" | "1" | "2" | "3" as priority:
            rows = rows.filter(priority=int(priority))
    if on_time := {"yes": rows.on_time, "no": rows.late, "known": rows.judged}.get(asked.get("on_time", "")):
        rows = on_time()
    if asked.get("unplanned") == "yes":
        rows = rows.unplanned()
    if "came_back_since" in asked or "came_back_until" in asked:
        since, until = (midnight_of(asked.get(f"came_back_{end}", "")) for end in ("since", "until"))
        rows = rows.came_back(user, since, until) if since and until else rows.none()
    if (stage := asked.get("stage", "")) in STAGES:
        rows = rows.in_stage(stage)
    return rows.aged(age) if (age := asked.get("age", "")) in AGES else rows


def choices(user: User, asked: QueryDict) -> list[tuple[str, str, list[tuple[str, str]], str]]:
    """What may be chosen: the parameter, what any of it is called, the values with their names, and the one chosen."""
    owners = User.objects.filter(pk__in=FollowUp.objects.visible_to(user).exclude(owner=None).values("owner"))
    teams = [(team.slug, team.name) for team in Team.objects.order_by("name")]
    people = [(str(owner.pk), str(owner)) for owner in owners.order_by("name")]
    systems = [(system.slug, system.name) for system in System.objects.visible_to(user).order_by("name")]
    every = [
        ("team", "Any team", teams),
        ("owner", "Any owner", [*people, ("none", "Nobody yet")]),
        ("system", "Any system", systems),
        ("priority", "Any priority", PRIORITIES),
    ]
    return [(name, label, values, asked.get(name, "")) for name, label, values in every]


def as_rows(follow_ups: FollowUpQuerySet) -> Iterator[dict[str, Any]]:
    """Each as a row of a spreadsheet, in the order of the list; times are UTC."""
    for row in follow_ups.for_list().select_related("incident__team").iterator(500):
        incident = row.incident
        yield {
            "id": row.pk,
            "title": row.title,
            "state": row.state,
            "priority": row.get_priority_display(),
            "type": row.kind,
            "owner": row.owner.email if row.owner else "",
            "due_on": row.due_on,
            "check": row.check_text,
            "outcome": row.outcome,
            "created_at": row.created_at,
            "finished_at": row.finished_at,
            "incident": incident.number,
            "incident_title": incident.title,
            "system": incident.system.slug if incident.system else "",
            "team": incident.team.slug if incident.team else "",
        }


def of_tab(rows: FollowUpQuerySet, show: str, *, user: User) -> FollowUpQuerySet:
    """Keep those of one tab; whatever is no tab is all."""
    match show:
        case "mine":
            return rows.open().owned_by(user)
        case "open":
            return rows.open()
        case "overdue":
            return rows.overdue()
        case "done":
            return rows.filter(state__in=ACHIEVED)
        case "verified" | "did_not_hold" as state:
            return rows.filter(state=state)
    return rows
