"""dbt Cloud's webhooks: a run that failed is firing, the next that succeeds resolves it."""

from collections.abc import Mapping

from incidents.alerts.bodies import Unreadable, mapping, payload, text_of
from incidents.alerts.claims import Handshake, Statement, claim_from
from incidents.alerts.statuses import FIRING, NOTICE, RESOLVED, MonitorStatus

# Who cancels a run knows of it; whether the data is right, it does not say. A run that only warned has done its work.
_RUN: dict[str, MonitorStatus] = {
    **dict.fromkeys(("success", "warn"), RESOLVED),
    **dict.fromkeys(("errored", "error"), FIRING),
    **dict.fromkeys(("cancelled", "canceled"), NOTICE),
}


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    sent = mapping(payload(body, headers))
    run, event = mapping(sent.get("data")), text_of(sent.get("eventType"))
    if not run:
        raise Unreadable("This is no dbt Cloud webhook: it has no “data”.")
    word = text_of(run.get("runStatus")).lower()
    if word not in _RUN:
        return [Handshake(reason=f"The run is {word or event or 'of no status'}; only its end opens or ends anything.")]
    message = text_of(run.get("runStatusMessage"))
    ended = _RUN[word]
    what = word if run.get("runStartedAt") or ended is not FIRING else f"{word} before it started"
    where = (text_of(sent.get("accountId")), text_of(run.get("jobId")), text_of(run.get("environmentId")))
    return [
        claim_from(
            status=ended,
            title=(f"{text_of(run.get('jobName')) or 'dbt job'}: {what}",),
            description=(message if message != "None" else None, run.get("runReason")),
            identity=("dbt/1", *where) if where[1] else (),
            severity="error" if ended is FIRING else "info",
            environment=run.get("environmentName"),
            service=run.get("projectName"),
            names=("dbt job errored" if ended is FIRING else f"dbt job {word}", run.get("jobName")),
            labels={"job": run.get("jobName"), "project": run.get("projectName"), "run": run.get("runId")},
            starts_at=(run.get("runErroredAt") or run.get("runFinishedAt") or sent.get("timestamp"))
            if ended.says == "firing"
            else None,
            ends_at=(run.get("runFinishedAt") or sent.get("timestamp")) if ended.says == "resolved" else None,
            delivery_key=sent.get("eventId"),
            upstream_id=run.get("jobId"),
        )
    ]
