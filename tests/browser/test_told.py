"""A critical alert on a system whose team has somebody on call: they are told, and act from where they read it."""

import re
import shlex
from collections.abc import Callable
from email import message_from_bytes, policy
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.test_phone import PHONE
from tests.running import Running, until

pytestmark = pytest.mark.browser

TITLE = "Loan decisions by race differ"
LINK = re.compile(r"^Acknowledge, .*: (\S+)$", re.MULTILINE)


def link_for(site: Running, person: str) -> str | None:
    """The address in their mail by which they act; without a mail server mails are kept as files."""
    for file in site.data.joinpath("mail").glob("*"):
        for written in file.read_bytes().split(b"-" * 79 + b"\n"):
            letter = message_from_bytes(written, policy=policy.default)
            if letter["To"] == person and TITLE in letter["Subject"]:
                body = letter.get_body(("plain",))
                found = LINK.search(body.get_content()) if body else None
                return found[1] if found else None
    return None


def test_whoever_is_on_call_is_told_and_acknowledges_from_the_mail_on_a_phone(
    site: Running, as_somebody: Callable[..., Any]
) -> None:
    reach = site.get("/api/v1/systems/fraud-scorer/reach/", **site.key())[1]
    on_call = reach[0]["people"][0]["person"]
    page = as_somebody("ada")
    page.goto("/systems/fraud-scorer/")
    expect(page.locator("section", has=page.locator("#reach-title"))).to_contain_text("At once: on call")

    words = shlex.split(next(line for line in site.printed().splitlines() if line.strip().startswith("curl ")))
    alert = {"title": TITLE, "system": "fraud-scorer", "severity": "critical", "key": TITLE}
    assert site.post(urlsplit(words[2]).path, alert)[0] == 200
    link = until(lambda: link_for(site, on_call), what="they have a mail")

    phone = page.context.browser.new_page(**PHONE)  # signed in nowhere
    for _ in range(2):  # a scanner that opens links first changes nothing
        phone.goto(link)
        expect(phone.get_by_role("button", name="Acknowledge")).to_be_visible()
    phone.get_by_role("button", name="Acknowledge").tap()
    expect(phone.get_by_role("status")).to_contain_text("Acknowledge: done")
    phone.goto(link)
    expect(phone.get_by_role("button", name="Acknowledge"), "it works once").to_have_count(0)
    phone.close()

    page.goto("/incidents/?q=loan+decisions")
    page.get_by_role("link", name=TITLE).click()
    expect(page.locator("#head")).to_contain_text("Investigating")
    told = page.locator("#told")
    expect(told, "nobody else is called").not_to_contain_text("Not acknowledged")
    told.locator("summary").click()
    expect(told).to_contain_text("Email")
    expect(page.locator("#story")).to_contain_text("acknowledged by a link in a message")
