"""Azure Monitor's action groups, with the common alert schema."""

from collections.abc import Mapping
from urllib.parse import quote

from incidents.alerts.bodies import Unreadable, dig, first_text, items, mapping, payload, text_of
from incidents.alerts.claims import Statement, claim_from
from incidents.alerts.statuses import FIRING, RESOLVED

# Azure counts from Sev0; elsewhere Sev1 is the worst.
_SEVERITIES = {"sev0": "critical", "sev1": "high", "sev2": "medium", "sev3": "low", "sev4": "info"}


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    sent = mapping(payload(body, headers))
    data = mapping(sent.get("data"))
    facts, context = mapping(data.get("essentials")), mapping(data.get("alertContext"))
    if not facts:
        raise Unreadable("It is not in Azure’s common alert schema; turn that on in the action group.")
    flags: list[str] = []
    condition = mapping(dig(context, "condition", "allOf", 0))
    word = text_of(facts.get("monitorCondition")).lower()
    if word not in {"fired", "resolved"}:
        flags.append("status_unknown")
    targets = sorted(map(text_of, items(facts.get("alertTargetIDs"))))
    rule, origin = text_of(facts.get("alertRule")), text_of(facts.get("originAlertId"))
    custom = mapping(data.get("customProperties")) or mapping(context.get("properties"))
    resolved = word == "resolved"
    return [
        claim_from(
            status=RESOLVED if resolved else FIRING,
            title=(rule,),
            description=(facts.get("description"), dig(context, "properties", "title"), context.get("operationName")),
            identity=("azure/1", origin) if origin else ("azure-rule/1", rule, *targets),
            severity=facts.get("severity"),
            severities=_SEVERITIES,
            system=custom.get("system"),
            service=first_text(*items(facts.get("configurationItems"))),
            names=(condition.get("metricName"), rule, facts.get("description")),
            labels={
                **{first_text(d.get("name")): d.get("value") for d in map(mapping, items(condition.get("dimensions")))},
                **custom,
                "signal": facts.get("signalType"),
                "monitoring_service": facts.get("monitoringService"),
                "target": first_text(*items(facts.get("configurationItems"))),
            },
            metric=condition.get("metricName"),
            value=condition.get("metricValue"),
            threshold=condition.get("threshold"),
            operator=condition.get("operator"),
            starts_at=facts.get("firedDateTime"),
            # A fired alert may carry an end as well; only a resolve's counts.
            ends_at=facts.get("resolvedDateTime") if resolved else None,
            links=(
                ("source", _portal(text_of(facts.get("alertId")))),
                ("query", condition.get("linkToSearchResultsUI")),
                ("runbook", custom.get("runbook_url")),
            ),
            upstream_id=facts.get("alertId"),
            is_test=rule.startswith("test-") and text_of(facts.get("severity")).lower() == "sev4",
            flags=flags,
        )
    ]


def _portal(alert_id: str) -> str:
    if not alert_id:
        return ""
    return f"https://portal.azure.com/#blade/Microsoft_Azure_Monitoring/AlertDetailsTemplateBlade/alertId/{quote(alert_id, safe='')}"
