"""What is announced in the tests of channels, and what each channel is connected with."""

from dataclasses import replace
from datetime import UTC, datetime

from incidents.notifications.channels.base import Announcement, IncidentFacts

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)

TOPICS = (
    "incident.opened",
    "incident.raised",
    "incident.acknowledged",
    "incident.status",
    "incident.reopened",
    "incident.update",
    "incident.escalated",
    "incident.lead",
    "follow_up.due",
    "test",
)

FACTS = IncidentFacts(
    number=57,
    title="Answers cite the retired pricing policy",
    severity="sev2",
    status="investigating",
    system="support-assistant",
    team="Assistants",
    lead="Mara Okafor",
    category="Retrieval",
    url="https://faultline.example/incidents/57/",
)

OPENED = Announcement(
    topic="incident.opened",
    event_id="evt_4711",
    at=NOW,
    subject="SEV2 INC-57: Answers cite the retired pricing policy",
    text="41 of 300 sampled answers cite a policy that ended in January.\n\nLead: nobody yet",
    source="https://faultline.example",
    incident=FACTS,
    urgent=True,
    acts=(("Acknowledge", "https://faultline.example/act/abc/"),),
)
RESOLVED = replace(OPENED, topic="incident.status", closing=True, urgent=False, event_id="evt_4712")

CONFIGS = {
    "slack": {"url": "https://hooks.slack.com/services/T0/B0/xyz"},
    "teams": {"url": "https://prod-1.westeurope.logic.azure.com:443/workflows/abc/triggers/manual/paths/invoke?sig=x"},
    "mattermost": {"url": "https://chat.example.com/hooks/abc"},
    "discord": {"url": "https://discord.com/api/webhooks/1/abc"},
    "google_chat": {"url": "https://chat.googleapis.com/v1/spaces/AAA/messages?key=k&token=t"},
    "ntfy": {"url": "https://ntfy.sh", "topic": "faultline-x", "token": "tk_abc"},
    "pagerduty": {"routing_key": "0" * 32},
    "opsgenie": {"key": "0000-1111-2222-3333-4444"},
    "goalert": {"url": "https://goalert.example.com/api/v2/generic/incoming?token=t"},
    "grafana_oncall": {"url": "https://oncall.grafana.net/oncall/integrations/v1/formatted_webhook/abc/"},
    "webhook": {
        "url": "https://hooks.example.com/in",
        "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "previous_secret": "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0",
    },
}

CALLS = (
    "@channel @here @everyone @all @mara <!channel> <!here|here> <@U012AB3CD> <@&99> <users/all> <at>Mara</at> <#C1>"
)

HOSTILE = (
    "",
    " \u200b\n",
    "\x00\x1b[31m\x07red\ud800",
    CALLS,
    "[x](javascript:alert(1)) ![x](http://evil.example/p.png) **b** `c` ~~d~~ > # |a|b|",
    "<https://evil.example|Open INC-57> <script>alert(1)</script> &lt;!channel&gt; &amp;",
    "\u202egnihtemos\u202c {{DATE(2026-01-01T00:00:00Z,SHORT)}} ${card.title} \\* \\\\",
    "a" * 25_000,
    "<&>" * 8_000,
    "*_`" * 8_000,
    "wörter und 🔥 emoji " * 3_000,
    "👩‍👩‍👧‍👦" * 2_000,
    "\n" * 9_000 + "end",
    "line\n" * 8_000,
    '"\\' * 8_000,
    "漢字" * 9_000,
)


def everywhere(text: str, *, topic: str = "incident.opened", closing: bool = False) -> Announcement:
    """An announcement with a text wherever people or monitors write."""
    facts = replace(FACTS, title=text, system=text, team=text, lead=text, category=text)
    acts = ((text, "https://faultline.example/act/abc/"), ("x", text), ("y", f"https://faultline.example/{text}"))
    return replace(OPENED, topic=topic, subject=text, text=text, incident=facts, acts=acts, closing=closing)
