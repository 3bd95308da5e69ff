"""CloudEvents 1.0 over HTTP: binary, structured and batched. What is in `data` is read as generic JSON."""

import base64
from collections.abc import Mapping
from urllib.parse import unquote

from incidents.alerts.bodies import Json, Unreadable, embedded, first_text, items, load, mapping, payload, text_of
from incidents.alerts.claims import Claim, RejectedItem, Statement, claim_from
from incidents.alerts.cleaning import number_of
from incidents.alerts.statuses import CHECK_FAILED, FIRING, NO_DATA, RESOLVED, known_status, status_of, with_condition

# Types tell by their end what happened; it is no part of what the event is about.
_ENDINGS = {
    **dict.fromkeys(("resolved", "recovered", "cleared", "ok", "closed"), RESOLVED),
    **dict.fromkeys(("no_data", "nodata"), NO_DATA),
    "check_failed": CHECK_FAILED,
}
_BEGINNINGS = {"detected", "raised", "started", "changed", "crossed", "exceeded"}


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    if "ce-specversion" in headers or "ce-id" in headers:
        event: dict[str, Json] = {name[3:]: unquote(value) for name, value in headers.items() if name.startswith("ce-")}
        return [_event(event, _data(body))]
    value = payload(body, headers)
    if not isinstance(value, list):
        return [_structured(mapping(value))]
    # An empty batch is allowed, and says nothing; of a full one, each event stands for itself.
    return [_of_batch(mapping(event), position=position) for position, event in enumerate(items(value))]


def _of_batch(event: dict[str, Json], *, position: int) -> Statement:
    try:
        return _structured(event)
    except Unreadable as error:
        return RejectedItem(reason=f"Event {position}: {error}")


def _data(body: bytes) -> Json:
    """Read binary mode's body: its type is what the sender says or does not say, so only what reads is used."""
    try:
        return load(body) if body.strip() else None
    except Unreadable:
        return body.decode("utf-8", "replace")[:32_000]


def _structured(event: dict[str, Json]) -> Claim:
    if not event.get("type") or not event.get("source"):
        raise Unreadable("This is no CloudEvent: it has no “type” and “source”.")
    data = event.get("data")
    if data is None and event.get("data_base64"):
        try:
            data = _data(base64.b64decode(text_of(event.get("data_base64")), validate=True))
        except ValueError:
            data = None  # the specification's own example is not base64
    return _event(event, embedded(data) if isinstance(data, str) and data.lstrip()[:1] == "{" else data)


def _event(event: dict[str, Json], data: Json) -> Claim:
    sent = mapping(data)
    kind, source, subject = (text_of(event.get(name)) for name in ("type", "source", "subject"))
    flags: list[str] = []
    subject_of_type, _, ending = kind.lower().rpartition(".")
    word = first_text(sent.get("status"), sent.get("state"))
    by_word = status_of(word, flags=flags) if word else _ENDINGS.get(ending, FIRING)
    status = with_condition(by_word, sent.get("condition"))
    key = first_text(sent.get("key"), sent.get("dedup_key"))
    about = subject_of_type if ending in _BEGINNINGS or ending in _ENDINGS or known_status(ending) else kind
    return claim_from(
        status=status,
        title=(sent.get("title"), sent.get("summary"), " ".join(filter(None, (kind, subject)))),
        description=(sent.get("description"), sent.get("message"), data if isinstance(data, str) else None),
        identity=("key/1", key) if key else ("cloudevents/2", source, subject, about),
        former=() if key else [("cloudevents/1", source, subject, kind)],
        severity=first_text(sent.get("severity"), _severity(event)),
        system=first_text(sent.get("system"), event.get("system")),
        service=first_text(sent.get("service"), source.strip("/").rpartition("/")[2]),
        names=(sent.get("metric"), kind.rpartition(".")[2], kind, sent.get("message")),
        labels={**mapping(sent.get("labels")), "ce_type": kind, "ce_source": source, "ce_subject": subject},
        annotations=sent.get("annotations"),
        metric=sent.get("metric"),
        value=sent.get("value"),
        threshold=sent.get("threshold"),
        unit=sent.get("unit"),
        starts_at=event.get("time") if status.says != "resolved" else None,
        ends_at=event.get("time") if status.says == "resolved" else None,
        links=(("source", sent.get("url")), ("runbook", sent.get("runbook_url"))),
        delivery_key=event.get("id"),
        is_test=sent.get("test") is True,
        flags=flags,
    )


def _severity(event: dict[str, Json]) -> str:
    """Read the severity extension: OpenTelemetry's numbers, else its text."""
    number = number_of(event.get("severitynumber"))
    if number is None:
        return text_of(event.get("severitytext"))
    scale = ((21, "critical"), (17, "high"), (13, "medium"))
    return next((word for least, word in scale if number >= least), "info")
