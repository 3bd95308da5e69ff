"""Channels that the tests of this folder send to."""

from collections.abc import Callable, Iterator

import pytest

from incidents.notifications.destinations import Destination
from incidents.people.models import Team
from tests.notifications.receivers import Desk, desk


@pytest.fixture
def allowed(settings: object) -> None:
    settings.OUTGOING_ALLOW = ["127.0.0.1"]  # type: ignore[attr-defined]


@pytest.fixture
def receiver(allowed: None) -> Iterator[Desk]:
    with desk() as own:
        yield own


@pytest.fixture
def connect(assistants: Team) -> Callable[..., Destination]:
    """Connect a channel of the assistants' team, or of another."""

    def make(kind: str = "slack", *, team: Team | None = assistants, **fields: object) -> Destination:
        values = {
            name: fields.pop(name) for name in ("url", "routing_key", "topic", "key", "buttons") if name in fields
        }
        row = Destination(kind=kind, team=team, name=str(fields.pop("name", f"#{kind}")), **fields)
        row.keep({name: str(text) for name, text in values.items()})
        row.save()
        return row

    return make
