"""Prometheus Alertmanager's webhook, version 4."""

from collections.abc import Mapping

from incidents.alerts import claims
from incidents.alerts.claims import Claim, Json, Unreadable

# The same alert comes from each of a pair of Prometheus servers, told apart by these labels alone.
REPLICA_LABELS = {"replica", "prometheus_replica", "__replica__"}


def read(body: bytes, headers: Mapping[str, str]) -> list[Claim]:
    group = claims.load(body)
    alerts = claims.mapping(group).get("alerts")
    if not isinstance(alerts, list):
        raise Unreadable("This is no Alertmanager notification: it has no list “alerts”.")
    return [read_alert(claims.mapping(alert), group=claims.mapping(group)) for alert in alerts]


def read_alert(alert: dict[str, Json], *, group: dict[str, Json]) -> Claim:
    """Read one alert of the group. Its own status counts; the group's may differ."""
    flags: list[str] = []
    labels = claims.labels_of(alert.get("labels"), flags=flags)
    annotations = claims.annotations_of(alert.get("annotations"), flags=flags)
    status = claims.first_text(alert.get("status"), group.get("status")).lower()
    if status not in {"firing", "resolved"}:
        flags.append("status_unknown")
    raw = labels.get("severity", "")
    return Claim(
        says="resolved" if status == "resolved" else "firing",
        title=claims.title_of([annotations.get("title", ""), annotations.get("summary", "")], labels),
        description=annotations.get("description") or annotations.get("message") or annotations.get("details", ""),
        identity=identity_of_labels(labels),
        severity=claims.severity_of(raw, flags=flags) if raw else "medium",
        severity_raw=raw[:64],
        system_name=labels.get("system", ""),
        names=tuple(filter(None, (labels.get("metric"), labels.get("alertname"), annotations.get("summary")))),
        labels=labels,
        annotations=annotations,
        links=(
            *claims.link("source", alert.get("generatorURL")),
            *claims.link("runbook", annotations.get("runbook_url") or annotations.get("runbook")),
            *claims.link("dashboard", annotations.get("dashboard_url")),
        ),
        value=claims.clip(annotations.get("value", ""), 100),
        starts_at=claims.time_of(alert.get("startsAt")),
        ends_at=claims.time_of(alert.get("endsAt")),
        flags=tuple(flags),
    )


def identity_of_labels(labels: Mapping[str, str]) -> tuple[str, ...]:
    """The label set is the alert. Upstream's own fingerprint hashes it too, but older senders leave that out."""
    pairs = (f"{name}\x1e{value}" for name, value in sorted(labels.items()) if value and name not in REPLICA_LABELS)
    return ("labels/1", *pairs)
