"""Weights & Biases automations, with the body of docs/sources/wandb.md: runs are alerts, artifacts are changes."""

from collections.abc import Mapping

from incidents.alerts.bodies import Unreadable, first_text, mapping, payload, text_of
from incidents.alerts.claims import ChangeAnnounced, Statement, claim_from
from incidents.alerts.cleaning import clip
from incidents.alerts.statuses import FIRING, RESOLVED


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    # A variable that the event does not have stays as it was written.
    sent = {
        name: value for name, value in mapping(payload(body, headers)).items() if not text_of(value).startswith("${")
    }
    event = text_of(sent.get("event_type"))
    if not event:
        raise Unreadable("It has no “event_type”; use the body of Faultline’s page on Weights & Biases.")
    project = text_of(sent.get("project_name"))
    # Whatever is not about a run alters an artifact or a collection of them: linked, tagged, given an alias.
    if not event.upper().startswith("RUN"):
        name = first_text(sent.get("artifact_collection_name"), project)
        version = first_text(sent.get("artifact_version_string"), sent.get("artifact_version"), sent.get("alias"))
        return [
            ChangeAnnounced(
                title=clip(" ".join(filter(None, (event.replace("_", " ").capitalize(), name, version))), 200),
                kind="model",
                system_name=clip(first_text(sent.get("system"), name), 200),
                version=clip(version, 100),
            )
        ]
    metric, run = text_of(sent.get("metric_name")), first_text(sent.get("run_name"), sent.get("run_id"))
    state = text_of(sent.get("run_state")).lower() if "STATE" in event.upper() else ""
    return [
        claim_from(
            status=RESOLVED if state in {"finished", "running"} else FIRING,
            title=(sent.get("title"), " ".join(filter(None, (project, run, metric or state or event)))),
            description=(sent.get("message"),),
            identity=("wandb/1", text_of(sent.get("entity_name")), project, metric or event),
            severity=sent.get("severity"),
            system=sent.get("system"),
            service=project,
            names=(metric, event),
            labels={"project": project, "entity": sent.get("entity_name"), "run": run},
            metric=metric,
            value=sent.get("metric_value"),
            threshold=sent.get("threshold"),
            links=(("source", sent.get("run_url")),),
        )
    ]
