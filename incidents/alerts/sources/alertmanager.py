"""Prometheus Alertmanager: its webhook (version 4, and 3), and the API v2 that Prometheus itself sends to."""

from collections.abc import Mapping
from datetime import timedelta

from incidents.alerts.bodies import Json, Unreadable, items, mapping, payload, text_of
from incidents.alerts.claims import Claim, GroupOver, Identity, RejectedItem, Statement, claim_from
from incidents.alerts.cleaning import clip
from incidents.alerts.statuses import FIRING, NOTICE, RESOLVED

# The same alert comes from each of a pair of Prometheus servers, told apart by these labels alone.
REPLICA_LABELS = {"replica", "prometheus_replica", "__replica__"}
# Rules of kube-prometheus that fire by design: one shows that alerts arrive at all, the other holds back mere information.
_BY_DESIGN = {"Watchdog", "DeadMansSwitch", "InfoInhibitor"}
# What Alertmanager allows an alert that says nothing of its end (resolve_timeout).
UNLESS_REPEATED = timedelta(minutes=5)


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    value = payload(body, headers)
    # A list is what Prometheus sends; whoever pointed it at the webhook's address is understood too.
    if isinstance(value, list) or value is None:
        return read_list(value)
    group = mapping(value)
    if not isinstance(group.get("alerts"), list):
        raise Unreadable("This is no Alertmanager notification: it has no list “alerts”.")
    statements: list[Statement] = [read_alert(mapping(alert), group=group) for alert in items(group["alerts"])]
    if group_of(group) and text_of(group.get("status")) == "resolved":
        statements.append(GroupOver(group=group_of(group)))
    return statements


def group_of(group: dict[str, Json]) -> str:
    """Name the group within its source: the same key under two receivers is two groups."""
    key = text_of(group.get("groupKey"))
    return clip(f"{text_of(group.get('receiver'))} {key}", 512) if key else ""


def read_list(value: Json) -> list[Statement]:
    """Read API v2's list. Its alerts carry no status: `endsAt` is the end if past, else a lease."""
    return [_leased(alert, position=position) for position, alert in enumerate(items(value))]


def _leased(alert: Json, *, position: int) -> Statement:
    if not mapping(mapping(alert).get("labels")):
        return RejectedItem(reason=f"Alert {position} has no labels, so nothing names it.")
    known = {name: value for name, value in mapping(alert).items() if name not in ("status", "fingerprint")}
    ends_at = known.pop("endsAt", None)
    return read_alert(known, group={"status": "firing"}, expires_at=ends_at, lease=UNLESS_REPEATED)


def read_alert(
    alert: dict[str, Json], *, group: dict[str, Json], expires_at: Json = None, lease: timedelta | None = None
) -> Claim:
    """Read one alert of the group. Its own status counts; the group's may differ."""
    flags: list[str] = []
    own, said_of_group = text_of(alert.get("status")).lower(), text_of(group.get("status")).lower()
    status = own or said_of_group
    if status not in {"firing", "resolved"}:
        flags.append("status_unknown")
    if own == "firing" and said_of_group == "resolved":
        flags.append("contradictory_status")
    if text_of(group.get("truncatedAlerts")) not in {"", "0"}:
        flags.append("truncated_group")
    labels, notes = mapping(alert.get("labels")), mapping(alert.get("annotations"))
    return claim_from(
        status=RESOLVED
        if status == "resolved"
        else NOTICE
        if text_of(labels.get("alertname")) in _BY_DESIGN
        else FIRING,
        title=(notes.get("title"), notes.get("summary")),
        description=(notes.get("description"), notes.get("message"), notes.get("details")),
        identity=identity_of_labels(labels),
        severity=labels.get("severity"),
        names=(labels.get("metric"), labels.get("alertname"), notes.get("summary")),
        labels=labels,
        annotations=notes,
        links=(
            ("source", alert.get("generatorURL")),
            ("runbook", notes.get("runbook_url") or notes.get("runbook")),
            ("dashboard", notes.get("dashboard_url")),
            ("silence", alert.get("silenceURL")),
        ),
        value=notes.get("value"),
        threshold=notes.get("threshold"),
        starts_at=alert.get("startsAt"),
        ends_at=alert.get("endsAt"),
        expires_at=expires_at,
        lease=lease,
        group=group_of(group),
        upstream_id=alert.get("fingerprint"),
        flags=flags,
    )


def identity_of_labels(labels: Mapping[str, Json]) -> Identity:
    """The label set is the alert. Upstream's own fingerprint hashes it too, but older senders leave that out."""
    texts = ((name, text_of(value)) for name, value in sorted(labels.items()) if name not in REPLICA_LABELS)
    return ("labels/1", *(f"{name}\x1e{text}" for name, text in texts if text))
