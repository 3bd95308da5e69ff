"""The way of one alert, walked in a browser: from the monitor to the report."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import still
from tests.browser.test_facts import opened, saved
from tests.running import Running

pytestmark = pytest.mark.browser


def first_alert(site: Running) -> list[str]:
    """The curl line that a newcomer is shown, as words of a shell."""
    import shlex

    line = next(line for line in site.printed().splitlines() if line.strip().startswith("curl "))
    return shlex.split(line)


def test_an_alert_becomes_an_incident_a_postmortem_a_follow_up_and_a_number(
    site: Running, as_somebody: Callable[..., Any]
) -> None:
    # The leader reads the report first, to see it change.
    lee = as_somebody("lee")
    lee.goto("/reports/?months=3")
    before = int(lee.locator(".tile__value").first.inner_text())

    mara = as_somebody("mara", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    mara.goto("/incidents/")

    # She pastes the curl line; the incident comes to the page without a reload.
    mara.evaluate("window.same = true")
    sent = subprocess.run(first_alert(site), capture_output=True, text=True, check=True)
    assert '"status_url"' in sent.stdout
    row = mara.locator("[data-row]", has_text="Answers cite documents that were replaced")
    row.wait_for()
    expect(row).to_contain_text("Retrieval")
    expect(row, "the row says why it was classified so").to_contain_text("matches rule")
    assert mara.evaluate("window.same"), "the page was not loaded again"
    row.get_by_role("link").click()

    # It says why it was classified so.
    assert "matches rule" in mara.locator("#why").inner_text()
    number = re.search(r"INC-(\d+)", mara.locator("#head").inner_text())
    assert number
    # Mara is on call for another team than the index’s: the page tells her, and Priya takes it.
    expect(mara.locator("main")).to_contain_text("Responders of Data platform can change this incident")

    priya = as_somebody("priya")
    priya.goto(f"/i/{number[1]}")
    priya.get_by_role("button", name="Acknowledge", exact=True).click()
    priya.locator("#compose-note summary").click()
    priya.get_by_label("Write a note").fill("The alias points at **last month’s** snapshot.")
    priya.get_by_role("button", name="Preview").click()
    priya.locator("#note-preview strong").wait_for()
    priya.get_by_role("button", name="Add note").click()
    priya.locator(".event__note strong", has_text="last month’s").wait_for()
    # Mara, who still looks at it, sees that without a reload.
    mara.locator(".event__note strong", has_text="last month’s").wait_for()

    priya.locator("#act-contain summary").click()
    priya.locator("#act-contain select").select_option("rollback_index")
    priya.get_by_role("button", name="Record containment").click()
    expect(priya.locator("#head")).to_contain_text("Contained")
    began = opened(priya, "clock-impact_started_at")
    began.get_by_label("Impact started").fill("2026-01-01 00:00")
    saved(priya, began)
    expect(priya.locator(".silence")).not_to_contain_text("unknown")
    priya.locator("#act-resolve summary").click()
    priya.get_by_role("button", name="Resolve", exact=True).click()
    priya.get_by_role("button", name="Resolve anyway").click()

    # The postmortem starts with its facts; people answer the questions.
    expect(priya.locator("#actions")).to_contain_text("Its postmortem starts in a moment")
    priya.locator("#actions").get_by_role("link", name="Postmortem").click()
    expect(priya.locator("#response .filled")).to_contain_text("Return to the previous index")
    address = priya.url.partition("#")[0]
    for key, text in (
        ("summary", "Old answers."),
        ("impact", "Unknown, because unsampled."),
        ("factors", "Nobody looks at age."),
    ):
        priya.locator(f"#write-{key} > summary").click()
        priya.locator(f"#text-{key}").fill(text)
        priya.locator(f"#{key} [data-state]", has_text=re.compile("^Saved")).wait_for()
    priya.get_by_label("What triggered it?").select_option("none")
    priya.get_by_role("button", name="Set trigger").click()
    for factor in ("Stale cache or index", "No monitor on the output"):
        priya.get_by_text("Add a factor").click()
        priya.get_by_role("radio", name=factor).check()
        priya.locator("#factor-new textarea").fill("No check of its age.")
        priya.locator("#factor-new input[name=evidence]").fill("/systems/policy-index/")
        priya.get_by_role("button", name="Add factor").click()
        priya.locator(".factors strong", has_text=factor).wait_for()
    priya.get_by_role("button", name="Send for review").click()
    tom = as_somebody("tom")
    tom.goto(address)
    for box in tom.locator("#review input[type=checkbox]").all():
        box.check()
    tom.get_by_role("button", name="Approve").click()
    priya.goto(address)
    priya.get_by_role("button", name="Publish").click()
    priya.get_by_text("Published to everyone who can see the incident").wait_for()
    priya.get_by_label("More actions").click()
    with priya.expect_download() as download:
        priya.get_by_role("link", name="Markdown").click()
    assert "Nobody looks at age." in Path(download.value.path()).read_text()

    # A follow-up, done.
    priya.locator("#follow-ups").get_by_role("link", name="Add").click()
    priya.get_by_label("What will be done?").fill("Alert on the age of the index")
    priya.get_by_role("button", name="Add follow-up").click()
    priya.locator("summary", has_text="Mark as done").click()
    priya.get_by_role("button", name="Mark as done").click()
    priya.locator("summary", has_text="Reopen").wait_for()

    # And the report counts it, with a link to its row.
    lee.reload()
    expect(lee.locator(".tile__value").first).to_have_text(str(before + 1))
    lee.locator(".tile__value").first.click()
    lee.locator("[data-row]", has_text="Answers cite documents that were replaced").wait_for()


def test_an_incident_is_opened_by_hand_in_three_fields_on_a_phone(as_somebody: Callable[..., Any]) -> None:
    page = as_somebody("mara", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.goto("/incidents/new/")
    page.get_by_role("button", name="Open incident").click()
    page.get_by_text("This field is required.").wait_for()
    page.get_by_label("What is wrong with the output?").fill("Refunds went out twice")
    page.get_by_label("System").select_option("refund-agent")
    page.get_by_label("Severity").select_option("sev1")
    page.get_by_role("button", name="Open incident").click()
    page.get_by_role("heading", name="Refunds went out twice").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_the_pages_work_without_javascript(as_somebody: Callable[..., Any]) -> None:
    page = as_somebody("jo", java_script_enabled=False)
    page.goto("/incidents/new/")
    page.get_by_label("What is wrong with the output?").fill("Answers in the wrong language")
    page.get_by_label("System").select_option("support-assistant")
    page.get_by_role("button", name="Open incident").click()
    page.locator("#compose-note summary").click()
    page.get_by_label("Write a note").fill("Since the upgrade.")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator(".event__note", has_text="Since the upgrade.")).to_have_count(1)
    page.locator("#act-resolve summary").click()
    page.get_by_role("button", name="Resolve", exact=True).click()
    page.get_by_role("button", name="Resolve anyway").click()
    expect(page.locator("#head")).to_contain_text("Resolved")


def test_a_rule_is_drafted_tried_and_published_and_an_alert_silenced(as_somebody: Callable[..., Any]) -> None:
    ada = as_somebody("ada")
    ada.goto("/rules/")
    ada.get_by_role("button", name="Change the rules").click()
    ada.get_by_role("link", name="Add a rule").click()
    ada.get_by_label("Name", exact=True).fill("Canaries only record")
    ada.get_by_label("Matches").fill("environment=~(")
    ada.get_by_label("What it does").select_option("record")
    ada.get_by_role("button", name="Save to draft").click()
    expect(ada.locator("main")).to_contain_text("is no regular expression")
    ada.get_by_label("Matches").fill("environment=canary")
    ada.get_by_role("button", name="Save to draft").click()
    ada.get_by_role("link", name="Try it on the last").click()
    ada.get_by_text("would have opened").first.wait_for()
    ada.locator("#publish summary").click()
    ada.get_by_label("What changed, in one sentence").fill("Canaries open nothing")
    ada.get_by_role("button", name="Publish these rules").click()
    expect(ada.locator("main")).to_contain_text("Canaries only record")

    ada.goto("/silences/new/")
    ada.get_by_label("Matches").fill("severity=~critical|high")
    ada.locator("#preview").get_by_text("in the last 24 hours").wait_for()
    ada.get_by_label("Reason").fill("The evaluation set is being replaced")
    ada.get_by_role("button", name="Silence", exact=True).click()
    ada.get_by_text("The evaluation set is being replaced").wait_for()
    ada.get_by_role("button", name="End this silence").click()
    ended = ada.locator("section", has=ada.get_by_role("heading", name="Ended"))
    expect(ended).to_contain_text("The evaluation set is being replaced")


def test_whoever_connects_a_monitor_sees_it_connected_and_teaches_it_to_be_read(
    site: Running, as_somebody: Callable[..., Any]
) -> None:
    page = as_somebody("jo")
    page.goto("/sources/new/")
    page.get_by_label("Find a monitor").fill("generic")
    page.get_by_role("link", name="Generic JSON").first.click()
    page.get_by_label("Name").fill("Nightly job")
    page.get_by_role("button", name="Create address").click()
    page.get_by_text("Waiting for the first delivery").wait_for()
    address = page.locator("#ingest-url").inner_text()
    expect(page.locator(".guide"), "the guide shows the real address").to_contain_text(address)
    path = address.removeprefix(site.url)
    assert site.post(path, {"run": {"name": "Hit rate fell", "state": "KO", "system": "policy-index"}})[0] == 200
    page.get_by_text("Connected, but not understood").wait_for()
    page.get_by_role("link", name="Done").click()
    page.get_by_role("link", name="Field map").click()
    page.locator("#id_title").press_sequentially("run.name")
    page.locator("#preview").get_by_text("Hit rate fell", exact=True).wait_for()
    page.locator("#id_title").fill("run.nam")
    page.locator("#preview").get_by_text("finds no title").wait_for()
    page.locator("#id_title").fill("run.name")
    page.locator("#id_system").fill("run.system")
    page.locator("#preview dd", has_text="policy-index").last.wait_for()
    page.get_by_role("button", name="Save the map").click()
    page.get_by_text("Deliveries are read by this map from now on. This one is being read again.").wait_for()
    page.locator("#delivery").get_by_role("link", name="Hit rate fell").wait_for()
    expect(page.locator("#delivery-status")).to_have_text("Processed")
    page.goto("/sources/nightly-job/")
    page.get_by_role("button", name="Send a test").click()
    page.locator("#delivery").get_by_text("Was a test").wait_for()


def test_what_was_typed_for_a_refused_act_is_still_there(site: Running, as_somebody: Callable[..., Any]) -> None:
    header = site.key("tom@example.com")
    made = site.post("/api/v1/incidents/", {"title": "Two at once", "system": "refund-agent"}, **header)[1]
    page = as_somebody("tom")
    page.goto(f"/incidents/{made['number']}/")
    page.locator("#act-resolve summary").click()
    page.locator("#act-resolve textarea").fill("The limit is enforced by the tool now.")
    # Somebody else is faster.
    site.post(f"/api/v1/incidents/{made['number']}/resolve/", {}, **header)
    site.post(f"/api/v1/incidents/{made['number']}/reopen/", {"reason": "Not yet"}, **header)
    site.post(f"/api/v1/incidents/{made['number']}/resolve/", {}, **header)
    page.get_by_role("button", name="Resolve", exact=True).click()
    page.get_by_text("is resolved, not investigating or contained.").wait_for()
    site.post(f"/api/v1/incidents/{made['number']}/reopen/", {"reason": "Really not"}, **header)
    page.reload()
    page.locator("#act-resolve summary").click()
    expect(page.locator("#act-resolve textarea")).to_have_value("The limit is enforced by the tool now.")


def test_a_whole_sev1_is_run_without_a_chat(site: Running, as_somebody: Callable[..., Any], tmp_path: Path) -> None:
    """An agent deletes data: declared on a phone, contained, handed over once, updated twice, resolved."""
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    tom = as_somebody("tom", **phone)
    tom.goto("/incidents/new/")
    tom.get_by_label("What is wrong with the output?").fill("The refund agent deletes customer records")
    tom.get_by_label("System").select_option("refund-agent")
    tom.get_by_label("Severity").select_option("sev1")
    tom.get_by_role("button", name="Open incident").click()
    tom.get_by_role("heading", name="The refund agent deletes customer records").wait_for()
    expect(tom.locator("#now"), "a SEV1 owes news").to_contain_text("next update at")
    number = int(re.search(r"INC-(\d+)", tom.locator("#head").inner_text())[1])  # type: ignore[index]

    # It is classified, so what limits this failure is offered in its order; the first is done in one press.
    tom.locator("#about > summary").click()
    tom.locator("#fact-classify .fact__value").click()
    expect(tom.get_by_label("Find a failure mode")).to_be_focused()
    tom.keyboard.type("outside instruction")
    tom.keyboard.press("Enter")
    offered = tom.locator("#containment .act").first
    first = offered.get_by_role("button", name="Mark as done").get_attribute("aria-label").partition(": ")[2]
    offered.get_by_role("button", name="Mark as done").click()
    tom.get_by_text(f"contained it: {first}").wait_for()
    expect(tom.locator("#head")).to_contain_text("Contained")
    tom.get_by_text("Did it work?").click()
    tom.get_by_placeholder("Samples are right again").fill("No deletion since 03:12")
    tom.get_by_role("button", name="It worked").click()
    tom.get_by_text("No deletion since 03:12").first.wait_for()

    # Stakeholders hear of it, who was hit is said, and a picture is kept.
    tom.locator("#compose-update summary").click()
    tom.get_by_label("What should stakeholders know?").fill("Deleting is switched off. Records are being restored.")
    tom.get_by_label("Next update").select_option("60")
    tom.get_by_role("button", name="Post update").click()
    tom.get_by_role("heading", name="Last update").wait_for()
    tom.locator("#impact > summary").click()
    hit = opened(tom, "more-exposure")
    hit.get_by_label("How much").fill("312")
    hit.get_by_label("Of what").select_option("users")
    hit.get_by_label("How do you know?").fill("Audit log of the tool")
    saved(tom, hit)
    tom.locator("#impact", has_text="312").wait_for()
    tom.locator("#impact-more > summary").click()
    undone = opened(tom, "impact-reversible")
    undone.get_by_role("radio", name="Can be undone").check()
    saved(tom, undone)
    expect(tom.locator("#fact-impact-reversible")).to_contain_text("Can be undone")
    table = tmp_path / "deleted.csv"
    table.write_text("customer,deleted_at\n1,2026-01-01\n")
    tom.locator("#compose-file summary").click()
    tom.get_by_label("File").set_input_files(table)
    tom.get_by_role("button", name="Attach").click()
    tom.locator("#files", has_text="deleted.csv").wait_for()

    # It is handed over at the end of the shift, with what the other needs to know.
    tom.goto(f"/incidents/{number}/hand-over/")
    tom.get_by_label("To whom").select_option(label="Ada Brandt")
    tom.get_by_label("What they need to know").fill("Restored: 200 of 312. The tool stays off.")
    tom.get_by_role("button", name="Offer hand-over").click()
    ada = as_somebody("ada")
    ada.goto(f"/i/{number}")
    ada.get_by_role("button", name="Accept").click()
    ada.locator("#facts", has_text="Ada").first.wait_for()
    tom.locator(".timeline", has_text="took over as lead").wait_for()

    ada.keyboard.press("u")
    ada.get_by_label("What should stakeholders know?").fill("All records are restored.")
    ada.get_by_role("button", name="Post update").click()
    ada.get_by_text("All records are restored.").first.wait_for()
    ada.goto("/status/")
    expect(ada.locator("#refund-agent")).to_contain_text("All records are restored.")
    ada.goto(f"/i/{number}")
    ada.locator("#act-resolve summary").click()
    ada.get_by_role("button", name="Resolve", exact=True).click()
    ada.get_by_role("button", name="Resolve anyway").click()
    expect(ada.locator("#head")).to_contain_text("Resolved")
    assert tom.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_what_two_people_do_at_once_is_seen_by_both(site: Running, as_somebody: Callable[..., Any]) -> None:
    header = site.key("tom@example.com")
    made = site.post("/api/v1/incidents/", {"title": "Two responders", "system": "refund-agent"}, **header)[1]
    for n in range(30):
        site.post(f"/api/v1/incidents/{made['number']}/note/", {"text": f"Looked at batch {n}."}, **header)
    tom, ada = as_somebody("tom"), as_somebody("ada")
    for page in (tom, ada):
        page.goto(f"/incidents/{made['number']}/")
    # Tom reads further down; what Ada writes waits behind a pill, and nothing moves under his eyes.
    read = tom.locator("[data-entry]", has_text="batch 10.")
    read.scroll_into_view_if_needed()
    tom.evaluate("scrollBy({top: 400, behavior: 'instant'})")
    tom.wait_for_function("document.querySelector('.timeline').getBoundingClientRect().top < -100")
    still(tom)
    before = read.bounding_box()["y"]
    ada.locator("#compose-note summary").click()
    ada.get_by_label("Write a note").fill("The batch of Monday is empty.")
    ada.get_by_role("button", name="Add note").click()
    pill = tom.get_by_role("button", name="1 new")
    pill.wait_for()
    still(tom)
    assert read.bounding_box()["y"] == pytest.approx(before, abs=1)
    pill.click()
    tom.locator("[data-entry]", has_text="The batch of Monday is empty.").wait_for()

    # Both press the same button: one does it, the other is told, and what they wrote is kept.
    for page in (tom, ada):
        page.goto(f"/incidents/{made['number']}/")
        page.locator("#act-resolve summary").click()
        page.locator("#act-resolve textarea").fill("Refilled the batch.")
    tom.get_by_role("button", name="Resolve", exact=True).click()
    tom.get_by_text("moved it from investigating to").wait_for()
    ada.get_by_role("button", name="Resolve", exact=True).click()
    ada.get_by_text("is resolved, not").wait_for()
