"""All models, so that they share the label `incidents` and one migration history. Each lives in its slice."""

from incidents.alerts.models import Alert, Delivery, Outcome, SigningSecret, Source, Subscription
from incidents.alerts.policies import Correction, RulesVersion, Silence, Watch
from incidents.followups.models import FollowUp
from incidents.health.models import Heartbeat
from incidents.people.models import ApiKey, Membership, Team, User
from incidents.postmortems.models import Postmortem, Section
from incidents.response.models import Containment, Event, Incident, IncidentCounter, Note
from incidents.systems.models import Change, Dependency, System, SystemName

__all__ = [
    "Alert",
    "ApiKey",
    "Change",
    "Containment",
    "Correction",
    "Delivery",
    "Dependency",
    "Event",
    "FollowUp",
    "Heartbeat",
    "Incident",
    "IncidentCounter",
    "Membership",
    "Note",
    "Outcome",
    "Postmortem",
    "RulesVersion",
    "Section",
    "SigningSecret",
    "Silence",
    "Source",
    "Subscription",
    "System",
    "SystemName",
    "Team",
    "User",
    "Watch",
]
