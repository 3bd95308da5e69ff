"""The facts of an incident are changed where they are read: by a click or a key, and saved once."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import still
from tests.browser.test_phone import PHONE, THUMB, declared, outside
from tests.browser.test_scripts import write_note
from tests.running import Running

pytestmark = pytest.mark.browser

DESK = {"viewport": {"width": 1280, "height": 800}}


def editor(page: Any, name: str) -> Any:
    return page.locator(f"#edit-{name} form")


def opened(page: Any, name: str) -> Any:
    page.locator(f"#fact-{name} .fact__value").first.click()
    form = editor(page, name)
    form.wait_for()
    return form


def saved(page: Any, form: Any) -> None:
    form.get_by_role("button", name="Save").click()
    expect(form).to_have_count(0)


def test_a_key_opens_the_severity_in_its_place_and_enter_saves_it_everywhere(
    site: Running, as_somebody: Callable[..., Any]
) -> None:
    page = as_somebody("tom", **DESK)
    page.goto(declared(site, "By a key"))
    page.evaluate("window.same = true")
    page.keyboard.press("s")
    form = editor(page, "severity")
    expect(form.get_by_role("radio", name="SEV1")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(form).to_have_count(0)
    expect(page.locator("#fact-severity")).to_contain_text("SEV2")
    expect(page.locator("#head")).to_contain_text("SEV2")
    expect(page.locator("#story")).to_contain_text("changed the severity from SEV1 to SEV2")
    expect(page.locator("#fact-severity .fact__value"), "one goes on where one was").to_be_focused()
    assert page.evaluate("window.same"), "the page was not loaded again"


def test_escape_leaves_the_fact_as_it_is(site: Running, as_somebody: Callable[..., Any]) -> None:
    page = as_somebody("tom", **DESK)
    page.goto(declared(site, "Better not"))
    form = opened(page, "noticed")
    form.get_by_role("radio", name="A colleague").check()
    page.keyboard.press("Escape")
    expect(form).to_have_count(0)
    expect(page.locator("#fact-noticed .fact__value")).to_be_focused()
    page.reload()
    expect(page.locator("#fact-noticed")).to_contain_text("not known yet")


def test_a_failure_mode_is_found_by_typing_and_taken_with_enter(site: Running, as_somebody: Callable[..., Any]) -> None:
    page = as_somebody("tom", **DESK)
    page.goto(declared(site, "Find it"))
    form = opened(page, "classify")
    expect(form.get_by_label("Find a failure mode")).to_be_focused()
    page.keyboard.type("no such failure")
    expect(form.get_by_text("Nothing matches.")).to_be_visible()
    form.get_by_label("Find a failure mode").fill("stale index")
    shown = form.locator(".choice:visible")
    expect(shown).to_have_count(1)
    expect(form.locator(".chooser__group:visible")).to_have_text("Retrieval")
    page.keyboard.press("Enter")
    expect(page.locator("#fact-classify")).to_contain_text("Retrieval")
    expect(page.locator("#containment")).to_contain_text("Return to the previous index")
    expect(page.locator("#story")).to_contain_text("classified it as")


def test_people_are_ticked_and_a_role_is_told_in_the_story(site: Running, as_somebody: Callable[..., Any]) -> None:
    page = as_somebody("tom", **DESK)
    page.goto(declared(site, "Who does what"))
    page.get_by_role("button", name="communications").click()
    form = editor(page, "role-communications")
    form.get_by_label("Find a person").fill("lee")
    page.keyboard.press("Enter")
    expect(page.locator("#fact-role-communications")).to_contain_text("Lee Tan")
    expect(page.locator("#story")).to_contain_text("assigned communications to Lee Tan")
    label = page.locator("#fact-role-communications dt").bounding_box()
    value = page.locator("#fact-role-communications .fact__value").bounding_box()
    assert label["x"] + label["width"] < value["x"], "label and value do not touch"


def test_who_may_see_it_is_ticked_from_a_list_that_is_searched(site: Running, as_somebody: Callable[..., Any]) -> None:
    page = as_somebody("tom", **DESK)
    page.goto(declared(site, "Not for all"))
    form = opened(page, "visibility")
    people = form.get_by_label("Find a person")
    expect(people).to_be_hidden()
    form.get_by_role("radio", name="Only these people").check()
    people.fill("mara")
    people.press("Enter")
    expect(form.get_by_role("checkbox", name="Mara")).to_be_checked()
    saved(page, form)
    expect(page.locator("#fact-visibility")).to_contain_text("Mara")
    expect(page.locator("#head")).to_contain_text("private")
    form = opened(page, "visibility")
    form.get_by_role("radio", name="Everybody").check()
    saved(page, form)
    expect(page.locator("#fact-visibility")).to_contain_text("everybody")


def test_title_and_summary_are_changed_where_they_stand(site: Running, as_somebody: Callable[..., Any]) -> None:
    page = as_somebody("tom", **DESK)
    page.goto(declared(site, "Old words"))
    page.get_by_role("button", name="Change title and summary").click()
    form = editor(page, "description")
    form.get_by_label("Title").fill(" ")
    form.get_by_label("Summary").fill("Since noon.")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("alert")).to_contain_text("required")
    expect(form.get_by_label("Summary"), "what was typed stays").to_have_value("Since noon.")
    form.get_by_label("Title").fill("New words")
    form.get_by_label("Title").press("Enter")
    expect(page.get_by_role("heading", name="New words")).to_be_visible()
    expect(page.locator("#brief")).to_contain_text("Since noon.")


def test_an_error_stands_at_its_field_and_what_was_typed_stays(site: Running, as_somebody: Callable[..., Any]) -> None:
    page = as_somebody("tom", **DESK)
    page.goto(declared(site, "Where is it?"))
    form = opened(page, "call")
    form.get_by_label("Address of the call").fill("javascript:alert(1)")
    page.keyboard.press("Enter")
    expect(form.get_by_role("alert")).to_be_visible()
    expect(form.get_by_label("Address of the call")).to_have_value("javascript:alert(1)")
    expect(form.get_by_label("Address of the call")).to_be_focused()
    form.get_by_label("Address of the call").fill("https://meet.example/inc")
    page.keyboard.press("Enter")
    call = page.locator("#head").get_by_role("link", name="call")
    expect(call).to_have_attribute("href", "https://meet.example/inc")
    expect(call).to_have_attribute("rel", "noopener")
    form = opened(page, "channel")
    form.get_by_label("Name").fill("#inc-57")
    page.keyboard.press("Enter")
    expect(page.locator("#head")).to_contain_text("#inc-57")


def test_what_somebody_else_said_meanwhile_is_not_undone_unless_one_insists(
    site: Running, as_somebody: Callable[..., Any]
) -> None:
    address = declared(site, "Two at once")
    page = as_somebody("tom", **DESK)
    page.goto(address)
    form = opened(page, "severity")
    expect(page.get_by_text("Updates paused while you edit")).to_be_visible()
    form.get_by_role("radio", name="SEV3").check()
    key = site.key("tom@example.com")
    assert site.post(f"/api/v1{address}severity/", {"severity": "sev2"}, **key)[0] == 200
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("alert")).to_contain_text("Somebody changed this to “SEV2” meanwhile")
    expect(form.get_by_role("radio", name="SEV3")).to_be_checked()
    saved(page, form)
    expect(page.locator("#head")).to_contain_text("SEV3")


def test_an_update_that_arrives_late_closes_no_editor(site: Running, as_somebody: Callable[..., Any]) -> None:
    address = declared(site, "Just then")
    page = as_somebody("tom", **DESK)
    page.goto(address)
    held: list[Any] = []
    page.route("**/*seen=*", lambda route: held.append(route))
    with page.expect_request("**/*seen=*"):
        write_note(site, address, "Written before.")
    form = opened(page, "channel")
    form.get_by_label("Name").fill("#inc")
    with page.expect_response("**/*seen=*"):
        page.unroute("**/*seen=*")  # lets go what it held
    form.get_by_label("Address").click()
    expect(form.get_by_label("Name")).to_have_value("#inc")
    saved(page, form)
    expect(page.locator("#head")).to_contain_text("#inc")
    page.locator("[data-entry]", has_text="Written before.").wait_for()


def test_without_scripts_each_fact_has_a_page_with_its_label(site: Running, as_somebody: Callable[..., Any]) -> None:
    address = declared(site, "By hand")
    page = as_somebody("tom", java_script_enabled=False)
    page.goto(address)
    page.get_by_role("button", name="Change severity").click()
    expect(page.get_by_role("heading", name="Severity")).to_be_visible()
    page.get_by_role("radio", name="SEV4").check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#head")).to_contain_text("SEV4")
    page.get_by_role("button", name="Change category").click()
    page.get_by_role("radio", name="Retrieval: not sure which").check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#fact-classify")).to_contain_text("Retrieval")


@pytest.mark.parametrize("size", [(320, 640), (390, 844), (768, 1024)], ids=lambda size: str(size[0]))
def test_on_a_phone_each_row_is_hit_by_a_thumb_and_its_editor_lies_on_the_screen(
    site: Running, as_somebody: Callable[..., Any], size: tuple[int, int]
) -> None:
    page = as_somebody("tom", **PHONE | {"viewport": {"width": size[0], "height": size[1]}})
    page.goto(declared(site, f"By thumb at {size[0]}"))
    if page.locator("#about").get_attribute("open") is None:
        page.locator("#about > summary").tap()
    for row in page.locator("#about .fact__value").all():
        assert row.bounding_box()["height"] >= THUMB, row.inner_text()
    for name in ("severity", "classify", "visibility"):
        page.locator(f"#fact-{name} .fact__value").tap()
        form = editor(page, name)
        form.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        for choice in form.locator(".choice:visible").all()[:5]:
            assert choice.bounding_box()["height"] >= THUMB
        save = form.get_by_role("button", name="Save")
        save.evaluate("(button) => button.scrollIntoView({block: 'center'})")
        still(page)
        assert not outside(page, save.bounding_box())
        form.get_by_role("link", name="Cancel").tap()
