"""Clocks and impact as people see them: one line that can be read anywhere, and each fact changed where it stands."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.test_facts import DESK, editor, opened, saved
from tests.browser.test_phone import declared
from tests.pages import numbers_of
from tests.running import Running

pytestmark = pytest.mark.browser

NARROW = {"viewport": {"width": 320, "height": 640}}
OVERLAPS = """() => {
  const labels = [...document.querySelectorAll(".track__label")].map((label) => label.getBoundingClientRect());
  const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom - 3 && b.top < a.bottom - 3;
  return labels.filter((one, n) => labels.some((other, m) => n !== m && meet(one, other))).length;
}"""


@pytest.mark.parametrize("size", [DESK, NARROW])
def test_no_label_of_the_line_overlaps_another_or_leaves_the_page(
    site: Running, as_somebody: Callable[..., Any], size: Any
) -> None:
    page, numbers = as_somebody("ada", **size), numbers_of(site)
    for number in (*numbers, *range(1, 6)):
        page.goto(f"/incidents/{number}/")
        page.evaluate("document.querySelectorAll('details[data-fold]').forEach((fold) => fold.open = true)")
        assert page.locator(".track__label").count() >= 4
        assert page.evaluate(OVERLAPS) == 0, number
        box, line = page.locator("#clocks").bounding_box(), page.locator(".track__label")
        for place in (label.bounding_box() for label in line.all()):
            assert box["x"] <= place["x"] <= place["x"] + place["width"] <= box["x"] + box["width"], number


def test_a_clock_is_corrected_where_it_stands_and_the_line_follows(
    site: Running, as_somebody: Callable[..., Any]
) -> None:
    page = as_somebody("tom", **DESK)
    page.goto(declared(site, "Since when?"))
    page.evaluate("window.same = true")
    expect(page.locator(".track__part--gap")).to_have_count(1)
    form = opened(page, "clock-impact_started_at")
    form.get_by_label("Impact started").fill("yesterday")
    form.get_by_label("How do you know?").fill("The query log")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_text("Type it as 2026-03-01 14:05")).to_be_visible()
    expect(form.get_by_label("Impact started"), "what was typed is kept").to_have_value("yesterday")
    expect(form.get_by_label("How do you know?")).to_have_value("The query log")
    form.get_by_label("Impact started").fill("00:00")
    saved(page, form)
    expect(page.locator(".track__part--gap")).to_have_count(0)
    expect(page.locator(".track__part--silence")).to_have_count(1)
    assert page.evaluate("window.same"), "the page was not loaded again"


def test_what_is_on_record_of_the_start_is_taken_with_one_press(site: Running, as_somebody: Callable[..., Any]) -> None:
    page = as_somebody("ada", **DESK)
    page.goto(f"/incidents/{numbers_of(site).investigating}/")
    form = opened(page, "clock-impact_started_at")
    offer = form.get_by_role("button", name="Use it: Change: Goodwill as a reason for refunds")
    offer.click()
    expect(form).to_have_count(0)
    expect(page.locator("#fact-clock-impact_started_at")).to_contain_text("a change")
    expect(page.locator("#clocks .silence")).not_to_contain_text("unknown")


def test_a_year_long_ago_is_asked_about_and_a_tick_confirms_it(site: Running, as_somebody: Callable[..., Any]) -> None:
    page = as_somebody("tom", **DESK)
    page.goto(declared(site, "Long ago"))
    form = opened(page, "clock-impact_started_at")
    form.get_by_label("Impact started").fill("2016-03-01 14:05")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_text("years ago. Is the year right?")).to_be_visible()
    form.get_by_label("Yes, the year is right").check()
    saved(page, form)
    expect(page.locator("#fact-clock-impact_started_at")).to_contain_text("2016")


def test_money_is_said_in_one_row_and_changed_in_its_place(site: Running, as_somebody: Callable[..., Any]) -> None:
    page = as_somebody("tom", **NARROW)
    page.goto(declared(site, "Refunds twice"))
    page.locator("#impact summary").first.click()
    form = opened(page, "more-exposure")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing scrolls sideways"
    form.get_by_label("How much").fill("1200.505")
    form.get_by_label("Of what").select_option("EUR")
    form.get_by_label("How do you know?").fill("Ledger")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_text("at most 2 decimals")).to_be_visible()
    expect(form.get_by_label("Of what"), "what was chosen is kept").to_have_value("EUR")
    form.get_by_label("How much").fill("1200.50")
    saved(page, form)
    expect(page.locator("#fact-exposure-EUR")).to_contain_text("1,200.50 EUR")
    form = opened(page, "exposure-EUR")
    form.get_by_label("Money, EUR").fill("1300")
    saved(page, form)
    expect(page.locator("#fact-exposure-EUR")).to_contain_text("1,300 EUR")
    expect(editor(page, "exposure-EUR")).to_have_count(0)
