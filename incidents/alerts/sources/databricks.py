"""Databricks: jobs' notifications, and SQL alerts with the body of docs/sources/databricks.md."""

from collections.abc import Mapping

from incidents.alerts.bodies import Json, Unreadable, dig, first_text, mapping, payload, text_of
from incidents.alerts.claims import Claim, Handshake, Says, Statement, claim_from, says_of

_JOB: dict[str, Says] = {
    "jobs.on_failure": "firing", "jobs.on_success": "resolved", "jobs.on_duration_warning_threshold_exceeded": "firing",
    "jobs.on_streaming_backlog_exceeded": "firing",
}  # fmt: skip


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    said = mapping(payload(body, headers))
    event = text_of(said.get("event_type"))
    if event in _JOB:
        return [_job(said, event)]
    if event:
        return [Handshake(reason=f"“{event}” neither opens nor ends anything.")]
    if "alert_id" in said:
        return [_sql_alert(said)]
    raise Unreadable("This is no Databricks notification: it has neither an “event_type” nor an “alert_id”.")


def _job(said: dict[str, Json], event: str) -> Claim:
    job, task = mapping(said.get("job")), mapping(said.get("task"))
    name = first_text(task.get("task_key"), job.get("name"), job.get("job_id"))
    what = event.removeprefix("jobs.on_").replace("_", " ")
    return claim_from(
        says=_JOB[event],
        title=(f"{name}: {what}",),
        identity=("databricks/1", text_of(said.get("workspace_id")), text_of(job.get("job_id")), text_of(task.get("task_key"))),
        severity="error" if event == "jobs.on_failure" else "warning",
        service=job.get("name"),
        names=("pipeline job failed" if event == "jobs.on_failure" else what, name),
        labels={"job": job.get("name"), "job_id": job.get("job_id"), "run_id": dig(said, "run", "run_id"), "task": task.get("task_key")},
        upstream_id=job.get("job_id"),
    )  # fmt: skip


def _sql_alert(said: dict[str, Json]) -> Claim:
    flags: list[str] = []
    status = text_of(said.get("status")).lower()
    return claim_from(
        says="no_data" if status == "unknown" else says_of(status, flags=flags),
        title=(said.get("alert_name"), said.get("name")),
        description=(said.get("custom_body"), said.get("description")),
        identity=("databricks-alert/1", text_of(said.get("alert_id"))),
        severity=said.get("severity"),
        system=said.get("system"),
        names=(said.get("query_name"), said.get("alert_name")),
        value=said.get("value"),
        threshold=said.get("threshold"),
        operator=said.get("operator"),
        links=(("source", said.get("alert_url")), ("query", said.get("query_url"))),
        upstream_id=said.get("alert_id"),
        flags=flags,
    )
