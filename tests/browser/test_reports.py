"""Leaders read a report: from its marks to their incidents, on paper, and kept with what was decided."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

import pypdfium2
import pytest
from playwright.sync_api import expect

from tests.browser.test_phone import PHONE

pytestmark = pytest.mark.browser


def listed(page: Any) -> int:
    """How many incidents the list shows, over all its pages."""
    count = page.locator("[data-row]").count()
    while (older := page.get_by_role("link", name=re.compile("Older|Next"))).count():
        page.goto(
            urljoin(page.url, older.first.get_attribute("href"))
        )  # a click may come back before the page is there
        count += page.locator("[data-row]").count()
    return int(count)


def test_a_mark_a_tile_and_a_cell_lead_to_exactly_their_incidents(as_somebody: Callable[..., Any]) -> None:
    lee = as_somebody("lee")
    lee.goto("/reports/?months=18&by=category")
    title = lee.locator(".tile", has_text="Incidents").first
    tile = int(title.locator(".tile__value").inner_text())
    title.locator("a").click()
    assert listed(lee) == tile

    lee.goto("/reports/?months=18&by=category")
    bar = lee.locator("svg.chart a").first
    told = int(bar.get_attribute("aria-label").rsplit(": ", 1)[1])
    bar.focus()  # by keyboard, as with a mouse
    lee.keyboard.press("Enter")
    lee.wait_for_url("**/incidents/**")
    assert listed(lee) == told

    lee.goto("/reports/?months=18")
    cell = lee.locator("a.cell").first
    told = int(cell.inner_text())
    cell.click()
    assert listed(lee) == told

    lee.goto("/reports/?months=18")
    dot = lee.locator("svg.chart--strip a").first
    number = dot.get_attribute("href")
    dot.dispatch_event("click")
    lee.wait_for_url(f"**{number}")


def test_what_a_report_is_about_is_in_its_address(as_somebody: Callable[..., Any]) -> None:
    lee = as_somebody("lee")
    lee.goto("/reports/")
    lee.get_by_label("Team").select_option("assistants")
    lee.wait_for_url("**team=assistants**")
    lee.get_by_role("navigation", name="Split by").get_by_role("link", name="System").click()
    lee.wait_for_url(lambda url: "by=system" in url and "team=assistants" in url)
    lee.get_by_label("Period").select_option("own")
    lee.wait_for_url("**months=own**")
    lee.get_by_label("From").fill("2026-01-01")
    lee.get_by_role("button", name="Show").click()
    expect(lee.locator("main")).to_contain_text("1 Jan 2026 to")


def test_a_report_prints_on_pages_with_its_charts_and_without_buttons(as_somebody: Callable[..., Any]) -> None:
    lee = as_somebody("lee")
    lee.goto("/reports/?months=18")
    lee.emulate_media(media="print")
    expect(lee.get_by_role("link", name="Incidents as CSV")).to_be_hidden()
    expect(lee.locator("svg.chart").first).to_be_visible()
    printed = pypdfium2.PdfDocument(lee.pdf(format="A4"))
    assert 3 <= len(printed) <= 16
    text = "".join(printed[number].get_textpage().get_text_bounded() for number in range(len(printed)))
    for words in ("Where time goes", "Contributing factors", "Load on people"):
        assert words in text


def test_a_report_is_kept_written_over_and_its_decision_taken_later(as_somebody: Callable[..., Any]) -> None:
    jo = as_somebody("jo")
    jo.goto("/reports/?months=quarter")
    jo.get_by_role("button", name="Save report").click()
    jo.wait_for_url(re.compile(r"/reports/kept/\d+/"))
    first = jo.url
    frozen = jo.locator(".tile__value").first.inner_text()
    jo.get_by_text("Write your own").click()
    jo.get_by_role("textbox", name="Three sentences").fill(
        "A calm quarter.\nThe index is now rebuilt nightly.\nOne decision is asked."
    )
    jo.get_by_role("button", name="Save").click()
    expect(jo.locator(".sentences li").first).to_have_text("A calm quarter.")
    jo.get_by_role("textbox", name="A note").fill("The feed was relaunched in May.")
    jo.get_by_role("button", name="Add note").click()
    jo.get_by_text("Request a decision").click()
    jo.get_by_role("textbox", name="What should be decided?").fill("Pay for a second index")
    jo.get_by_role("button", name="Request decision").click()
    expect(jo.get_by_text("Pay for a second index")).to_be_visible()

    jo.goto("/reports/?months=quarter&team=assistants")
    jo.goto("/reports/?months=6")
    jo.get_by_role("button", name="Save report").click()
    jo.wait_for_url(re.compile(r"/reports/kept/\d+/"))
    carried = jo.get_by_role("row").filter(has_text="Pay for a second index")
    expect(carried).to_contain_text("Carried over")
    carried.get_by_role("textbox", name="What was decided").fill("Yes, from January")
    carried.get_by_role("button", name="Record decision").click()
    jo.goto(first)
    expect(jo.get_by_text("Yes, from January")).to_be_visible()
    expect(jo.locator(".tile__value").first).to_have_text(frozen)

    jo.get_by_role("link", name="Trust by system").click()
    jo.get_by_role("link", name="support-assistant").click()
    jo.get_by_label("Objective").fill("99.5")
    jo.get_by_role("button", name="Set objective").click()
    expect(jo.locator("main")).to_contain_text("objective of 99.50 %")


def test_on_a_phone_a_report_is_short_and_its_parts_unfold_where_somebody_wants_them(
    as_somebody: Callable[..., Any],
) -> None:
    page = as_somebody("lee", **PHONE)
    page.goto("/reports/")
    height = page.evaluate("document.documentElement.scrollHeight")
    assert height < 5 * PHONE["viewport"]["height"], "not fourteen screens"
    part = page.locator("#detection")
    expect(part.locator("table").first).to_be_hidden()
    expect(part.locator("summary"), "its value and a sentence stand for it").to_have_text(
        re.compile(r"A monitor or an evaluation came first in \d+ of \d+")
    )
    part.locator("summary").tap()
    expect(part.locator("table").first).to_be_visible()
    page.goto("/reports/#exposure")
    expect(page.locator("#exposure table"), "what an address names is open").to_be_visible()
    expect(page.locator("#exposure h2")).to_be_in_viewport()
    page.evaluate("location.hash = 'learning'")
    expect(page.locator("#learning dl")).to_be_visible()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details.part:not([open])").count() == 0, "on paper nothing is folded"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(page.locator("#load table"), "and afterwards it is as it was").to_be_hidden()


def test_on_a_phone_what_narrows_a_list_is_one_button_and_sent_together(as_somebody: Callable[..., Any]) -> None:
    page = as_somebody("lee", **PHONE)
    for address, name in (("/reports/", "#f-severity"), ("/postmortems/", "#by-system"), ("/follow-ups/", "#by-team")):
        page.goto(address)
        expect(page.locator(name), address).to_be_hidden()
        page.get_by_role("button", name="Filter").tap()
        expect(page.locator(name), address).to_be_visible()
    page.goto("/reports/")
    page.get_by_role("button", name="Filter").tap()
    page.locator("#f-severity").select_option("sev2")
    page.locator("#f-months").select_option("24")
    page.get_by_role("button", name="Show").tap()
    expect(page.get_by_role("button", name="Filter (2)")).to_be_visible()
    assert "severity=sev2" in page.url, "both at once"
    assert "months=24" in page.url


def test_on_a_desk_every_part_of_a_report_is_open(as_somebody: Callable[..., Any]) -> None:
    page = as_somebody("lee", viewport={"width": 1280, "height": 800})
    page.goto("/reports/")
    assert page.locator("details.part").count() >= 10
    assert page.locator("details.part:not([open])").count() == 0
