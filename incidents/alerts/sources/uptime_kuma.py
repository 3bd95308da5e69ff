"""Uptime Kuma: JSON, several parts with JSON in one, or a GET with a query."""

from collections.abc import Mapping

from incidents.alerts.bodies import Unreadable, first_text, mapping, payload, text_of
from incidents.alerts.claims import Handshake, Statement, claim_from
from incidents.alerts.cleaning import tags_of
from incidents.alerts.statuses import FIRING, RESOLVED, MonitorStatus

_BEATS: dict[str, MonitorStatus] = {"0": FIRING, "1": RESOLVED}
_OTHER = {"2": "pending: it will try again", "3": "in maintenance"}


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    sent = mapping(payload(body, headers))
    if not {"heartbeat", "monitor", "msg", "status"} & sent.keys():
        raise Unreadable("This is no Uptime Kuma notification: it has neither a heartbeat nor a message.")
    beat, monitor = mapping(sent.get("heartbeat")), mapping(sent.get("monitor"))
    word = first_text(beat.get("status"), sent.get("status"))
    name = first_text(monitor.get("name"), sent.get("monitor_name"))
    if word in _OTHER:
        return [Handshake(reason=f"{name or 'The monitor'} is {_OTHER[word]}.")]
    key = first_text(monitor.get("id"), beat.get("monitorID"), sent.get("monitor_id"))
    local = text_of(beat.get("localDateTime"))
    at = f"{local}{text_of(beat.get('timezoneOffset'))}" if local else beat.get("time")
    status = _BEATS.get(word, FIRING)
    tags = tags_of(monitor.get("tags"))
    return [
        claim_from(
            status=status,
            title=(
                f"{name} is {'up again' if status.says == 'resolved' else 'down'}" if name else None,
                sent.get("msg"),
            ),
            description=(beat.get("msg"), sent.get("msg")),
            identity=("uptime_kuma/1", key),
            severity=tags.get("severity") or "error",
            system=tags.get("system"),
            service=name,
            names=("probe failed", name),
            labels={
                **tags,
                "type": monitor.get("type"),
                "target": first_text(monitor.get("url"), monitor.get("hostname")),
            },
            value=beat.get("ping"),
            unit="ms" if beat.get("ping") else None,
            starts_at=at if status.says == "firing" else None,
            ends_at=at if status.says == "resolved" else None,
            links=(("source", monitor.get("url")),),
            upstream_id=key,
            is_test="heartbeat" in sent and not beat and not monitor,
        )
    ]
