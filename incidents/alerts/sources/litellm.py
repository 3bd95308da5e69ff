"""LiteLLM: budget events as JSON, everything else as a Slack message."""

from collections.abc import Mapping

from incidents.alerts.bodies import Unreadable, first_text, mapping, payload, text_of
from incidents.alerts.claims import Statement, claim_from
from incidents.alerts.sources import slack


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    sent = mapping(payload(body, headers))
    event = text_of(sent.get("event"))
    if "text" in sent and not event:
        return slack.read(body, headers)
    if not event:
        raise Unreadable("This is neither a budget event of LiteLLM nor a Slack message.")
    holder = first_text(sent.get("token"), sent.get("team_id"), sent.get("user_id"), sent.get("organization_id"))
    name = first_text(
        sent.get("key_alias"), sent.get("team_alias"), sent.get("user_email"), sent.get("team_id"), sent.get("user_id")
    )
    # Crossed, soft and projected are the same budget of the same holder.
    family = "budget" if "budget" in event else event
    return [
        claim_from(
            title=(f"{event.replace('_', ' ').capitalize()}: {name or 'a key'}",),
            description=(sent.get("event_message"),),
            identity=("litellm/1", text_of(sent.get("event_group")), holder, family),
            severity="error" if event == "budget_crossed" else "warning",
            service=name,
            names=("llm_budget_exceeded" if family == "budget" else event, sent.get("event_message")),
            labels={
                field: sent.get(field)
                for field in ("event_group", "key_alias", "team_id", "team_alias", "user_id")
                if sent.get(field)
            },
            metric="spend",
            value=sent.get("spend"),
            threshold=first_text(sent.get("max_budget"), sent.get("soft_budget")),
            unit="USD",
            upstream_id=holder,
        )
    ]
