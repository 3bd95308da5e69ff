"""dbt Cloud's webhooks: a run that failed is firing, the next that succeeds resolves it."""

from collections.abc import Mapping

from incidents.alerts.bodies import Unreadable, mapping, payload, text_of
from incidents.alerts.claims import Handshake, Says, Statement, claim_from

_RUN: dict[str, Says] = {"success": "resolved", "errored": "firing", "error": "firing", "cancelled": "firing"}


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    sent = mapping(payload(body, headers))
    run, event = mapping(sent.get("data")), text_of(sent.get("eventType"))
    if not run:
        raise Unreadable("This is no dbt Cloud webhook: it has no “data”.")
    status = text_of(run.get("runStatus"))
    if status.lower() not in _RUN:
        return [
            Handshake(
                reason=f"The run is {status.lower() or event or 'of no status'}; only its end opens or ends anything."
            )
        ]
    message = text_of(run.get("runStatusMessage"))
    says = _RUN[status.lower()]
    where = (text_of(sent.get("accountId")), text_of(run.get("jobId")), text_of(run.get("environmentId")))
    return [
        claim_from(
            says=says,
            title=(f"{text_of(run.get('jobName')) or 'dbt job'}: {status.lower()}",),
            description=(message if message != "None" else None, run.get("runReason")),
            identity=("dbt/1", *where) if where[1] else (),
            severity="warning" if status.lower() == "cancelled" else "error",
            environment=run.get("environmentName"),
            service=run.get("projectName"),
            names=("dbt job errored", run.get("jobName")),
            labels={"job": run.get("jobName"), "project": run.get("projectName"), "run": run.get("runId")},
            starts_at=(run.get("runErroredAt") or run.get("runFinishedAt") or sent.get("timestamp"))
            if says == "firing"
            else None,
            ends_at=(run.get("runFinishedAt") or sent.get("timestamp")) if says == "resolved" else None,
            delivery_key=sent.get("eventId"),
            upstream_id=run.get("jobId"),
        )
    ]
