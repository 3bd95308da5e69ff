"""The page of an incident: what comes first, what folds, and what stays in sight."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import still
from tests.browser.test_phone import PHONE, declared
from tests.browser.test_scripts import write_note
from tests.pages import numbers_of
from tests.running import Running

pytestmark = pytest.mark.browser

DESK = {"viewport": {"width": 1280, "height": 800}}


def tops(page: Any, *selectors: str) -> list[float]:
    return [page.locator(selector).bounding_box()["y"] for selector in selectors]


def test_on_a_desk_what_is_owed_comes_first_and_the_story_last_and_both_columns_are_used(
    site: Running,
    as_somebody: Callable[..., Any],
) -> None:
    page = as_somebody("ada", **DESK)
    page.goto(f"/incidents/{numbers_of(site).investigating}/")
    page.locator("#similar .similar").wait_for()
    places = tops(page, "#now", "#containment", "#changes", "#similar", "#story")
    assert places == sorted(places)
    assert page.locator("#now").bounding_box()["y"] < 800 / 2
    ends = [page.locator(one).bounding_box() for one in ("#story", "#facts")]
    main, rail = (end["y"] + end["height"] for end in ends)
    assert max(main, rail) / min(main, rail) < 1.4, "neither column runs on alone"


def test_on_a_phone_the_facts_fold_below_the_story_with_their_values_and_stay_as_they_are_put(
    site: Running, as_somebody: Callable[..., Any]
) -> None:
    address = declared(site, "In short")
    page = as_somebody("tom", **PHONE)
    page.goto(address)
    places = tops(page, "#head", "h1", "#now", "#containment", "#story", "#about", "#clocks", "#impact")
    assert places == sorted(places)
    assert page.locator("#head").bounding_box()["height"] < 60, "one row; the title is the second"
    facts = page.locator("#about")
    expect(facts.locator("dl")).to_be_hidden()
    expect(facts.locator("summary")).to_contain_text("SEV1 · refund-agent · Tom Adeyemi")
    expect(page.locator("#clocks summary")).to_contain_text("silence unknown")
    facts.locator("summary").tap()
    expect(facts.locator("dl")).to_be_visible()
    write_note(site, address, "Something new.")
    page.locator("[data-entry]", has_text="Something new.").wait_for()
    expect(facts.locator("dl"), "an update leaves it open").to_be_visible()
    expect(page.locator("#clocks dl"), "and the other folded").to_be_hidden()


def test_what_is_empty_is_a_line_and_no_box(site: Running, as_somebody: Callable[..., Any]) -> None:
    page = as_somebody("tom", **DESK)
    page.goto(declared(site, "Nothing known"))
    for name, text in (("alerts", "none linked"), ("links", "with nothing")):
        line = page.locator(f"#{name}")
        expect(line).to_contain_text(text)
        assert line.bounding_box()["height"] < 50, name


def test_the_composer_covers_nothing_at_rest_and_stays_in_sight_while_somebody_writes(
    site: Running, as_somebody: Callable[..., Any]
) -> None:
    address = declared(site, "Long story")
    for n in range(25):
        write_note(site, address, f"Looked at batch {n}.")
    page = as_somebody("tom", **DESK)
    page.goto(address)
    for entry in ("batch 20.", "batch 1."):
        page.locator("[data-entry]", has_text=entry).scroll_into_view_if_needed()
        still(page)
        bar = page.locator("#composer").bounding_box()
        for row in page.locator("[data-entry]").all():
            box = row.bounding_box()
            assert box["y"] >= bar["y"] + bar["height"] - 1, "no row lies beneath it"
    page.keyboard.press("n")
    still(page)
    box = page.get_by_role("textbox", name="Write a note").bounding_box()
    assert 0 <= box["y"] <= 800 - box["height"]
    assert page.evaluate("scrollY") > 400, "one goes on reading where one was"


def test_the_story_is_searched_and_turned_round(site: Running, as_somebody: Callable[..., Any]) -> None:
    address = declared(site, "To be searched")
    for text in ("The index is old.", "The cache is new."):
        write_note(site, address, text)
    page = as_somebody("tom", **DESK)
    page.goto(address)
    entries = page.locator("[data-entry]:visible")
    expect(entries.first).to_contain_text("The cache is new.")
    find = page.get_by_label("Find in the story")
    find.fill("INDEX old")
    expect(entries).to_have_count(1)
    write_note(site, address, "Nobody looked there.")
    page.locator("[data-entry]", has_text="Nobody looked there.").wait_for(state="attached")
    expect(entries, "what arrives is searched too").to_have_count(1)
    find.fill("no such words")
    expect(page.get_by_text("Nothing matches.")).to_be_visible()
    page.get_by_role("link", name="Turn the order round").click()
    page.wait_for_url(re.compile("order=oldest"))
    expect(entries.last).to_contain_text("Nobody looked there.")
    expect(page.get_by_text("oldest first")).to_be_visible()
    write_note(site, address, "The last word.")
    page.locator("[data-entry]", has_text="The last word.").wait_for()
    expect(entries.last, "updates keep the order").to_contain_text("The last word.")
