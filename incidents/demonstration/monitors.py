"""What the example's monitors post: bodies such as theirs, for the product's own readers to understand."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from incidents.demonstration.stories import Signal


class ExampleMonitor(NamedTuple):
    kind: str
    name: str
    team: str  # empty: everybody's
    agent: str  # how it names itself
    ends_after: int | None = None  # minutes, where it never says that something is over


MONITORS = {
    "quality": ExampleMonitor("generic", "Quality monitors", "data-platform", "python-httpx/0.28"),
    "prometheus": ExampleMonitor("alertmanager", "Prometheus", "", "Alertmanager/0.28.1"),
    "grafana": ExampleMonitor("grafana", "Grafana, search boards", "discovery", "Grafana"),
    "evidently": ExampleMonitor("evidently", "Evidently, nightly", "risk", "python-requests/2.32"),
    "expectations": ExampleMonitor("great_expectations", "Great Expectations", "data-platform", "python-requests/2.32"),
    "dbt": ExampleMonitor("dbt", "dbt Cloud", "data-platform", "dbt-webhooks"),
    "langsmith": ExampleMonitor("langsmith", "LangSmith", "assistants", "langsmith", ends_after=120),
    "litellm": ExampleMonitor("litellm", "LiteLLM proxy", "operations", "litellm", ends_after=240),
    "cloudwatch": ExampleMonitor("aws_sns", "CloudWatch", "risk", "Amazon Simple Notification Service Agent"),
    "datadog": ExampleMonitor("datadog", "Datadog", "discovery", "datadog-webhooks"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorReading:
    """What a monitor saw at one moment, in one episode that began at `since`."""

    signal: Signal
    system: str
    value: float
    severity: str
    since: datetime
    at: datetime
    is_over: bool = False
    environment: str = "production"

    @property
    def text(self) -> str:
        return f"{self.value:.0f}" if self.value >= 10 else f"{self.value:.2g}"

    @property
    def words(self) -> str:
        share = 100 * self.value
        return self.signal.says.format(value=self.text, share=f"{share:.1f} %" if share < 3 else f"{share:.0f} %")


def body(reading: MonitorReading) -> bytes:
    """Write it as its monitor does."""
    return json.dumps(_WRITERS[MONITORS[reading.signal.monitor].kind](reading), ensure_ascii=False).encode()


def _generic(reading: MonitorReading) -> dict[str, Any]:
    return {
        "title": reading.words,
        "metric": reading.signal.metric,
        "system": reading.system,
        "environment": reading.environment,
        "severity": reading.severity,
        "status": "resolved" if reading.is_over else "firing",
        "value": round(reading.value, 3),
        "threshold": reading.signal.threshold,
        "key": f"{reading.signal.metric}-{reading.system}",
        "starts_at": _iso(reading.since),
        "labels": {"check": reading.signal.alert},
        "url": f"https://evals.example.com/checks/{reading.signal.metric}",
    }


def _alertmanager(reading: MonitorReading) -> dict[str, Any]:
    status = "resolved" if reading.is_over else "firing"
    labels = {
        "alertname": reading.signal.alert,
        "metric": reading.signal.metric,
        "severity": reading.severity,
        "system": reading.system,
        "env": reading.environment,
        "job": "model-quality",
    }
    return {
        "version": "4",
        "receiver": "faultline",
        "status": status,
        "groupKey": f'{{}}:{{alertname="{reading.signal.alert}", system="{reading.system}"}}',
        "truncatedAlerts": 0,
        "externalURL": "https://alertmanager.example.com",
        "groupLabels": {"alertname": reading.signal.alert, "system": reading.system},
        "commonLabels": labels,
        "commonAnnotations": {},
        "alerts": [_prometheus_alert(reading, labels, status)],
    }


def _prometheus_alert(reading: MonitorReading, labels: dict[str, str], status: str) -> dict[str, Any]:
    return {
        "status": status,
        "labels": labels,
        "annotations": {
            "summary": reading.words,
            "value": reading.text,
            "threshold": f"{reading.signal.threshold:g}",
            "runbook_url": f"https://runbooks.example.com/{reading.system}",
        },
        "startsAt": _iso(reading.since),
        "endsAt": _iso(reading.at) if reading.is_over else "0001-01-01T00:00:00Z",
        "generatorURL": f"https://prometheus.example.com/graph?g0.expr={reading.signal.metric}",
    }


def _grafana(reading: MonitorReading) -> dict[str, Any]:
    group = _alertmanager(reading)
    (alert,) = group["alerts"]
    alert["annotations"] = {"summary": reading.words}
    alert["values"] = {"B": round(reading.value, 3), "C": 0 if reading.is_over else 1}
    alert["generatorURL"] = "https://grafana.example.com/alerting/grafana/search/view"
    alert["dashboardURL"] = f"https://grafana.example.com/d/{reading.system}"
    title = f"[{'RESOLVED' if reading.is_over else 'FIRING:1'}] {reading.signal.alert}"
    return {**group, "version": "1", "orgId": 1, "title": title, "state": "ok" if reading.is_over else "alerting"}


def _evidently(reading: MonitorReading) -> dict[str, Any]:
    verdict = "SUCCESS" if reading.is_over else "FAIL"
    share = {"count": round(20 * reading.value), "share": round(reading.value, 2)}
    return {
        "name": f"{reading.system}, nightly",
        "system": reading.system,
        "severity": reading.severity,
        "environment": reading.environment,
        "timestamp": _iso(reading.at if reading.is_over else reading.since),
        "report": {
            "metrics": [
                {
                    "id": "m1",
                    "metric_name": f"DriftedColumnsCount(drift_share={reading.signal.threshold})",
                    "config": {"type": "evidently:metric_v2:DriftedColumnsCount"},
                    "value": share,
                },
                {"id": "m2", "metric_name": "RowCount()", "config": {"type": "evidently:metric_v2:RowCount"}},
            ],
            "tests": [
                {
                    "id": "drift",
                    "name": reading.signal.alert,
                    "description": f"Share of drifted columns: {share['share']}",
                    "metric_config": {"metric_id": "m1"},
                    "test_config": {"is_critical": True},
                    "status": verdict,
                },
                {
                    "id": "rows",
                    "name": "Row count: Greater 100000",
                    "description": "Row count: 412887",
                    "metric_config": {"metric_id": "m2"},
                    "test_config": {},
                    "status": "SUCCESS",
                },
            ],
        },
    }


def _expectations(reading: MonitorReading) -> dict[str, Any]:
    kind, column = reading.signal.alert, reading.signal.metric
    return {
        "name": f"{reading.system} tables",
        "system": reading.system,
        "severity": reading.severity,
        "environment": reading.environment,
        "timestamp": _iso(reading.at if reading.is_over else reading.since),
        "report": {
            "success": reading.is_over,
            "validation_results": [
                {
                    "success": reading.is_over,
                    "expectations": [
                        {
                            "expectation_type": kind,
                            "success": reading.is_over,
                            "kwargs": {"column": column},
                            "result": {"unexpected_percent": 0.0 if reading.is_over else round(reading.value, 1)},
                        },
                        {
                            "expectation_type": "expect_table_row_count_to_be_between",
                            "success": True,
                            "kwargs": {},
                            "result": {"observed_value": 412887},
                        },
                    ],
                }
            ],
        },
    }


def _dbt(reading: MonitorReading) -> dict[str, Any]:
    run = {
        "jobId": "4711",
        "jobName": reading.signal.alert,
        "runId": f"{reading.at:%m%d%H%M}",
        "environmentId": "12",
        "environmentName": reading.environment,
        "projectName": reading.system,
        "runReason": "Scheduled",
        "runStartedAt": _iso(reading.since),
    }
    if reading.is_over:
        done = {"runStatus": "Success", "runFinishedAt": _iso(reading.at)}
        return {"eventType": "job.run.completed", "timestamp": _iso(reading.at), "data": run | done}
    failed = {"runStatus": "Errored", "runStatusMessage": reading.words, "runErroredAt": _iso(reading.since)}
    return {"eventType": "job.run.errored", "timestamp": _iso(reading.at), "data": run | failed}


def _langsmith(reading: MonitorReading) -> dict[str, Any]:
    return {
        "project_name": reading.system,
        "workspace_name": "Example",
        "alert_rule_id": "5f1c2a9e-8b3d-4c7a-9e21-6d0f4b7a3c18",
        "alert_rule_name": reading.words,
        "alert_rule_type": "threshold",
        "alert_rule_attribute": reading.signal.metric,
        "alert_rule_url": "https://smith.example.com/alerts/5f1c2a9e",
        "triggered_metric_value": round(reading.value, 2),
        "triggered_threshold": reading.signal.threshold,
        "timestamp": _iso(reading.since),
    }


def _litellm(reading: MonitorReading) -> dict[str, Any]:
    return {
        "spend": round(reading.value, 2),
        "max_budget": float(reading.signal.threshold),
        "soft_budget": None,
        "token": "88dc28d0f030c55ed4ab77ed8faf0981",
        "team_id": "operations",
        "team_alias": "Operations AI",
        "key_alias": reading.system,
        "event_group": "key",
        "event": reading.signal.alert,
        "event_message": reading.words,
    }


def _cloudwatch(reading: MonitorReading) -> dict[str, Any]:
    name, threshold = reading.signal.alert, reading.signal.threshold
    was, became = ("ALARM", "OK") if reading.is_over else ("OK", "ALARM")
    at = reading.at if reading.is_over else reading.since
    alarm = {
        "AlarmName": name,
        "AlarmDescription": reading.words,
        "AWSAccountId": "123456789012",
        "AlarmArn": f"arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{name.replace(' ', '-')}",
        "NewStateValue": became,
        "NewStateReason": f"Threshold Crossed: 1 datapoint [{reading.text} ({at:%d/%m/%y %H:%M:%S})] was less than the "
        f"threshold ({threshold}).",
        "StateChangeTime": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000+0000",
        "Region": "EU (Ireland)",
        "OldStateValue": was,
        "Trigger": {
            "MetricName": reading.signal.metric,
            "Namespace": "Example/Models",
            "StatisticType": "Statistic",
            "Statistic": "AVERAGE",
            "Unit": None,
            "Dimensions": [{"value": reading.system, "name": "Endpoint"}],
            "Period": 3600,
            "EvaluationPeriods": 1,
            "ComparisonOperator": "LessThanThreshold",
            "Threshold": threshold,
        },
    }
    return {
        "Type": "Notification",
        "MessageId": f"e288882d-4281-5be4-8fde-{int(reading.at.timestamp()):012x}",
        "TopicArn": "arn:aws:sns:eu-west-1:123456789012:model-alarms",
        "Subject": f'{became}: "{name}" in EU (Ireland)',
        "Message": json.dumps(alarm, ensure_ascii=False),
        "Timestamp": _iso(reading.at),
    }


_PRIORITIES = {"critical": "P1", "high": "P2", "medium": "P3", "low": "P4", "info": "P5"}


def _datadog(reading: MonitorReading) -> dict[str, Any]:
    return {
        "id": f"{int(reading.at.timestamp())}",
        "alert_id": f"{sum(map(ord, reading.signal.alert)):05d}",
        "alert_transition": "Recovered" if reading.is_over else "Triggered",
        "alert_type": "success" if reading.is_over else "error",
        "alert_priority": _PRIORITIES[reading.severity],
        "alert_scope": f"service:{reading.system}",
        "alert_metric": reading.signal.metric,
        "alert_value": f"{reading.value:.3g}",
        "alert_threshold": f"{reading.signal.threshold:g}",
        "title": reading.words,
        "body": f"avg(last_1h):{reading.signal.metric}",
        "tags": f"service:{reading.system},env:{reading.environment}",
        "last_updated": f"{int((reading.at if reading.is_over else reading.since).timestamp() * 1000)}",
        "link": "https://app.datadoghq.example/monitors/81734",
    }


_WRITERS: dict[str, Callable[[MonitorReading], dict[str, Any]]] = {
    "generic": _generic,
    "alertmanager": _alertmanager,
    "grafana": _grafana,
    "evidently": _evidently,
    "great_expectations": _expectations,
    "dbt": _dbt,
    "langsmith": _langsmith,
    "litellm": _litellm,
    "aws_sns": _cloudwatch,
    "datadog": _datadog,
}


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
