"""API keys: what they open, for how long, and what is stored of them."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client

from incidents.people.models import ApiKey, KeyScope, User

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def issue(user: User, *scopes: str, expires_at: datetime | None = None) -> tuple[ApiKey, str]:
    return ApiKey.issue(user, name="CI", scopes=list(scopes or ("read",)), expires_at=expires_at)


class TestSecret:
    def test_it_begins_with_a_prefix_that_scanners_know_and_is_stored_as_a_digest_only(self, mara: User) -> None:
        key, secret = issue(mara)
        assert secret.startswith("flk_")
        assert len(secret) == len("flk_") + 64
        stored = ApiKey.objects.filter(pk=key.pk).values().get()
        assert not any(secret in str(value) for value in stored.values())
        assert str(key) == f"CI ({secret[:10]}…)", "the first letters tell a person's keys apart"

    def test_no_two_are_alike(self, mara: User) -> None:
        assert issue(mara)[1] != issue(mara)[1]

    @pytest.mark.parametrize("wrong", ["", "flk_", "flk_" + "0" * 64, "\ud800", "é\x00"])
    def test_only_the_whole_secret_opens(self, wrong: str, mara: User) -> None:
        key, secret = issue(mara)
        assert ApiKey.objects.for_secret(secret) == key
        assert ApiKey.objects.for_secret(wrong) is None
        assert ApiKey.objects.for_secret(secret[:-1]) is None
        assert ApiKey.objects.for_secret(secret.upper()) is None


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [
        (["read"], {"read"}),
        (["write"], {"read", "write"}),
        (["ingest"], {"ingest"}),
        (["read", "ingest"], {"read", "ingest"}),
        ([], set()),
    ],
)
def test_writing_includes_reading_and_sending_includes_neither(scopes: list[str], allowed: set[str]) -> None:
    key = ApiKey(scopes=scopes)
    assert {scope for scope in KeyScope.values if key.allows(scope)} == allowed


class TestEnd:
    def test_it_ends_at_the_moment_it_expires(self, mara: User) -> None:
        with time_machine.travel(NOW, tick=False):
            key, secret = issue(mara, expires_at=NOW + timedelta(days=1))
        with time_machine.travel(NOW + timedelta(hours=23, minutes=59, seconds=59), tick=False):
            assert ApiKey.objects.for_secret(secret) == key
        with time_machine.travel(NOW + timedelta(days=1), tick=False):
            assert ApiKey.objects.for_secret(secret) is None

    def test_without_an_end_it_does_not_expire(self, mara: User) -> None:
        key, secret = issue(mara)
        with time_machine.travel(NOW + timedelta(days=36_500), tick=False):
            assert ApiKey.objects.for_secret(secret) == key

    def test_a_revoked_one_stays_revoked_since_the_first_time(self, mara: User) -> None:
        key, secret = issue(mara)
        with time_machine.travel(NOW, tick=False):
            key.revoke()
        with time_machine.travel(NOW + timedelta(days=1), tick=False):
            key.revoke()
        key.refresh_from_db()
        assert key.revoked_at == NOW
        assert ApiKey.objects.for_secret(secret) is None

    def test_those_of_somebody_deactivated_open_nothing(self, mara: User) -> None:
        _, secret = issue(mara)
        User.objects.filter(pk=mara.pk).update(is_active=False)
        assert ApiKey.objects.for_secret(secret) is None


def test_its_use_is_noted_at_most_once_a_minute(mara: User) -> None:
    key, secret = issue(mara)
    for seconds, noted in ((0, 0), (60, 0), (61, 61), (90, 61)):
        with time_machine.travel(NOW + timedelta(seconds=seconds), tick=False):
            used = ApiKey.objects.for_secret(secret)
            assert used is not None
            used.touch()
        key.refresh_from_db()
        assert key.last_used_at == NOW + timedelta(seconds=noted)


def test_nobody_revokes_the_key_of_somebody_else(mara: User, jo: User) -> None:
    key, secret = issue(mara)
    client = Client()
    client.force_login(jo)
    assert client.post(f"/account/keys/{key.pk}/revoke/").status_code == 404
    assert ApiKey.objects.for_secret(secret) == key


class TestCommand:
    def test_it_prints_the_key_once_as_json(self, mara: User) -> None:
        printed = StringIO()
        options = ["--name", "CI", "--scope", "write", "--scope", "read", "--days", "30"]
        call_command("create_api_key", "MARA@example.com", *options, stdout=printed)
        made = json.loads(printed.getvalue())
        key = ApiKey.objects.for_secret(made.pop("key"))
        assert key is not None
        assert made == {"id": key.pk, "name": "CI", "scopes": ["read", "write"]}
        assert key.user == mara
        assert key.expires_at is not None

    def test_somebody_who_left_gets_none(self, mara: User) -> None:
        User.objects.filter(pk=mara.pk).update(is_active=False)
        with pytest.raises(CommandError, match=r"mara@example\.com"):
            call_command("create_api_key", "mara@example.com", "--name", "CI", "--scope", "read")
