"""PagerDuty, by its Events API v2: an alert under the incident's number, acknowledged and resolved with it."""

from datetime import datetime
from typing import Any

from incidents.notifications.channels import addresses
from incidents.notifications.channels.answers import Judgement, json_of, judge_status, refused
from incidents.notifications.channels.base import Act, Announcement, Config, Field, Outgoing, Pager, post_json
from incidents.notifications.channels.limits import clip, one_line
from incidents.outgoing import Answer

SUMMARY, LARGEST = 1024, 512 * 1024
_SERVER = "https://events.pagerduty.com"
_ACTIONS = {Act.OPEN: "trigger", Act.ACKNOWLEDGE: "acknowledge", Act.CLOSE: "resolve"}
# How bad nobody has said yet is an error to PagerDuty: a lower one may wake nobody.
_SEVERITIES = {"sev1": "critical", "sev2": "error", "sev3": "warning", "sev4": "info"}


class PagerDuty(Pager):
    kind = "pagerduty"
    name = "PagerDuty"
    about = "Alerts in PagerDuty, acknowledged and resolved along with the incident"
    fields = (
        Field(
            name="routing_key",
            label="Integration key",
            help="In PagerDuty: the service, Integrations, Add integration, Events API V2. It has 32 characters.",
            check=addresses.token("an integration key of PagerDuty’s Events API V2", r"[A-Za-z0-9]{32}"),
            secret=True,
        ),
        Field(
            name="url",
            label="Server",
            help="Empty: https://events.pagerduty.com. In the EU region: https://events.eu.pagerduty.com.",
            check=addresses.server,
            required=False,
        ),
    )

    def request(self, config: Config, announcement: Announcement, *, now: datetime) -> Outgoing:
        act = announcement.act or Act.OPEN
        event: dict[str, Any] = {
            "routing_key": config["routing_key"],
            "event_action": _ACTIONS[act],
            "dedup_key": announcement.key,
        }
        if act is Act.OPEN:
            event |= _alert(announcement)
        return post_json(f"{config.get('url') or _SERVER}/v2/enqueue", event)

    def judge(self, answer: Answer, *, now: datetime) -> Judgement:
        """Of what is wrong with an event, PagerDuty sends a list."""
        errors = json_of(answer).get("errors")
        if answer.status == 400 and isinstance(errors, list) and errors:
            return refused(f"PagerDuty says: {clip(one_line(' '.join(map(str, errors[:5]))), 250)}")
        return judge_status(answer, now=now)


def _alert(announcement: Announcement) -> dict[str, Any]:
    incident = announcement.incident
    details = {label: clip(text, 500) for label, text in announcement.facts()}
    payload = {
        "summary": clip(announcement.headline, SUMMARY),
        "source": (clip(one_line(incident.system), 200) if incident else "") or "Faultline",
        "severity": "info" if announcement.topic == "test" else _SEVERITIES.get(announcement.severity, "error"),
        "timestamp": announcement.at.isoformat(),
        "custom_details": details | ({"Details": clip(announcement.body, 8000)} if announcement.body else {}),
    }
    named = {"component": incident.system, "group": incident.team, "class": incident.category} if incident else {}
    payload |= {name: clip(line, 200) for name, text in named.items() if (line := one_line(text))}
    alert: dict[str, Any] = {"payload": payload, "client": "Faultline"}
    if links := announcement.links():
        alert["links"] = [{"href": url, "text": label} for label, url in links]
        alert["client_url"] = links[0][1]
    return alert
