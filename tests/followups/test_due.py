"""The day that the policy gives."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from incidents.followups.due import DAYS, due_by_policy, working_day


@given(st.sampled_from(sorted(DAYS)), st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_it_is_never_on_a_weekend_never_sooner_and_two_days_later_at_most(priority: int, start: date) -> None:
    due, days = due_by_policy(priority, start), timedelta(days=DAYS[priority])
    assert due.weekday() < 5
    assert start + days <= due <= start + days + timedelta(days=2)


def test_a_saturday_and_a_sunday_become_the_monday_after() -> None:
    friday, monday = date(2026, 11, 27), date(2026, 11, 30)
    assert working_day(friday) == friday
    assert [working_day(friday + timedelta(days=days)) for days in (1, 2, 3)] == [monday] * 3
