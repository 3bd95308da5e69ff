"""Slack's incoming webhook, the only thing that many AI tools can send: text, with attachments or blocks."""

import re
from collections.abc import Mapping

from incidents.alerts.bodies import Json, Unreadable, dig, first_text, items, mapping, payload, text_of
from incidents.alerts.claims import Identity, Statement, claim_from, title_identity
from incidents.alerts.sources import headings
from incidents.alerts.statuses import FIRING, NOTICE, RESOLVED, MonitorStatus

_FACT = re.compile(r"^[*_]*(?P<name>[A-Za-z][\w ]{0,40}?)[*_]*:[*_]* *[`*]*(?P<value>[^`*\n]{1,300})[`*]*$", re.M)
_LINK = re.compile(r"<(?P<href>https?://[^|>\s]+)(?:\|(?P<words>[^>]*))?>")
_MENTION = re.compile(r"<[!@#][^>]*>")
_COLOURS = {"danger": "high", "warning": "medium", "good": "info"}
# What LiteLLM reports without anything being wrong, by its `Alert type:`.
_NOTICES = re.compile(
    r"(spend|daily|fallback)_reports|new_model_added|(new_)?(virtual_key|team|internal_user)_(created|updated|deleted)"
)
# The name that Grafana gives the alert of its test button.
_TEST = re.compile(r"\W*TestAlert\b.*\bGrafana\b")


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    sent = mapping(payload(body, headers))
    attachments = [mapping(attachment) for attachment in items(sent.get("attachments"))]
    text = "\n".join(filter(None, (text_of(sent.get("text")), *_blocks(sent), *(_attachment(a) for a in attachments))))
    if not text.strip():
        raise Unreadable("The message has no “text”.")
    plain = _LINK.sub(lambda match: match["words"] or match["href"], text)
    facts: dict[str, Json] = {
        match["name"].strip().lower().replace(" ", "_"): match["value"].strip() for match in _FACT.finditer(plain)
    }
    title = _title(sent, attachments, facts, plain)
    heading = headings.of_message(title)
    colour = next((_COLOURS[text_of(a.get("color"))] for a in attachments if text_of(a.get("color")) in _COLOURS), None)
    system = facts.get("system")
    service = first_text(facts.get("model"), facts.get("service"), facts.get("project"))
    identity = _identity(facts)
    return [
        claim_from(
            status=_status(heading, facts, plain, colour),
            title=(heading.name, title),
            description=(plain,),
            identity=identity,
            former=() if identity else _former(text, title, heading.name, first_text(system, service), facts),
            severity=first_text(facts.get("severity"), facts.get("level"), colour, heading.severity),
            system=system,
            service=service,
            names=(facts.get("metric"), facts.get("alert_type"), heading.name),
            labels={name: value for name, value in facts.items() if name not in {"message", "timestamp"}},
            metric=facts.get("metric"),
            value=first_text(facts.get("value"), facts.get("spend")),
            threshold=first_text(facts.get("threshold"), facts.get("max_budget")),
            links=[("source", match["href"]) for match in _LINK.finditer(text)][:5],
            is_test=_TEST.match(heading.name) is not None,
        )
    ]


def _title(sent: dict[str, Json], attachments: list[dict[str, Json]], facts: dict[str, Json], plain: str) -> str:
    """Find the one line that says what it is about: a header, an attachment's title, else the first line."""
    headers = [
        dig(block, "text", "text")
        for part in (sent, *attachments)
        for block in map(mapping, items(part.get("blocks")))
        if block.get("type") == "header"
    ]
    lines = [line.strip(" *_`>") for line in _MENTION.sub("", plain).splitlines()]
    first = next((line for line in lines if line), plain)
    heading = first_text(facts.get("message"), *headers, *(a.get("title") for a in attachments), first)
    return _LINK.sub(lambda match: match["words"] or match["href"], heading)


def _status(heading: headings.Heading, facts: dict[str, Json], plain: str, colour: str | None) -> MonitorStatus:
    if heading.status:
        return heading.status
    if _NOTICES.fullmatch(text_of(facts.get("alert_type"))):
        return NOTICE
    # The title may be a header that says only what it is about, above a line that says what happened to it.
    first = headings.of_message(next((line for line in plain.splitlines() if line.strip()), ""))
    if first.status == RESOLVED:
        return RESOLVED
    return RESOLVED if colour == "info" else FIRING


def _former(text: str, title: str, name: str, where: str, facts: dict[str, Json]) -> list[Identity]:
    """The title named it with what it began with, and a link in the first line by its address."""
    environment = first_text(facts.get("environment"), facts.get("env"))
    lines = (line.strip(" *_`>") for line in _LINK.sub(lambda match: match["href"], text).splitlines())
    titles = (title, f"[FIRING:1] {name}", f":fire: {name}", next((line for line in lines if line), name))
    return [title_identity(" ".join(one.split()), where, environment) for one in titles]


def _identity(facts: dict[str, Json]) -> Identity:
    """LiteLLM names who and what; other messages are named by their title."""
    if key := text_of(facts.get("key")):
        return ("key/1", key)
    holder = first_text(facts.get("token"), facts.get("team_id"), facts.get("user_id"), facts.get("model"))
    return ("slack-facts/1", text_of(facts.get("alert_type")), holder) if facts.get("alert_type") and holder else ()


def _blocks(part: dict[str, Json]) -> list[str]:
    texts: list[str] = []
    for block in map(mapping, items(part.get("blocks"))):
        texts.append(first_text(dig(block, "text", "text"), block.get("text")))
        for field in map(mapping, (*items(block.get("fields")), *items(block.get("elements")))):
            texts.append(text_of(field.get("text")))
    return texts


def _attachment(attachment: dict[str, Json]) -> str:
    fields = [
        f"{text_of(f.get('title'))}: {text_of(f.get('value'))}" for f in map(mapping, items(attachment.get("fields")))
    ]
    texts = [text_of(attachment.get(name)) for name in ("pretext", "title", "text")] + _blocks(attachment)
    # The fallback is for those who see nothing else.
    return "\n".join(filter(None, (*(texts if any(texts) else [text_of(attachment.get("fallback"))]), *fields)))
