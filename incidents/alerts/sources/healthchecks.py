"""healthchecks.io, with the body of docs/sources/healthchecks.md; its PagerDuty-like shape is understood too."""

from collections.abc import Mapping

from incidents.alerts.bodies import Unreadable, first_text, mapping, payload, text_of
from incidents.alerts.claims import Handshake, Statement, claim_from
from incidents.alerts.cleaning import tags_of
from incidents.alerts.statuses import VANISHED, status_of

# What a check is before anything is wrong with it; its notifications say only up and down.
_WAITING = {"new": "new", "started": "running", "grace": "late, and still has time"}


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    sent = mapping(payload(body, headers))
    check = first_text(
        sent.get("check"), sent.get("code"), sent.get("uuid"), sent.get("incident_key"), sent.get("alias")
    )
    name = first_text(sent.get("name"), sent.get("title"), sent.get("description"))
    if not check and not name:
        raise Unreadable("It names no check; use the body of Faultline’s page on healthchecks.io.")
    word = text_of(sent.get("status")).lower()
    if word in _WAITING:
        return [Handshake(reason=f"{name or check} is {_WAITING[word]}.")]
    flags: list[str] = []
    tags = {tag: "true" for tag in text_of(sent.get("tags")).split() if ":" not in tag and "=" not in tag}
    pairs = tags_of(",".join(tag.replace("=", ":") for tag in text_of(sent.get("tags")).split() if tag not in tags))
    status = VANISHED if word == "paused" else status_of(word, sent.get("event_type"), flags=flags)
    at = sent.get("at") or sent.get("now")
    return [
        claim_from(
            status=status,
            title=(f"{name} is {text_of(sent.get('status')) or 'down'}" if sent.get("name") else name,),
            description=(sent.get("description"), sent.get("message")),
            identity=("healthchecks/1", check),
            severity=first_text(pairs.get("severity"), "error"),
            system=pairs.get("system"),
            service=sent.get("name"),
            names=("heartbeat missing", name),
            labels={**tags, **pairs},
            starts_at=at if status.says == "firing" else None,
            ends_at=at if status.says == "resolved" else None,
            links=(("source", sent.get("url")), ("source", sent.get("client_url"))),
            upstream_id=check,
            is_test=name == "TEST" or check == "TEST",
            flags=flags,
        )
    ]
