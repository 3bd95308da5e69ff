"""Slack's incoming webhook, the only thing that many AI tools can send: text, with attachments or blocks."""

import re
from collections.abc import Mapping

from incidents.alerts.bodies import Json, Unreadable, dig, first_text, items, mapping, payload, text_of
from incidents.alerts.claims import Identity, Statement, claim_from
from incidents.alerts.statuses import FIRING, RESOLVED

_RESOLVED = re.compile(
    r"^\W*(\[?(resolved|recovered|recovery|ok)\b|:white_check_mark:|:large_green_circle:|✅|🟢)", re.I
)
_FACT = re.compile(r"^[*_]*(?P<name>[A-Za-z][\w ]{0,40}?)[*_]*:[*_]* *[`*]*(?P<value>[^`*\n]{1,300})[`*]*$", re.M)
_LINK = re.compile(r"<(?P<href>https?://[^|>\s]+)(?:\|[^>]*)?>")
_COLOURS = {"danger": "high", "warning": "medium", "good": "info"}


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    sent = mapping(payload(body, headers))
    attachments = [mapping(attachment) for attachment in items(sent.get("attachments"))]
    text = "\n".join(filter(None, (text_of(sent.get("text")), *_blocks(sent), *(_attachment(a) for a in attachments))))
    if not text.strip():
        raise Unreadable("The message has no “text”.")
    plain = _LINK.sub(lambda match: match["href"], text)
    facts: dict[str, Json] = {
        match["name"].strip().lower().replace(" ", "_"): match["value"].strip() for match in _FACT.finditer(plain)
    }
    lines = [line.strip(" *_`>") for line in plain.splitlines() if line.strip(" *_`>")]
    first = lines[0] if lines else plain
    title = first_text(facts.get("message"), *(a.get("title") for a in attachments), first)
    colour = next((_COLOURS[text_of(a.get("color"))] for a in attachments if text_of(a.get("color")) in _COLOURS), None)
    return [
        claim_from(
            status=RESOLVED if _RESOLVED.match(first) or colour == "info" else FIRING,
            title=(_RESOLVED.sub("", title).strip(" ]:-") or title,),
            description=(plain,),
            identity=_identity(facts),
            severity=first_text(facts.get("severity"), facts.get("level"), colour),
            system=facts.get("system"),
            service=first_text(facts.get("model"), facts.get("service"), facts.get("project")),
            names=(facts.get("metric"), facts.get("alert_type"), title),
            labels={name: value for name, value in facts.items() if name not in {"message", "timestamp"}},
            metric=facts.get("metric"),
            value=first_text(facts.get("value"), facts.get("spend")),
            threshold=first_text(facts.get("threshold"), facts.get("max_budget")),
            links=[("source", match["href"]) for match in _LINK.finditer(text)][:5],
        )
    ]


def _identity(facts: dict[str, Json]) -> Identity:
    """LiteLLM names who and what; other messages are named by their title."""
    if key := text_of(facts.get("key")):
        return ("key/1", key)
    holder = first_text(facts.get("token"), facts.get("team_id"), facts.get("user_id"), facts.get("model"))
    return ("slack-facts/1", text_of(facts.get("alert_type")), holder) if facts.get("alert_type") and holder else ()


def _blocks(sent: dict[str, Json]) -> list[str]:
    match: list[str] = []
    for block in map(mapping, items(sent.get("blocks"))):
        match.append(first_text(dig(block, "text", "text"), block.get("text")))
        match += [text_of(mapping(field).get("text")) for field in items(block.get("fields"))]
    return match


def _attachment(attachment: dict[str, Json]) -> str:
    fields = [
        f"{text_of(f.get('title'))}: {text_of(f.get('value'))}" for f in map(mapping, items(attachment.get("fields")))
    ]
    texts = (attachment.get("pretext"), attachment.get("title"), attachment.get("text") or attachment.get("fallback"))
    return "\n".join(filter(None, (*map(text_of, texts), *fields)))
