"""LiteLLM: budget events as JSON, everything else as a Slack message."""

from collections.abc import Mapping

from incidents.alerts.bodies import Unreadable, first_text, mapping, payload, text_of
from incidents.alerts.claims import Statement, claim_from
from incidents.alerts.sources import slack


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    said = mapping(payload(body, headers))
    event = text_of(said.get("event"))
    if "text" in said and not event:
        return slack.read(body, headers)
    if not event:
        raise Unreadable("This is neither a budget event of LiteLLM nor a Slack message.")
    holder = first_text(said.get("token"), said.get("team_id"), said.get("user_id"), said.get("organization_id"))
    name = first_text(
        said.get("key_alias"), said.get("team_alias"), said.get("user_email"), said.get("team_id"), said.get("user_id")
    )
    # Crossed, soft and projected are the same budget of the same holder.
    family = "budget" if "budget" in event else event
    return [
        claim_from(
            says="firing",
            title=(f"{event.replace('_', ' ').capitalize()}: {name or 'a key'}",),
            description=(said.get("event_message"),),
            identity=("litellm/1", text_of(said.get("event_group")), holder, family),
            severity="error" if event == "budget_crossed" else "warning",
            service=name,
            names=("llm_budget_exceeded" if family == "budget" else event, said.get("event_message")),
            labels={field: said.get(field) for field in ("event_group", "key_alias", "team_id", "team_alias", "user_id") if said.get(field)},
            metric="spend",
            value=said.get("spend"),
            threshold=first_text(said.get("max_budget"), said.get("soft_budget")),
            unit="USD",
            upstream_id=holder,
        )
    ]  # fmt: skip
