"""Columns and gaps: a month of none is seen to be one, and a limit far away presses nothing flat."""

import pytest

from incidents.reports import charts
from incidents.reports.charts import ChartPiece


def months(*counts: int) -> list[tuple[str, list[ChartPiece]]]:
    return [(f"Month {at}", [ChartPiece("sev1", count, str(count), "")]) for at, count in enumerate(counts)]


def test_a_month_without_incidents_says_so() -> None:
    chart = charts.columns(months(2, 0, 1234))
    assert [total.label for total in chart.totals] == ["2", "0", "1,234"]
    assert len(chart.bars) == 2
    assert chart.totals[1].y == pytest.approx(charts.HEIGHT - charts.BOTTOM - 3)


def test_each_month_of_a_year_is_named() -> None:
    assert [tick.text for tick in charts.columns(months(*range(12))).x_ticks] == [f"Month {at}" for at in range(12)]
    assert len(charts.columns(months(*range(24))).x_ticks) == 8


def test_a_limit_is_drawn_where_it_leaves_the_columns_their_height() -> None:
    near, far = charts.columns(months(7, 1), limit=9), charts.columns(months(7, 1), limit=14)
    assert near.limit is not None
    assert near.limit < near.bars[0].y
    assert far.limit is None
    assert far.bars[0].height > 0.6 * (charts.HEIGHT - charts.BOTTOM - charts.TOP)


def test_a_limit_of_gaps_is_drawn_where_it_leaves_them_their_height() -> None:
    values = [(10.0, "a", ""), (20.0, "b", ""), (2.0, "c", "")]
    assert charts.gaps(values, limit=25).limit is not None
    far = charts.gaps(values, limit=300)
    assert far.limit is None
    assert min(mark.y for mark in far.marks) < 75
    assert [tick.text for tick in far.y_ticks][-1] == "20"
