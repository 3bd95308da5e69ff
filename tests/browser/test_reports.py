"""Leaders read a report: from its marks to their incidents, on paper, and kept with what was decided."""

import re
from collections.abc import Callable
from typing import Any

import pypdfium2
import pytest

pytestmark = pytest.mark.browser


def listed(page: Any) -> int:
    """How many incidents the list shows, over all its pages."""
    count = page.locator("[data-row]").count()
    while page.get_by_role("link", name=re.compile("Older|Next")).count():
        page.get_by_role("link", name=re.compile("Older|Next")).first.click()
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
    assert "by=system" in lee.url
    assert "team=assistants" in lee.url
    lee.get_by_label("Period").select_option("own")
    lee.wait_for_url("**months=own**")
    lee.get_by_label("From").fill("2026-01-01")
    lee.get_by_role("button", name="Show").click()
    assert "1 Jan 2026 to" in lee.locator("main").inner_text()


def test_a_report_prints_on_pages_with_its_charts_and_without_buttons(as_somebody: Callable[..., Any]) -> None:
    lee = as_somebody("lee")
    lee.goto("/reports/?months=18")
    lee.emulate_media(media="print")
    assert not lee.get_by_role("link", name="Incidents as CSV").is_visible()
    assert lee.locator("svg.chart").first.is_visible()
    printed = pypdfium2.PdfDocument(lee.pdf(format="A4"))
    assert 3 <= len(printed) <= 16
    text = "".join(printed[number].get_textpage().get_text_bounded() for number in range(len(printed)))
    for words in ("Where time goes", "Contributing factors", "Load on people"):
        assert words in text


def test_a_report_is_kept_written_over_and_its_decision_taken_later(as_somebody: Callable[..., Any]) -> None:
    jo = as_somebody("jo")
    jo.goto("/reports/?months=quarter")
    jo.get_by_role("button", name="Keep as a report").click()
    jo.wait_for_url(re.compile(r"/reports/kept/\d+/"))
    first = jo.url
    frozen = jo.locator(".tile__value").first.inner_text()
    jo.get_by_text("Write your own over it").click()
    jo.get_by_role("textbox", name="Three sentences").fill(
        "A calm quarter.\nThe index is now rebuilt nightly.\nOne decision is asked."
    )
    jo.get_by_role("button", name="Save").click()
    assert jo.locator(".sentences li").all_inner_texts()[0] == "A calm quarter."
    jo.get_by_role("textbox", name="A note").fill("The feed was relaunched in May.")
    jo.get_by_role("button", name="Add note").click()
    jo.get_by_text("Ask for a decision").click()
    jo.get_by_role("textbox", name="What should be decided?").fill("Pay for a second index")
    jo.get_by_role("button", name="Ask", exact=True).click()
    assert jo.get_by_text("Pay for a second index").is_visible()

    jo.goto("/reports/?months=quarter&team=assistants")
    jo.goto("/reports/?months=6")
    jo.get_by_role("button", name="Keep as a report").click()
    jo.wait_for_url(re.compile(r"/reports/kept/\d+/"))
    assert jo.get_by_text("carried over").is_visible()
    jo.get_by_role("textbox", name="What was decided").first.fill("Yes, from January")
    jo.get_by_role("button", name="Decided").first.click()
    jo.goto(first)
    assert jo.get_by_text("Yes, from January").is_visible()
    assert jo.locator(".tile__value").first.inner_text() == frozen

    jo.get_by_role("link", name="Trust by system").click()
    jo.get_by_role("link", name="support-assistant").click()
    jo.get_by_label("How much of the time").fill("99.5")
    jo.get_by_role("button", name="Set").click()
    assert "objective of 99.50 %" in jo.locator("main").inner_text()
