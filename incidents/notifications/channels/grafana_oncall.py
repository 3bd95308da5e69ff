"""Grafana OnCall and Grafana IRM, by a formatted webhook: an alert group under the incident's number."""

from datetime import datetime

from incidents.notifications.channels import addresses
from incidents.notifications.channels.base import Act, Announcement, Config, Field, Outgoing, Pager, post_json
from incidents.notifications.channels.limits import clip

TITLE, MESSAGE = 1500, 3000


class GrafanaOnCall(Pager):
    kind = "grafana_oncall"
    name = "Grafana OnCall"
    about = "Alert groups in Grafana OnCall or Grafana IRM, resolved along with the incident"
    can = frozenset({Act.OPEN, Act.CLOSE})
    fields = (
        Field(
            name="url",
            label="Integration address",
            help="In Grafana: Alerts & IRM, Integrations, New integration, Formatted webhook. Copy its HTTP endpoint.",
            check=addresses.address("a formatted webhook of Grafana OnCall", path="/formatted_webhook/"),
            secret=True,
        ),
    )

    def request(self, config: Config, announcement: Announcement, *, now: datetime) -> Outgoing:
        facts = "\n".join(f"{label}: {clip(text, 150)}" for label, text in announcement.facts())
        parts = (clip(announcement.body, 1900), facts)
        alert = {
            "alert_uid": announcement.key,
            "title": clip(announcement.headline, TITLE),
            "state": "ok" if announcement.act is Act.CLOSE else "alerting",
            "message": "\n\n".join(filter(None, parts)),
        }
        if links := announcement.links(most=1):
            alert["link_to_upstream_details"] = links[0][1]
        return post_json(config["url"], alert)
