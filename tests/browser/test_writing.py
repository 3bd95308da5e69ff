"""A postmortem written by several people at once: in one sitting, through trouble, and with nothing lost."""

import re
from collections.abc import Callable
from typing import Any

import pypdfium2
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import WAIT
from tests.running import Running, free_port, launch, prepared, until
from tests.tools import not_tested

pytestmark = pytest.mark.browser


def new_postmortem(site: Running, *, title: str = "Answers cite a policy that ended", **more: Any) -> str:
    """A resolved retrieval incident of the assistants' team, and the address of its postmortem."""
    key = site.key("tom@example.com")
    facts = {"title": title, "system": "support-assistant", "severity": "sev3", "kind": "real", **more}
    status, made = site.post("/api/v1/incidents/", facts, **key)
    assert status == 201, made
    path = f"/api/v1/incidents/{made['number']}"
    site.post(f"{path}/classify/", {"failure_mode": "retrieval.stale_index"}, **key)
    status, told = site.post(f"{path}/resolve/", {}, **key)
    assert status == 200, told
    status, told = site.post(f"{path}/postmortem/", {}, **key)
    assert status == 201, told
    return f"/postmortems/{made['number']}/"


def opened(page: Any, key: str) -> Any:
    """The box in which a part is written, which stands in the place of its text once one begins."""
    begin = page.locator(f"#write-{key} > summary")
    box = page.locator(f"#text-{key}")
    box.wait_for(state="attached")  # what is asked below is not waited for
    if begin.is_visible():
        begin.click()
    expect(box).to_be_visible()
    return box


def typed(page: Any, key: str, text: str) -> None:
    opened(page, key).press_sequentially(text, delay=5)


def saved(page: Any, key: str) -> None:
    page.locator(f"#{key} [data-state]", has_text=re.compile("^Saved")).wait_for()


def test_three_people_write_review_and_publish_one_in_one_sitting(
    site: Running, as_somebody: Callable[..., Any]
) -> None:
    address = new_postmortem(site)
    tom, jo, mara = (as_somebody(name) for name in ("tom", "jo", "mara"))
    for page in (tom, jo, mara):
        page.goto(address)
    expect(tom.locator("#summary .filled"), "it is born with its facts").to_contain_text("INC-")

    # Each in a section of their own; the others see it appear without a reload.
    typed(tom, "summary", "Old answers for a day.")
    typed(jo, "impact", "Unknown, because answers are not sampled.")
    typed(mara, "silence", "Uptime was green, and nobody looked at the age of the index.")
    for page, key in ((tom, "summary"), (jo, "impact"), (mara, "silence")):
        saved(page, key)
    expect(tom.locator("#text-impact")).to_have_value("Unknown, because answers are not sampled.")
    tom.locator("#silence .here", has_text="Mara Okafor is writing here").wait_for()

    # Two in one section, at different lines: both stay.
    tom.locator("#text-summary").fill("Old answers for a day.\n\nThe rollback ended it.")
    saved(tom, "summary")
    expect(jo.locator("#text-summary")).to_have_value(re.compile("rollback"))
    jo.context.set_offline(True)
    opened(jo, "summary").fill("Old answers for a day.\n\nThe rollback ended it.\n\nCustomers told us.")
    tom.locator("#text-summary").fill("Old answers for a day and a night.\n\nThe rollback ended it.")
    saved(tom, "summary")
    jo.locator("#summary [data-state]", has_text="Kept in this browser").wait_for()
    jo.context.set_offline(False)
    both = "Old answers for a day and a night.\n\nThe rollback ended it.\n\nCustomers told us."
    expect(jo.locator("#text-summary"), "both are put together").to_have_value(both)
    expect(tom.locator("#text-summary")).to_have_value(both)

    # Two at the same line: both versions are shown, and one of the two settles it.
    mara.context.set_offline(True)
    opened(mara, "impact").fill("About 900 answers, counted by Mara.")
    mara.locator("#impact [data-state]", has_text="Kept in this browser").wait_for()
    jo.locator("#text-impact").fill("About 1,200 answers, counted by Jo.")
    saved(jo, "impact")
    mara.context.set_offline(False)
    clash = mara.locator("#impact .clash")
    clash.wait_for()
    expect(clash.locator("[data-theirs]")).to_contain_text("1,200")
    expect(clash.locator("[data-mine]")).to_contain_text("900")
    clash.locator("textarea").fill("900 (Mara) to 1,200 (Jo) answers.")
    clash.get_by_role("button", name="Save this text").click()
    saved(mara, "impact")
    expect(jo.locator("#text-impact")).to_have_value("900 (Mara) to 1,200 (Jo) answers.")

    # Words that blame are answered with the question about the system.
    typed(tom, "factors", "Tom should have compared the counts.")
    tom.locator("#factors .findings", has_text="the better choice the easy one").wait_for()
    tom.locator("#text-factors").fill("Nothing compares the counts.")
    saved(tom, "factors")

    # Evidence from the drawer, a name after an @, and a preview.
    tom.get_by_role("link", name="Evidence").click()
    opened(tom, "timeline").click()
    tom.locator("#evidence").get_by_role("link", name="Alerts").click()
    tom.keyboard.press("Escape")
    typed(tom, "response", "Found by @ma")
    tom.locator(".people-list button", has_text="Mara Okafor").wait_for()
    tom.keyboard.press("Enter")
    expect(tom.locator("#text-response")).to_have_value("Found by @mara ")
    tom.locator("#response button", has_text="Preview").click()
    tom.locator("#response .mention", has_text="@mara").wait_for()

    # Facts, factors, trigger; then the review says what is missing until nothing is.
    tom.locator("#summary .filled li", has_text="Severity").get_by_role("link", name=re.compile("Edit")).click()
    tom.locator("#summary .line-edit input[type=text]").fill("SEV3, felt as SEV2")
    tom.get_by_role("button", name="Save line").click()
    tom.locator("#summary .filled", has_text="SEV3, felt as SEV2").wait_for()
    for factor in ("Stale cache or index", "No monitor on the output"):
        tom.get_by_text("Add a factor").click()
        tom.get_by_label("Find a factor").fill(factor)
        tom.keyboard.press("Enter")
        tom.locator("#factor-new textarea").fill("No check of its age.")
        tom.locator("#factor-new input[name=evidence]").fill("/systems/policy-index/")
        tom.get_by_role("button", name="Add factor").click()
        tom.locator(".factors strong", has_text=factor).wait_for()
    tom.get_by_role("button", name="Send for review").click()
    tom.get_by_text("It is not ready for review").wait_for()
    expect(tom.locator("#missing")).to_contain_text("who noticed it first")
    tom.locator("#missing").get_by_role("link", name="Say who noticed it first").click()
    tom.get_by_role("radio", name="A user or customer").check()
    tom.get_by_role("button", name="Save").click()
    expect(tom.locator("#fact-noticed")).to_contain_text("A user or customer")
    tom.goto(address)
    tom.get_by_label("What triggered it?").select_option("none")
    tom.get_by_role("button", name="Set trigger").click()
    tom.get_by_role("button", name="Send for review").click()
    tom.locator(".phase", has_text="In review").first.wait_for()

    # A remark with a suggestion; taken; approved; published by the lead.
    mara.goto(address)
    opened(mara, "summary").evaluate("box => { box.focus(); box.setSelectionRange(0, 11); }")
    mara.locator("#summary").get_by_label("Comment on the selected words, summary").click()
    expect(mara.locator("#summary [data-quote]")).to_have_value("Old answers")
    mara.locator("#summary .remark__new").get_by_label("Suggest other words").check()
    mara.locator("#summary .remark__new").get_by_label("Suggested words").fill("Retired answers")
    mara.get_by_role("button", name="Add comment").click()
    tom.locator("#summary .remark", has_text="Retired answers").wait_for()
    tom.locator("#summary .remark").get_by_role("button", name="Accept").click()
    expect(tom.locator("#summary .reading")).to_have_text(re.compile(r"^Retired answers for a day and a night\."))
    mara.goto(address)
    for box in mara.locator("#review input[type=checkbox]").all():
        box.check()
    mara.get_by_role("button", name="Approve").click()
    jo.goto(address)
    jo.get_by_role("button", name="Publish").click()
    jo.get_by_text("Published to everyone who can see the incident").wait_for()
    for words in (
        "Retired answers for a day and a night.",
        "Customers told us.",
        "900 (Mara) to 1,200 (Jo)",
        "SEV3, felt as SEV2",
    ):
        expect(jo.locator("main")).to_contain_text(words)

    # It is found again, and its history tells who wrote what.
    jo.goto("/postmortems/?q=retired+night")
    jo.locator(".snippet mark").first.wait_for()
    jo.goto(f"{address}history/")
    jo.locator(".diff ins", has_text="Customers told us.").first.wait_for()


def test_a_part_is_read_until_somebody_writes_there(site: Running, as_somebody: Callable[..., Any]) -> None:
    address = new_postmortem(site, title="Answers are read before they are written")
    tom, jo = as_somebody("tom"), as_somebody("jo")
    for page in (tom, jo):
        page.goto(address)
    expect(tom.locator("[data-editor]:visible"), "nothing but what one may write").to_have_count(0)

    # By the keyboard alone: begun with Enter, ended with Escape, and the focus is where it was.
    begin = tom.locator("#write-summary > summary")
    expect(begin).to_contain_text("Write “Summary”")
    begin.focus()
    tom.keyboard.press("Enter")
    tom.keyboard.type("Old answers for **a day**.")
    tom.keyboard.press("Escape")
    expect(tom.locator("#summary .reading strong")).to_have_text("a day")
    expect(tom.locator("#text-summary")).to_be_hidden()
    expect(begin).to_be_focused()
    expect(begin).to_have_text(re.compile("Edit"))
    expect(tom.locator("[data-outline=summary]:visible .dot--done")).to_have_count(1)

    # Others read it without a reload, and write on at the words that they click.
    jo.locator("#summary .reading", has_text="Old answers").wait_for()
    words = jo.locator("#summary .reading strong")
    words.click()
    expect(jo.locator("#text-summary")).to_be_focused()
    jo.keyboard.press("Home")
    jo.keyboard.type("Tom: ")
    jo.get_by_role("button", name="Save summary").click()
    expect(jo.locator("#text-summary")).to_be_hidden()
    expect(tom.locator("#summary .reading")).to_have_text("Tom: Old answers for a day.")

    # What is not saved yet is never folded away.
    jo.context.set_offline(True)
    typed(jo, "summary", " Nobody saw it.")
    jo.get_by_role("button", name="Save summary").click()
    jo.locator("#summary [data-state]", has_text="Kept in this browser").wait_for()
    expect(jo.locator("#text-summary")).to_be_visible()
    jo.context.set_offline(False)
    expect(tom.locator("#summary .reading")).to_have_text("Tom: Old answers for a day. Nobody saw it.")

    # Words that are marked for a comment open nothing; what the list of missing things names does.
    tom.locator("#summary .reading p").dblclick(position={"x": 12, "y": 8})
    expect(tom.locator("#summary [data-quote]")).to_have_value("Tom")
    summary, first = tom.locator("#missing > summary"), tom.locator("#missing li").first
    assert first.bounding_box()["y"] >= summary.bounding_box()["y"] + summary.bounding_box()["height"], "below it"
    tom.locator("#missing").get_by_role("link", name="“Impact” is empty.").click()
    expect(tom.locator("#text-impact")).to_be_focused()


def test_what_a_fact_comes_from_shows_where_one_points_and_always_under_a_thumb(
    site: Running, as_somebody: Callable[..., Any]
) -> None:
    address = new_postmortem(site, title="Answers have a source")
    page = as_somebody("tom")
    page.goto(address)
    line = page.locator("#summary .filled li", has_text="Severity")
    acts, opacity = line.locator(".filled__acts"), "one => getComputedStyle(one).opacity"
    page.mouse.move(0, 0)
    assert acts.evaluate(opacity) == "0"
    line.hover()
    assert acts.evaluate(opacity) == "1"
    page.mouse.move(0, 0)
    line.get_by_role("link", name="Edit “Severity”").focus()
    assert acts.evaluate(opacity) == "1"
    phone = as_somebody("tom", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    phone.goto(address)
    assert phone.locator("#summary .filled__acts").first.evaluate(opacity) == "1"


def test_a_factor_is_found_by_a_word_on_a_phone(site: Running, as_somebody: Callable[..., Any]) -> None:
    address = new_postmortem(site, title="Answers come from a full list")
    page = as_somebody("tom", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.goto(address)
    page.get_by_text("Add a factor").tap()
    find, names = page.get_by_label("Find a factor"), page.locator("#factor-new label:visible:has([type=radio])")
    find.fill("gap")
    expect(names, "all of the groups that are named").to_have_count(18)
    find.fill("lost among")
    expect(names).to_have_text(["Alert lost among many"])
    find.fill("nothing of the kind")
    page.get_by_text("None matches. Try another word.").wait_for()
    find.fill("alert")
    names.first.tap()
    expect(names.first.get_by_role("radio")).to_be_checked()
    assert names.first.bounding_box()["height"] >= 44
    page.locator("#factor-new textarea").fill("It went to a team that no longer exists.")
    page.get_by_role("button", name="Add factor").tap()
    page.locator(".factors strong", has_text="Alert went to nobody").wait_for()
    page.get_by_text("Add a factor").tap()
    expect(page.get_by_role("radio", name="Alert went to nobody named already")).to_be_disabled()
    # By keys: down to the first that is left, Enter goes on to the text.
    find.fill("threshold")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Threshold too wide")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#factor-new textarea")).to_be_focused()
    expect(page.get_by_role("radio", name="Threshold too wide")).to_be_checked()


def test_a_phone_shows_words_before_contents(as_somebody: Callable[..., Any]) -> None:
    page = as_somebody("sam", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.goto("/postmortems/?show=published")
    page.locator("[data-row] a").first.click()
    entries = page.locator("nav.outline:visible a")
    expect(page.get_by_role("heading", name="Summary")).to_be_in_viewport()
    expect(entries).to_have_count(0)
    page.get_by_text("Contents", exact=True).tap()
    expect(entries.first).to_be_visible()
    parts = page.locator(".document section[data-section]")
    expect(page.get_by_text("Nothing was written here.")).to_have_count(0)
    assert entries.count() == parts.count() + 2, "the parts that say something, the follow-ups and the review"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_what_is_typed_survives_the_end_of_a_session(site: Running, as_somebody: Callable[..., Any]) -> None:
    address = new_postmortem(site, title="Answers mix two policies")
    page = as_somebody("tom")
    page.goto(address)
    page.context.clear_cookies()
    typed(page, "summary", "Typed after the session had ended.")
    page.get_by_text("You are signed out").wait_for()
    # Signed in again in another tab: the first one saves by itself.
    other = page.context.new_page()
    other.goto("/accounts/login/")
    other.get_by_label("Email").fill("tom@example.com")
    other.get_by_label("Password").fill("faultline-demo")
    other.get_by_role("button", name="Sign in").click()
    other.wait_for_url(lambda url: "/accounts/" not in url)
    saved(page, "summary")
    other.goto(address)
    expect(other.locator("#text-summary")).to_have_value("Typed after the session had ended.")


def test_what_is_typed_survives_a_closed_tab(site: Running, as_somebody: Callable[..., Any]) -> None:
    address = new_postmortem(site, title="Answers repeat themselves")
    page = as_somebody("tom")
    page.goto(address)
    page.context.set_offline(True)
    typed(page, "summary", "Typed in a tunnel.")
    page.locator("#summary [data-state]", has_text="Kept in this browser").wait_for()
    page.close(run_before_unload=False)
    context = page.context
    context.set_offline(False)
    again = context.new_page()
    again.goto(address)
    saved(again, "summary")
    expect(again.locator("#text-summary")).to_have_value("Typed in a tunnel.")


def test_what_is_typed_before_the_scripts_arrive_is_saved(site: Running, as_somebody: Callable[..., Any]) -> None:
    address = new_postmortem(site, title="Answers arrive in the wrong order")
    page = as_somebody("tom")
    held: list[Any] = []
    page.route("**/js/write.*", lambda route: held.append(route))
    page.goto(address, wait_until="commit")
    opened(page, "summary").fill("Typed on a slow line.")
    until(lambda: page.title() and held, what="the script is asked for")  # to ask the page lets its routes be heard
    held[0].continue_()
    saved(page, "summary")


def test_what_is_typed_survives_a_restart_of_the_server(tmp_path_factory: Any, browser: Any) -> None:
    """A Faultline of its own, killed while somebody types, and started again on the same data."""
    data = prepared(tmp_path_factory.mktemp("restarted") / "data")
    port = free_port()
    group = launch(data, port)
    try:
        group.wait_until_up()
        address = new_postmortem(group)
        context = browser.new_context(base_url=group.url)
        context.set_default_timeout(WAIT)
        page = context.new_page()
        page.goto("/accounts/login/")
        page.get_by_label("Email").fill("tom@example.com")
        page.get_by_label("Password").fill("faultline-demo")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "/accounts/" not in url)
        page.goto(address)
        typed(page, "summary", "Before the fall.")
        saved(page, "summary")
        group.process.kill()
        until(lambda: group.group() == [], what="all of it is gone")
        typed(page, "summary", " While it lay there.")
        page.locator("#summary [data-state]", has_text="Kept in this browser").wait_for()
        group = launch(data, port)
        group.wait_until_up()
        saved(page, "summary")
        told = group.get(f"/api/v1{address}", **group.key("tom@example.com"))[1]
        texts = {section["key"]: section["text"] for section in told["sections"]}
        assert texts["summary"] == "Before the fall. While it lay there."
        context.close()
    finally:
        group.stop()


VECTORS = [
    "<script>window.hit = 1</script>",
    "<img src=x onerror='window.hit=1'>",
    "<svg onload='window.hit=1'>",
    "<svg><script>window.hit=1</script></svg>",
    "<iframe srcdoc='<script>parent.hit=1</script>'></iframe>",
    "<object data='javascript:parent.hit=1'></object>",
    "[a](javascript:window.hit=1)",
    "[a](JaVa\tScRiPt:window.hit=1)",
    "[a](&#106;avascript:window.hit=1)",
    "[a](data:text/html,<script>parent.hit=1</script>)",
    "![a](javascript:window.hit=1)",
    '![a](/incidents/1/files/1/"onerror=window.hit=1)',
    '![a](x "onerror=window.hit=1")',
    "<details open ontoggle='window.hit=1'>",
    "<video><source onerror='window.hit=1'></video>",
    "<a href='javascript:window.hit=1' autofocus onfocus='window.hit=1'>a</a>",
    "<input autofocus onfocus='window.hit=1'>",
    "<div hx-get='/incidents/' hx-trigger='load' hx-on::load='window.hit=1'>a</div>",
    "<div style='animation:x' onanimationstart='window.hit=1'>",
    "<math><mtext><table><mglyph><style><img src=x onerror='window.hit=1'>",
    "<noscript><p title='</noscript><img src=x onerror=window.hit=1>'>",
    "<form action='javascript:window.hit=1'><button>a</button></form>",
    "<base href='javascript:window.hit=1//'>",
    "<meta http-equiv='refresh' content='0;url=javascript:window.hit=1'>",
    "<style>@import 'javascript:window.hit=1'</style>",
    "`<script>window.hit=1</script>`",
    "```html\n<script>window.hit=1</script>\n```",
    "> <img src=x onerror=window.hit=1>",
    "| <img src=x onerror=window.hit=1> |\n| --- |\n| <svg onload=window.hit=1> |",
    "- [ ] <img src=x onerror=window.hit=1>",
    "[^1]\n\n[^1]: <img src=x onerror=window.hit=1>",
    "@<img/src=x/onerror=window.hit=1>",
    "INC-1<img src=x onerror=window.hit=1>",
    "⟦<img src=x onerror=window.hit=1>⟧",
    "<scr<script>ipt>window.hit=1</scr</script>ipt>",
    '"><img src=x onerror=window.hit=1>',
    "</textarea><img src=x onerror=window.hit=1>",
    "</title><script>window.hit=1</script>",
    "<!--><img src=x onerror=window.hit=1>-->",
]


def everything_fired(page: Any) -> None:
    """Wait until a picture that fails, asked for last, has failed: whatever else would run by then has run."""
    page.evaluate("new Promise((done) => { const it = new Image(); it.onerror = done; it.src = '/static/none.png'; })")


def test_nothing_that_people_write_runs(site: Running, as_somebody: Callable[..., Any], browser: Any) -> None:
    """Every vector in every place that shows what people write: read, previewed, compared, listed, printed, shared."""
    address = new_postmortem(site, title="Answers <img src=x onerror=window.hit=1>")
    key = site.key("tom@example.com")
    text = "\n\n".join(VECTORS)
    for section in ("summary", "impact", "learning"):
        status, told = site.post(f"/api/v1{address}section/", {"key": section, "text": text, "base": ""}, **key)
        assert status == 200, told
    page = as_somebody("tom")
    csp: list[str] = []
    page.on("console", lambda message: csp.append(message.text) if "Content Security" in message.text else None)
    for path in (
        address,
        f"{address}history/",
        f"{address}meeting/",
        f"{address}print/",
        "/postmortems/?q=window.hit+onerror",
        f"{address}evidence/",
    ):
        page.goto(path)
        everything_fired(page)
        assert page.evaluate("window.hit") is None, path
    page.goto(address)
    opened(page, "summary")
    page.locator("#summary button", has_text="Preview").click()
    page.locator("#summary [data-previewed] p").first.wait_for(state="attached")
    everything_fired(page)
    assert page.evaluate("window.hit") is None
    assert not [line for line in csp if "inline" in line.lower()], (
        "not even tried: nothing reached the page that could run"
    )
    # A stranger reads it as it is shown to those who do not edit.
    other = as_somebody("sam")
    other.goto(address)
    everything_fired(other)
    assert other.evaluate("window.hit") is None
    assert other.locator(".prose script, .prose [onerror], .prose iframe, .prose [hx-get]").count() == 0


def test_the_printed_postmortem_has_real_pages(site: Running, as_somebody: Callable[..., Any]) -> None:
    """Printed by the browser, and as the PDF file that is downloaded where Pango is at hand."""
    page = as_somebody("jo")
    page.goto("/postmortems/?show=published")
    address = page.locator("[data-row] a").first.get_attribute("href")
    assert address
    page.goto(f"{address}print/")
    printed = [page.pdf(prefer_css_page_size=True)]
    drawn = page.request.get(f"{address}pdf/")
    if drawn.headers["content-type"] == "application/pdf":
        printed.append(drawn.body())
    else:
        not_tested.append("NOT TESTED, because Pango is not installed: the PDF file of a postmortem.")
    for raw in printed:
        pages = [sheet.get_textpage().get_text_range() for sheet in pypdfium2.PdfDocument(raw)]
        assert len(pages) > 1
        for number, text in enumerate(pages, 1):
            assert f"{number} / {len(pages)}" in text, "each page says which it is"
            assert "Postmortem of INC-" in text, "and of what"
        whole = " ".join(pages)
        assert "Sign out" not in whole
        assert "Follow-ups" in whole
