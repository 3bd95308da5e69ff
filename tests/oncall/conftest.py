"""Rotas of the cast."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time

import pytest

from incidents.oncall.rota import Rota
from incidents.people.models import Membership, Role, Team, User


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def tom(assistants: Team) -> User:
    """Responds for the assistants, too."""
    user = User.objects.create_user("tom@example.com", "faultline-demo", name="Tom Weiss")
    Membership.objects.create(team=assistants, user=user, role=Role.RESPONDER)
    return user


@pytest.fixture
def write_rota(assistants: Team, jo: User) -> Callable[..., Rota]:
    """Write a rota of the assistants as Jo does: weeks from Monday at nine in Berlin since January 2026."""

    def write(*people: User, base: int = 0, **fields: object) -> Rota:
        facts: dict[str, object] = {
            "name": "Assistants",
            "time_zone": "Europe/Berlin",
            "days": 7,
            "weekday": 0,
            "hands_over_at": time(9),
            "starts_on": date(2026, 1, 5),
        }
        return Rota.write(assistants, people=people, base=base, by=jo, **(facts | fields))

    return write
