"""Every form and filter of every page, found by following links, is sent what nobody should send. None answers with 500."""

import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_from_bytes, urlsplit

import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import Client

from incidents.people.models import User
from tests.crawler import LEFT_ALONE, Form, crawl, view_of
from tests.tools import reported

NASTY: tuple[bytes, ...] = (
    b"",
    b"\x00",
    b"\xff\xfe\xfa",  # no UTF-8
    b"\xed\xa0\x80",  # half a surrogate pair
    "​".encode(),
    "\u2028\u202e‏".encode(),
    b"x" * 120_000,
    b"-1",
    b"9" * 400,
    b"1e400",
    b"NaN",
    b"0001-01-01T00:00",
    b"9999-12-31T23:59",
    b"2026-02-30",
    b"' OR 1=1 --",
    b"%s %(x)s {0} {{7*7}} ${x}",
    b"<script>alert(1)</script>",
    b"javascript:alert(1)",
    b"https://[::1",
    b"../../../etc/passwd",
    b'{"a": [1, {"b": ',
    b"a=b,c!=d,e=~[,",
    "＝1+1".encode(),
    b"INC-999999999999999999",
)


def encoded(fields: dict[str, bytes]) -> str:
    return "&".join(f"{name}={quote_from_bytes(value)}" for name, value in fields.items())


def tries(form: Form, chance: random.Random) -> Iterator[dict[str, bytes]]:
    """Nothing at all; everything wrong at once, each time otherwise; and one field wrong among others that are as they were."""
    plain = {name: value.encode() for name, value in form.fields.items() if name != "csrfmiddlewaretoken"}
    yield {}
    for turn in range(0, len(NASTY), 3) if plain else ():
        yield {name: NASTY[(turn + place) % len(NASTY)] for place, name in enumerate(plain)}
    for name in plain:
        for value in chance.sample(NASTY, 1):
            yield plain | {name: value}


@pytest.fixture
def demonstration(db: None) -> None:
    call_command("load_demo")


def test_no_form_and_no_filter_answers_with_an_error_of_ours(demonstration: None) -> None:
    browser = Client(raise_request_exception=False)
    browser.force_login(User.objects.get(email="ada@example.com"))  # who may open every form
    chance = random.Random(15)
    forms: dict[Any, Form] = {}
    pages = 0
    for page in crawl(browser):
        pages += 1
        for form in page.forms:
            if view_of(form.action) and not form.action.startswith(LEFT_ALONE):
                forms.setdefault(form.kind, form)
    broken, asked = [], 0
    for form in forms.values():
        for fields in tries(form, chance):
            asked += 1
            status = send(browser, form, fields)
            if status >= 500:
                broken.append(f"{form.method} {form.action} { ({k: v[:40] for k, v in fields.items()}) }")
    reported.append(f"forms and filters: {len(forms)} on {pages} pages, {asked} requests, none answered 5xx")
    assert not broken, "\n".join(broken[:20])
    assert len(forms) > 50


def send(browser: Client, form: Form, fields: dict[str, bytes]) -> int:
    """Send it, and undo what it did: the next form meets the same world."""
    with transaction.atomic():
        answer: Any
        if form.method == "get":
            answer = browser.get(urlsplit(form.action).path + "?" + encoded(fields))
        else:
            answer = browser.post(form.action, encoded(fields), content_type="application/x-www-form-urlencoded")
        if getattr(answer, "streaming", False):
            b"".join(answer.streaming_content)
        transaction.set_rollback(True)
    return int(answer.status_code)
