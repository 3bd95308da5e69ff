"""Arize AX and Phoenix: an online task that fails is an alert, versions of prompts and evaluators are changes.

Monitors of Arize notify through PagerDuty, Opsgenie or Slack; their doors take those.
"""

from collections.abc import Mapping

from incidents.alerts.bodies import dig, first_text, mapping, payload, text_of
from incidents.alerts.claims import ChangeAnnounced, Handshake, Statement, claim_from
from incidents.alerts.cleaning import clip
from incidents.alerts.sources import generic
from incidents.alerts.statuses import FIRING, RESOLVED
from incidents.alerts.times import time_of


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    sent = mapping(payload(body, headers))
    event = first_text(sent.get("type"), sent.get("event"), sent.get("event_type"))
    data = mapping(sent.get("data")) or sent
    if "version" in event and event.startswith(("prompt", "evaluator")):
        name = first_text(dig(data, "prompt", "name"), dig(data, "evaluator", "name"), data.get("name"))
        version = first_text(dig(data, "version", "id"), data.get("version"), data.get("version_id"))
        return [
            ChangeAnnounced(
                title=clip(" ".join(filter(None, (event.replace(".", " "), name, version))), 200),
                kind="prompt" if event.startswith("prompt") else "guardrail",
                system_name=clip(first_text(data.get("project"), dig(data, "space", "name"), name), 200),
                version=clip(version, 100),
                happened_at=time_of(sent.get("timestamp")),
            )
        ]
    if not event.startswith("online_task"):
        return generic.read(body, headers)
    task = first_text(dig(data, "task", "id"), data.get("task_id"), data.get("online_task_id"))
    if not event.endswith(("failed", "succeeded", "recovered", "completed")):
        return [Handshake(reason=f"“{event}” neither opens nor ends anything.")]
    return [
        claim_from(
            status=FIRING if event.endswith("failed") else RESOLVED,
            title=(f"Online evaluation {first_text(dig(data, 'task', 'name'), data.get('task_name'), task)} failed",),
            description=(data.get("error"), data.get("cause"), data.get("message")),
            identity=("arize-task/1", task),
            severity="error",
            service=first_text(data.get("project"), dig(data, "project", "name")),
            names=("evaluation job failed", text_of(data.get("error"))),
            starts_at=sent.get("timestamp"),
            links=(("source", data.get("url")),),
            upstream_id=task,
        )
    ]
