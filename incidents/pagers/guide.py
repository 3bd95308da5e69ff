"""What to do in each pager so that it answers, step by step."""

from dataclasses import dataclass

ONCALL_TEMPLATE = """{
  "event": {"type": "{{ event.type }}", "time": "{{ event.time }}"},
  "user": {
    "id": "{{ user.id }}", "username": "{{ user.username }}", "email": "{{ user.email }}"
  },
  "alert_group": {"id": "{{ alert_group.id }}"},
  "alert_payload": {"alert_uid": "{{ alert_payload.alert_uid }}"}
}"""


@dataclass(frozen=True, slots=True)
class PagerGuide:
    """The steps in order, and what is pasted, if anything is."""

    steps: tuple[str, ...]
    template: str = ""


_GUIDES = {
    "pagerduty": PagerGuide(
        (
            "In PagerDuty, open Integrations, Generic Webhooks (v3), New Webhook.",
            "Paste the address, and choose the service whose integration key this channel uses as its scope.",
            "Choose the events incident.acknowledged, unacknowledged, resolved, reopened, escalated, delegated, "
            "reassigned and annotated. Add incident.triggered too: it says to which alert a note belongs.",
            "PagerDuty shows a secret once: add it here. From then on only what it signed is taken.",
            "Press Send Test Event in PagerDuty, and look on this page whether it came.",
        )
    ),
    "opsgenie": PagerGuide(
        (
            "In Opsgenie or Jira Service Management, open the team’s integrations and add a Webhook integration.",
            "Paste the address as its Webhook URL. It holds the secret, since Opsgenie signs nothing.",
            "Have it post when an alert is acknowledged, unacknowledged, closed, escalated, assigned, or gets a note.",
            "Send a test from this channel’s page, acknowledge it in Opsgenie, and look on this page whether that came.",
        )
    ),
    "grafana_oncall": PagerGuide(
        (
            "In Grafana, open Alerts & IRM, Outgoing Webhooks, New Outgoing Webhook, Advanced.",
            "Trigger type: Acknowledged. Make others like it for Resolved, Unacknowledged and Unresolved.",
            "HTTP method: POST. Integrations: the one that this channel sends to. Paste the address as Webhook URL. "
            "It holds the secret, since Grafana signs nothing.",
            "Switch Forward All on. Or leave it off, and paste this as Data:",
        ),
        template=ONCALL_TEMPLATE,
    ),
}


def of(kind: str) -> PagerGuide:
    return _GUIDES[kind]
