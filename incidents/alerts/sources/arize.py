"""Arize AX and Phoenix: an online task that fails is an alert, versions of prompts and evaluators are changes.

Monitors of Arize notify through PagerDuty, Opsgenie or Slack; their doors take those.
"""

from collections.abc import Mapping

from incidents.alerts.bodies import dig, first_text, mapping, payload, text_of
from incidents.alerts.claims import ChangeAnnounced, Handshake, Statement, claim_from
from incidents.alerts.cleaning import clip
from incidents.alerts.sources import generic
from incidents.alerts.statuses import CHECK_FAILED
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
    if not event.endswith("failed"):
        return [Handshake(reason=f"“{event}” neither opens nor ends anything.")]
    task = first_text(dig(data, "task", "id"), data.get("task_id"), data.get("online_task_id"))
    cause = text_of(data.get("error_type"))
    return [
        claim_from(
            # What failed is the evaluation; of the output it judges nothing is known until it runs again.
            status=CHECK_FAILED,
            title=(f"Evaluation failed to run: {first_text(dig(data, 'task', 'name'), data.get('task_name'), task)}",),
            description=(data.get("error"), data.get("error_message"), data.get("cause"), data.get("message"), cause),
            identity=("arize-task/1", task),
            service=first_text(data.get("project"), dig(data, "project", "name")),
            names=("evaluation job failed", cause, text_of(data.get("error"))),
            labels={"error_type": cause} if cause else None,
            starts_at=sent.get("timestamp"),
            links=(("source", data.get("url")),),
            upstream_id=task,
        )
    ]
