"""Shifts as arithmetic: turns, both changes of the clocks, overrides, gaps and double cover."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.oncall.shifts import Because, Duty, Plan, Span, double_cover, gaps, joined, overridden, turns

MARA, JO, TOM = 1, 2, 3
BERLIN = Plan((MARA, JO, TOM), 7, 0, time(9), "Europe/Berlin", date(2026, 1, 5))
DAY = timedelta(days=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local(moment: datetime, zone: str = "Europe/Berlin") -> str:
    return f"{moment.astimezone(ZoneInfo(zone)):%a %d %b %H:%M}"


class TestTurns:
    def test_everybody_takes_a_week_from_monday_to_monday(self) -> None:
        shifts = turns(BERLIN, at("2026-01-05T08:00"), at("2026-01-26T08:00"))
        assert [shift.person for shift in shifts] == [MARA, JO, TOM]
        assert [local(shift.start) for shift in shifts] == ["Mon 05 Jan 09:00", "Mon 12 Jan 09:00", "Mon 19 Jan 09:00"]

    def test_nobody_is_on_call_before_the_first_hand_over_on_or_after_its_start(self) -> None:
        plan = replace(BERLIN, starts_on=date(2026, 1, 7))  # a Wednesday
        assert turns(plan, at("2026-01-01T00:00"), at("2026-01-12T08:00")) == []
        [first] = turns(plan, at("2026-01-01T00:00"), at("2026-01-12T08:01"))
        assert (first.person, local(first.start)) == (MARA, "Mon 12 Jan 09:00")

    @pytest.mark.parametrize("days", [1, 7])
    @pytest.mark.parametrize("change", ["2026-03-29", "2026-10-25"])
    def test_the_hand_over_stays_at_nine_when_the_clocks_change(self, change: str, days: int) -> None:
        plan = replace(BERLIN, days=days)
        around = at(f"{change}T12:00")
        shifts = turns(plan, around - 10 * DAY, around + 10 * DAY)
        assert {f"{shift.start.astimezone(ZoneInfo('Europe/Berlin')):%H:%M}" for shift in shifts} == {"09:00"}
        lengths = {shift.end - shift.start for shift in shifts}
        hour = timedelta(hours=-1 if change == "2026-03-29" else 1)
        assert lengths == {days * DAY, days * DAY + hour}

    def test_a_hand_over_at_a_time_that_is_skipped_is_an_hour_later_that_day_only(self) -> None:
        plan = replace(BERLIN, days=1, hands_over_at=time(2, 30))
        shifts = turns(plan, at("2026-03-28T00:00"), at("2026-03-30T12:00"))
        assert [local(shift.end) for shift in shifts[:3]] == [
            "Sat 28 Mar 02:30",
            "Sun 29 Mar 03:30",
            "Mon 30 Mar 02:30",
        ]

    def test_a_hand_over_at_a_time_that_comes_twice_is_at_the_first(self) -> None:
        plan = replace(BERLIN, days=1, hands_over_at=time(2, 30))
        ends = [shift.end for shift in turns(plan, at("2026-10-24T12:00"), at("2026-10-25T12:00"))]
        assert at("2026-10-25T00:30") in ends
        assert at("2026-10-25T01:30") not in ends

    def test_a_day_that_a_zone_skipped_has_no_turn_of_no_length(self) -> None:
        plan = Plan((MARA, JO), 1, 0, time(9), "Pacific/Apia", date(2011, 12, 1))
        shifts = turns(plan, at("2011-12-25T00:00"), at("2012-01-05T00:00"))
        assert all(shift.start < shift.end for shift in shifts)
        assert all(one.end == next_.start for one, next_ in pairwise(shifts))

    @given(
        people=st.lists(st.integers(1, 5), min_size=1, max_size=6),
        days=st.sampled_from([1, 7]),
        weekday=st.integers(0, 6),
        hour=st.integers(0, 23),
        zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]),
        starts_on=st.dates(date(2024, 1, 1), date(2028, 1, 1)),
        since=st.integers(0, 35_000).map(lambda hours: at("2024-01-01T00:00") + timedelta(hours=hours)),
        length=st.integers(1, 60),
    )
    def test_turns_leave_no_gap_and_never_overlap_and_any_window_shows_the_same(
        self,
        people: list[int],
        days: int,
        weekday: int,
        hour: int,
        zone: str,
        starts_on: date,
        since: datetime,
        length: int,
    ) -> None:
        plan = Plan(tuple(people), days, weekday, time(hour), zone, starts_on)
        until = since + length * DAY
        shifts = turns(plan, since, until)
        assert all(one.end == following.start for one, following in pairwise(shifts))
        if shifts and shifts[0].start > since:
            assert shifts[0].start - since >= timedelta(0)
            assert turns(plan, since - 30 * DAY, shifts[0].start) == []
        if shifts:
            assert shifts[-1].end >= until
        middle = since + (until - since) / 2
        assert [s for s in turns(plan, middle, until) if s.end > middle] == [s for s in shifts if s.end > middle]


class TestOverrides:
    week = Duty(MARA, at("2026-01-05T08:00"), at("2026-01-12T08:00"))

    def over(self, person: int, start: str, end: str, *, replaces: bool = True) -> Duty:
        return Duty(person, at(start), at(end), Because.OVERRIDE, 1, replaces)

    def test_an_override_cuts_the_shift_in_two(self) -> None:
        shifts = overridden([self.week], [self.over(JO, "2026-01-06T08:00", "2026-01-07T08:00")])
        assert [(s.person, s.start.day, s.end.day) for s in shifts] == [(MARA, 5, 6), (JO, 6, 7), (MARA, 7, 12)]

    def test_the_later_override_counts(self) -> None:
        jo, tom = (
            self.over(JO, "2026-01-06T08:00", "2026-01-08T08:00"),
            self.over(TOM, "2026-01-07T08:00", "2026-01-09T08:00"),
        )
        shifts = overridden([self.week], [jo, tom])
        assert [(s.person, s.start.day, s.end.day) for s in shifts] == [
            (MARA, 5, 6),
            (JO, 6, 7),
            (TOM, 7, 9),
            (MARA, 9, 12),
        ]

    def test_one_who_comes_as_well_is_double_cover(self) -> None:
        both = self.over(JO, "2026-01-06T08:00", "2026-01-07T08:00", replaces=False)
        shifts = overridden([self.week], [both])
        [span] = double_cover(shifts, self.week.start, self.week.end)
        assert span == Span(both.start, both.end, (MARA, JO))

    def test_shifts_of_one_person_that_follow_each_other_read_as_one(self) -> None:
        again = Duty(MARA, self.week.end, self.week.end + 7 * DAY)
        assert joined([self.week, again]) == [replace(self.week, end=again.end)]

    duties = st.builds(
        lambda person, start, length: Duty(
            person,
            at("2026-01-01T00:00") + start * timedelta(hours=1),
            at("2026-01-01T00:00") + (start + length) * timedelta(hours=1),
            Because.OVERRIDE,
            1,
        ),
        st.integers(1, 3),
        st.integers(0, 100),
        st.integers(1, 50),
    )

    @given(st.lists(duties, max_size=6), st.lists(duties, max_size=6))
    def test_hour_by_hour_it_is_whoever_the_last_override_says(self, base: list[Duty], overrides: list[Duty]) -> None:
        shifts = overridden(base, overrides)
        since, until = at("2026-01-01T00:00"), at("2026-01-08T00:00")
        empty, doubles = gaps(shifts, since, until), double_cover(shifts, since, until)
        for hour in range(168):
            moment = since + timedelta(hours=hour, minutes=30)
            said = [override.person for override in overrides if override.covers(moment)][-1:]
            expected = set(said) or {duty.person for duty in base if duty.covers(moment)}
            assert {shift.person for shift in shifts if shift.covers(moment)} == expected
            assert any(gap.start <= moment < gap.end for gap in empty) == (not expected)
            double = [span for span in doubles if span.start <= moment < span.end]
            assert [set(span.people) for span in double] == ([expected] if len(expected) > 1 else [])


def test_a_stretch_without_shifts_is_one_gap() -> None:
    since, until = at("2026-01-01T00:00"), at("2026-01-08T00:00")
    assert gaps([], since, until) == [Span(since, until)]
