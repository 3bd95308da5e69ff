"""Grafana: unified alerting, an Alertmanager group with values and panels; and the dashboards' alerts before version 9."""

from collections.abc import Mapping
from dataclasses import replace

from incidents.alerts.bodies import Json, Unreadable, first_text, items, mapping, payload, text_of
from incidents.alerts.claims import Claim, GroupOver, Identity, Measured, Statement, claim_from
from incidents.alerts.cleaning import MAX_TITLE, clip, number_of, safe_link
from incidents.alerts.sources import alertmanager, headings
from incidents.alerts.statuses import FIRING, NO_DATA, RESOLVED, VANISHED, Condition, titled

# What Grafana renames a rule's alert to, where the rule has nothing to judge or its query fails.
_REASONS: dict[str, Condition] = {"NoData": "no_data", "MissingSeries": "no_data", "Error": "check_failed"}
# Why a rule may end an alert without having seen its value come back.
_ENDED_UNSEEN = {"NoData", "MissingSeries", "Error", "Paused", "Updated", "RuleDeleted"}
_STAND_INS: dict[str, Condition] = {"DatasourceNoData": "no_data", "DatasourceError": "check_failed"}


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    group = mapping(payload(body, headers))
    if isinstance(group.get("alerts"), list):
        statements: list[Statement] = [_read_alert(mapping(alert), group=group) for alert in items(group["alerts"])]
        return [*statements, *_group_over(group)]
    if "ruleId" in group or "evalMatches" in group:
        return [_read_legacy(group)]
    raise Unreadable(
        "This is no Grafana notification: it has neither a list “alerts” nor a “ruleId”. If its contact point has a "
        "custom payload, remove that, or connect it as Generic JSON with a field map."
    )


def _group_over(group: dict[str, Json]) -> list[Statement]:
    """End what was cut from a group that is resolved, where Grafana says that it has cut anything."""
    key, cut = alertmanager.group_of(group), text_of(group.get("truncatedAlerts")) not in {"", "0"}
    return [GroupOver(group=key)] if key and cut and text_of(group.get("status")) == "resolved" else []


def _read_alert(alert: dict[str, Json], *, group: dict[str, Json]) -> Claim:
    claim = alertmanager.read_alert(alert, group=group)
    name = claim.labels.get("alertname", "")
    condition = _condition(alert, claim, name)
    rule = claim.labels.get("rulename", "") if name in _STAND_INS else ""
    metric = first_text(rule, claim.labels.get("metric"))
    return replace(
        claim,
        condition=condition,
        title=clip(titled(rule or claim.title, condition), MAX_TITLE),
        description=first_text(claim.description, claim.annotations.get("Error")),
        identity=_identity(alert, claim, org=text_of(group.get("orgId"))),
        names=(metric, *claim.names) if metric else claim.names,
        measured=claim.measured if claim.measured.text else _measured(alert, metric=metric),
        links=(
            *claim.links,
            *safe_link("dashboard", alert.get("dashboardURL")),
            *safe_link("panel", alert.get("panelURL")),
            *safe_link("image", alert.get("imageURL")),
        ),
    )


def _condition(alert: dict[str, Json], claim: Claim, name: str) -> Condition:
    # A contact point's test; its group key holds a clock, so it would otherwise be new on every click.
    if name == "TestAlert" and claim.labels.get("instance") == "Grafana":
        return "test"
    reason = claim.annotations.get("grafana_state_reason", "")
    if claim.says == "resolved" and reason in _ENDED_UNSEEN:
        return "no_data"
    return _STAND_INS.get(name) or _REASONS.get(reason, claim.condition)


def _identity(alert: dict[str, Json], claim: Claim, *, org: str) -> Identity:
    # Grafana hashes hidden labels too, so its fingerprint cannot be computed again from what it shows.
    if fingerprint := text_of(alert.get("fingerprint")):
        return ("grafana/1", org, fingerprint)
    return ("grafana-labels/1", org, *alertmanager.identity_of_labels(claim.labels))


def _measured(alert: dict[str, Json], *, metric: str) -> Measured:
    """Show the measured values; a condition's 0 or 1 says only that it fired."""
    values = {name: value for name, value in mapping(alert.get("values")).items() if value not in (0, 1, None)}
    values_text = ", ".join(f"{name}={text_of(value)}" for name, value in sorted(values.items()))
    number = next(iter(values.values())) if len(values) == 1 else None
    text = clip(values_text or text_of(alert.get("valueString")), 100)
    return Measured(metric=metric, text=text, number=number_of(number))


_LEGACY = {"alerting": FIRING, "ok": RESOLVED, "paused": VANISHED, "no_data": NO_DATA, "pending": FIRING}


def _read_legacy(rule: dict[str, Json]) -> Claim:
    flags: list[str] = []
    state = text_of(rule.get("state")).lower()
    if state not in _LEGACY:
        flags.append("status_unknown")
    match = mapping(next(iter(items(rule.get("evalMatches"))), None))
    tags = mapping(match.get("tags")) | mapping(rule.get("tags"))
    return claim_from(
        status=_LEGACY.get(state, FIRING),
        title=(headings.in_brackets(text_of(rule.get("title"))).name, rule.get("ruleName")),
        description=(rule.get("message"),),
        # The resolve has no matches: nothing but the rule links it to its firing.
        identity=("grafana-rule/1", text_of(rule.get("orgId")), text_of(rule.get("ruleId"))),
        severity=tags.get("severity"),
        names=(match.get("metric"), rule.get("ruleName")),
        labels=tags,
        metric=match.get("metric"),
        value=match.get("value"),
        links=(("source", rule.get("ruleUrl")), ("image", rule.get("imageUrl"))),
        upstream_id=rule.get("ruleId"),
        is_test=text_of(rule.get("ruleName")) == "Test notification",
        flags=flags,
    )
