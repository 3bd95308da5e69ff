"""LangSmith: alerts, what automation rules matched, and commits and tags of prompts as changes.

Alerts never resolve: a timer of the source, or a person, ends them.
"""

from collections.abc import Mapping

from incidents.alerts.bodies import Json, Unreadable, items, mapping, payload, text_of
from incidents.alerts.claims import ChangeAnnounced, Claim, Statement, claim_from
from incidents.alerts.cleaning import clip
from incidents.alerts.statuses import FIRING, NOTICE
from incidents.alerts.times import time_of

# What the alert watches, in words that classification knows.
_ATTRIBUTES = {
    "error_count": "llm_error_rate",
    "feedback_score": "user_feedback_score",
    "latency": "latency",
    "cost": "llm_cost",
}
_DONE = {"": "committed", "commit": "committed", "tag:create": "tagged", "tag:update": "tagged"}


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    sent = mapping(payload(body, headers))
    if sent.get("alert_rule_id") or sent.get("alert_rule_name"):
        return [_alert(sent)]
    if sent.get("prompt_name") and sent.get("commit_hash"):
        return [_prompt(sent)]
    if sent.get("rule_id") and isinstance(sent.get("runs"), list):
        return [_rule(sent)]
    raise Unreadable(
        "This is no webhook of LangSmith that is known: it has no “alert_rule_id”, no “prompt_name” with a "
        "“commit_hash”, and no “rule_id” with “runs”."
    )


def _alert(sent: dict[str, Json]) -> Claim:
    rule, attribute = text_of(sent.get("alert_rule_id")), text_of(sent.get("alert_rule_attribute"))
    return claim_from(
        title=(sent.get("alert_rule_name"), sent.get("alert_rule_description")),
        description=(sent.get("alert_rule_description"),),
        identity=("langsmith/1", rule),
        severity=sent.get("severity"),
        system=sent.get("system"),
        service=sent.get("project_name"),
        names=(_ATTRIBUTES.get(attribute, attribute), sent.get("alert_rule_name")),
        labels={
            "project": sent.get("project_name"),
            "workspace": sent.get("workspace_name"),
            "attribute": attribute,
        },
        metric=attribute,
        value=sent.get("triggered_metric_value"),
        threshold=sent.get("triggered_threshold"),
        starts_at=sent.get("timestamp"),
        links=(("source", sent.get("alert_rule_url")), ("trace", sent.get("runs_url"))),
        upstream_id=rule,
    )


def _prompt(sent: dict[str, Json]) -> ChangeAnnounced:
    name, commit = text_of(sent.get("prompt_name")), text_of(sent.get("commit_hash"))
    event, tag = text_of(sent.get("event")), text_of(sent.get("tag_name"))
    # Before there were tags, only commits were told, without saying so.
    done = _DONE.get(event, event)
    what = " ".join(filter(None, (f"Prompt {name}", done, tag)))
    return ChangeAnnounced(
        title=clip(f"{what}: {commit[:12]}", 200),
        kind="prompt",
        system_name=clip(name, 200),
        version=clip(f"{tag} ({commit[:12]})" if tag else commit[:12], 100),
        happened_at=time_of(sent.get("created_at")),
    )


def _rule(sent: dict[str, Json]) -> Claim:
    """Read which runs a rule matched: runs that failed are a failure, any others are only worth knowing."""
    runs = [mapping(run) for run in items(sent.get("runs"))]
    failed = [run for run in runs if run.get("error") or text_of(run.get("status")).lower() == "error"]
    rule, counted = text_of(sent.get("rule_id")), failed or runs
    name = next((text_of(run.get("name")) for run in counted), "") or f"rule {rule}"
    return claim_from(
        status=FIRING if failed else NOTICE,
        title=(f"Runs failed: {name}" if failed else f"Runs matched a rule: {name}",),
        description=("\n".join(text_of(run.get("error")) for run in failed[:20]),),
        identity=("langsmith-rule/1", rule),
        service=text_of(counted[0].get("session_name")) if counted else None,
        names=("llm_error_rate", name) if failed else (name,),
        labels={"rule": rule, "run": counted[0].get("id"), "session": counted[0].get("session_id")}
        if counted
        else None,
        metric="failed_runs" if failed else "runs",
        value=f"{len(failed)} of {len(runs)}" if failed else len(runs),
        starts_at=sent.get("start_time"),
        upstream_id=rule,
    )
