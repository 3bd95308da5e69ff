"""The channels there are, for pages and for whoever sends."""

from incidents.notifications.channels.base import Receiver
from incidents.notifications.channels.discord import Discord
from incidents.notifications.channels.goalert import GoAlert
from incidents.notifications.channels.google_chat import GoogleChat
from incidents.notifications.channels.grafana_oncall import GrafanaOnCall
from incidents.notifications.channels.mattermost import Mattermost
from incidents.notifications.channels.ntfy import Ntfy
from incidents.notifications.channels.opsgenie import Opsgenie
from incidents.notifications.channels.pagerduty import PagerDuty
from incidents.notifications.channels.slack import Slack
from incidents.notifications.channels.teams import Teams
from incidents.notifications.channels.web_push import WebPush
from incidents.notifications.channels.webhook import SignedWebhook

GROUPS = {"chat": "Chats", "phone": "Phones", "pager": "Pagers", "code": "Your own code"}

# What a team or the organisation connects, in the order in which people look for it.
RECEIVERS: dict[str, Receiver] = {
    receiver.kind: receiver
    for receiver in (
        Slack(),
        Teams(),
        Mattermost(),
        Discord(),
        GoogleChat(),
        Ntfy(),
        PagerDuty(),
        Opsgenie(),
        GoAlert(),
        GrafanaOnCall(),
        SignedWebhook(),
    )
}

BROWSER = WebPush()


def by_group() -> dict[str, list[Receiver]]:
    return {title: [one for one in RECEIVERS.values() if one.group == group] for group, title in GROUPS.items()}
