"""The settings of a deployment."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import environment

HERE = Path(__file__).resolve().parent.parent.parent


def run_python(env: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=HERE, env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {
            "BASE_URL": "https://faultline.example",
            "EMAIL_URL": "smtp://mail.example",
            "DEMO": "0",
            "SECRET_KEY": "x" * 60 + "abcdefgh",
        },
    ],
)
def test_the_deployment_check_is_clean(tmp_path: Path, more: dict[str, str]) -> None:
    servers = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL")}
    finished = run_python(
        environment(tmp_path, 8000, **servers, **more), *"manage.py check --deploy --fail-level INFO".split()
    )
    assert finished.returncode == 0, finished.stderr
    assert "no issues" in finished.stdout


def test_plain_http_for_others_is_warned_about(tmp_path: Path) -> None:
    finished = run_python(
        environment(tmp_path, 8000, BASE_URL="http://faultline.example"),
        *"manage.py check --tag operation --fail-level WARNING".split(),
    )
    assert "unencrypted" in finished.stderr


def test_what_stands_at_the_end_of_the_database_address_is_kept(tmp_path: Path) -> None:
    show = "from reliability import settings; print(settings.DATABASES['default']['OPTIONS'])"
    address = "postgresql://faultline@%2Frun%2Fpostgresql/faultline?sslmode=verify-full"
    finished = run_python(environment(tmp_path, 8000, DATABASE_URL=address), "-c", show)
    assert "'sslmode': 'verify-full'" in finished.stdout
    assert "statement_timeout" in finished.stdout


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_data_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    finished = run_python(environment(tmp_path / "data", 8000), "manage.py", "up")
    tmp_path.chmod(0o700)
    assert finished.returncode == 1
    assert "cannot be written" in finished.stderr
    assert "Traceback" not in finished.stderr
