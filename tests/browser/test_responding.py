"""Under pressure: no act is empty, chosen for one or lost, and no page says that all is well unless somebody said so."""

import shlex
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.test_facts import DESK, opened, saved
from tests.browser.test_phone import PHONE, declared
from tests.running import Running

pytestmark = pytest.mark.browser

FALLBACK = "Every refund waits for human approval."


def act(page: Any, name: str) -> Any:
    """Open a command of the menu *More*."""
    page.get_by_label("More actions").click()
    command = page.locator(f"#act-{name}")
    if command.get_attribute("open") is None:  # one that was refused stays open
        command.locator("> summary").click()
    return command


def from_a_monitor(site: Running, title: str, system: str) -> None:
    words = shlex.split(next(line for line in site.printed().splitlines() if line.strip().startswith("curl ")))
    alert = {"title": title, "system": system, "severity": "critical", "key": title}
    assert site.post(urlsplit(words[2]).path, alert)[0] == 200


def test_what_may_limit_the_harm_is_offered_before_anybody_classified_it_and_nothing_is_chosen_for_one(
    site: Running, as_somebody: Callable[..., Any]
) -> None:
    page = as_somebody("tom", **PHONE)
    page.goto(declared(site, "Refund agent refunds the same order again and again"))
    offered = page.locator("#containment .act")
    expect(offered.filter(has_text=FALLBACK), "the fallback of the system, in its words").to_have_count(1)
    expect(offered.filter(has_text="worked in").get_by_role("link").first).to_contain_text("INC-")
    expect(page.locator("#proposal").get_by_role("button", name="Use this"), "and a failure mode").to_be_visible()
    page.locator("#act-contain > summary").tap()
    panel = page.locator("#act-contain .menu__panel")
    expect(panel.get_by_role("combobox").first).to_have_value("")
    panel.get_by_role("button", name="Record containment").tap()
    expect(page.locator("#story"), "nobody did anything").not_to_contain_text("contained it")
    expect(page.locator("#head")).not_to_contain_text("Contained")


def test_a_merge_exposes_nothing_private_loses_nothing_and_a_wrong_number_is_said_where_it_was_typed(
    site: Running, as_somebody: Callable[..., Any]
) -> None:
    mine, theirs = declared(site, "Refunds twice"), declared(site, "Refunds again")
    target = theirs.strip("/").rpartition("/")[2]
    page = as_somebody("tom", **DESK)
    page.goto(mine)
    form = act(page, "merge")
    form.get_by_label("Into").fill("INC-99999")
    form.get_by_role("button", name="Merge").click()
    expect(form.locator(".field")).to_contain_text("There is no INC-99999")
    expect(form.get_by_label("Into")).to_have_value("INC-99999")
    page.keyboard.press("Escape")

    shown = opened(page, "visibility")
    shown.get_by_role("radio", name="Only these people").check()
    saved(page, shown)
    form = act(page, "merge")
    form.get_by_label("Into").fill(target)
    form.get_by_role("button", name="Merge").click()
    expect(page.get_by_text(f"make INC-{target} private first")).to_be_visible()
    expect(page.get_by_text("There is no INC-99999"), "what was wrong before is past").to_have_count(0)
    shown = opened(page, "visibility")
    shown.get_by_role("radio", name="Everybody").check()
    saved(page, shown)

    page.locator("#compose-update summary").click()
    page.get_by_label("What should stakeholders know?").fill("We look into it.")
    page.get_by_label("Next update").select_option("60")
    page.get_by_role("button", name="Post update").click()
    promised = page.locator("#now").inner_text()
    form = act(page, "merge")
    form.get_by_label("Into").fill(f"INC-{target}")
    form.get_by_role("button", name="Merge").click()
    page.goto(theirs)
    expect(page.locator("#story")).to_contain_text("merged")
    expect(page.locator("#about")).to_contain_text("Tom Adeyemi")
    assert page.locator("#now").inner_text() == promised


def test_resolving_lists_what_is_open_and_a_hand_over_says_what_failed(
    site: Running, as_somebody: Callable[..., Any]
) -> None:
    address = declared(site, "Not done yet", contained=True)
    page = as_somebody("tom", **DESK)
    page.goto(address)
    page.locator("#compose-task summary").click()
    page.get_by_label("What needs to be done now?").fill("Tell the customers")
    page.get_by_role("button", name="Add task").click()
    expect(page.locator("#tasks")).to_contain_text("Tell the customers")
    page.locator("#act-resolve > summary").click()
    page.get_by_role("button", name="Resolve", exact=True).click()
    left = page.locator("#act-resolve .callout")
    expect(left).to_contain_text("Nobody has checked whether this worked")
    expect(left).to_contain_text("Still to do: Tell the customers")
    expect(left).to_contain_text("Nobody has said what made the output right again.")
    expect(page.locator("#head")).to_contain_text("Contained")
    page.goto(address)
    page.get_by_text("Did it work?").click()
    page.get_by_role("button", name="It did not work").click()
    expect(page.locator("#head")).not_to_contain_text("Contained")
    page.goto(f"{address}hand-over/")
    expect(page.locator(".callout", has_text="On record")).to_contain_text("Did not work:")


def test_a_high_severity_is_not_talked_down_while_the_harm_is_unknown(
    site: Running, as_somebody: Callable[..., Any]
) -> None:
    address = declared(site, "140 wrong refunds")
    page = as_somebody("tom", **DESK)
    page.goto(address)
    hit = opened(page, "more-exposure")
    hit.get_by_label("How much").fill("140")
    hit.get_by_label("Of what").select_option("actions")
    hit.get_by_label("How do you know?").fill("Query log")
    saved(page, hit)
    expect(page.locator("#impact")).to_contain_text("140")
    expect(page.locator("main")).not_to_contain_text("Its impact suggests")
    page.locator("#impact-more > summary").click()
    for fact, answer in (("impact-harm", "Near miss"), ("impact-reversible", "Can be undone")):
        form = opened(page, fact)
        form.get_by_role("radio", name=answer).check()
        saved(page, form)
    expect(page.locator("main"), "once it is known, it may be").to_contain_text("Its impact suggests SEV3")


def test_nothing_is_called_well_that_is_in_triage_or_of_which_nobody_spoke(
    site: Running, as_somebody: Callable[..., Any]
) -> None:
    page = as_somebody("ada", **DESK)
    page.goto("/status/")
    slug = page.locator("h2", has_text="Nothing open").locator("xpath=following-sibling::ul").get_by_role("link").first
    address = slug.get_attribute("href")
    system = address.strip("/").rpartition("/")[2]
    title = f"Nobody has looked at {system}"
    from_a_monitor(site, title, system)
    page.goto("/incidents/")
    page.locator("[data-row]", has_text=title).wait_for()
    page.goto("/status/")
    well = page.locator("section", has=page.get_by_role("heading", name="Nothing open"))
    expect(well.locator(f"a[href='{address}']")).to_have_count(0)
    expect(page.locator(f"main a[href='{address}']")).to_have_count(1)
    page.goto(f"{address}public/")
    page.get_by_label("Can be read by everybody").check()
    page.get_by_label("Public name").fill("Our assistant")
    page.get_by_role("button", name="Save settings").click()
    page.get_by_role("link", name="view page").click()
    expect(page.locator("main")).to_have_text("Nothing has been published here yet.")


def test_a_change_is_recorded_where_it_is_missed(site: Running, as_somebody: Callable[..., Any]) -> None:
    page = as_somebody("tom", **DESK)
    page.goto(declared(site, "What did we change?"))
    page.locator("#changes").get_by_role("link", name="Record a change").click()
    page.get_by_label("What was changed?").select_option(label="Configuration")
    page.get_by_label("The change, in one line").fill("Raised the refund limit")
    page.get_by_role("button", name="Record the change").click()
    expect(page.get_by_role("heading", name="What did we change?")).to_be_visible()
    expect(page.locator("#changes")).to_contain_text("Raised the refund limit")


def test_the_list_stands_under_headings_with_its_systems_and_says_how_late_an_update_is(
    site: Running, as_somebody: Callable[..., Any]
) -> None:
    page = as_somebody("tom", **DESK)
    page.goto("/incidents/")
    headings = page.locator("#incidents h2").all_inner_texts()
    assert [word for text in headings for word in ("Triage", "Investigating", "Contained") if word in text] == [
        word for word in ("Triage", "Investigating", "Contained") if any(word in text for text in headings)
    ]
    row = page.locator(".row--incident").first
    expect(row.locator(".row__system")).not_to_be_empty()
    expect(page.locator(".late").first).to_contain_text("late")
    # The ring of the row that the keys stand on is whole: nothing around it cuts it off.
    page.keyboard.press("j")
    cut = page.evaluate("""() => {
      const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
      const ring = parseFloat(style.outlineWidth) + parseFloat(style.outlineOffset);
      if (style.outlineStyle === "none") return "no ring";
      for (let around = at.parentElement; around; around = around.parentElement) {
        const own = getComputedStyle(around), frame = around.getBoundingClientRect();
        if (own.overflowX === "visible") continue;
        if (box.left - ring < frame.left || box.top - ring < frame.top) return around.className || around.tagName;
      }
      return "";
    }""")
    assert cut == ""
