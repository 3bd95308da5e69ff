"""The demonstration's password is published, so its accounts never stand where others can come."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from incidents.demonstration.safety import published_accounts
from incidents.people.models import PUBLISHED_PASSWORD, User
from tests.running import HERE, environment

ELSEWHERE = (
    {"BASE_URL": "https://faultline.example"},
    {"BASE_URL": "http://192.168.1.20:8000"},
    {"HOST": "0.0.0.0"},
    {"ALLOWED_HOSTS": "faultline.example,localhost"},
    {"ALLOWED_HOSTS": "*"},
)
HERE_ONLY: tuple[dict[str, str], ...] = (
    {},
    {"BASE_URL": "http://localhost:8000"},
    {"BASE_URL": "http://[::1]:8000", "HOST": "::1"},
    {"BASE_URL": "http://faultline.localhost"},
)


def _python(data: Path, *words: str, **more: str) -> "subprocess.CompletedProcess[str]":
    servers = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL")}
    known = environment(data, 8000, **servers, **more)
    return subprocess.run([sys.executable, *words], cwd=HERE, env=known, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("address", ELSEWHERE)
def test_by_default_it_stays_away_where_others_can_come(tmp_path: Path, address: dict[str, str]) -> None:
    finished = _python(tmp_path, "-c", "from reliability import settings; print(settings.DEMO)", **address)
    assert finished.stdout == "False\n", finished.stderr


@pytest.mark.parametrize("address", HERE_ONLY)
def test_by_default_it_loads_where_only_this_machine_can(tmp_path: Path, address: dict[str, str]) -> None:
    finished = _python(tmp_path, "-c", "from reliability import settings; print(settings.DEMO)", **address)
    assert finished.stdout == "True\n", finished.stderr


@pytest.mark.parametrize("address", ELSEWHERE)
def test_wanting_it_there_stops_every_command_with_one_sentence(tmp_path: Path, address: dict[str, str]) -> None:
    refused = _python(tmp_path, "manage.py", "up", DEMO="1", **address)
    assert refused.returncode == 1
    assert "DEMO=1 loads accounts whose password is published" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_it_stops_what_gunicorn_serves_too(tmp_path: Path) -> None:
    refused = _python(tmp_path, "-c", "import reliability.wsgi", DEMO="1", BASE_URL="https://faultline.example")
    assert refused.returncode == 1
    assert "DEMO=1 loads accounts" in refused.stderr.strip().splitlines()[-1]


@pytest.mark.django_db
def test_the_command_refuses_too(settings: Settings) -> None:
    settings.IS_SHARED = True
    with pytest.raises(CommandError, match="others can reach this installation"):
        call_command("load_demo")
    assert not User.objects.exists()


@pytest.mark.django_db
class TestAnAddressThatBecomesPublic:
    def errors(self) -> list[str]:
        return [
            str(message.msg) + str(message.hint) for message in run_checks(tags=["operation"]) if message.is_serious()
        ]

    def test_its_accounts_are_an_error_that_says_what_to_do(self, mara: User, settings: Settings) -> None:
        assert self.errors() == []
        settings.IS_SHARED = True
        (error,) = self.errors()
        assert "mara@example.com" in error
        assert "changepassword" in error

    def test_a_new_password_mends_it_and_so_does_closing_the_account(
        self, mara: User, jo: User, settings: Settings
    ) -> None:
        settings.IS_SHARED = True
        assert published_accounts() == ["jo@example.com", "mara@example.com"]
        mara.set_password("a long one of her own")
        mara.save()
        User.objects.filter(pk=jo.pk).update(is_active=False)
        assert self.errors() == []

    @pytest.mark.parametrize(
        ("path", "name"), [("/accounts/login/", "login"), ("/admin/login/?next=/admin/", "username")]
    )
    def test_the_published_password_opens_nothing(self, path: str, name: str, ada: User, settings: Settings) -> None:
        facts = {name: ada.email, "password": PUBLISHED_PASSWORD}
        settings.IS_SHARED = True
        strange = Client()
        answer = strange.post(path, facts)
        assert answer.status_code == 200
        assert "_auth_user_id" not in strange.session
        settings.IS_SHARED = False
        welcome = Client()
        assert welcome.post(path, facts).status_code == 302

    def test_signing_in_says_why(self, mara: User, settings: Settings) -> None:
        settings.IS_SHARED = True
        answer = Client().post("/accounts/login/", {"login": mara.email, "password": PUBLISHED_PASSWORD})
        assert "This password is published" in answer.content.decode()
