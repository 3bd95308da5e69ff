"""What begins an alert and what ends it meet, and what is two alerts stays two, in the forms that tools really send."""

import json
from typing import Any

import pytest

from incidents.alerts.bodies import Unreadable
from incidents.alerts.claims import Claim, GroupOver, fingerprint_of
from incidents.alerts.sources import example
from tests.alerts.tools import statements_of

Body = dict[str, Any]


def claim_of(slug: str, body: Body) -> Claim:
    (claim,) = (one for one in statements_of(slug, body) if isinstance(one, Claim))
    return claim


def patched(slug: str, *path: str | int, **values: Any) -> Body:
    """The kind's example with values changed at one place."""
    body: Body = json.loads(example(slug))
    place: Any = body
    for step in path:
        place = place[step]
    place |= values
    return body


def datadog(title: str) -> Body:
    """Datadog's body where nobody has written another."""
    return {"id": "1", "title": title, "body": "…", "event_type": "query_alert_monitor", "date": "1795176000000"}


def azure_metric(status: str) -> Body:
    """Azure's metric alert without the common schema."""
    condition = {"allOf": [{"metricName": "Percentage GPU", "metricValue": 97.0, "threshold": "90"}]}
    context = {
        "id": "/metricAlerts/gpu",
        "name": "GPU",
        "severity": "3",
        "condition": condition,
        "resourceName": "pool",
    }
    return {"schemaId": "AzureMonitorMetricAlert", "data": {"status": status, "properties": None, "context": context}}


def processing_job(run: str, status: str) -> Body:
    schedule = "arn:aws:sagemaker:eu-west-1:1:monitoring-schedule/fraud-quality"
    detail = {"ProcessingJobName": run, "MonitoringScheduleArn": schedule, "ProcessingJobStatus": status}
    return {"detail-type": "SageMaker Processing Job State Change", "source": "aws.sagemaker", "detail": detail}


ONE_ALERT: list[tuple[str, Body, Body]] = [
    ("datadog", datadog("[Triggered on {service:rag}] Recall p50"), datadog("[Recovered on {service:rag}] Recall p50")),
    ("datadog", datadog("[Warn] Recall on {service:rag}"), datadog("[Recovered] Recall on {service:rag}")),
    ("azure", azure_metric("Activated"), azure_metric("Deactivated")),
    ("aws", processing_job("model-monitoring-1", "Failed"), processing_job("model-monitoring-2", "Completed")),
    (
        "sentry",
        patched("sentry", "data", description_title="Warning: Tool calls fail") | {"action": "warning"},
        patched("sentry", "data", description_title="Resolved: Tool calls fail") | {"action": "resolved"},
    ),
    ("kibana", patched("kibana"), patched("kibana", action_group="recovered")),
    ("zabbix", patched("zabbix"), patched("zabbix", event_id="5121", status="RESOLVED")),
]


@pytest.mark.parametrize(("slug", "fires", "ends"), ONE_ALERT)
def test_what_begins_an_alert_and_what_ends_it_meet(slug: str, fires: Body, ends: Body) -> None:
    begun, over = claim_of(slug, fires), claim_of(slug, ends)
    assert (begun.says, over.says) == ("firing", "resolved")
    assert begun.identity == over.identity
    assert begun.title == over.title or slug == "aws"


TWO_ALERTS: list[tuple[str, Body, Body]] = [
    ("datadog", datadog("[Triggered on {service:rag}] Recall"), datadog("[Triggered on {service:ads}] Recall")),
    ("datadog", datadog("[Triggered] Errors of gpt-4"), datadog("[Triggered] Errors of gpt-5")),
    ("gcp", patched("gcp"), patched("gcp", "incident", "metric", labels={"feature_name": "season"})),
    ("axiom", patched("axiom"), patched("axiom", "event", groupValues=["refund-agent"])),
    ("splunk", patched("splunk"), patched("splunk", "result", model="answerer-2")),
]


@pytest.mark.parametrize(("slug", "one", "other"), TWO_ALERTS)
def test_two_alerts_stay_two(slug: str, one: Body, other: Body) -> None:
    assert claim_of(slug, one).identity != claim_of(slug, other).identity


@pytest.mark.parametrize(
    ("slug", "body", "former"),
    [
        ("datadog", datadog("[Recovered] Recall"), ("title/1", "[triggered] recall", "", "")),
        (
            "gcp",
            patched("gcp"),
            (
                "gcp/1",
                "projects/acme-ai/alertPolicies/1/conditions/2",
                "endpoint_id\x1edemand-forecast",
                "project_id\x1eacme-ai",
            ),
        ),
        (
            "aws",
            processing_job("run-1", "Failed"),
            ("eventbridge/1", "aws.sagemaker", "SageMaker Processing Job State Change", "run-1"),
        ),
        ("splunk", patched("splunk"), ("splunk/1", "search", "admin", "Refunds without approval")),
        ("axiom", patched("axiom"), ("key/1", "Rxg89nIwu9")),
        ("zabbix", patched("zabbix"), ("key/1", "5120")),
    ],
)
def test_what_an_older_recipe_made_is_honoured(slug: str, body: Body, former: tuple[str, ...]) -> None:
    assert fingerprint_of(1, former) in claim_of(slug, body).former_fingerprints(1)


def test_metric_math_hides_neither_the_endpoint_nor_what_is_measured() -> None:
    metric = {
        "Dimensions": [{"name": "EndpointName", "value": "fraud-scorer"}],
        "MetricName": "Invocation5XXErrors",
        "Namespace": "AWS/SageMaker",
    }
    metrics = [
        {"Id": "m1", "MetricStat": {"Metric": metric, "Stat": "Sum"}, "ReturnData": False},
        {"Id": "e1", "Expression": "m1/m2", "Label": "ErrorRatio", "ReturnData": True},
    ]
    claim = claim_of(
        "aws", {"AlarmName": "errors", "NewStateValue": "ALARM", "Trigger": {"Threshold": 0.05, "Metrics": metrics}}
    )
    assert (claim.service, claim.measured.metric) == ("fraud-scorer", "ErrorRatio")
    assert (claim.labels["namespace"], claim.labels["expression"]) == ("AWS/SageMaker", "m1/m2")


def test_what_was_cut_from_grafanas_group_ends_with_it() -> None:
    body = patched("grafana", status="resolved", truncatedAlerts=2)
    assert [one for one in statements_of("grafana", body) if isinstance(one, GroupOver)]
    assert not [one for one in statements_of("grafana", body | {"truncatedAlerts": 0}) if isinstance(one, GroupOver)]


@pytest.mark.parametrize(
    ("slug", "body", "way_out"),
    [
        ("grafana", {"title": "Faithfulness low", "items": []}, "Generic JSON with a field map"),
        ("azure", {"schemaId": "Microsoft.Insights/activityLogs", "data": {}}, "turn the common alert schema on"),
    ],
)
def test_what_is_not_understood_names_the_way_out(slug: str, body: Body, way_out: str) -> None:
    with pytest.raises(Unreadable, match=way_out):
        statements_of(slug, body)


def test_smart_detection_says_what_it_found_and_is_not_classified_by_its_name() -> None:
    body = patched(
        "azure", "data", alertContext={"DetectionSummary": "More requests fail", "DetectedFailureRate": "50%"}
    )
    body["data"]["essentials"] |= {"alertRule": "Failure Anomalies - copilot", "monitoringService": "SmartDetector"}
    claim = claim_of("azure", body)
    assert (claim.names[0], claim.measured.text) == ("failed_requests", "50%")
    assert "More requests fail" in claim.description
