"""Samples come in by paste and file, are judged with a key each, and leave only once somebody said so."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.test_facts import DESK
from tests.browser.test_phone import declared
from tests.running import Running

pytestmark = pytest.mark.browser

LINES = b'{"input": "I am ann@example.com", "output": "Hello"}\n{"input": "And I?", "output": "Bye"}\nnonsense\n'


def test_a_file_is_looked_at_kept_judged_by_keys_and_redacted(site: Running, as_somebody: Callable[..., Any]) -> None:
    page = as_somebody("tom", **DESK)
    page.goto(f"{declared(site, 'What was said')}evidence/upload/")
    file = {"name": "drawn.jsonl", "mimeType": "application/jsonl", "buffer": LINES}
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("line 3: This line is not JSON")).to_be_visible()
    page.get_by_label("Replace what looks personal or secret").uncheck()
    page.get_by_role("button", name="Keep them").click()
    page.get_by_role("link", name="I am ann@example.com").click()
    page.wait_for_url(re.compile(r"/evidence/\d+/$"))
    first = page.url
    page.keyboard.press("w")
    expect(page.get_by_text("And I?")).to_be_visible()
    page.goto(f"{first}redact/")
    expect(page.get_by_label("Input")).to_have_value("I am [email]")
    page.get_by_role("button", name="Save, and let it leave").click()
    expect(page.get_by_text("yes: confirmed by")).to_be_visible()
    expect(page.locator("h1 + .phase")).to_have_text("Wrong")
