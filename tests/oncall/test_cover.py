"""Who is on call, by the team’s rota, a calendar or overrides."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction

from incidents.errors import Refused, WrongStatus
from incidents.oncall.calendars import CalendarShift
from incidents.oncall.cover import covers, on_call, on_call_teams
from incidents.oncall.overrides import Override
from incidents.oncall.pointer import OnCall, OnCallKind, RotaChange
from incidents.oncall.rota import Rota
from incidents.oncall.shifts import Span
from incidents.oncall.swaps import ShiftSwap
from incidents.people.models import Membership, Role, Team, User
from tests.oncall.conftest import at

WriteRota = Callable[..., Rota]
IN_MARAS_WEEK, IN_JOS_WEEK = at("2026-01-07T12:00"), at("2026-01-14T12:00")
MARAS = Span(at("2026-01-05T08:00"), at("2026-01-12T08:00"))
JOS = Span(at("2026-01-12T08:00"), at("2026-01-19T08:00"))


@pytest.fixture(autouse=True)
def _in_maras_week() -> Any:
    with time_machine.travel(IN_MARAS_WEEK, tick=False):
        yield


class TestOnCall:
    def test_a_team_that_said_nothing_has_nobody(self, assistants: Team) -> None:
        assert on_call(assistants, IN_MARAS_WEEK) == []

    def test_it_is_whoever_has_the_turn(self, assistants: Team, mara: User, jo: User, write_rota: WriteRota) -> None:
        write_rota(mara, jo)
        assert on_call(assistants, IN_MARAS_WEEK) == [mara]
        assert on_call(assistants, IN_JOS_WEEK) == [jo]
        assert on_call_teams(mara, IN_MARAS_WEEK) == [assistants]
        assert on_call_teams(mara, IN_JOS_WEEK) == []

    def test_the_moment_of_a_hand_over_belongs_to_the_next(
        self, assistants: Team, mara: User, jo: User, write_rota: WriteRota
    ) -> None:
        write_rota(mara, jo)
        assert on_call(assistants, MARAS.end) == [jo]
        assert on_call(assistants, MARAS.end - timedelta(microseconds=1)) == [mara]

    def test_whoever_left_is_not_on_call_and_leaves_a_gap(
        self, assistants: Team, mara: User, jo: User, write_rota: WriteRota
    ) -> None:
        write_rota(mara, jo)
        User.objects.filter(pk=jo.pk).update(is_active=False)
        assert on_call(assistants, IN_JOS_WEEK) == []
        cover = covers([assistants], MARAS.start, JOS.end)[assistants.pk]
        assert cover.gaps == [JOS]
        assert [shift.person for shift in cover.left] == [jo.pk]

    @pytest.mark.parametrize("moment", ["0001-01-01T00:00", "9999-12-31T23:59:59.999999"])
    def test_the_ends_of_the_calendar_are_no_error(
        self, assistants: Team, mara: User, write_rota: WriteRota, moment: str
    ) -> None:
        write_rota(mara)
        on_call(assistants, at(moment))
        on_call_teams(mara, at(moment))

    def test_a_time_zone_that_is_known_no_more_is_no_error(
        self, assistants: Team, mara: User, write_rota: WriteRota
    ) -> None:
        rota = write_rota(mara)
        Rota.objects.filter(pk=rota.pk).update(time_zone="Mars/Olympus")
        assert on_call(assistants, IN_MARAS_WEEK) == [mara]

    def test_a_calendar_counts_as_far_as_it_names_people(self, assistants: Team, mara: User, jo: User) -> None:
        row = OnCall.objects.create(team=assistants, kind=OnCallKind.CALENDAR, calendar_sealed=b"x")
        times = {"on_call": row, "starts_at": MARAS.start, "ends_at": MARAS.end}
        CalendarShift.objects.create(person=mara, names="Mara", **times)
        CalendarShift.objects.create(person=None, names="Somebody", **times)
        assert on_call(assistants, IN_MARAS_WEEK) == [mara]
        Override.objects.add(assistants, person=jo, starts_at=IN_MARAS_WEEK, ends_at=MARAS.end, by=jo)
        assert on_call(assistants, IN_MARAS_WEEK) == [jo]

    def test_many_teams_ask_no_more_than_one(
        self, assistants: Team, mara: User, write_rota: WriteRota, django_assert_num_queries: Any
    ) -> None:
        write_rota(mara)
        with django_assert_num_queries(3):
            on_call(assistants, IN_MARAS_WEEK)
        others = [Team.objects.create(slug=f"team-{n}", name=f"Team {n}") for n in range(5)]
        for team in others:
            Membership.objects.create(team=team, user=mara, role=Role.RESPONDER)
            Rota.write(team, people=[mara], base=0, by=None, name="Rota")
        with django_assert_num_queries(3):
            covers([assistants, *others], MARAS.start, MARAS.end)


class TestRota:
    def test_who_saw_an_older_version_is_told(self, mara: User, jo: User, write_rota: WriteRota) -> None:
        write_rota(mara)
        with pytest.raises(WrongStatus):
            write_rota(jo, base=0)
        write_rota(jo, base=1)

    def test_who_cannot_respond_takes_no_turn(self, rui: User, lee: User, write_rota: WriteRota) -> None:
        for person in (rui, lee):
            with pytest.raises(Refused, match="may not respond for Assistants"):
                write_rota(person)
        with pytest.raises(Refused, match="who takes turns"):
            write_rota()

    def test_what_was_changed_is_on_record_for_good(
        self, assistants: Team, mara: User, jo: User, write_rota: WriteRota
    ) -> None:
        write_rota(mara, jo)
        changes = list(RotaChange.objects.filter(team=assistants))
        assert [(change.by, change.kind) for change in changes] == [(jo, "pointer"), (jo, "rota")]
        assert changes[1].detail["people"] == ["Mara Okafor", "Jo Lindqvist"]
        with pytest.raises(DatabaseError), transaction.atomic():
            RotaChange.objects.update(detail={})


class TestOverriding:
    def test_it_begins_now_where_its_start_has_passed(
        self, assistants: Team, mara: User, jo: User, write_rota: WriteRota
    ) -> None:
        write_rota(mara)
        Override.objects.add(assistants, person=jo, starts_at=MARAS.start, ends_at=MARAS.end, by=jo)
        assert on_call(assistants, MARAS.start + timedelta(hours=1)) == [mara]
        assert on_call(assistants, IN_MARAS_WEEK) == [jo]

    def test_taking_back_what_runs_ends_it_now(
        self, assistants: Team, mara: User, jo: User, write_rota: WriteRota
    ) -> None:
        write_rota(mara)
        override = Override.objects.add(assistants, person=jo, starts_at=IN_MARAS_WEEK, ends_at=MARAS.end, by=jo)
        later = IN_MARAS_WEEK + timedelta(hours=3)
        with time_machine.travel(later, tick=False):
            override.remove(by=mara)
            assert on_call(assistants, later) == [mara]
            assert on_call(assistants, later - timedelta(hours=1)) == [jo]
            with pytest.raises(WrongStatus):
                override.remove(by=jo)

    @pytest.mark.parametrize(
        ("start", "end", "why"),
        [
            ("2026-01-09T00:00", "2026-01-08T00:00", "after the start"),
            ("2026-01-01T00:00", "2026-01-02T00:00", "over already"),
            ("2026-01-08T00:00", "2026-06-08T00:00", "92 days"),
            ("2026-01-08T00:00", "9000-06-08T00:00", "date between"),
        ],
    )
    def test_what_cannot_be_is_refused(
        self, assistants: Team, mara: User, write_rota: WriteRota, start: str, end: str, why: str
    ) -> None:
        write_rota(mara)
        with pytest.raises(Exception, match=why):
            Override.objects.add(assistants, person=mara, starts_at=at(start), ends_at=at(end), by=mara)

    def test_without_a_rota_there_is_nothing_to_override(self, assistants: Team, mara: User) -> None:
        with pytest.raises(Refused, match="no rota"):
            Override.objects.add(assistants, person=mara, starts_at=MARAS.start, ends_at=MARAS.end, by=mara)


class TestSwaps:
    def test_both_shifts_change_hands_once_the_other_accepts(
        self, assistants: Team, mara: User, jo: User, tom: User, write_rota: WriteRota
    ) -> None:
        write_rota(mara, jo, tom)
        swap = ShiftSwap.objects.offer(assistants, giver=mara, taker=jo, gives=MARAS, takes=JOS, by=mara)
        assert on_call(assistants, IN_JOS_WEEK) == [jo]
        with pytest.raises(Refused, match="only they"):
            swap.accept(by=tom)
        swap.accept(by=jo)
        assert on_call(assistants, IN_MARAS_WEEK) == [jo]
        assert on_call(assistants, IN_JOS_WEEK) == [mara]
        with pytest.raises(WrongStatus, match="accepted already"):
            swap.decline(by=jo)

    def test_a_shift_that_is_theirs_no_more_cannot_be_swapped(
        self, assistants: Team, mara: User, jo: User, tom: User, write_rota: WriteRota
    ) -> None:
        write_rota(mara, jo, tom)
        swap = ShiftSwap.objects.offer(assistants, giver=mara, taker=jo, gives=MARAS, takes=JOS, by=mara)
        Override.objects.add(assistants, person=tom, starts_at=JOS.start, ends_at=JOS.end, by=tom)
        with pytest.raises(Refused, match="Jo Lindqvist is not on call"):
            swap.accept(by=jo)
        assert on_call(assistants, IN_MARAS_WEEK) == [mara]

    def test_taking_back_one_half_takes_back_both(
        self, assistants: Team, mara: User, jo: User, tom: User, write_rota: WriteRota
    ) -> None:
        write_rota(mara, jo, tom)
        ShiftSwap.objects.at_once(assistants, giver=mara, taker=jo, gives=MARAS, takes=JOS, by=jo)
        Override.objects.get(person=mara).remove(by=jo)
        assert on_call(assistants, IN_MARAS_WEEK) == [mara]
        assert on_call(assistants, IN_JOS_WEEK) == [jo]

    def test_somebody_may_cover_for_nothing_in_return(
        self, assistants: Team, mara: User, jo: User, tom: User, write_rota: WriteRota
    ) -> None:
        write_rota(mara, jo)
        swap = ShiftSwap.objects.offer(assistants, giver=mara, taker=tom, gives=MARAS, takes=None, by=mara)
        swap.accept(by=tom)
        assert on_call(assistants, IN_MARAS_WEEK) == [tom]


@pytest.mark.django_db(transaction=True)
def test_a_swap_that_is_accepted_and_withdrawn_at_once_is_one_of_both(
    assistants: Team, mara: User, jo: User, write_rota: WriteRota
) -> None:
    write_rota(mara, jo)
    swap = ShiftSwap.objects.offer(assistants, giver=mara, taker=jo, gives=MARAS, takes=JOS, by=mara)

    def answer(accepts: bool) -> str:
        row = ShiftSwap.objects.get(pk=swap.pk)
        try:
            row.accept(by=jo) if accepts else row.withdraw(by=mara)
        except (WrongStatus, Refused):
            return ""
        else:
            return row.state
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        states = [state for state in pool.map(answer, [True, False] * 3) if state]
    swap.refresh_from_db()
    assert states == [swap.state]
    assert Override.objects.count() == (2 if swap.state == "accepted" else 0)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_write_a_rota_at_once_one_is_told(
    assistants: Team, mara: User, jo: User, write_rota: WriteRota
) -> None:
    def write(person: User) -> User | None:
        try:
            write_rota(person)
        except WrongStatus:
            return None
        else:
            return person
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        written = [person for person in pool.map(write, [mara, jo, mara, jo]) if person]
    assert on_call(assistants, IN_MARAS_WEEK) == written
