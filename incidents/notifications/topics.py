"""What people can be told of: the one list of topics, how urgent each is, and whether it can be switched off."""

from dataclasses import dataclass

from django.db import models


class Urgency(models.TextChoices):
    """When a message goes out: a page at once and through quiet hours; the others respect quiet hours."""

    PAGE = "page", "Page"
    NORMAL = "normal", "Soon"
    WORKING_HOURS = "working", "In working hours"


@dataclass(frozen=True, slots=True)
class Topic:
    """One kind of message. What is `always` told cannot be switched off: somebody is waited for."""

    code: str
    label: str
    group: str
    urgency: Urgency = Urgency.NORMAL
    always: bool = False

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

TOPICS = {
    topic.code: topic
    for topic in (
        Topic("incident.opened", "An incident opened", _ON_CALL, always=True),
        Topic("incident.raised", "An incident became more severe", _ON_CALL, always=True),
        Topic("incident.reopened", "An incident was reopened", _ON_CALL, always=True),
        Topic("incident.escalated", "Nobody acknowledged an incident", _ON_CALL, Urgency.PAGE, always=True),
        Topic("incident.worse_alert", "A worse alert joined an incident you lead", _ON_CALL),
        Topic("channel.failed", "A channel of your team fails", _ON_CALL, always=True),
        Topic("incident.lead", "You were made the lead", _MINE, always=True),
        Topic("incident.role", "You were given a role", _MINE),
        Topic("incident.handover", "Somebody hands over to you", _MINE, always=True),
        Topic("on_call.swap", "Somebody offers you a shift, or answers your offer", _MINE),
        Topic("incident.task", "You were given a task", _MINE),
        Topic("incident.mention", "Somebody mentioned you", _MINE),
        Topic("incident.approval", "A public post waits for your approval", _MINE),
        Topic("incident.update", "Status updates", _FOLLOWED),
        Topic("incident.status", "Changes of status", _FOLLOWED),
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
        Topic("postmortem.due", "A postmortem or a review is due", _LEARNING),
        Topic("postmortem.anniversary", "A year since: does it still hold?", _LEARNING),
        Topic("follow_up.owner", "You own a follow-up", _LEARNING),
        Topic("follow_up.due", "A follow-up is due or late", _LEARNING),
        Topic("report.ready", "A report you subscribed to", _LEARNING),
        Topic("digest", "What was published last week, on Mondays", _LEARNING),
    )
}


def topic_of(code: str) -> Topic:
    """The topic of a code that is stored; one that an earlier version knew is shown by its code, as any other."""
    return TOPICS.get(code) or Topic(code, code, "")


def by_group() -> dict[str, list[Topic]]:
    """The topics as the settings list them."""
    groups: dict[str, list[Topic]] = {}
    for topic in TOPICS.values():
        groups.setdefault(topic.group, []).append(topic)
    return groups
