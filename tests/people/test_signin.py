"""Failed sign-ins: how many, by whom they are limited, and that one attacker locks nobody else out."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.auth import authenticate
from django.core.signing import dumps
from django.db import connections
from django.test import Client
from django.utils import timezone

from incidents.people import signin
from incidents.people.models import User

RIGHT = "faultline-demo"
HOME, ELSEWHERE = "203.0.113.5", "198.51.100.7"


def sign_in(browser: Client, email: str, password: str = RIGHT, *, at: str = HOME) -> bool:
    browser.post("/accounts/login/", {"login": email, "password": password}, REMOTE_ADDR=at)
    return "_auth_user_id" in browser.session


def fail(email: str, times: int, *, at: str = HOME) -> None:
    for _ in range(times):
        assert not sign_in(Client(), email, "wrong", at=at)


def fail_from(addresses: Iterable[str], email: str) -> None:
    """Fail from many addresses, as a botnet does; written down without a page for each, which takes its time."""
    account = signin.FailedSignIn.objects.latest("pk").account
    signin.FailedSignIn.objects.bulk_create(
        signin.FailedSignIn(account=account, address=address) for address in addresses
    )
    fail(email, 1, at="192.0.2.99")


def test_five_wrong_passwords_from_one_address_are_enough(mara: User) -> None:
    fail("mara@example.com", 5)
    browser = Client()
    answer = browser.post("/accounts/login/", {"login": "MARA@example.com", "password": RIGHT}, REMOTE_ADDR=HOME)
    assert "Too many failed sign-ins. Try again in 5 min" in answer.content.decode()
    assert "MARA@example.com" in answer.content.decode()  # what was typed stays
    assert "_auth_user_id" not in browser.session


def test_others_are_not_locked_out(mara: User, jo: User) -> None:
    fail("mara@example.com", 30)
    assert sign_in(Client(), "jo@example.com")  # somebody else at the attacker's address
    assert sign_in(Client(), "mara@example.com", at=ELSEWHERE)  # the same person at another


def test_four_wrong_ones_and_a_right_one_are_an_ordinary_morning(mara: User) -> None:
    for _ in range(3):
        fail("mara@example.com", 4)
        signin.FailedSignIn.objects.update(at=timezone.now() - timedelta(minutes=6))
        assert sign_in(Client(), "mara@example.com")


def test_what_succeeds_does_not_count(mara: User) -> None:
    for _ in range(8):
        assert sign_in(Client(), "mara@example.com")
    assert not signin.FailedSignIn.objects.exists()


def test_what_is_refused_does_not_count(mara: User) -> None:
    fail("mara@example.com", 12)
    assert signin.FailedSignIn.objects.count() == 5


def test_a_browser_known_to_the_account_is_not_held_up(mara: User) -> None:
    browser = Client()
    assert sign_in(browser, "mara@example.com")
    browser.logout()
    browser.cookies[signin.COOKIE] = fresh_cookie(mara)
    fail("mara@example.com", 5)
    assert sign_in(browser, "mara@example.com")


def fresh_cookie(*people: User) -> str:
    browser = Client()
    for person in people:
        assert sign_in(browser, person.email, at="192.0.2.1")
        browser.post("/accounts/logout/")
    return browser.cookies[signin.COOKIE].value


def test_a_known_browser_is_limited_too(mara: User) -> None:
    browser = Client()
    browser.cookies[signin.COOKIE] = fresh_cookie(mara)
    for _ in range(10):
        assert not sign_in(browser, "mara@example.com", "wrong")
    assert not sign_in(browser, "mara@example.com")


def test_the_mark_of_one_person_is_none_for_another(mara: User, jo: User) -> None:
    browser = Client()
    browser.cookies[signin.COOKIE] = fresh_cookie(jo)
    fail("mara@example.com", 5)
    assert not sign_in(browser, "mara@example.com")


def test_two_people_share_a_browser(mara: User, jo: User) -> None:
    browser = Client()
    browser.cookies[signin.COOKIE] = fresh_cookie(mara, jo)
    fail("mara@example.com", 5)
    assert sign_in(browser, "mara@example.com")


@pytest.mark.parametrize(
    "mark",
    ["", "nonsense", dumps(["1:x:y"], salt="another"), "a" * 9000],
    ids=["empty", "nonsense", "signed for something else", "very long"],
)
def test_a_forged_mark_is_none(mara: User, mark: str) -> None:
    browser = Client()
    browser.cookies[signin.COOKIE] = mark
    fail("mara@example.com", 5)
    assert not sign_in(browser, "mara@example.com")


def test_a_new_password_makes_strangers_of_all_browsers(mara: User) -> None:
    mark = fresh_cookie(mara)
    mara.set_password("another-long-one")
    mara.save()
    browser = Client()
    browser.cookies[signin.COOKIE] = mark
    fail("mara@example.com", 5)
    assert not sign_in(browser, "mara@example.com", "another-long-one")


class TestManyAddresses:
    def test_an_account_under_attack_from_everywhere_is_closed_to_strangers_alone(self, mara: User, jo: User) -> None:
        mark = fresh_cookie(mara)
        fail("mara@example.com", 1, at="192.0.2.98")
        fail_from((f"192.0.2.{n}" for n in range(48)), "mara@example.com")
        assert not sign_in(Client(), "mara@example.com", at=ELSEWHERE)
        known = Client()
        known.cookies[signin.COOKIE] = mark
        assert sign_in(known, "mara@example.com", at=ELSEWHERE)
        assert sign_in(Client(), "jo@example.com", at=ELSEWHERE)

    def test_a_new_password_by_email_opens_it_again(self, mara: User, mailoutbox: list[object]) -> None:
        fail("mara@example.com", 1, at="192.0.2.98")
        fail_from((f"192.0.2.{n}" for n in range(48)), "mara@example.com")
        browser = Client()
        browser.post("/accounts/password/reset/", {"email": "mara@example.com"})
        link = next(word for word in str(getattr(mailoutbox[-1], "body", "")).split() if "/reset/key/" in word)
        form = browser.get(link.partition("testserver")[2] or link, follow=True)
        path = form.redirect_chain[-1][0]
        browser.post(path, {"password1": "a-brand-new-one-9", "password2": "a-brand-new-one-9"})
        assert sign_in(Client(), "mara@example.com", "a-brand-new-one-9", at=ELSEWHERE)


def test_one_address_trying_account_after_account_is_stopped(mara: User, jo: User) -> None:
    mark = fresh_cookie(jo)
    signin.FailedSignIn.objects.bulk_create(
        signin.FailedSignIn(account=f"{n:064}", address=HOME) for n in range(signin.ADDRESS.failures)
    )
    assert not sign_in(Client(), "mara@example.com")
    assert sign_in(Client(), "mara@example.com", at=ELSEWHERE)
    colleague = Client()
    colleague.cookies[signin.COOKIE] = mark
    assert sign_in(colleague, "jo@example.com")


def test_another_address_of_the_same_ipv6_network_is_the_same_visitor(mara: User) -> None:
    for host in range(5):
        fail("mara@example.com", 1, at=f"2001:db8:1:2::{host}")
    assert not sign_in(Client(), "mara@example.com", at="2001:db8:1:2:ffff::1")
    assert sign_in(Client(), "mara@example.com", at="2001:db8:1:3::1")


@pytest.mark.parametrize("address", ["fe80::1%eth0", "::ffff:203.0.113.5", "", "nonsense"])
def test_however_an_address_is_written_it_can_be_signed_in_from(mara: User, address: str) -> None:
    fail("mara@example.com", 1, at=address)
    assert sign_in(Client(), "mara@example.com", at=address)


def test_an_unknown_account_is_answered_like_a_known_one(mara: User) -> None:
    def answers(email: str) -> list[str]:
        tries = [
            Client().post("/accounts/login/", {"login": email, "password": "wrong"}, REMOTE_ADDR=ELSEWHERE)
            for _ in range(6)
        ]
        return [answer.content.decode().partition('role="alert">')[2].partition("<")[0] for answer in tries]

    known, unknown = answers("mara@example.com"), answers("nobody@example.com")
    assert known == unknown
    assert known[0] == "The email address or the password is wrong."
    assert "Too many" in known[5]


def test_what_was_typed_is_not_stored(mara: User) -> None:
    fail("my-password@typed-in-the-wrong.field", 1)
    assert "my-password" not in str(signin.FailedSignIn.objects.values().get())


def test_old_failures_are_forgotten(mara: User) -> None:
    fail("mara@example.com", 5)
    signin.FailedSignIn.objects.update(at=timezone.now() - timedelta(minutes=5))
    assert sign_in(Client(), "mara@example.com")
    signin.FailedSignIn.objects.update(at=timezone.now() - signin.KEPT)
    signin.prune()
    assert not signin.FailedSignIn.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_tries_at_the_same_moment_are_counted_too(mara: User) -> None:
    def attempt(_: int) -> bool:
        try:
            return authenticate_once()
        finally:
            connections.close_all()

    def authenticate_once() -> bool:
        answer = Client().post("/accounts/login/", {"login": "mara@example.com", "password": "wrong"}, REMOTE_ADDR=HOME)
        return "Too many" not in answer.content.decode()

    assert authenticate() is None  # loads the backends before threads race for them
    with ThreadPoolExecutor(8) as together:
        assert sum(together.map(attempt, range(16))) <= signin.PAIR.failures
