"""Who is on call in the demonstration, on whichever day and at whichever hour it is loaded."""

from datetime import datetime, timedelta

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from incidents.demonstration.cast import Cast, create_cast
from incidents.demonstration.rotas import write_rotas
from incidents.oncall.cover import on_call
from incidents.oncall.overrides import Override
from incidents.oncall.schedule import standings
from incidents.oncall.swaps import ShiftSwap


@pytest.mark.django_db
def test_mara_is_on_call_one_team_has_a_gap_and_an_override_and_a_swap_are_ahead() -> None:
    begun = timezone.now().replace(minute=30)
    cast = create_cast(begun - timedelta(days=800))
    for hours in range(0, 8 * 24, 7):
        _check_at(cast, begun + timedelta(hours=hours))


def _check_at(cast: Cast, now: datetime) -> None:
    with time_machine.travel(now, tick=False), transaction.atomic():
        write_rotas(cast, now)
        teams, people = cast.teams, cast.people
        assert on_call(teams["assistants"], now) == [people["mara"]], now
        assert [row.team.slug for row in standings(teams.values(), now) if row.gaps] == ["discovery"], now
        override = Override.objects.get()
        begins = override.starts_at
        assert on_call(teams["risk"], begins - timedelta(minutes=1)) != [override.person], now
        assert on_call(teams["risk"], begins) == [people["priya"]]
        swap = ShiftSwap.objects.open().get()
        swap.check_shifts()
        transaction.set_rollback(True)
