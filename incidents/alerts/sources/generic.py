"""Our own documented JSON, for a customer's code and for whatever can post a little JSON (docs/sources/generic.md)."""

from collections.abc import Mapping
from dataclasses import replace

from incidents.alerts.bodies import Json, Unreadable, first_of, first_text, items, mapping, payload
from incidents.alerts.claims import ChangeAnnounced, Claim, RejectedItem, Statement, claim_from, title_identity
from incidents.alerts.cleaning import clip, title_of
from incidents.alerts.statuses import status_of, with_condition
from incidents.alerts.times import time_of

KINDS_OF_CHANGE = (
    "model",
    "prompt",
    "index",
    "dataset",
    "feature",
    "permission",
    "guardrail",
    "configuration",
    "provider",
)


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    """Read one object, a list of them, or an object whose `alerts` is such a list; `{"change": {…}}` tells of a change."""
    value = payload(body, headers)
    if isinstance(value, dict) and isinstance(value.get("alerts"), list):
        value = value["alerts"]
    listed = items(value) if isinstance(value, list) else [value]
    if not listed:
        raise Unreadable("The list of alerts is empty.")
    return [_read_item(item, position=position) for position, item in enumerate(listed)]


def _read_item(item: Json, *, position: int) -> Statement:
    change = item.get("change") if isinstance(item, dict) else None
    return _read_change(change, position=position) if isinstance(change, dict) else _read_alert(item, position=position)


def _read_change(change: dict[str, Json], *, position: int) -> ChangeAnnounced | RejectedItem:
    title = first_text(change.get("title"), change.get("summary"), change.get("message"))
    kind = first_text(change.get("kind"), "configuration").lower()
    if not title:
        return RejectedItem(reason=f"Change {position} has no “title”.")
    if kind not in KINDS_OF_CHANGE:
        return RejectedItem(
            reason=f"Change {position}: “{clip(kind, 40)}” is no kind; they are {', '.join(KINDS_OF_CHANGE)}."
        )
    return ChangeAnnounced(
        title=clip(title, 200),
        kind=kind,
        system_name=clip(first_text(change.get("system"), change.get("service")), 200),
        version=clip(first_text(change.get("version"), change.get("commit")), 100),
        url=clip(first_text(change.get("url")), 2000),
        happened_at=time_of(first_text(change.get("happened_at"), change.get("timestamp"))),
    )


_TITLES = ("title", "summary", "name", "subject", "alertName", "alert_name", "metric")
_DESCRIPTIONS = ("description", "message", "text", "body")
_KEYS = ("key", "dedup_key", "fingerprint", "alert_uid")
# What kind of thing it was: a title only where nothing says what happened.
_KINDS_OF_EVENT = ("eventType", "event_type", "eventName", "event_name", "event")


def _read_alert(item: Json, *, position: int) -> Claim:
    if not isinstance(item, dict):
        raise Unreadable(f"Alert {position} is not an object with a “title”.")
    flags: list[str] = []
    labels = mapping(item.get("labels"))
    title, description = first_of(item, _TITLES), first_of(item, _DESCRIPTIONS)
    kind = "" if title or description else first_of(item, _KINDS_OF_EVENT)
    if not title and not description and not kind:
        raise Unreadable(f"Alert {position} has no “title”.")
    metric = first_text(item.get("metric"), labels.get("metric"))
    claim = claim_from(
        status=with_condition(status_of(item.get("status"), item.get("state"), flags=flags), item.get("condition")),
        title=(title, description, kind),
        description=(description,),
        identity=("key/1", first_of(item, _KEYS)),
        severity=first_text(item.get("severity"), item.get("priority"), labels.get("severity")),
        system=item.get("system"),
        service=item.get("service"),
        environment=item.get("environment"),
        names=(metric, labels.get("alertname"), title or kind),
        labels={**labels, "metric": metric} if metric else labels,
        annotations=item.get("annotations"),
        metric=metric,
        value=item.get("value"),
        threshold=item.get("threshold"),
        operator=item.get("operator"),
        unit=item.get("unit"),
        starts_at=first_text(item.get("starts_at"), item.get("startsAt"), item.get("timestamp")),
        ends_at=first_text(item.get("ends_at"), item.get("endsAt")),
        expires_at=item.get("expires_at"),
        links=(
            ("source", first_text(item.get("url"), item.get("link"), item.get("link_to_upstream_details"))),
            ("runbook", item.get("runbook_url")),
            ("dashboard", item.get("dashboard_url")),
        ),
        group=item.get("group"),
        upstream_id=first_text(item.get("key"), item.get("dedup_key")),
        is_test=item.get("test") is True,
        flags=flags,
    )
    return _known_by_its_former_title(claim, item, title=title)


_FORMER_TITLES = ("title", "summary", "name", "metric", *_DESCRIPTIONS[:3])


def _known_by_its_former_title(claim: Claim, item: dict[str, Json], *, title: str) -> Claim:
    """Know an alert without a key again by the title that it had while fewer fields were taken for one."""
    if "no_identity" not in claim.flags or not title:
        return claim
    former = first_of(item, _FORMER_TITLES)
    if former in {"", title}:
        return claim
    heading, where = title_of((former,), {}), claim.system_name or claim.service
    known = title_identity(heading, where, claim.environment)
    return replace(claim, former_identities=(*claim.former_identities, known))
