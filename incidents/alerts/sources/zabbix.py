"""Zabbix's webhook media type, with the object of docs/sources/zabbix.md; others' names for the same are understood."""

import re
from collections.abc import Mapping

from incidents.alerts.bodies import Unreadable, mapping, payload, text_of
from incidents.alerts.claims import Identity, Statement, claim_from
from incidents.alerts.cleaning import tags_of
from incidents.alerts.statuses import CHECK_FAILED, RESOLVED, MonitorStatus, status_of

# A macro that means nothing for this event is left as it is, or becomes this word.
_UNFILLED = re.compile(r"\{[A-Z$][\w.$#:\"<>]*\}|\*UNKNOWN\*")
# Internal events: what a trigger or an item says of its own state.
_CANNOT_RUN = {"unknown", "not supported"}


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    sent = mapping(payload(body, headers))
    is_test = text_of(sent.get("event_id")) == "{EVENT.ID}"  # the button fills in no macro

    def field(*names: str) -> str:
        texts = (text_of(sent.get(name)) for name in names)
        return next((text for text in texts if text and (is_test or not _UNFILLED.fullmatch(text))), "")

    title = field("title", "event_name")
    if not title:
        raise Unreadable("It has no “title”; use the object of Faultline’s page on Zabbix.")
    flags: list[str] = []
    own_state = field("trigger_state", "item_state").lower()
    status = _status(own_state, field("state", "status"), flags=flags)
    tags = sent.get("tags")
    labels = mapping(tags) or tags_of(tags)
    return [
        claim_from(
            status=status,
            title=(title,),
            description=(field("message"),),
            identity=_identity(field("trigger_id"), field("item_id"), field("alert_uid", "event_id"), bool(own_state)),
            former=[("key/1", field("alert_uid", "event_id"))],
            severity=field("severity"),
            severities={"notclassified": "info"},
            system=sent.get("system"),
            names=(title,),
            labels=labels,
            links=(("source", field("link_to_upstream_details", "url")),),
            upstream_id=field("alert_uid", "event_id"),
            is_test=is_test,
            flags=flags,
        )
    ]


def _status(own_state: str, word: str, *, flags: list[str]) -> MonitorStatus:
    if own_state:
        return CHECK_FAILED if own_state in _CANNOT_RUN else RESOLVED
    return status_of(word, flags=flags)


def _identity(trigger: str, item: str, event: str, is_internal: bool) -> Identity:
    """The trigger is the alert; an event is one episode of it. That it cannot be evaluated is an alert of its own."""
    if is_internal:
        return ("zabbix-state/1", trigger, "" if trigger else item or event)
    return ("zabbix/1", trigger) if trigger else ("key/1", event)
