"""Notifications in a real browser: what is pushed is shown, its buttons act, and a browser that cannot be told says so.

No browser of a test has a push service: what one would deliver is handed to the service worker by the driver.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.running import Running

pytestmark = pytest.mark.browser

GIVE = """
import json
from incidents.models import ActLink, Incident, System, User
one = Incident.objects.declare(title="Pushed", by=None, system=System.objects.get(slug="refund-agent"), severity="sev3")
print(json.dumps({"number": one.number, "secret": ActLink.objects.give(User.objects.get(email="tom@example.com"), one)}))
"""
SHOWN = """async (words) => {
  const registration = await navigator.serviceWorker.getRegistration("/static/js/push_worker.js");
  const shown = await registration.getNotifications();
  return shown.map((one) => `${one.title}: ${one.body}`).find((text) => text.includes(words)) ?? false;
}"""
PRESS = """async (button) => {
  const [shown] = await self.registration.getNotifications();
  await press(shown, button);
}"""


def test_a_pushed_notification_is_shown_and_its_button_acts_once(
    site: Running, as_somebody: Callable[..., Any]
) -> None:
    given = site.manage("shell", "--no-imports", "-c", GIVE)
    page = as_somebody("tom", permissions=["notifications"])
    page.goto("/account/browsers/")
    driver = page.context.new_cdp_session(page)
    found: list[str] = []
    driver.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda news: found.extend(row["registrationId"] for row in news["registrations"]),
    )
    driver.send("ServiceWorker.enable")
    with page.context.expect_event("serviceworker") as started:
        page.get_by_role("button", name="Turn on in this browser").click()
    worker = started.value
    # No push service answers here, and the page says so instead of pretending.
    expect(page.locator("[data-push-trouble]")).to_contain_text("It could not be turned on")

    address = f"{site.url}/act/{given['secret']}/"
    message = {
        "title": f"SEV3 INC-{given['number']}: Pushed",
        "body": "Nobody has taken it yet.",
        "tag": "INC",
        "url": f"{site.url}/incidents/{given['number']}/",
        "urgent": True,
        "acts": [{"title": "Acknowledge", "url": f"{address}#acknowledge"}],
    }

    def push() -> None:
        data = {"origin": site.url, "registrationId": found[0], "data": json.dumps(message)}
        driver.send("ServiceWorker.deliverPushMessage", data)
        page.wait_for_function(SHOWN, arg="Nobody has taken it yet.")

    push()
    worker.evaluate(PRESS, "0")
    page.wait_for_function(SHOWN, arg="Acknowledge: done.")
    status, incident = site.get(f"/api/v1/incidents/{given['number']}/", **site.key("tom@example.com"))
    assert (status, incident["status"], incident["lead"]) == (200, "investigating", "tom@example.com")

    push()
    worker.evaluate(PRESS, "0")  # the link was used
    page.wait_for_function(SHOWN, arg="Acknowledge: not done.")
