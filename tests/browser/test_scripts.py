"""What the scripts do on top of pages that work without them."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import still
from tests.pages import numbers_of
from tests.running import Running

pytestmark = pytest.mark.browser


def new_incident(site: Running, title: str) -> str:
    """An open incident of Tom's team; returns its page."""
    facts = {"title": title, "system": "refund-agent"}
    status, made = site.post("/api/v1/incidents/", facts, **site.key("tom@example.com"))
    assert status == 201, made
    return f"/incidents/{made['number']}/"


def write_note(site: Running, page: str, text: str) -> None:
    status, made = site.post(f"/api/v1{page}note/", {"text": text}, **site.key("tom@example.com"))
    assert status in {200, 201}, made


# Live updates


def test_updates_wait_while_a_menu_is_open_and_the_page_says_so(site: Running, as_somebody: Callable[..., Any]) -> None:
    address = new_incident(site, "The menu is open")
    page = as_somebody("tom")
    page.goto(address)
    page.locator("#act-resolve summary").click()
    page.locator("#act-resolve textarea").fill("Half a reason")
    paused = page.get_by_text("Updates paused while a menu is open")
    paused.wait_for()
    write_note(site, address, "Written meanwhile.")
    expect(page.locator("#act-resolve textarea")).to_have_value("Half a reason")
    expect(page.locator("[data-entry]", has_text="Written meanwhile.")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(paused).to_have_count(0)
    page.locator("[data-entry]", has_text="Written meanwhile.").wait_for()


def test_what_arrives_in_a_list_moves_nothing_that_is_read_or_chosen(
    site: Running, as_somebody: Callable[..., Any]
) -> None:
    page = as_somebody("tom", viewport={"width": 1280, "height": 400})
    page.goto("/incidents/?status=all")
    row = page.locator("[data-row]").nth(8)
    row.scroll_into_view_if_needed()
    row.get_by_role("checkbox").check()
    page.evaluate("window.same = true")
    still(page)
    number, before = row.get_attribute("id"), row.bounding_box()["y"]
    arrived = new_incident(site, "It comes in above").strip("/").rpartition("/")[2]
    page.locator(f"#incident-{arrived}").wait_for(state="attached")
    still(page)
    assert page.locator(f"#{number}").bounding_box()["y"] == pytest.approx(before, abs=1)
    expect(page.locator(f"#{number}").get_by_role("checkbox")).to_be_checked()
    assert page.evaluate("window.same"), "the page was not loaded again"


def test_ages_and_timers_go_on_while_a_page_is_open(site: Running, as_somebody: Callable[..., Any]) -> None:
    address = new_incident(site, "Time goes on")
    page = as_somebody("tom")
    page.clock.install(time=datetime.now(UTC))
    page.goto(address)
    timer = page.locator("#head time[data-runs]")
    expect(timer).to_have_text(re.compile("^00:00:"))
    page.clock.fast_forward("02:05:00")
    expect(timer).to_have_text(re.compile("^02:0[56]:"))
    page.goto("/incidents/")
    page.clock.fast_forward("00:15")  # every so often they are looked at
    age = page.locator("[data-row]", has_text="Time goes on").locator("time[data-ago]").first
    expect(age).to_have_text("2 h ago")
    page.clock.fast_forward("24:00:00")
    expect(age).to_have_text("1 d ago")


# What is typed


def test_a_draft_survives_a_reload_and_ends_when_it_is_taken(as_somebody: Callable[..., Any]) -> None:
    page = as_somebody("tom")
    page.goto("/incidents/new/")
    title = page.get_by_label("What is wrong with the output?")
    title.fill("Half a thought")
    page.reload()
    expect(title).to_have_value("Half a thought")
    page.get_by_label("System").select_option("refund-agent")
    page.get_by_role("button", name="Open incident").click()
    page.get_by_role("heading", name="Half a thought").wait_for()
    page.goto("/incidents/new/")
    expect(title).to_have_value("")


def test_what_is_typed_is_sent_by_control_and_enter_and_shown_while_it_is_not(
    site: Running, as_somebody: Callable[..., Any]
) -> None:
    address = new_incident(site, "Sent by keys")
    page = as_somebody("tom")
    page.goto(address)
    page.keyboard.press("n")
    page.keyboard.type("Half of it")
    page.reload()
    note = page.locator("#compose-note")
    expect(note, "a folded draft is told").to_have_attribute("data-unsent", "")
    page.keyboard.press("n")
    page.keyboard.press("End")
    page.keyboard.type(" and the rest")
    page.keyboard.press("Control+Enter")
    page.locator(".event__note", has_text="Half of it and the rest").wait_for()
    expect(note).not_to_have_attribute("data-unsent", "")
    page.keyboard.press("u")
    page.keyboard.type("All is well")
    page.keyboard.press("Meta+Enter")
    page.get_by_role("heading", name="Last update").wait_for()


# Lists


def test_rows_are_chosen_all_at_once_and_counted(as_somebody: Callable[..., Any]) -> None:
    page = as_somebody("tom")
    page.goto("/incidents/?status=all")
    every, count = page.locator("[data-choose-all]"), page.locator("[data-chosen]")
    rows = page.locator("[data-row] input[type=checkbox]")
    rows.first.check()
    expect(count).to_have_text("1 selected")
    every.check()
    expect(count).to_have_text(f"{rows.count()} selected")
    rows.first.uncheck()
    expect(count).to_have_text(f"{rows.count() - 1} selected")
    assert every.evaluate("(box) => box.indeterminate")
    every.check()
    expect(rows.first).to_be_checked()
    every.uncheck()
    expect(every, "with nothing chosen there is nothing to do").to_be_hidden()


def test_what_is_offered_to_copy_is_copied(site: Running, as_somebody: Callable[..., Any]) -> None:
    address = new_incident(site, "Worth a link")
    page = as_somebody("tom", permissions=["clipboard-read", "clipboard-write"])
    page.goto(address)
    page.get_by_label("Copy a link").click()
    page.get_by_label("Copy a link").get_by_text("copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "Worth a link" in copied
    assert copied.endswith(f"{site.url}{address}")


# Field maps


def test_values_of_a_sample_are_put_into_the_map_by_a_click_or_by_keys(as_somebody: Callable[..., Any]) -> None:
    page = as_somebody("jo")
    page.goto("/sources/new/")
    page.get_by_role("link", name="Generic JSON").first.click()
    page.get_by_label("Name").fill("Paths to choose from")
    page.get_by_role("button", name="Create address").click()
    page.get_by_text("Waiting for the first delivery").wait_for()
    page.goto("/sources/paths-to-choose-from/map/")
    paths = page.locator("[data-paths] button")
    expect(page.locator("[data-paths]"), "without a sample there is nothing to choose").to_be_hidden()
    sample = {"run": {"name": "Hit rate fell", "Run URL": "https://x.example.com"}, "found": [{"id": 7}, {"id": 8}]}
    page.locator("#id_sample").fill(json.dumps(sample))
    expect(paths.locator("code")).to_have_text(["run", "run.name", 'run."Run URL"', "found", "found[0]", "found[0].id"])
    paths.filter(has_text="run.name").click()
    expect(page.locator("#id_title"), "the title, where no field was focused yet").to_have_value("run.name")
    page.locator("#preview").get_by_text("Hit rate fell", exact=True).wait_for()
    page.locator("#id_url").focus()
    expect(page.locator("[data-paths-target]")).to_have_text("Url")
    paths.first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#id_url")).to_have_value('run."Run URL"')
    page.locator("#id_items").fill("found")
    page.locator("#id_key").focus()
    paths.filter(has_text="found[0].id").click()
    expect(page.locator("#id_key"), "of one of several alerts").to_have_value("id")


# Keys


def test_keys_lead_everywhere(site: Running, as_somebody: Callable[..., Any]) -> None:
    address = new_incident(site, "Reached by keys alone")
    page = as_somebody("tom")
    page.goto("/incidents/?q=Reached+by+keys+alone")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("[data-chosen]")).to_have_text("1 selected")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{address}")
    page.keyboard.press("n")
    page.keyboard.type("c is only a letter here")
    expect(page.get_by_label("Write a note")).to_have_value("c is only a letter here")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("g")
    page.keyboard.press("r")
    page.wait_for_url("**/reports/")
    page.keyboard.press("?")
    page.locator("#shortcuts[open]").wait_for()


def test_single_keys_can_be_switched_off(as_somebody: Callable[..., Any]) -> None:
    page = as_somebody("tom")
    page.keyboard.press("?")
    page.locator("#shortcuts-on").uncheck()
    page.keyboard.press("Escape")
    page.reload()
    page.keyboard.press("c")
    page.keyboard.press("?")
    page.keyboard.press("Control+k")
    page.locator("#palette[open]").wait_for()
    expect(page.locator("#shortcuts")).to_be_hidden()
    assert urlsplit(page.url).path == "/"


def test_the_palette_goes_finds_and_acts(site: Running, as_somebody: Callable[..., Any]) -> None:
    page, number = as_somebody("ada"), numbers_of(site).triage
    page.keyboard.press("Control+k")
    page.locator("#palette-words").fill(f"#{number}")
    page.locator(".palette__item", has_text=f"INC-{number}").wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/incidents/{number}/")
    page.keyboard.press("Control+k")
    page.locator("#palette-words").fill(">update")
    page.locator("#palette-here .palette__item").first.wait_for()
    page.keyboard.press("Enter")
    page.get_by_label("What should stakeholders know?").wait_for()
    page.keyboard.type("Focus is in the box")
    expect(page.get_by_label("What should stakeholders know?")).to_have_value("Focus is in the box")


def test_arrows_walk_the_palette_around(site: Running, as_somebody: Callable[..., Any]) -> None:
    page = as_somebody("ada")
    page.goto(f"/incidents/{numbers_of(site).triage}/")
    page.keyboard.press("Control+k")
    page.locator("#palette-words").fill(">")
    items = page.locator("#palette .palette__item")
    items.nth(1).wait_for()
    page.keyboard.press("ArrowDown")
    expect(items.first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowUp")
    expect(items.first).to_have_attribute("aria-selected", "false")
    expect(items.last).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()


def test_the_zone_of_the_browser_is_one_click_away(as_somebody: Callable[..., Any]) -> None:
    page = as_somebody("lee", timezone_id="Asia/Tokyo")
    page.goto("/account/")
    page.get_by_role("button", name="Use Asia/Tokyo").click()
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Tokyo")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Tokyo")
    expect(page.get_by_role("button", name="Use Asia/Tokyo")).to_have_count(0)


def test_the_severity_of_a_row_is_set_from_the_list(site: Running, as_somebody: Callable[..., Any]) -> None:
    number = new_incident(site, "Set from its row").strip("/").rpartition("/")[2]
    page = as_somebody("tom")
    page.goto("/incidents/?q=Set+from+its+row")
    page.keyboard.press("j")
    page.keyboard.press("s")
    page.get_by_role("button", name="Set SEV2").click()
    expect(page.locator(f"#incident-{number} .sev")).to_have_text("SEV2")
    expect(page.get_by_text("Set SEV2: done for 1.")).to_be_visible()


def test_the_palette_finds_what_stands_in_a_closed_menu(site: Running, as_somebody: Callable[..., Any]) -> None:
    page = as_somebody("tom")
    page.goto(new_incident(site, "Merge me"))
    page.keyboard.press("Control+k")
    page.locator("#palette-words").fill("mer")
    page.locator("#palette-here .palette__item", has_text="Merge into another").click()
    expect(page.get_by_label("Into which incident?")).to_be_focused()
