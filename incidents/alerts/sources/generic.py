"""Our own documented JSON, for a customer's code and for whatever can post a little JSON (docs/sources/generic.md)."""

import re
from collections.abc import Mapping

from incidents.alerts import claims
from incidents.alerts.claims import Claim, Json, Unreadable

_RESOLVED = {"resolved", "resolve", "ok", "normal", "recovered", "closed", "close", "success", "passed", "inactive"}
_FIRING = {"firing", "fire", "alerting", "alert", "triggered", "trigger", "open", "active", "failed", "error", ""}


def read(body: bytes, headers: Mapping[str, str]) -> list[Claim]:
    """Read one object, a list of them, or an object whose `alerts` is such a list."""
    value = claims.load(body)
    if isinstance(value, dict) and isinstance(value.get("alerts"), list):
        value = value["alerts"]
    items = value if isinstance(value, list) else [value]
    if not items:
        raise Unreadable("The list of alerts is empty.")
    return [_read_alert(item, position=position) for position, item in enumerate(items)]


def _read_alert(item: Json, *, position: int) -> Claim:
    if not isinstance(item, dict):
        raise Unreadable(f"Alert {position} is not an object with a “title”.")
    flags: list[str] = []
    labels = claims.labels_of(item.get("labels"), flags=flags)
    title = claims.first_text(item.get("title"), item.get("summary"), item.get("name"), item.get("metric"))
    description = claims.first_text(item.get("description"), item.get("message"), item.get("text"))
    if not title and not description:
        raise Unreadable(f"Alert {position} has no “title”.")
    word = claims.first_text(item.get("status"), item.get("state")).lower()
    if word not in _FIRING | _RESOLVED:
        flags.append("status_unknown")
    raw = claims.first_text(item.get("severity"), item.get("priority"), labels.get("severity"))
    metric = claims.first_text(item.get("metric"), labels.get("metric"))
    system = claims.first_text(item.get("system"), labels.get("system"))
    title = claims.title_of([title, description], labels)
    return Claim(
        says="resolved" if word in _RESOLVED else "firing",
        title=title,
        description=claims.clip(description, 32_000),
        identity=_identity(item, title=title, system=system, flags=flags),
        severity=claims.severity_of(raw, flags=flags) if raw else "medium",
        severity_raw=raw[:64],
        system_name=claims.clip(system, 200),
        names=tuple(filter(None, (metric, labels.get("alertname"), title))),
        labels=labels | ({"metric": claims.clip(metric, 1024)} if metric else {}),
        annotations=claims.annotations_of(item.get("annotations"), flags=flags),
        links=(
            *claims.link("source", item.get("url") or item.get("link") or item.get("link_to_upstream_details")),
            *claims.link("runbook", item.get("runbook_url")),
            *claims.link("dashboard", item.get("dashboard_url")),
        ),
        value=claims.clip(claims.text_of(item.get("value")), 100),
        starts_at=claims.time_of(item.get("starts_at") or item.get("startsAt") or item.get("timestamp")),
        ends_at=claims.time_of(item.get("ends_at") or item.get("endsAt")),
        is_test=item.get("test") is True,
        flags=tuple(flags),
    )


def _identity(item: dict[str, Json], *, title: str, system: str, flags: list[str]) -> tuple[str, ...]:
    key = claims.first_text(item.get("key"), item.get("dedup_key"), item.get("fingerprint"), item.get("alert_uid"))
    if key:
        return ("key/1", key)
    # Without a key the title names the alert, less what changes between two tellings of the same thing.
    flags.append("no_identity")
    stem = re.sub(r"[0-9a-f]{8,}|\d+", "#", title.lower())
    return ("title/1", stem, system.lower(), claims.first_text(item.get("environment")))
