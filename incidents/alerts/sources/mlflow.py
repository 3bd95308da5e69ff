"""MLflow: a budget that is exceeded is an alert; models, versions, aliases and prompts are changes."""

from collections.abc import Mapping

from incidents.alerts.bodies import Json, Unreadable, first_text, mapping, payload, text_of
from incidents.alerts.claims import ChangeAnnounced, Claim, Handshake, Statement, claim_from
from incidents.alerts.cleaning import clip
from incidents.alerts.statuses import FIRING, NOTICE
from incidents.alerts.times import time_of

# What `test_webhook` of MLflow's client sends: its own examples.
_EXAMPLES = {"bp-abc123", "example_model", "example_prompt"}


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    sent = mapping(payload(body, headers))
    entity, action, data = text_of(sent.get("entity")), text_of(sent.get("action")), mapping(sent.get("data"))
    if not entity or not data:
        raise Unreadable("This is no MLflow webhook: it has no “entity” with “data”.")
    if entity == "budget_policy":
        return [_budget(sent, action, data, headers.get("x-mlflow-delivery-id"))]
    name = first_text(data.get("name"), data.get("prompt_name"), data.get("model_name"))
    version = first_text(data.get("version"), data.get("prompt_version"), data.get("alias"), data.get("key"))
    if name in _EXAMPLES:
        return [Handshake(reason=f"MLflow tried the webhook with its example “{name}”.")]
    return [
        ChangeAnnounced(
            title=clip(" ".join(filter(None, (entity.replace("_", " "), name, version, action))), 200),
            kind="prompt" if entity.startswith("prompt") else "model",
            system_name=clip(name, 200),
            version=clip(version, 100),
            happened_at=time_of(sent.get("timestamp")),
        )
    ]


def _budget(sent: dict[str, Json], action: str, data: dict[str, Json], delivery: str | None) -> Claim:
    unit = first_text(data.get("budget_unit"), "USD")
    spend, budget = text_of(data.get("current_spend")), text_of(data.get("budget_amount"))
    policy, target = text_of(data.get("budget_policy_id")), text_of(data.get("target_value"))
    whose = first_text(target, data.get("workspace"))
    return claim_from(
        status=FIRING if action == "exceeded" else NOTICE,
        title=(f"Budget {action}: {whose} has spent {spend} of {budget} {unit}",),
        identity=("mlflow-budget/2", policy, target),
        former=[("mlflow-budget/1", policy)],
        severity="warning",
        service=whose,
        names=("llm_budget_exceeded", "budget exceeded"),
        labels={name: data.get(name) for name in ("budget_policy_id", "target_scope", "target_value", "workspace")},
        metric="spend",
        value=data.get("current_spend"),
        threshold=data.get("budget_amount"),
        unit=unit,
        starts_at=sent.get("timestamp"),
        upstream_id=policy,
        delivery_key=delivery,
        is_test=policy in _EXAMPLES,
    )
