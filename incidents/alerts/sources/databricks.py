"""Databricks: jobs' notifications, and SQL alerts with their own body or that of docs/sources/databricks.md."""

import re
from collections.abc import Mapping

from incidents.alerts.bodies import Json, Unreadable, dig, first_text, items, mapping, payload, text_of
from incidents.alerts.claims import Claim, Handshake, Statement, claim_from
from incidents.alerts.statuses import CHECK_FAILED, FIRING, NO_DATA, RESOLVED, MonitorStatus, status_of

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
    if sent.get("event") == "alert_state_change":
        return [_state_change(sent)]
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


# A query that gave nothing to judge, and one that could not be run or judged at all.
_SQL: dict[str, MonitorStatus] = {
    "triggered": FIRING,
    "ok": RESOLVED,
    "unknown": NO_DATA,
    "error": CHECK_FAILED,
}


def _sql_status(word: str, *, flags: list[str]) -> MonitorStatus:
    return _SQL.get(word.lower()) or status_of(word, flags=flags)


def _sql_alert(sent: dict[str, Json]) -> Claim:
    flags: list[str] = []
    return claim_from(
        status=_sql_status(text_of(sent.get("status")), flags=flags),
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


_CHANGED = re.compile(r"changed status to (\w+)", re.I)


def _state_change(sent: dict[str, Json]) -> Claim:
    """Read an alert's own body, which names the state in its title if nowhere else."""
    envelope = mapping(sent.get("alert"))
    alert = mapping(envelope.get("alert")) or envelope
    in_title = _CHANGED.search(text_of(envelope.get("title")))
    state = first_text(alert.get("state"), alert.get("status"), envelope.get("state"), in_title and in_title[1])
    flags: list[str] = []
    judged = mapping(next(iter(items(alert.get("evaluations"))), None))
    column = dig(judged, "source", "name")
    return claim_from(
        status=_sql_status(state, flags=flags),
        title=(alert.get("name"), envelope.get("title")),
        description=(envelope.get("description"), alert.get("custom_description")),
        identity=("databricks-alert/1", text_of(alert.get("id"))),
        names=(column, alert.get("name")),
        metric=column,
        operator=judged.get("comparison_operator"),
        upstream_id=alert.get("id"),
        flags=flags,
    )
