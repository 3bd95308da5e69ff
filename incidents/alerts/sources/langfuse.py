"""Langfuse: versions of prompts are changes; anything else with a title is an alert."""

from collections.abc import Mapping

from incidents.alerts.bodies import first_text, items, mapping, payload, text_of
from incidents.alerts.claims import ChangeAnnounced, Statement
from incidents.alerts.cleaning import clip
from incidents.alerts.sources import generic
from incidents.alerts.times import time_of


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    sent = mapping(payload(body, headers))
    prompt = mapping(sent.get("prompt"))
    if text_of(sent.get("type")) != "prompt-version" and not prompt:
        return generic.read(body, headers)
    name, version = text_of(prompt.get("name")), text_of(prompt.get("version"))
    labels = ", ".join(filter(None, map(text_of, items(prompt.get("labels")))))
    action = first_text(sent.get("action"), "changed")
    return [
        ChangeAnnounced(
            title=clip(f"Prompt {name} version {version} {action}" + (f" ({labels})" if labels else ""), 200),
            kind="prompt",
            system_name=clip(name, 200),
            version=clip(version, 100),
            happened_at=time_of(sent.get("timestamp") or prompt.get("updatedAt")),
        )
    ]
