"""One Faultline with its demonstration, and a browser to look at it."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.running import Running, prepared, running
from tests.tools import chromium, needed

WAIT = 90_000  # ms; long, because a condition that holds ends it, and a slow machine is no fault of the page

# The driver's synchronous interface runs an event loop, which Django would otherwise refuse to work beside.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(prepared(tmp_path_factory.mktemp("site") / "data")) as group:
        yield group


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=WAIT)
    path = needed(chromium(), program="Chromium", what="the pages as people use them, and their accessibility")
    with sync_playwright() as driver:
        started = driver.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
        )
        yield started
        started.close()


def still(page: Any) -> None:
    """Wait until nothing scrolls any more: ten frames at one place."""
    page.evaluate(
        """() => new Promise((done) => {
          let at = NaN, frames = 0;
          const look = () => {
            frames = scrollY === at ? frames + 1 : 0;
            at = scrollY;
            if (frames === 10) done(); else requestAnimationFrame(look);
          };
          look();
        })"""
    )


@pytest.fixture
def as_somebody(site: Running, browser: Any) -> Iterator[Callable[..., Any]]:
    """Open a page as somebody of the demonstration; errors in its console fail the test."""
    contexts, errors = [], []

    def open_as(name: str, **options: Any) -> Any:
        context = browser.new_context(base_url=site.url, **options)
        context.set_default_timeout(WAIT)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto("/accounts/login/")
        page.get_by_label("Email").fill(f"{name}@example.com")
        page.get_by_label("Password").fill("faultline-demo")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "/accounts/" not in url)
        return page

    yield open_as
    for context in contexts:
        context.close()
    expected = (
        "403",
        "404",
        "409",
        "422",
        "ERR_INTERNET_DISCONNECTED",
        "ERR_CONNECTION_REFUSED",
        "Push API in incognito mode",  # every page of a test is one
    )  # what a test does on purpose
    assert not [error for error in errors if not any(sign in error for sign in expected)], errors
