"""Months that are over are stored, and are never anything but what their rows say."""

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from incidents.people.models import User
from incidents.reports import months
from incidents.reports.months import Rollup, RollupMark
from incidents.reports.scope import Asked, Period, ReportScope
from incidents.reports.trends import trends
from incidents.response.incident import Incident
from incidents.response.links import Link

Happened = Callable[..., Incident]


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read stored months however few incidents there are."""
    monkeypatch.setattr("incidents.reports.known.MANY", 0)


@pytest.fixture
def asked() -> Asked:
    return Asked(Period.last(6, today=timezone.now().date()), ReportScope())


def _report(user: User, asked: Asked) -> dict[str, Any]:
    """A report without its moment, and without the dots, which stored months do not hold."""
    report = asdict(trends(user, asked))
    for phase in report["phases"]:
        phase["strip"] = None
    return report | {"as_of": ""}


def test_a_report_is_the_same_from_stored_months_as_from_rows(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    call_command("load_demo")
    lee = User.objects.get(email="lee@example.com")
    first, second = Incident.objects.order_by("number")[:2]
    Link.objects.link(second, first, Link.Kind.REPEAT_OF, by=lee)
    of_all = Asked(Period.last(18, today=timezone.now().date()), ReportScope(), by="system")
    of_one = replace(of_all, scope=ReportScope(team="assistants"))
    from_rows = [_report(lee, asked) for asked in (of_all, of_one)]
    monkeypatch.setattr("incidents.reports.known.MANY", 0)
    assert [_report(lee, asked) for asked in (of_all, of_one)] == from_rows  # worked out and stored
    assert Rollup.objects.count() > 17, "a row for each month that is over, and one for each team that had any"
    assert [_report(lee, asked) for asked in (of_all, of_one)] == from_rows  # read as stored
    assert months.differing() == []


def test_a_private_incident_is_in_no_stored_month_and_counts_for_whom_it_names(
    always: None, happened: Happened, mara: User, lee: User, asked: Asked
) -> None:
    happened(70)
    happened(71, private=True)
    assert (trends(lee, asked).n, trends(mara, asked).n) == (1, 2)
    assert sum(row.as_facts().all for row in Rollup.objects.all()) == 1


def test_correcting_an_old_incident_shows_at_once(
    always: None, happened: Happened, mara: User, lee: User, asked: Asked
) -> None:
    old = happened(100)
    happened(101)
    assert trends(lee, asked).phases[0].unknown == 0
    old.set_clock("impact_started_at", None, by=mara)
    assert trends(lee, asked).phases[0].unknown == 1
    old.set_severity("sev1", by=mara)
    assert trends(lee, asked).breakdowns[0][2][0].code == "sev1"
    assert months.differing() == []


def test_moving_a_declaration_to_another_month_changes_both(
    always: None, happened: Happened, mara: User, lee: User, asked: Asked
) -> None:
    moved = happened(100)
    happened(40)
    before = {month: total for month, _, total, _ in trends(lee, asked).volume.table}
    moved.set_clock("declared_at", moved.declared_at - timedelta(days=35), by=mara)
    after = trends(lee, asked)
    assert {month: total for month, _, total, _ in after.volume.table} != before
    assert after.n == 2
    assert months.differing() == []


def test_making_an_incident_private_takes_it_out_of_its_month(
    always: None, happened: Happened, mara: User, lee: User, asked: Asked
) -> None:
    secret = happened(100)
    assert trends(lee, asked).n == 1
    secret.restrict([], by=mara)
    assert (trends(lee, asked).n, trends(mara, asked).n) == (0, 1)


def test_an_event_that_commits_late_is_heeded(
    always: None, happened: Happened, mara: User, lee: User, asked: Asked
) -> None:
    """The mark moves only to Events that were there five minutes ago: no earlier one can still come."""
    old = happened(100)
    trends(lee, asked)
    mark = RollupMark.objects.get()
    old.set_severity("sev1", by=mara)
    trends(lee, asked)
    assert RollupMark.objects.get().through <= mark.seen
    RollupMark.objects.update(seen_at=timezone.now() - months.SETTLED * 2)
    trends(lee, asked)
    trends(lee, asked)
    assert RollupMark.objects.get().through >= mark.seen
    assert months.differing() == []


def test_what_was_worked_out_before_later_events_were_heeded_is_not_stored(
    happened: Happened, mara: User, asked: Asked
) -> None:
    old = happened(100)
    month = old.declared_at.date().replace(day=1)
    months.stored([month])
    Rollup.objects.all().delete()
    RollupMark.objects.update(through=10**9)  # another process has heeded more meanwhile
    months.store({}, [month], mark=0)
    assert not Rollup.objects.exists()


def test_all_can_be_thrown_away_and_written_again(always: None, happened: Happened, lee: User, asked: Asked) -> None:
    happened(100)
    happened(70)
    before = _report(lee, asked)
    Rollup.objects.update(counts={"counts": [], "lengths": []}, lengths=b"")
    assert len(months.differing()) == 2
    call_command("rebuild_rollups")
    assert months.differing() == []
    assert _report(lee, asked) == before


def test_every_month_of_two_years_is_ready_before_somebody_asks(happened: Happened) -> None:
    happened(100)
    months.prepare()
    assert Rollup.objects.filter(team=0).count() == 24
    Rollup.objects.update(made_at=timezone.now() - timedelta(days=2), counts={"counts": [], "lengths": []}, lengths=b"")
    months.prepare()
    assert months.differing() == []


def test_a_narrower_report_is_read_from_rows(always: None, happened: Happened, lee: User, asked: Asked) -> None:
    happened(100)
    assert trends(lee, replace(asked, scope=ReportScope(category="drift"))).n == 1
    assert not Rollup.objects.exists()
