"""How bad an incident is by its alerts: what they suggest, until people decide it."""

from incidents.alerts.cleaning import clip
from incidents.alerts.models import Alert, AlertSeverity
from incidents.response.events import Event
from incidents.response.incident import Incident
from incidents.response.vocabulary import Severity, Status
from incidents.systems.models import System

_SEVERITY = {
    AlertSeverity.CRITICAL: Severity.SEV2,
    AlertSeverity.HIGH: Severity.SEV2,
    AlertSeverity.MEDIUM: Severity.SEV3,
    AlertSeverity.LOW: Severity.SEV4,
    AlertSeverity.INFO: Severity.SEV4,
}


def suggested_severity(alert: Alert) -> Severity:
    """What an alert suggests until a person decides. A tier-1 system's critical alert is the worst there is."""
    if alert.severity == AlertSeverity.CRITICAL and alert.system and alert.system.tier == System.Tier.CRITICAL:
        return Severity.SEV1
    return _SEVERITY[AlertSeverity(alert.severity)]


def escalate(incident: Incident, alerts: list[Alert]) -> None:
    """Go on from alerts of an incident that got worse while they fire. What was resolved is open again.

    While it waits in triage under the name of an alert that is called otherwise now, it is called so too.
    """
    if not incident.is_open:
        incident.reopen(by=None, reason="One of its alerts got worse while it fires.")
    if incident.status == Status.TRIAGE:
        linked = incident.events.filter(kind=Event.Kind.ALERT_LINKED).values_list("detail__alerts", flat=True)
        names = {named["id"] for event in linked for named in event if clip(named["title"], 200) == incident.title}
        if called := next((alert.title for alert in alerts if alert.pk in names), ""):
            incident.describe(title=clip(called, 200), summary=incident.summary, by=None)
    raise_severity(incident, alerts, f"Its alert “{alerts[0].title}” got worse.")


def raise_severity(incident: Incident, alerts: list[Alert], reason: str) -> None:
    """Raise the severity to what the worst of some alerts suggests, unless people decide it: then say it in the timeline.

    It is theirs to decide once somebody has taken the incident, or set the severity, in whichever status that was.
    """
    worst = max(alerts, key=lambda alert: suggested_severity(alert).rank)
    severity = suggested_severity(worst)
    if severity.rank <= Severity(incident.severity).rank:
        return
    if incident.status == Status.TRIAGE and not incident.severity_was_set():
        incident.set_severity(severity, by=None, reason=reason)
    else:
        facts = {"id": worst.pk, "title": worst.title}
        incident.record(Event.Kind.WORSE_ALERT, by=None, reason=reason, suggests=severity.value, alert=facts)
