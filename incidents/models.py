"""All models, so that they share the label `incidents` and one migration history. Each lives in its slice."""

from incidents.alerts.models import Alert, Delivery, Outcome, SigningSecret, Source, Subscription
from incidents.alerts.policies import Correction, RulesVersion, Silence, Watch
from incidents.evaluations.alarms import EvaluationSource
from incidents.evaluations.cases import CaseVersion, EvaluationCase
from incidents.evaluations.runs import CaseResult, EvaluationRun
from incidents.evidence.actions import AgentAction
from incidents.evidence.samples import Sample
from incidents.followups.models import FollowUp
from incidents.followups.proofs import Proof
from incidents.followups.recurrences import Recurrence
from incidents.health.models import Heartbeat
from incidents.notifications.acting import ActLink
from incidents.notifications.browsers import Browser, PushKey
from incidents.notifications.destinations import ChannelRule, Destination
from incidents.notifications.escalation import Escalation
from incidents.notifications.messages import Dispatch, Notification
from incidents.notifications.preferences import Preference
from incidents.notifications.slack.app import SlackApp
from incidents.notifications.slack.members import SlackMember
from incidents.notifications.slack.replies import SlackReply, SlackRequest
from incidents.notifications.transmissions import Transmission
from incidents.oncall.calendars import CalendarShift
from incidents.oncall.feeds import CalendarLink
from incidents.oncall.overrides import Override
from incidents.oncall.pointer import OnCall, RotaChange
from incidents.oncall.rota import Rota, RotaTurn
from incidents.oncall.swaps import ShiftSwap
from incidents.pagers.models import PagerAddress, PagerDelivery, PagerPerson, PagerSecret
from incidents.people.models import ApiKey, Membership, Team, User
from incidents.people.signin import FailedSignIn
from incidents.postmortems.document import Postmortem
from incidents.postmortems.factors import Factor, FactorKind
from incidents.postmortems.guide import Guide, Policy
from incidents.postmortems.importing import ImportBatch
from incidents.postmortems.lines import EditedLine
from incidents.postmortems.meeting import ParkedFix
from incidents.postmortems.presence import Presence
from incidents.postmortems.provenance import Provenance
from incidents.postmortems.reading import ExternalVersion, Reading, ShareLink
from incidents.postmortems.reviews import Amendment, Comment, Review
from incidents.postmortems.sections import Draft, Revision, Section
from incidents.reports.decisions import Decision
from incidents.reports.months import Rollup, RollupMark
from incidents.reports.saved import ReportNote, ReportSubscription, SavedReport
from incidents.response.attachments import Attachment
from incidents.response.containments import Containment
from incidents.response.events import Event, Note, PendingEvent
from incidents.response.followers import Follower
from incidents.response.impact import Exposure, Impact
from incidents.response.incident import Incident, IncidentCounter
from incidents.response.links import Link
from incidents.response.public_pages import PublicPage, PublicPost
from incidents.response.roles import Assignment, Handover, ResponseRole
from incidents.response.saved_views import SavedView
from incidents.response.story import Curation
from incidents.response.tasks import Task
from incidents.response.updates import Cadence, Update
from incidents.systems.models import Change, Dependency, System, SystemName

__all__ = [
    "ActLink",
    "AgentAction",
    "Alert",
    "Amendment",
    "ApiKey",
    "Assignment",
    "Attachment",
    "Browser",
    "Cadence",
    "CalendarLink",
    "CalendarShift",
    "CaseResult",
    "CaseVersion",
    "Change",
    "ChannelRule",
    "Comment",
    "Containment",
    "Correction",
    "Curation",
    "Decision",
    "Delivery",
    "Dependency",
    "Destination",
    "Dispatch",
    "Draft",
    "EditedLine",
    "Escalation",
    "EvaluationCase",
    "EvaluationRun",
    "EvaluationSource",
    "Event",
    "Exposure",
    "ExternalVersion",
    "Factor",
    "FactorKind",
    "FailedSignIn",
    "FollowUp",
    "Follower",
    "Guide",
    "Handover",
    "Heartbeat",
    "Impact",
    "ImportBatch",
    "Incident",
    "IncidentCounter",
    "Link",
    "Membership",
    "Note",
    "Notification",
    "OnCall",
    "Outcome",
    "Override",
    "PagerAddress",
    "PagerDelivery",
    "PagerPerson",
    "PagerSecret",
    "ParkedFix",
    "PendingEvent",
    "Policy",
    "Postmortem",
    "Preference",
    "Presence",
    "Proof",
    "Provenance",
    "PublicPage",
    "PublicPost",
    "PushKey",
    "Reading",
    "Recurrence",
    "ReportNote",
    "ReportSubscription",
    "ResponseRole",
    "Review",
    "Revision",
    "Rollup",
    "RollupMark",
    "Rota",
    "RotaChange",
    "RotaTurn",
    "RulesVersion",
    "Sample",
    "SavedReport",
    "SavedView",
    "Section",
    "ShareLink",
    "ShiftSwap",
    "SigningSecret",
    "Silence",
    "SlackApp",
    "SlackMember",
    "SlackReply",
    "SlackRequest",
    "Source",
    "Subscription",
    "System",
    "SystemName",
    "Task",
    "Team",
    "Transmission",
    "Update",
    "User",
    "Watch",
]
