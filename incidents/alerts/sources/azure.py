"""Azure Monitor's action groups: the common alert schema, the older one of each kind of alert, and cost budgets."""

from collections.abc import Callable, Mapping
from urllib.parse import quote

from incidents.alerts.bodies import Json, Unreadable, dig, first_text, items, mapping, payload, text_of
from incidents.alerts.claims import Claim, Identity, Statement, claim_from
from incidents.alerts.cleaning import number_of
from incidents.alerts.statuses import FIRING, NOTICE, RESOLVED, MonitorStatus

# Azure counts from Sev0; elsewhere Sev1 is the worst. The older schemas leave the word out.
_SEVERITIES = {f"{word}{n}": severity for word in ("sev", "") for n, severity in enumerate(
    ("critical", "high", "medium", "low", "info")
)}  # fmt: skip
_STATUSES: dict[str, MonitorStatus] = {
    "fired": FIRING,
    "activated": FIRING,
    "resolved": RESOLVED,
    "deactivated": RESOLVED,
}


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    sent = mapping(payload(body, headers))
    data = mapping(sent.get("data"))
    facts, context = mapping(data.get("essentials")), mapping(data.get("alertContext"))
    if isinstance(context.get("AlertData"), dict):
        return [_budget(mapping(context["AlertData"]), facts)]
    if facts:
        return [_alert(data, facts, context)]
    schema = text_of(sent.get("schemaId"))
    if schema in _OLDER:
        return [_OLDER[schema](data)]
    if schema:
        raise Unreadable(
            f"It is in Azure’s schema “{schema}”, which is not read; turn the common alert schema on in the action group."
        )
    raise Unreadable("It is no alert of Azure Monitor: it names no “schemaId”. Turn on the common alert schema.")


def _alert(data: dict[str, Json], facts: dict[str, Json], context: dict[str, Json]) -> Claim:
    """Read the common alert schema."""
    flags: list[str] = []
    condition, properties = _condition(context), mapping(context.get("properties"))
    word = text_of(facts.get("monitorCondition")).lower()
    status = _STATUSES.get(word, FIRING)
    if word not in _STATUSES:
        flags.append("status_unknown")
    if _is_planned(properties) and status == FIRING:
        status = NOTICE
    rule = text_of(facts.get("alertRule"))
    custom = mapping(data.get("customProperties")) or properties
    identity, former = _identity(facts, condition, properties)
    return claim_from(
        status=status,
        title=(rule,),
        description=(
            _detected(context),
            facts.get("description"),
            properties.get("title"),
            context.get("operationName"),
        ),
        identity=identity,
        former=former,
        severity=facts.get("severity"),
        severities=_SEVERITIES,
        system=custom.get("system"),
        service=first_text(*items(facts.get("configurationItems"))),
        names=(
            "failed_requests" if context.get("DetectedFailureRate") else None,
            condition.get("metricName"),
            rule,
            facts.get("description"),
        ),
        labels={
            **mapping(context.get("labels")),
            **_dimensions(condition),
            **custom,
            "signal": facts.get("signalType"),
            "monitoring_service": facts.get("monitoringService"),
            "target": first_text(*items(facts.get("configurationItems"))),
        },
        annotations={name: context.get(name) for name in _DETECTED if context.get(name)},
        metric=condition.get("metricName"),
        value=first_text(condition.get("metricValue"), context.get("DetectedFailureRate")),
        threshold=first_text(condition.get("threshold"), context.get("NormalFailureRate")),
        operator=condition.get("operator"),
        starts_at=facts.get("firedDateTime"),
        # A fired alert may carry an end as well; only a resolve's counts.
        ends_at=facts.get("resolvedDateTime") if status.says == "resolved" else None,
        links=(
            ("source", _portal(text_of(facts.get("alertId")))),
            ("query", condition.get("linkToSearchResultsUI")),
            ("runbook", custom.get("runbook_url")),
        ),
        upstream_id=facts.get("alertId"),
        is_test=rule.startswith("test-") and text_of(facts.get("severity")).lower() == "sev4",
        flags=flags,
    )


def _identity(
    facts: dict[str, Json], condition: dict[str, Json], properties: dict[str, Json]
) -> tuple[Identity, list[Identity]]:
    """Azure's id of the rule on its target. An issue of Azure itself is told several times, each with an id of its own."""
    rule, origin = text_of(facts.get("alertRule")), text_of(facts.get("originAlertId"))
    known: Identity = ("azure/1", origin)
    if tracking := text_of(properties.get("trackingId")):
        return ("azure-health/1", tracking), [known]
    if origin:
        return known, []
    targets = sorted(map(text_of, items(facts.get("alertTargetIDs"))))
    by_rule: Identity = ("azure-rule/1", rule, *targets)
    dimensions = [f"{name}\x1e{text_of(value)}" for name, value in sorted(_dimensions(condition).items())]
    return (("azure-rule/2", rule, *targets, *dimensions), [by_rule]) if dimensions else (by_rule, [])


def _condition(context: dict[str, Json]) -> dict[str, Json]:
    return mapping(dig(context, "condition", "allOf", 0))


def _dimensions(condition: dict[str, Json]) -> dict[str, Json]:
    return {first_text(d.get("name")): d.get("value") for d in map(mapping, items(condition.get("dimensions")))}


def _is_planned(properties: dict[str, Json]) -> bool:
    """Tell what Azure announces of its own services from what is wrong with them."""
    kind = text_of(properties.get("incidentType")).lower()
    return kind in {"maintenance", "informational", "information", "actionrequired"}


# What smart detection found, beside the fixed words of its rule.
_DETECTED = ("DetectionSummary", "DetectedFailureRate", "NormalFailureRate", "FailedRequestCount", "DetectedValue")


def _detected(context: dict[str, Json]) -> str:
    found = [text_of(context.get(name)) for name in _DETECTED]
    if not found[0]:
        return ""
    rates = ", ".join(
        f"{name}: {text}"
        for name, text in zip(("detected", "normally", "failed", "value"), found[1:], strict=True)
        if text
    )
    return f"{found[0]} ({rates})" if rates else found[0]


def _portal(alert_id: str) -> str:
    if not alert_id:
        return ""
    return f"https://portal.azure.com/#blade/Microsoft_Azure_Monitoring/AlertDetailsTemplateBlade/alertId/{quote(alert_id, safe='')}"


# Without the common alert schema


def _metric(data: dict[str, Json]) -> Claim:
    flags: list[str] = []
    context = mapping(data.get("context"))
    condition = _condition(context)
    word = text_of(data.get("status")).lower()
    status = _STATUSES.get(word, FIRING)
    if word not in _STATUSES:
        flags.append("status_unknown")
    custom = mapping(data.get("properties"))
    dimensions = _dimensions(condition)
    at = context.get("timestamp")
    return claim_from(
        status=status,
        title=(context.get("name"),),
        description=(context.get("description"),),
        identity=(
            "azure-metric/1",
            text_of(context.get("id")),
            text_of(context.get("resourceId")),
            *(f"{name}\x1e{text_of(value)}" for name, value in sorted(dimensions.items())),
        ),
        severity=context.get("severity"),
        severities=_SEVERITIES,
        system=custom.get("system"),
        service=context.get("resourceName"),
        names=(condition.get("metricName"), context.get("name"), context.get("description")),
        labels={**dimensions, **custom, "target": context.get("resourceName"), "resource": context.get("resourceType")},
        metric=condition.get("metricName"),
        value=condition.get("metricValue"),
        threshold=condition.get("threshold"),
        operator=condition.get("operator"),
        starts_at=at if status.says == "firing" else None,
        ends_at=at if status.says == "resolved" else None,
        links=(("source", context.get("portalLink")), ("runbook", custom.get("runbook_url"))),
        upstream_id=context.get("id"),
        flags=flags,
    )


def _log(data: dict[str, Json]) -> Claim:
    """Read an alert on a search in the logs, which never resolves."""
    rule = text_of(data.get("AlertRuleName"))
    return claim_from(
        title=(rule,),
        description=(data.get("Description"), data.get("SearchQuery")),
        identity=("azure-log/1", text_of(data.get("SubscriptionId")), rule) if rule else (),
        severity=data.get("Severity"),
        severities=_SEVERITIES,
        service=first_text(*items(data.get("AffectedConfigurationItems"))),
        names=(rule, data.get("Description")),
        labels={"target": first_text(*items(data.get("AffectedConfigurationItems")))},
        value=data.get("ResultCount"),
        threshold=data.get("AlertThresholdValue"),
        operator=data.get("AlertThresholdOperator"),
        starts_at=data.get("SearchIntervalEndtimeUtc"),
        links=(("query", data.get("LinkToSearchResults")),),
    )


def _budget(data: dict[str, Json], facts: Mapping[str, Json] | None = None) -> Claim:
    """Read a cost budget. Azure tells each threshold once: what is below the whole budget is only worth knowing."""
    essentials = facts or {}
    name = text_of(data.get("BudgetName"))
    spent, reached = _amount(data, "SpentAmount", "SpendingAmount"), _amount(data, "NotificationThresholdAmount")
    budget = _amount(data, "BudgetThreshold", "Budget")
    foreseen = text_of(data.get("ThresholdType")).lower() == "forecasted"
    # Where the amount is not told, the threshold that was reached is all there is to compare with.
    exceeded = spent is not None and spent >= (budget if budget is not None else reached or 0) and not foreseen
    share = f"at {spent / budget:.0%}" if spent is not None and budget else "at a threshold"
    over = "exceeded" if budget is not None else "above its threshold"
    state_of_it = "is going to be exceeded" if foreseen else f"is {over if exceeded else share}"
    scope = first_text(data.get("BudgetId"), data.get("Scope"))
    return claim_from(
        status=FIRING if exceeded else NOTICE,
        title=(f"Budget {name} {state_of_it}",),
        description=(essentials.get("description"),),
        identity=(
            "azure-budget/1",
            scope or f"{text_of(data.get('SubscriptionId'))}/{text_of(data.get('ResourceGroup'))}",
            name,
        ),
        names=("budget",),
        labels={
            "budget": name,
            "resource_group": data.get("ResourceGroup"),
            "subscription": first_text(data.get("SubscriptionName"), data.get("Scope")),
        },
        metric="budget",
        value=first_text(data.get("SpentAmount"), data.get("SpendingAmount")),
        threshold=first_text(*(data.get(n) for n in ("BudgetThreshold", "Budget", "NotificationThresholdAmount"))),
        unit=data.get("Unit"),
        starts_at=essentials.get("firedDateTime"),
        upstream_id=first_text(essentials.get("alertId"), name),
        is_test=name.startswith("test-budget") or text_of(essentials.get("alertId")).rpartition("/")[2] == "Test_Alert",
    )


def _amount(data: Mapping[str, Json], *names: str) -> float | None:
    """Read the first amount that is one: “$1,250.00”, or a number."""
    text = first_text(*(data.get(name) for name in names))
    return number_of(text.lstrip("$€£ ").replace(",", ""))


_OLDER: dict[str, Callable[[dict[str, Json]], Claim]] = {
    "AzureMonitorMetricAlert": _metric,
    "Microsoft.Insights/LogAlert": _log,
    "AIP Budget Notification": _budget,
}
