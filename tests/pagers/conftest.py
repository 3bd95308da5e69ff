"""A pager that was told of an incident, and the address at which it answers."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from incidents.notifications.destinations import Destination
from incidents.notifications.upkeep import notify
from incidents.pagers.acting import hear
from incidents.pagers.models import PagerAddress, PagerDelivery, pager_url
from incidents.people.models import Team, User
from incidents.response.incident import Incident
from incidents.systems.models import System
from tests.notifications.conftest import allowed, connect, receiver
from tests.pagers import words

__all__ = ["allowed", "connect", "receiver"]

FIELDS = {
    "pagerduty": {"routing_key": "0123456789abcdef0123456789abcdef", "name": "PagerDuty"},
    "opsgenie": {"key": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "name": "Opsgenie"},
    "grafana_oncall": {"url": "https://oncall.example/integrations/v1/formatted_webhook/x/", "name": "OnCall"},
    "goalert": {"url": "https://goalert.example/api/v2/generic/incoming?token=x", "name": "GoAlert"},
}


class Pager:
    """One pager, as it posts what its people do."""

    def __init__(self, channel: Destination, token: str) -> None:
        self.channel, self.token = channel, token
        self.address = PagerAddress.objects.get(pk=channel.pk)

    def post(self, body: bytes, **headers: str) -> Any:
        path = "/pagers/" + pager_url(self.token).rsplit("/", 1)[1]
        return Client(headers=headers).post(path, body, content_type="application/json")

    def says(self, word: dict[str, Any]) -> PagerDelivery:
        """Post something, and let a worker act on it."""
        answer = self.post(json.dumps(word).encode())
        assert answer.status_code == 200, answer.content
        hear()
        return PagerDelivery.objects.latest("pk")

    def acknowledges(self, incident: Incident, **facts: Any) -> PagerDelivery:
        return self.says(words.acknowledged(self.channel.kind, f"INC-{incident.number}", **facts))


@pytest.fixture
def pager(connect: Callable[..., Destination], jo: User) -> Callable[..., Pager]:
    """Connect a pager of a kind, and give it an address."""

    def make(kind: str = "pagerduty", **fields: Any) -> Pager:
        channel = connect(kind, **FIELDS[kind] | fields)
        _, token = PagerAddress.objects.open(channel, by=jo)
        return Pager(channel, token)

    return make


@pytest.fixture
def paged(pager: Callable[..., Pager], support_assistant: System, mara: User, jo: User) -> Callable[..., Any]:
    """A pager of a kind and a SEV1 that it was told of, which nobody has taken."""

    def make(kind: str = "pagerduty", **fields: Any) -> tuple[Pager, Incident]:
        own = pager(kind, **fields)
        incident = Incident.objects.declare(
            title="Answers are stale", by=None, system=support_assistant, severity="sev1"
        )
        notify()
        return own, incident

    return make


@pytest.fixture
def other_team(db: None) -> Team:
    return Team.objects.create(name="Somebody else", slug="somebody-else")
