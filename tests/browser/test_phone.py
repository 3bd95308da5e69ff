"""The product in one hand, at three in the morning: what is opened is on the screen, and what is needed is near the thumb."""

import shlex
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.pages import numbers_of
from tests.running import Running

pytestmark = pytest.mark.browser

SCREENS = ((320, 640), (390, 844), (768, 1024))
THUMB = 44  # px, the least height of what a thumb is to hit


def screen(width: int, height: int) -> dict[str, Any]:
    return {"viewport": {"width": width, "height": height}, "has_touch": True, "is_mobile": True}


PHONE = screen(390, 844)


def declared(site: Running, title: str, *, contained: bool = False) -> str:
    """An open incident of Tom's team; returns its page."""
    facts = {"title": title, "system": "refund-agent", "severity": "sev1"}
    header = site.key("tom@example.com")
    status, made = site.post("/api/v1/incidents/", facts, **header)
    assert status == 201, made
    if contained:
        status, said = site.post(f"/api/v1/incidents/{made['number']}/contain/", {"action": "kill_switch"}, **header)
        assert status in {200, 201}, said
    return f"/incidents/{made['number']}/"


def outside(page: Any, box: dict[str, float]) -> bool:
    size = page.evaluate("({width: innerWidth, height: innerHeight})")
    return (
        box["x"] < 0
        or box["y"] < 0
        or box["x"] + box["width"] > size["width"]
        or box["y"] + box["height"] > size["height"]
    )


def misplaced(page: Any) -> list[tuple[str, dict[str, float]]]:
    """What opens on this page and lies partly outside the screen: each menu as it is opened by a tap, and both dialogs."""
    found, menus = [], page.locator("main details.menu:visible")
    for at in range(menus.count()):
        menu = menus.nth(at)
        if menu.get_attribute("open") is None:
            menu.locator("> summary").tap()
        panel = menu.locator("> .menu__panel")
        if outside(page, box := panel.bounding_box()):
            found.append((panel.inner_text(), box))
        page.keyboard.press("Escape")
        expect(panel).to_be_hidden()
    for key, name in (("Control+k", "palette"), ("Shift+Slash", "shortcuts")):
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press(key)
        dialog = page.locator(f"#{name}[open]")
        if outside(page, box := dialog.bounding_box()):
            found.append((name, box))
        page.evaluate("document.querySelector('dialog[open]').close()")
    return found


@pytest.mark.parametrize("size", SCREENS, ids=lambda size: str(size[0]))
def test_whatever_is_opened_lies_on_the_screen(
    site: Running, as_somebody: Callable[..., Any], size: tuple[int, int]
) -> None:
    page, numbers = as_somebody("ada", **screen(*size)), numbers_of(site)
    paths = [
        declared(site, f"Investigated at {size[0]}"),
        declared(site, f"Contained at {size[0]}", contained=True),
        f"/incidents/{numbers.triage}/",
        "/incidents/",
        "/alerts/",
        "/follow-ups/1/",
        f"/postmortems/{numbers.unfinished}/",
        "/sources/quality-monitors/",
        "/status/",
    ]
    found = {}
    for path in paths:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, f"{path} is too wide"
        found[path] = misplaced(page)
    assert found == {path: [] for path in paths}


@pytest.mark.parametrize("size", SCREENS, ids=lambda size: str(size[0]))
def test_tables_about_alerts_need_no_scrolling_sideways(as_somebody: Callable[..., Any], size: tuple[int, int]) -> None:
    page = as_somebody("jo", **screen(*size))
    page.goto("/alerts/?show=all")
    alert = page.locator(".row--alert a").first.get_attribute("href")
    for path in (alert, "/rules/", "/alerts/?show=unsettled"):
        page.goto(path)
        tables = page.locator(".table-scroll")
        expect(tables.first).to_be_visible()
        wide = "tables => tables.map(table => table.scrollWidth - table.clientWidth)"
        assert max(tables.evaluate_all(wide)) <= 0, path


def test_the_act_of_the_moment_is_near_the_thumb(site: Running, as_somebody: Callable[..., Any]) -> None:
    page = as_somebody("tom", **PHONE)
    page.goto(declared(site, "Within reach"))
    for name in ("Contain", "Resolve"):
        box = page.locator("#actions summary", has_text=name).bounding_box()
        assert box["height"] >= THUMB
        assert box["y"] > 844 / 2, "in the lower half"
        assert not outside(page, box)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0

    # What is written comes up above them, wherever one reads.
    page.locator("#actions").get_by_role("link", name="Note").tap()
    box = page.get_by_role("textbox", name="Write a note").bounding_box()
    assert not outside(page, box)
    assert box["y"] + box["height"] < page.locator("#actions").bounding_box()["y"]


def test_a_tap_beside_what_came_up_closes_it_and_presses_nothing(
    site: Running, as_somebody: Callable[..., Any]
) -> None:
    page = as_somebody("tom", **PHONE)
    page.goto(address := declared(site, "A tap beside it"))
    page.locator("#act-resolve summary").tap()
    panel = page.locator("#act-resolve .menu__panel")
    expect(panel).to_be_visible()
    page.touchscreen.tap(60, 30)  # where the name of the product leads home
    expect(panel).to_be_hidden()
    assert page.url.endswith(address)


def test_the_first_incident_is_in_the_upper_third_and_the_filters_fold(
    site: Running, as_somebody: Callable[..., Any]
) -> None:
    declared(site, "In the list")
    page = as_somebody("tom", **PHONE)
    page.goto("/incidents/")
    assert page.locator("[data-row]").first.bounding_box()["y"] <= 844 / 3
    severity = page.locator("#id_severity")
    expect(severity).to_be_hidden()
    page.get_by_role("button", name="Filter").tap()
    severity.select_option("sev1")
    page.get_by_role("button", name="Apply").first.tap()
    expect(page.get_by_role("button", name="Filter (1)")).to_be_visible()
    expect(page.locator("[data-row]", has_text="In the list").first).to_be_visible()


@pytest.mark.parametrize("size", SCREENS, ids=lambda size: str(size[0]))
def test_what_is_done_to_chosen_rows_leaves_most_of_the_screen(
    as_somebody: Callable[..., Any], size: tuple[int, int]
) -> None:
    page = as_somebody("ada", **screen(*size))
    page.goto("/incidents/")
    page.locator("[data-row]").get_by_role("checkbox").first.tap()
    bar = page.locator(".bulk")
    assert bar.bounding_box()["height"] <= size[1] / 8
    bar.locator("#many-assign > summary").tap()
    expect(bar.get_by_label("Ada Brandt")).to_be_visible()
    page.keyboard.press("Escape")
    assert misplaced(page) == []


def test_the_state_of_all_alerts_stands_at_one_place(as_somebody: Callable[..., Any]) -> None:
    page = as_somebody("tom", **PHONE)
    page.goto("/alerts/?show=all")
    places = {round(one.bounding_box()["x"]) for one in page.locator(".row--alert .phase").all()}
    assert len(places) == 1


def test_chips_title_and_badge_count_on_together(site: Running, as_somebody: Callable[..., Any]) -> None:
    page = as_somebody("tom", viewport={"width": 1280, "height": 800})
    page.goto("/incidents/")
    badge = page.locator("#nav [aria-current] .nav__count")
    count = int(badge.inner_text())
    page.evaluate("window.same = true")
    declared(site, "One more of them")
    page.locator("[data-row]", has_text="One more of them").wait_for()
    expect(badge).to_have_text(str(count + 1))
    expect(page.locator("#tabs .chip").first).to_have_text(f"Open {count + 1}")
    assert page.title().startswith(f"({count + 1}) ")
    expect(page.locator("#nav-menu [aria-current] .nav__count"), "in the phone’s menu too").to_have_text(str(count + 1))
    assert page.evaluate("window.same"), "the page was not loaded again"


class Taps:
    """A hand that counts: each tap, and each choice in a list, is one."""

    def __init__(self) -> None:
        self.count = 0

    def tap(self, target: Any) -> None:
        target.tap()
        self.count += 1

    def choose(self, target: Any, value: str) -> None:
        target.select_option(value)
        self.count += 1


def taken_classified_and_contained(page: Any, hand: Taps) -> None:
    """Take what the words propose, where they do and nobody has yet, and do what is offered first."""
    expect(page.locator("#containment .act").first).to_be_visible()
    if page.locator("#proposal").count():
        hand.tap(page.locator("#proposal").get_by_role("button", name="Use this"))
        expect(page.locator("#proposal")).to_have_count(0)
    hand.tap(page.locator("#containment .act").first.get_by_role("button", name="Mark as done"))
    expect(page.locator("#head")).to_contain_text("Contained")
    expect(page.locator("#head")).to_contain_text("SEV1")
    expect(page.locator("#about")).not_to_contain_text("Unclassified")
    expect(page.locator("#about"), "whoever contained it has taken it").to_contain_text("Tom Adeyemi")


def test_the_first_minute_of_an_alert_takes_three_taps(site: Running, as_somebody: Callable[..., Any]) -> None:
    words = shlex.split(next(line for line in site.printed().splitlines() if line.strip().startswith("curl ")))
    title = "Support assistant deletes customer records without being asked"
    alert = {"title": title, "system": "support-assistant", "severity": "critical", "key": "first-minute"}
    assert site.post(urlsplit(words[2]).path, alert)[0] == 200
    page = as_somebody("tom", **PHONE)
    page.goto("/incidents/")
    row = page.locator("[data-row]", has_text=title)
    row.get_by_role("link").tap()
    hand = Taps()
    taken_classified_and_contained(page, hand)
    assert hand.count <= 3


def test_the_first_minute_of_one_that_a_person_opens_takes_six(as_somebody: Callable[..., Any]) -> None:
    page = as_somebody("tom", **PHONE)
    page.goto("/incidents/new/")
    hand = Taps()
    page.keyboard.type("Refund agent refunds the same order again and again")
    hand.tap(page.get_by_label("Use this"))
    hand.choose(page.get_by_label("System"), "refund-agent")
    hand.choose(page.get_by_label("Severity"), "sev1")
    hand.tap(page.get_by_role("button", name="Open incident"))
    taken_classified_and_contained(page, hand)
    assert hand.count <= 6


@pytest.mark.parametrize("width", [390, 800, 1000, 1220, 1280])
def test_a_title_keeps_a_good_part_of_its_row(site: Running, as_somebody: Callable[..., Any], width: int) -> None:
    page = as_somebody("tom", viewport={"width": width, "height": 800})
    page.goto("/incidents/?status=all")
    row = page.locator(".row--incident").first
    assert row.locator(".row__title").bounding_box()["width"] >= row.bounding_box()["width"] / 5
