"""What people and channels can be told of: the one list of topics, how urgent each is, and whether it can be switched off."""

from dataclasses import dataclass

from django.db import models


class Urgency(models.TextChoices):
    """When a message goes out: a page at once and through quiet hours; the others respect quiet hours."""

    PAGE = "page", "Page"
    NORMAL = "normal", "Soon"
    WORKING_HOURS = "working", "In working hours"


@dataclass(frozen=True, slots=True)
class Topic:
    """One kind of message. What is `always` told cannot be switched off: somebody is waited for.

    `label` is what a person is told, in a `group` of the settings; `heard` is what channels hear, in the words of their rules.
    Either is "" where they are told nothing of it. `quietly`: channels hear of it only where somebody chose it.
    """

    code: str
    label: str = ""
    group: str = ""
    urgency: Urgency = Urgency.NORMAL
    always: bool = False
    heard: str = ""
    quietly: bool = False

    @property
    def is_bundled(self) -> bool:
        """Whether several of them become one message, when they come fast: those that alerts cause, without end."""
        return self.code in {"incident.opened", "incident.raised", "incident.escalated", "incident.worse_alert"}


_ON_CALL, _MINE, _FOLLOWED, _NUDGE, _LEARNING = (
    "On call",
    "Asked of you",
    "What you follow",
    "Reminders",
    "Postmortems, follow-ups and reports",
)
_OPENED, _RAISED, _REOPENED = "An incident opened", "An incident became more severe", "An incident was reopened"

_ALL = (
    Topic("incident.opened", _OPENED, _ON_CALL, always=True, heard=_OPENED),
    Topic("incident.raised", _RAISED, _ON_CALL, always=True, heard=_RAISED),
    Topic("incident.reopened", _REOPENED, _ON_CALL, always=True, heard=_REOPENED),
    Topic(
        "incident.escalated",
        "Nobody acknowledged an incident",
        _ON_CALL,
        Urgency.PAGE,
        always=True,
        heard="Nobody acknowledged an incident in time",
    ),
    Topic("incident.acknowledged", heard="Somebody acknowledged an incident"),
    Topic("incident.worse_alert", "A worse alert joined an incident you lead", _ON_CALL),
    Topic("channel.failed", "A channel of your team fails", _ON_CALL, always=True),
    Topic("incident.lead", "You were made the lead", _MINE, always=True, heard="An incident got another lead"),
    Topic("incident.role", "You were given a role", _MINE),
    Topic("incident.handover", "Somebody hands over to you", _MINE, always=True),
    Topic("on_call.swap", "Somebody offers you a shift, or answers your offer", _MINE),
    Topic("incident.task", "You were given a task", _MINE),
    Topic("incident.mention", "Somebody mentioned you", _MINE),
    Topic("incident.approval", "A public post waits for your approval", _MINE),
    Topic("incident.update", "Status updates", _FOLLOWED, heard="A status update was posted"),
    Topic("incident.status", "Changes of status", _FOLLOWED, heard="An incident changed its status"),
    Topic("incident.update_overdue", "A status update is overdue", _NUDGE),
    Topic("incident.no_lead", "An incident has no lead after 10 minutes", _NUDGE),
    Topic("incident.contained_long", "An incident is contained but not resolved for a week", _NUDGE),
    Topic("incident.containment_due", "A containment should be removed", _NUDGE),
    Topic("incident.alerts_cleared", "All alerts cleared, and the incident is open", _NUDGE),
    Topic("incident.clock_missing", "A clock is missing before closing", _NUDGE),
    Topic("postmortem.owner", "You own a postmortem", _LEARNING),
    Topic("postmortem.review", "You are asked to review a postmortem", _LEARNING),
    Topic("postmortem.verdict", "Verdicts on a postmortem of yours", _LEARNING),
    Topic("postmortem.comment", "Comments on a postmortem of yours", _LEARNING),
    Topic("postmortem.mention", "Somebody mentioned you in a postmortem", _LEARNING),
    Topic(
        "postmortem.due",
        "A postmortem or a review is due",
        _LEARNING,
        heard="A postmortem or a review of one is due or late",
        quietly=True,
    ),
    Topic("postmortem.published", heard="A postmortem was published", quietly=True),
    Topic("postmortem.anniversary", "A year since: does it still hold?", _LEARNING),
    Topic("follow_up.owner", "You own a follow-up", _LEARNING),
    Topic("follow_up.due", "A follow-up is due or late", _LEARNING),
    Topic("follow_up.did_not_hold", "A follow-up of yours or of your team did not hold", _LEARNING),
    Topic("follow_up.overdue", heard="A follow-up is late", quietly=True),
    Topic("follow_up.done", heard="A follow-up is done", quietly=True),
    Topic("report.ready", "A report you subscribed to", _LEARNING),
    Topic("digest", "What was published last week, on Mondays", _LEARNING),
)

# What people are told, by code; and what channels hear.
TOPICS = {topic.code: topic for topic in _ALL if topic.label}
HEARD = {topic.code: topic for topic in _ALL if topic.heard}


def topic_of(code: str) -> Topic:
    """The topic of a code that is stored; one that an earlier version knew is shown by its code, as any other."""
    return TOPICS.get(code) or Topic(code, code, "")


def by_group() -> dict[str, list[Topic]]:
    """The topics as the settings list them."""
    groups: dict[str, list[Topic]] = {}
    for topic in TOPICS.values():
        groups.setdefault(topic.group, []).append(topic)
    return groups
