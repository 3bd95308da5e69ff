"""The report: every number leads to exactly its rows, and is honest about what it does not know."""

import re
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import date, timedelta
from decimal import Decimal
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import call_command
from django.test import Client

from incidents.people.models import Team, User
from incidents.reports.learning import learn
from incidents.reports.scope import Asked, Period, ReportScope, read
from incidents.reports.trends import trends
from incidents.response import impact as impacts
from incidents.response.filters import IncidentFilter
from incidents.response.incident import Incident
from incidents.response.links import Link
from incidents.systems.models import System
from tests.reports.conftest import at

Happened = Callable[..., Incident]


# Periods


def test_a_period_is_whole_months_up_to_today() -> None:
    last = Period.last(12, today=date(2026, 1, 20))
    assert (last.since, last.until, len(last.months())) == (date(2025, 2, 1), date(2026, 1, 21), 12)
    assert last.compared("before").until == last.since
    assert last.compared("year") == Period(date(2024, 2, 1), date(2025, 1, 21))
    assert last.compared("twelve") == Period(date(2024, 2, 1), date(2025, 2, 1))


def test_the_last_quarter_is_the_one_that_is_over() -> None:
    assert Period.finished(3, today=date(2026, 5, 3)) == Period(date(2026, 1, 1), date(2026, 4, 1))
    assert Period.finished(1, today=date(2026, 1, 31)) == Period(date(2025, 12, 1), date(2026, 1, 1))


def test_a_leap_day_has_a_day_a_year_earlier() -> None:
    assert Period(date(2024, 2, 29), date(2024, 3, 1)).compared("year") == Period(date(2023, 3, 1), date(2023, 3, 1))


@pytest.mark.parametrize(
    "given",
    [
        {"months": "own"},
        {"months": "own", "since": "2026-02-30", "until": "x"},
        {"months": "own", "since": "2026-05-01", "until": "2026-01-01"},
        {"months": "own", "since": "0001-01-01", "until": "9999-12-31"},
        {"months": "-1", "by": "x", "compare": "\x00", "severity": "sev9", "kind": "x"},
    ],
)
def test_an_address_that_makes_no_sense_is_the_last_year(db: None, given: dict[str, str]) -> None:
    assert read(given, today=date(2026, 1, 20)).period == Period.last(12, today=date(2026, 1, 20))


def test_an_address_says_again_what_was_asked(db: None, risk: Team) -> None:
    asked = Asked(
        Period(date(2026, 1, 1), date(2026, 4, 1)), ReportScope(team="risk", category="none"), "year", "team", "own"
    )
    assert read(asked.parameters(), today=date(2026, 7, 1)) == asked


# What is counted


def test_silence_is_counted_where_it_is_known_and_never_as_zero(happened: Happened, lee: User, asked: Asked) -> None:
    happened(3)
    happened(4, impact_started_at=None)
    report = trends(lee, asked)
    silence = report.phases[0]
    assert silence.length
    assert (silence.length.n, silence.length.value, silence.unknown) == (1, "1 h", 1)
    assert "1 of 2 do not say when the impact started" in report.quality[0].text


def test_what_is_not_over_is_counted_as_it_is_so_far(happened: Happened, lee: User, asked: Asked) -> None:
    happened(3)
    happened(1, status="investigating", contained_at=None, resolved_at=None)
    whole = next(phase for phase in trends(lee, asked).phases if phase.code == "whole")
    assert whole.length
    assert (whole.length.n, whole.running) == (2, 1)


def test_clocks_in_an_impossible_order_are_told_and_left_out(happened: Happened, lee: User, asked: Asked) -> None:
    happened(3, impact_started_at=at(2))
    report = trends(lee, asked)
    assert report.phases[0].length is None
    assert any("impossible order" in remark.text for remark in report.quality)


def test_declined_merged_test_and_invisible_incidents_are_not_counted(
    happened: Happened, mara: User, lee: User, asked: Asked
) -> None:
    real = happened(1)
    other = Incident.objects.declare(title="The same", by=mara)
    other.merge_into(real, by=mara)
    Incident.objects.declare(title="Nothing", by=None).decline(by=mara, reason="A test")
    Incident.objects.declare(title="A drill", by=mara, kind="test")
    Incident.objects.declare(title="Secret", by=mara, private=True)
    assert trends(lee, asked).n == 1
    assert trends(mara, asked).n == 2
    assert trends(lee, replace(asked, scope=ReportScope(kind="test"))).n == 1


def test_a_private_incident_changes_no_number_of_anybody_else(
    happened: Happened, mara: User, lee: User, jo: User, asked: Asked
) -> None:
    for days in (2, 20, 40):
        happened(days)
    asked = replace(asked, by="system")
    before = {user: _numbers(user, asked) for user in (lee, jo)}
    secret = happened(5, private=True, title="Nobody else may know", severity="sev1", category="agent_action")
    Link.objects.link(secret, Incident.objects.order_by("number")[0], Link.Kind.REPEAT_OF, by=mara)
    assert {user: _numbers(user, asked) for user in (lee, jo)} == before
    assert _numbers(mara, asked) != before[lee]


def _numbers(user: User, asked: Asked) -> dict[str, Any]:
    """All of a report but the moment it was made."""
    return {**asdict(trends(user, asked)), "as_of": "", "phases": None} | asdict(learn(user, asked))


def test_a_team_a_system_and_a_category_narrow_it(
    happened: Happened, lee: User, risk: Team, fraud_scorer: System, asked: Asked
) -> None:
    happened(1)
    happened(2, system=fraud_scorer, category="")
    assert trends(lee, replace(asked, scope=ReportScope(team="risk"))).n == 1
    assert trends(lee, replace(asked, scope=ReportScope(system="support-assistant"))).n == 1
    assert trends(lee, replace(asked, scope=ReportScope(category="none"))).n == 1


# What is called unusual


def test_nothing_is_unusual_where_nothing_earlier_is_on_record(happened: Happened, lee: User, asked: Asked) -> None:
    for days in range(1, 9):
        happened(days)
    report = trends(lee, asked)
    assert report.compared == ""
    assert not any(tile.unusual for tile in report.tiles)
    assert "no earlier period on record" in report.draft[0]


def test_a_large_change_is_called_unusual_and_a_small_one_is_not(happened: Happened, lee: User, asked: Asked) -> None:
    start = (asked.period.since - asked.earlier.since).days
    for day in range(4):
        happened(asked.period.days + start - 5 - day, category="retrieval", failure_mode="retrieval.stale_index")
        happened(asked.period.days + start - 5 - day)
    for day in range(6):
        happened(1 + day / 10)
    assert "within normal variation" in trends(lee, asked).draft[0]
    for day in range(24):
        happened(2 + day / 10)
    report = trends(lee, asked)
    assert "likely real" in report.draft[0]
    drift = next(row for row in report.breakdowns[1][2] if row.code == "drift")
    assert drift.unusual


def test_an_empty_period_says_so_and_calls_nothing_unknown(lee: User, asked: Asked) -> None:
    report = trends(lee, asked)
    assert [tile.label for tile in report.tiles] == ["Incidents"]
    assert report.draft == (f"No incidents were declared from {asked.period}.",)


def test_unequal_periods_are_compared_as_rates_with_the_direction_in_words(
    happened: Happened, lee: User, asked: Asked
) -> None:
    for day in range(4):
        happened(1 + day / 10)
    for day in range(10):
        happened(asked.period.days + 30 + day / 10)
    report = trends(lee, asked)
    days = (asked.earlier.until - at(asked.period.days + 30.9).date()).days
    assert asked.period.days / days > 1.05, "the earlier period is shorter, because nothing is on record before"
    rate, was = f"{30 * 4 / asked.period.days:.1f}", f"{30 * 10 / days:.1f}"
    assert f"{rate} per 30 days, was {was}" in report.draft[0]
    assert "less often" in report.draft[0]
    row = report.breakdowns[0][2][0]
    assert (row.rate, row.rate_before) == (rate, was)


def test_what_is_not_over_counts_in_the_text_and_in_the_line_of_the_chart(
    happened: Happened, lee: User, asked: Asked
) -> None:
    for hours in range(1, 9):
        happened(20 + hours)
    for _ in range(4):
        happened(10, contained_at=None, resolved_at=None, status="investigating")
    resolve = next(phase for phase in trends(lee, asked).phases if phase.code == "contain")
    assert resolve.running == 4
    assert resolve.length
    assert resolve.length.far == "", "of those that ended alone it would be too short"


def test_the_median_of_a_category_counts_in_what_is_not_over_as_the_whole_does(
    happened: Happened, lee: User, asked: Asked
) -> None:
    for hours in range(1, 5):  # contained 55 minutes after they were acknowledged
        happened(20 + hours)
    for _ in range(6):
        happened(10, contained_at=None, resolved_at=None, status="investigating")
    report = trends(lee, asked)
    place = [phase.code for phase in report.phases].index("contain")
    ((_, cells),) = report.by_category
    value, ended, url = cells[place]
    assert (value, ended) == ("–", 4), "the 55 minutes of those that ended would be too short"
    assert _listed(url, lee) == 4
    assert [lane.median for lane in report.phases[place].strip.lanes] == [None], "in the chart as in the table"


def test_clocks_edited_after_the_fact_are_told(happened: Happened, mara: User, lee: User, asked: Asked) -> None:
    incident = happened(10)
    assert not any("corrected after" in remark.text for remark in trends(lee, asked).quality)
    incident.set_clock("impact_started_at", at(11), by=mara, reason="Logs of the index")
    remark = next(remark for remark in trends(lee, asked).quality if "corrected after" in remark.text)
    assert _listed(remark.url, lee) == 1


# Drill-down


def _listed(url: str, user: User) -> int:
    """How many incidents the list behind an address has."""
    parts = urlsplit(url)
    assert parts.path == "/incidents/", url
    given = {name: values[0] for name, values in parse_qs(parts.query).items()}
    chosen = IncidentFilter(given, queryset=Incident.objects.visible_to(user))
    assert chosen.is_valid(), (url, chosen.errors)
    return int(chosen.qs.count())


@pytest.fixture
def demonstration(db: None) -> tuple[User, Any, Any]:
    call_command("load_demo")
    lee = User.objects.get(email="lee@example.com")
    first, second = Incident.objects.order_by("number")[:2]
    Link.objects.link(second, first, Link.Kind.REPEAT_OF, by=lee)
    first.set_clock("impact_started_at", first.declared_at - timedelta(days=1), by=lee)
    asked = read({"months": "18", "by": "system"}, today=at(0).date())
    return lee, trends(lee, asked), learn(lee, asked)


def test_every_number_of_a_report_leads_to_as_many_incidents(demonstration: tuple[User, Any, Any]) -> None:
    lee, report, _ = demonstration
    numbers: list[tuple[str, int]] = [(report.url, report.n)]
    for _, _, rows in report.breakdowns:
        numbers += [(row.url, row.count) for row in rows] + [
            (row.url_before, row.before) for row in rows if row.url_before
        ]
    for row in (*report.noticed, *report.hours, report.near_misses):
        numbers.append((row.url, row.count))
    for part in (
        report.noticed_by_us,
        report.precision,
        report.repeats,
        *(row.said for row in report.exposure),
        *(row.others for row in report.missed),
    ):
        assert part
        numbers += [(part.url, part.k), (part.url_of_all, part.n)]
    others = trends(lee, read({"months": "18", "by": "failure_mode"}, today=at(0).date()))
    assert ("none", "Others") in others.volume.legend
    for _, pieces, total, url in (*report.volume.table, *others.volume.table):
        numbers += [(url, total)] + [(piece.url, piece.count) for piece in pieces]
    for _, cells, total, url in report.grid.rows:
        numbers += [(url, total)] + [(cell, count) for count, cell in cells]
    for phase in report.phases:
        numbers += [(phase.url, report.n - phase.running - phase.unknown), (phase.url_running, phase.running)]
    for _, cells in report.by_category:
        numbers += [(url, n) for _, n, url in cells]
    for row in report.used:
        numbers += [(row.url, row.count)] + [(url, count) for _, count, url in row.said]
    numbers += [(remark.url, int(remark.text.split(" ", 1)[0])) for remark in report.quality]
    assert len(numbers) > 300
    wrong = [(url, count, _listed(url, lee)) for url, count in dict.fromkeys(numbers) if _listed(url, lee) != count]
    assert wrong == []


def test_the_parts_of_a_report_add_up(demonstration: tuple[User, Any, Any]) -> None:
    _, report, _ = demonstration
    for _, title, rows in report.breakdowns:
        assert sum(row.count for row in rows) == report.n, title
    assert sum(total for _, _, total, _ in report.volume.table) == report.n
    assert sum(row.count for row in report.hours) == report.n
    assert all(sum(count for count, _ in cells) == total for _, cells, total, _ in report.grid.rows)


def test_the_bars_of_many_durations_lead_to_theirs(
    demonstration: tuple[User, Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    lee, _, _ = demonstration
    monkeypatch.setattr("incidents.reports.durations.NAMED", 5)
    for phase in trends(lee, read({"months": "18"}, today=at(0).date())).phases:
        assert phase.strip.is_histogram
        counts = [int(mark.label.rsplit(": ", 1)[1]) for mark in phase.strip.marks]
        assert [_listed(mark.url, lee) for mark in phase.strip.marks] == counts
        assert sum(counts) == _listed(phase.url, lee)


def test_every_number_of_what_was_learnt_leads_to_as_many_rows(
    demonstration: tuple[User, Any, Any], as_person: Callable[[User], Client]
) -> None:
    lee, _, learnt = demonstration
    client = as_person(lee)
    numbers = [(step.url, step.count) for step in (*learnt.funnel, learnt.dropped, learnt.failed)]
    numbers += [(url, count) for _, cells in learnt.ages for count, url in cells]
    numbers += [(row.url, row.count) for row in learnt.factors]
    for part in (learnt.on_time, learnt.in_time, learnt.reviewed_outside, learnt.read, learnt.drills):
        assert part
        numbers += [(part.url, part.k), (part.url_of_all, part.n)]
    numbers += [(learnt.published_url, learnt.published), (learnt.overdue_url, learnt.overdue)]
    for url, count in numbers:
        page = client.get(url).content.decode()
        assert _rows_in(page, client, url) == count, url
    assert _listed(learnt.to_remove_url, lee) == learnt.to_remove


def test_drills_lead_to_the_systems_that_they_are_about(
    support_assistant: System,
    policy_index: System,
    fraud_scorer: System,
    lee: User,
    asked: Asked,
    as_person: Callable[[User], Client],
) -> None:
    System.objects.filter(pk=policy_index.pk).update(tier=3)
    client = as_person(lee)
    for scope, overdue in (
        (ReportScope(), 2),
        (ReportScope(team="risk"), 1),
        (ReportScope(system="support-assistant"), 1),
    ):
        drills = learn(lee, replace(asked, scope=scope)).drills
        assert drills
        assert (drills.k, drills.n) == (overdue, overdue)
        for url in (drills.url, drills.url_of_all):
            assert client.get(url).content.decode().count("data-row") == overdue
    assert client.get("/reports/trust/").content.decode().count("data-row") == 3


def test_the_tile_of_readings_leads_to_the_postmortems_that_were_read(
    demonstration: tuple[User, Any, Any], as_person: Callable[[User], Client]
) -> None:
    lee, _, learnt = demonstration
    page = as_person(lee).get("/reports/?months=18").content.decode()
    tile = page.split("Postmortems read", 1)[1].split("</div>", 1)[0]
    assert f'href="{learnt.read.url.replace("&", "&amp;")}">{learnt.read.k} of {learnt.read.n}</a>' in tile


def _rows_in(page: str, client: Client, url: str) -> int:
    count, pages = page.count("data-row"), 1
    while (more := re.search(r'rel="next" href="(\?[^"]*)"|href="(\?[^"]*)" rel="next"', page)) and pages < 9:
        page = client.get(urlsplit(url).path + unescape(more[1] or more[2])).content.decode()
        count, pages = count + page.count("data-row"), pages + 1
    return count


# The pages


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?months=3&team=assistants",
        "?months=nonsense&team=%F0%9F%98%80",
        "?team=nobody",
        "?by=system&compare=year",
        "?months=own&since=2026-01-01&until=2026-01-31",
        "?months=quarter",
        "?months=month&compare=twelve",
        "?severity=sev1&category=none&kind=test",
    ],
)
def test_the_page_answers_whatever_the_address_says(lee: User, as_person: Callable[[User], Client], query: str) -> None:
    assert as_person(lee).get(f"/reports/{query}").status_code == 200


def test_the_report_asks_a_fixed_number_of_questions(
    db: None, as_person: Callable[[User], Client], django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    call_command("load_demo")
    client = as_person(User.objects.get(email="lee@example.com"))
    with django_assert_max_num_queries(80):
        client.get("/reports/?months=18")
    with django_assert_max_num_queries(14):
        client.get("/reports/?months=18")


def test_the_rows_of_a_report_come_as_csv_and_as_json(
    happened: Happened, lee: User, as_person: Callable[[User], Client]
) -> None:
    happened(3, title='=HYPERLINK("http://bad.example")')
    happened(2)
    client = as_person(lee)
    lines = b"".join(client.get("/reports/incidents.csv?months=3")).decode().splitlines()
    assert len(lines) == 3
    assert "'=HYPERLINK" in lines[1]
    incidents = client.get("/reports/incidents.json?months=3").json()["incidents"]
    assert [row["silence_seconds"] for row in incidents] == [3600, 3600]
    assert client.get("/reports/incidents.exe").status_code == 404


def test_the_report_adds_up_money_for_each_currency_and_leads_to_its_rows(
    happened: Happened, mara: User, as_person: Callable[[User], Client]
) -> None:
    for days, unit, estimate in ((3, "EUR", Decimal("10.50")), (4, "EUR", 2), (4, "USD", 7)):
        impacts.expose(happened(days), unit, by=mara, estimate=estimate, how="Ledger")
    happened(5, severity="sev4")
    client = as_person(mara)
    page = " ".join(client.get("/reports/?months=3").content.decode().split())
    assert "Money, EUR" in page
    assert "12.50 EUR" in page
    assert "7 USD" in page
    assert "Money, JPY" not in page
    assert "No incident says how much it hit" not in page
    assert "No incident says how much it hit" in client.get("/reports/?months=3&severity=sev4").content.decode()
    row = client.get("/incidents/?status=counted&exposed=EUR").content.decode()
    assert row.count("data-row") == 2
    written = b"".join(client.get("/reports/incidents.csv?months=3")).decode()
    assert "Money, EUR: about 10.50 EUR" in written
