"""Opsgenie, by its Alert API: an alert under the incident's number as its alias, acknowledged and closed with it."""

from datetime import datetime
from urllib.parse import quote

from incidents.notifications.channels import addresses
from incidents.notifications.channels.base import Act, Announcement, Config, Field, Outgoing, Pager, post_json
from incidents.notifications.channels.limits import clip, one_line

MESSAGE, DESCRIPTION, ENTITY, NOTE, SOURCE = 130, 15_000, 512, 25_000, 100
_SERVER = "https://api.opsgenie.com"
_PRIORITIES = {"sev1": "P1", "sev2": "P2", "sev3": "P3", "sev4": "P4"}


class Opsgenie(Pager):
    kind = "opsgenie"
    name = "Opsgenie"
    about = "Alerts in Opsgenie or Jira Service Management, acknowledged and closed along with the incident"
    fields = (
        Field(
            name="key",
            label="API key",
            help="In Opsgenie: the team, Integrations, Add integration, API. The key needs “Create and update access”.",
            check=addresses.token("an API key of Opsgenie", r"[A-Za-z0-9-]{20,100}"),
            secret=True,
        ),
        Field(
            name="url",
            label="Server",
            help="Empty: https://api.opsgenie.com. In the EU: https://api.eu.opsgenie.com.",
            check=addresses.server,
            required=False,
        ),
    )

    def request(self, config: Config, announcement: Announcement, *, now: datetime) -> Outgoing:
        act = announcement.act or Act.OPEN
        base = f"{config.get('url') or _SERVER}/v2/alerts"
        headers = {"Authorization": f"GenieKey {config['key']}"}
        if act is Act.OPEN:
            return post_json(base, _alert(announcement), headers)
        verb = "acknowledge" if act is Act.ACKNOWLEDGE else "close"
        url = f"{base}/{quote(announcement.key, safe='')}/{verb}?identifierType=alias"
        return post_json(url, {"source": "Faultline", "note": clip(announcement.headline, 1000)}, headers)


def _alert(announcement: Announcement) -> dict[str, object]:
    links = "\n".join(f"{label}: {url}" for label, url in announcement.links())
    incident = announcement.incident
    return {
        "message": clip(announcement.headline, MESSAGE),
        "alias": announcement.key,
        "description": "\n\n".join(filter(None, (clip(announcement.body, 12_000), links))),
        "details": {label: clip(text, 500) for label, text in announcement.facts()},
        "entity": clip(one_line(incident.system), ENTITY) if incident else "",
        "source": "Faultline",
        "priority": "P5" if announcement.topic == "test" else _PRIORITIES.get(announcement.severity, "P3"),
        "tags": ["faultline"],
    }
