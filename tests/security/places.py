"""What stands in an address for a world's rows: which parameter of which route names which row."""

import re
from typing import Any
from uuid import UUID

from django.contrib.contenttypes.models import ContentType

from incidents.models import (
    Alert,
    ApiKey,
    Attachment,
    Comment,
    Containment,
    Correction,
    Delivery,
    Destination,
    Event,
    Factor,
    FactorKind,
    FollowUp,
    Handover,
    ImportBatch,
    Link,
    Notification,
    PagerDelivery,
    ParkedFix,
    PublicPost,
    ResponseRole,
    Revision,
    Sample,
    SavedReport,
    SavedView,
    ShareLink,
    SystemName,
    Task,
    Transmission,
)
from incidents.people.models import Team, User
from incidents.response.incident import Incident
from incidents.systems.models import Change, System
from tests.security.world import SECRET, World

# The part of an address before `<int:pk>` or `<uuid:pk>`, and what it is the id of.
IDS = {
    "alerts": Alert,
    "comments": Comment,
    "containments": Containment,
    "corrections": Correction,
    "deliveries": Delivery,
    "events": Event,
    "evidence": Sample,
    "factors": Factor,
    "files": Attachment,
    "fixes": ParkedFix,
    "follow-ups": FollowUp,
    "hand-over": Handover,
    "history": Revision,
    "import": ImportBatch,
    "links": Link,
    "notifications": Notification,
    "posts": PublicPost,
    "samples": Sample,
    "share": ShareLink,
    "tasks": Task,
    "views": SavedView,
}
ADMINISTERED = {
    "user": User,
    "team": Team,
    "system": System,
    "systemname": SystemName,
    "change": Change,
    "responserole": ResponseRole,
    "factorkind": FactorKind,
}
OF_THE_WORLD = {"number", "pk", "secret", "slug"}


def parameters(route: str) -> list[str]:
    return re.findall(r"<(?:\w+:)?(\w+)>", route)


def values(route: str, world: World | None, *, absent: int, absent_id: int) -> dict[str, Any]:
    """The value of each parameter of a route: of the world's rows, or without a world of rows that never were."""
    return {name: _value(route, name, world, absent, absent_id) for name in parameters(route)}


def names_the_world(route: str) -> bool:
    """Whether an address of this route names something that hangs on an incident."""
    if "rules/" in route or "guide/" in route:
        return False
    return any(
        name in ("number", "secret", "row_pk")
        or (name == "pk" and _before(route) in IDS)
        or (name == "slug" and "postmortems/" in route)
        for name in parameters(route)
    )


def _before(route: str) -> str:
    found = re.search(r"([\w-]+)/(?:<(?:int|uuid):pk>|\(\?P<pk>)", route)
    return found[1] if found else ""


def _value(route: str, name: str, world: World | None, absent: int, absent_id: int) -> Any:
    number = world.incident.number if world else absent
    match name:
        case "number":
            return 1 if "rules/" in route or "guide/" in route else number
        case "slug":
            return str(number) if "postmortems/" in route else _slug(route)
        case "pk":
            model = IDS.get(_before(route))
            if model is None:
                return _id_of_another(_before(route))
            if world:
                return world.row(model).pk
            return UUID(int=absent_id) if "<uuid:pk>" in route else absent_id
        case "row_pk":
            return world.row(PagerDelivery if "back/" in route else Transmission).pk if world else absent_id
        case "secret":
            return SECRET.format(number)
        case "object_id" | "id":
            found = re.search(r"admin/\w+/(\w+)/", route)
            model = ADMINISTERED.get(found[1] if found else "")
            row = model._default_manager.order_by("pk").first() if model else None
            return row.pk if row else (world.incident.pk if world else absent_id)
        case "content_type_id":
            return ContentType.objects.get_for_model(Incident).pk
        case _:
            fixed = {
                "key": "summary",
                "position": 0,
                "kind": "generic",
                "decision": 1,
                "form": "csv",
                "act": "close",
            } | {"file_format": "jsonl"}
            return fixed.get(name, {"app_label": "incidents", "url": "x", "token": "0" * 32}.get(name, "x"))


def _slug(route: str) -> str:
    if "sources/" in route:
        return "quality-monitors"
    return "assistants" if "teams/" in route or "on-call/" in route else "support-assistant"


def _id_of_another(segment: str) -> int:
    models = {"channels": Destination, "kept": SavedReport, "keys": ApiKey}
    model = models.get(segment)
    row = model._default_manager.order_by("pk").first() if model else None
    return row.pk if row else 1
