"""Axiom's custom webhook, with its default body."""

from collections.abc import Mapping

from incidents.alerts.bodies import Json, Unreadable, dig, items, mapping, payload, text_of
from incidents.alerts.claims import Statement, claim_from
from incidents.alerts.sources import headings
from incidents.alerts.statuses import status_of


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    sent = mapping(payload(body, headers))
    event = mapping(sent.get("event"))
    monitor, title = text_of(event.get("monitorID")), text_of(event.get("title"))
    if not monitor and not title:
        raise Unreadable("This is no Axiom notification: its “event” has neither a “monitorID” nor a “title”.")
    flags: list[str] = []
    groups = _groups(event)
    status = status_of(sent.get("action"), flags=flags)
    return [
        claim_from(
            status=status,
            title=(headings.of_message(title).name, title),
            description=(event.get("body"), event.get("description")),
            # A monitor may notify by group, and each of its groups opens and closes by itself.
            identity=("axiom/1", monitor, *(f"{name}\x1e{text_of(value)}" for name, value in groups.items())),
            former=[("key/1", monitor)],
            names=(title,),
            labels=groups,
            system=dig(event, "matchedEvent", "system"),
            value=event.get("value"),
            starts_at=event.get("timestamp") if status.says == "firing" else None,
            ends_at=event.get("timestamp") if status.says == "resolved" else None,
            upstream_id=monitor,
            flags=flags,
        )
    ]


def _groups(event: dict[str, Json]) -> dict[str, Json]:
    """Pair what the monitor groups by with the values; the names may also come as an object with them."""
    if isinstance(keyed := event.get("groupKeys"), dict):
        return keyed
    pairs = zip(items(event.get("groupKeys")), items(event.get("groupValues")), strict=False)
    return {text_of(name): value for name, value in pairs if text_of(name)}
