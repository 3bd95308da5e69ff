"""The container set-up. Where no engine runs, its structure is checked here and by `docker compose config` if it is there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

HERE = Path(__file__).resolve().parent.parent.parent
OURS = {"web", "worker", "beat", "sweeper", "migrate"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load((HERE / "docker-compose.yml").read_text())
    return services


def test_every_part_of_faultline_is_there_and_restarts(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == OURS | {"postgres", "redis"}
    assert all(
        service["restart"] == ("no" if name == "migrate" else "unless-stopped") for name, service in services.items()
    )


def test_nothing_starts_before_the_database_is_migrated(compose: dict[str, Any]) -> None:
    for name in OURS - {"migrate"}:
        waits = compose["services"][name]["depends_on"]
        assert waits["migrate"]["condition"] == "service_completed_successfully"


def test_no_secret_stands_in_the_file_and_none_may_be_missing(compose: dict[str, Any]) -> None:
    text = (HERE / "docker-compose.yml").read_text()
    for name in ("SECRET_KEY", "POSTGRES_PASSWORD", "BASE_URL"):
        assert re.search(rf"\$\{{{name}:\?", text), f"{name} must be asked for"
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if "PASSWORD" in name or "SECRET" in name:
                assert value.startswith("${")


def test_volumes_that_are_used_are_declared_and_ports_are_loopback(compose: dict[str, Any]) -> None:
    used = {mount.split(":")[0] for service in compose["services"].values() for mount in service.get("volumes", [])}
    assert used == set(compose["volumes"])
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_image_runs_as_nobody_special_from_locked_packages() -> None:
    lines = (HERE / "Dockerfile").read_text().splitlines()
    words = [line.split()[0] for line in lines if line and not line.startswith((" ", "#"))]
    assert set(words) <= {"FROM", "ENV", "WORKDIR", "COPY", "RUN", "USER", "EXPOSE", "HEALTHCHECK", "CMD"}
    assert "USER 10001" in lines
    assert any("--require-hashes" in line for line in lines)
    assert not any(re.match(r"FROM \S+(:latest)?$", line) and ":" not in line for line in lines)


@pytest.mark.parametrize(
    "command",
    [
        ["hadolint", "Dockerfile"],
        ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"],
    ],
    ids=["Dockerfile", "docker-compose.yml"],
)
def test_linters_find_nothing(command: list[str]) -> None:
    program = Path(sys.executable).parent / command[0]
    done = subprocess.run([program, *command[1:]], cwd=HERE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_docker_compose_itself_accepts_the_file() -> None:
    docker = shutil.which("docker")
    if not docker or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("docker compose is not here; the structure was checked by the tests above.")
    variables = {"SECRET_KEY": "s", "POSTGRES_PASSWORD": "p", "BASE_URL": "https://faultline.example"}
    done = subprocess.run(
        [docker, "compose", "config", "--quiet"], cwd=HERE, env=os.environ | variables, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_secrets_and_data_of_the_checkout_stay_out_of_the_image() -> None:
    kept_out = set((HERE / ".dockerignore").read_text().splitlines())
    assert {".env", ".git", ".venv", "var"} <= kept_out
