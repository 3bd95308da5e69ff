"""Uptime Kuma: JSON, several parts with JSON in one, or a GET with a query; of expiry it tells in words alone."""

import re
from collections.abc import Mapping
from datetime import timedelta

from incidents.alerts.bodies import Json, Unreadable, embedded, first_text, mapping, payload, text_of
from incidents.alerts.claims import Claim, Handshake, Statement, claim_from
from incidents.alerts.cleaning import tags_of
from incidents.alerts.statuses import FIRING, NOTICE, RESOLVED, MonitorStatus, status_of

_BEATS: dict[str, MonitorStatus] = {"0": FIRING, "1": RESOLVED}
_OTHER = {"2": "pending: it will try again", "3": "in maintenance"}

_EXPIRY = re.compile(
    r"^(\[(?P<name>.*)\]\[(?P<url>.*?)\] )?(?P<what>.*?) (will expire|will be expired) in (?P<days>-?\d+) days"
)
_SOON = 7  # days: until then, whoever renews it is only reminded
_UNTIL_NEXT = timedelta(days=8)  # it reminds once a week, and never says that something was renewed


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    sent = mapping(payload(body, headers))
    if not {"heartbeat", "monitor", "msg", "status"} & sent.keys():
        raise Unreadable("This is no Uptime Kuma notification: it has neither a heartbeat nor a message.")
    # A query holds each of them as text.
    beat, monitor = (_part(sent.get(name)) for name in ("heartbeat", "monitor"))
    message = text_of(sent.get("msg"))
    if not beat and not monitor and (expiry := _EXPIRY.match(message)):
        return [_expiry(expiry, message)]
    word = first_text(beat.get("status"), sent.get("status"))
    name = first_text(monitor.get("name"), sent.get("monitor_name"), sent.get("name"))
    if word in _OTHER:
        return [Handshake(reason=f"{name or 'The monitor'} is {_OTHER[word]}.")]
    # A template of one's own is given the status in words, with a sign before them.
    status_word = "" if word in _BEATS else re.sub(r"\W", "", word)
    is_test = status_word.lower() == "test" or (not beat and not monitor and message.endswith("Testing"))
    flags: list[str] = []
    status = _BEATS.get(word) or status_of(status_word, flags=flags)
    return [_beat(sent, beat, monitor, status, name=name, is_test=is_test, flags=flags)]


def _part(value: Json) -> dict[str, Json]:
    return mapping(embedded(value) if isinstance(value, str) else value)


def _expiry(expiry: re.Match[str], message: str) -> Claim:
    what, days = expiry["what"], int(expiry["days"][:9])
    return claim_from(
        status=FIRING if days <= _SOON else NOTICE,
        title=(f"{what} expires soon",),
        description=(message,),
        identity=("uptime_kuma-expiry/1", expiry["name"] or "", expiry["url"] or "", what),
        severity="error" if days <= 0 else "warning",
        service=expiry["name"],
        names=("certificate expiry", what),
        value=days,
        unit="days",
        lease=_UNTIL_NEXT,
        links=(("source", expiry["url"]),),
    )


def _beat(
    sent: dict[str, Json],
    beat: dict[str, Json],
    monitor: dict[str, Json],
    status: MonitorStatus,
    *,
    name: str,
    is_test: bool,
    flags: list[str],
) -> Claim:
    key = first_text(monitor.get("id"), beat.get("monitorID"), sent.get("monitor_id"))
    local = text_of(beat.get("localDateTime"))
    at = f"{local}{text_of(beat.get('timezoneOffset'))}" if local else beat.get("time")
    tags = tags_of(monitor.get("tags"))
    return claim_from(
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
        is_test=is_test,
        flags=flags,
    )
