"""Databricks: jobs' notifications, and SQL alerts with the body of docs/sources/databricks.md."""

from collections.abc import Mapping

from incidents.alerts.bodies import Json, Unreadable, dig, first_text, mapping, payload, text_of
from incidents.alerts.claims import Claim, Handshake, Statement, claim_from
from incidents.alerts.statuses import FIRING, RESOLVED, MonitorStatus, status_of

_JOB: dict[str, MonitorStatus] = {
    "jobs.on_failure": FIRING,
    "jobs.on_success": RESOLVED,
    "jobs.on_duration_warning_threshold_exceeded": FIRING,
    "jobs.on_streaming_backlog_exceeded": FIRING,
}


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    sent = mapping(payload(body, headers))
    event = text_of(sent.get("event_type"))
    if event in _JOB:
        return [_job(sent, event)]
    if event:
        return [Handshake(reason=f"“{event}” neither opens nor ends anything.")]
    if "alert_id" in sent:
        return [_sql_alert(sent)]
    raise Unreadable("This is no Databricks notification: it has neither an “event_type” nor an “alert_id”.")


def _job(sent: dict[str, Json], event: str) -> Claim:
    job, task = mapping(sent.get("job")), mapping(sent.get("task"))
    name = first_text(task.get("task_key"), job.get("name"), job.get("job_id"))
    what = event.removeprefix("jobs.on_").replace("_", " ")
    return claim_from(
        status=_JOB[event],
        title=(f"{name}: {what}",),
        identity=(
            "databricks/1",
            text_of(sent.get("workspace_id")),
            text_of(job.get("job_id")),
            text_of(task.get("task_key")),
        ),
        severity="error" if event == "jobs.on_failure" else "warning",
        service=job.get("name"),
        names=("pipeline job failed" if event == "jobs.on_failure" else what, name),
        labels={
            "job": job.get("name"),
            "job_id": job.get("job_id"),
            "run_id": dig(sent, "run", "run_id"),
            "task": task.get("task_key"),
        },
        upstream_id=job.get("job_id"),
    )


def _sql_alert(sent: dict[str, Json]) -> Claim:
    flags: list[str] = []
    return claim_from(
        status=status_of(sent.get("status"), flags=flags),
        title=(sent.get("alert_name"), sent.get("name")),
        description=(sent.get("custom_body"), sent.get("description")),
        identity=("databricks-alert/1", text_of(sent.get("alert_id"))),
        severity=sent.get("severity"),
        system=sent.get("system"),
        names=(sent.get("query_name"), sent.get("alert_name")),
        value=sent.get("value"),
        threshold=sent.get("threshold"),
        operator=sent.get("operator"),
        links=(("source", sent.get("alert_url")), ("query", sent.get("query_url"))),
        upstream_id=sent.get("alert_id"),
        flags=flags,
    )
