"""healthchecks.io, with the body of docs/sources/healthchecks.md; its PagerDuty-like shape is understood too."""

from collections.abc import Mapping

from incidents.alerts.bodies import Unreadable, first_text, mapping, payload, text_of
from incidents.alerts.claims import Statement, claim_from, says_of
from incidents.alerts.cleaning import tags_of


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    said = mapping(payload(body, headers))
    check = first_text(said.get("check"), said.get("code"), said.get("incident_key"), said.get("alias"))
    name = first_text(said.get("name"), said.get("title"), said.get("description"))
    if not check and not name:
        raise Unreadable("It names no check; use the body of Faultline’s page on healthchecks.io.")
    flags: list[str] = []
    tags = {tag: "true" for tag in text_of(said.get("tags")).split() if ":" not in tag and "=" not in tag}
    pairs = tags_of(",".join(tag.replace("=", ":") for tag in text_of(said.get("tags")).split() if tag not in tags))
    says = says_of(said.get("status"), said.get("event_type"), flags=flags)
    at = said.get("at") or said.get("now")
    return [
        claim_from(
            says=says,
            title=(f"{name} is {text_of(said.get('status')) or 'down'}" if said.get("name") else name,),
            description=(said.get("description"), said.get("message")),
            identity=("healthchecks/1", check),
            severity=first_text(pairs.get("severity"), "error"),
            system=pairs.get("system"),
            service=said.get("name"),
            names=("heartbeat missing", name),
            labels={**tags, **pairs},
            starts_at=at if says == "firing" else None,
            ends_at=at if says == "resolved" else None,
            links=(("source", said.get("url")), ("source", said.get("client_url"))),
            upstream_id=check,
            is_test=name == "TEST" or check == "TEST",
            flags=flags,
        )
    ]
