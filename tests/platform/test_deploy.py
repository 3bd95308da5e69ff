"""The settings of a deployment."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import environment

HERE = Path(__file__).resolve().parent.parent.parent


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
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "INFO"],
        cwd=HERE,
        env=environment(tmp_path, 8000, **servers, **more),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_plain_http_for_others_is_warned_about(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--tag", "operation", "--fail-level", "WARNING"],
        cwd=HERE,
        env=environment(tmp_path, 8000, BASE_URL="http://faultline.example"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "in the clear" in done.stderr


def test_what_stands_at_the_end_of_the_database_address_is_kept(tmp_path: Path) -> None:
    show = "from reliability import settings; print(settings.DATABASES['default']['OPTIONS'])"
    address = "postgresql://faultline@%2Frun%2Fpostgresql/faultline?sslmode=verify-full"
    done = subprocess.run(
        [sys.executable, "-c", show],
        cwd=HERE,
        env=environment(tmp_path, 8000, DATABASE_URL=address),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "'sslmode': 'verify-full'" in done.stdout
    assert "statement_timeout" in done.stdout


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_data_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    done = subprocess.run(
        [sys.executable, "manage.py", "up"],
        cwd=HERE,
        env=environment(tmp_path / "data", 8000),
        capture_output=True,
        text=True,
        check=False,
    )
    tmp_path.chmod(0o700)
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
