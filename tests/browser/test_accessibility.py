"""Every page, light and dark, on a desk and on a phone: its rules of accessibility, and its width."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.pages import LEADS_PAGES, PAGES, numbers_of
from tests.running import Running

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("scheme", "device"), [("light", "desktop"), ("dark", "phone")])
def test_no_page_breaks_the_rules_of_accessibility(
    site: Running, as_somebody: Callable[..., Any], scheme: str, device: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    size = {"width": 1280, "height": 800} if device == "desktop" else {"width": 390, "height": 844}
    # Axe writes styles into the page, which our policy would refuse.
    page = as_somebody("mara", viewport=size, color_scheme=scheme, bypass_csp=True)
    found = {}
    numbers = numbers_of(site)
    for path in numbers.paths((*PAGES, *LEADS_PAGES)):
        if path == LEADS_PAGES[0]:
            page = as_somebody("ada", viewport=size, color_scheme=scheme, bypass_csp=True)
            page.goto("/systems/home-feed/public/")
            page.get_by_label("can be read by everybody").check()
            page.get_by_role("button", name="Save").click()
        if path.endswith("/events/"):  # an entry of the timeline has a number that no test knows
            page.goto(f"/incidents/{numbers.triage}/")
            path = page.locator("[data-entry] a", has_text="edit").first.get_attribute("href")
        page.goto(path)
        for violation in Axe().run(page).response["violations"]:
            found[path, violation["id"]] = violation["nodes"][0]["html"][:200]
        assert "-------" not in page.content(), f"{path} offers dashes as a choice"
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, f"{path} is too wide"
    assert found == {}
