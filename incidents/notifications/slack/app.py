"""The organisation's own Slack app: the secret its requests are signed with, and perhaps a token to ask who somebody is."""

import json
from typing import ClassVar, Self
from urllib.parse import urlencode

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from incidents import outgoing
from incidents.errors import Refused
from incidents.notifications.channels.answers import json_of
from incidents.people.models import User
from incidents.web.sealing import seal, unseal

SECONDS = 1.5  # Slack waits three for the answer to a button


class SlackApp(models.Model):
    """There is one. Its secrets are sealed and never shown again; `workspace` is known where it has a token."""

    only = models.BooleanField(primary_key=True, default=True)
    sealed = models.BinaryField()
    has_token = models.BooleanField(default=False)
    workspace = models.CharField(max_length=30, blank=True)  # its id, such as T012AB3C4
    workspace_name = models.CharField(max_length=100, blank=True)
    connected_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    connected_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=models.Q(only=True), name="one_slack_app")]

    def __str__(self) -> str:
        return f"Slack app of {self.workspace_name}" if self.workspace_name else "Slack app"

    @classmethod
    def current(cls) -> Self | None:
        return cls.objects.first()

    @classmethod
    def connect(cls, *, signing_secret: str, bot_token: str, by: User) -> Self:
        """Connect the app, or change its secrets; empty ones stay what they were. Raises Refused where Slack knows no such token."""
        before = cls.current()
        kept_secrets = (before.secrets() or {}) if before else {}
        secrets = {
            "signing_secret": signing_secret or kept_secrets.get("signing_secret", ""),
            "bot_token": bot_token or kept_secrets.get("bot_token", ""),
        }
        if not secrets["signing_secret"]:
            raise Refused("Enter the signing secret.")
        known = _workspace_of(secrets["bot_token"]) if secrets["bot_token"] else {}
        row, _ = cls.objects.update_or_create(
            only=True,
            defaults={
                "sealed": seal(json.dumps(secrets)),
                "has_token": bool(secrets["bot_token"]),
                "workspace": str(known.get("team_id", ""))[:30],
                "workspace_name": str(known.get("team", ""))[:100],
                "connected_by": by,
                "connected_at": timezone.now(),
            },
        )
        return row

    def secrets(self) -> dict[str, str] | None:
        """Its secrets in the open; None where SECRET_KEY was changed without a fallback."""
        text = unseal(bytes(self.sealed))
        return json.loads(text) if text else None

    def email_of(self, member: str) -> str:
        """The confirmed address of a member of the app's own workspace; "" where there is none, or Slack does not say it.

        Guests of other workspaces, in channels that are shared with them, are not asked for: their administrators could give
        them any address.
        """
        secrets = self.secrets() or {}
        if not secrets.get("bot_token") or not self.workspace:
            return ""
        try:
            answer = _ask("users.info", secrets["bot_token"], user=member)
        except (outgoing.Unreachable, outgoing.Blocked):
            return ""
        found = answer.get("user") if answer.get("ok") is True else None
        if not isinstance(found, dict) or found.get("team_id") != self.workspace or found.get("id") != member:
            return ""
        if (
            any(found.get(name) for name in ("deleted", "is_bot", "is_stranger"))
            or found.get("is_email_confirmed") is False
        ):
            return ""
        profile = found.get("profile")
        address = profile.get("email") if isinstance(profile, dict) else ""
        return address if isinstance(address, str) else ""


def _workspace_of(token: str) -> dict[str, object]:
    try:
        answer = _ask("auth.test", token)
    except (outgoing.Unreachable, outgoing.Blocked) as trouble:
        raise Refused(f"Slack could not be asked about the bot token. {trouble}") from None
    if answer.get("ok") is not True or not answer.get("team_id"):
        raise Refused("Slack does not know this bot token. Copy it again from OAuth & Permissions.")
    return answer


def _ask(method: str, token: str, **fields: str) -> dict[str, object]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-www-form-urlencoded"}
    body = urlencode(fields).encode()
    return json_of(outgoing.send("POST", f"{settings.SLACK_API}/{method}", body=body, headers=headers, seconds=SECONDS))


def manifest(name: str = "Faultline") -> str:
    """What to paste in Slack to make the app, with the addresses of this Faultline filled in."""
    return json.dumps(
        {
            "display_information": {"name": name},
            "features": {
                "bot_user": {"display_name": name, "always_online": True},
                "slash_commands": [
                    {
                        "command": "/faultline",
                        "url": address_of("slack-commands"),
                        "description": "See incidents and act on them",
                        "usage_hint": "57 | ack 57 | lead 57 | update 57 text | open title | connect | help",
                        "should_escape": False,
                    }
                ],
            },
            "oauth_config": {"scopes": {"bot": ["commands", "incoming-webhook", "users:read", "users:read.email"]}},
            "settings": {"interactivity": {"is_enabled": True, "request_url": address_of("slack-interactions")}},
        },
        indent=2,
    )


def address_of(name: str) -> str:
    return settings.BASE_URL + reverse(name)
