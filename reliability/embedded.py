"""PostgreSQL and Redis from wheels, with their data under the data folder and unix sockets only."""

import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

_LONGEST_SOCKET = 100  # sun_path holds 108 bytes on Linux, 104 on macOS


def run_dir(data: Path) -> Path:
    """Where the sockets are: DATA/run, or a private folder in /tmp where that path is too long for a socket."""
    near = data / "run"
    if len(str(near / ".s.PGSQL.5432")) <= _LONGEST_SOCKET:
        return near
    return Path("/tmp") / f"faultline-{hashlib.sha256(str(data).encode()).hexdigest()[:12]}"  # noqa: S108


def secret_key(data: Path) -> str:
    """Read this installation's own key, made on its first start and readable by its owner only."""
    file = data / "secret_key"
    data.mkdir(parents=True, exist_ok=True)
    try:
        made = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text()
    with os.fdopen(made, "w") as handle:
        handle.write(secrets.token_urlsafe(50))
    return file.read_text()


@dataclass(frozen=True)
class Postgres:
    data: Path
    name: str = "faultline"

    def django_settings(self) -> dict[str, object]:
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": self.name,
            "USER": "faultline",
            "HOST": str(run_dir(self.data)),
            "PORT": "5432",
        }


@dataclass(frozen=True)
class Valkey:
    data: Path

    @property
    def url(self) -> str:
        return f"redis+socket://{run_dir(self.data) / 'valkey.sock'}"
