"""Runs the fast checks one after the other and names the ones that failed."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
TEMPLATES = [str(file) for file in sorted((HERE / "templates").rglob("*.html"))]

CHECKS: dict[str, list[str | Path]] = {
    "ruff check": [BIN / "ruff", "check", "."],
    "ruff format": [BIN / "ruff", "format", "--check", "--quiet", "."],
    "templates": [BIN / "djade", "--check", "--target-version", "5.2", *TEMPLATES],
    "import boundaries": [BIN / "lint-imports", "--no-cache"],
    # Pinned here, so that no lock file is needed; fetched once by npx, and skipped, loudly, where it cannot be had.
    "scripts": [
        "npx",
        "--yes",
        "--prefer-offline",
        "@biomejs/biome@2.6.8",
        "check",
        "--error-on-warnings",
        "static/js",
    ],
    "types": [BIN / "mypy", "."],
    # Without a server this compares models and files, which is all that is asked.
    "migrations": [BIN / "python", "-W", "ignore", "manage.py", "makemigrations", "--check", "--dry-run"],
}

ENVIRONMENT = os.environ | {"npm_config_fetch_retries": "0", "npm_config_fetch_timeout": "15000"}


def main() -> int:
    failed = []
    for name, command in CHECKS.items():
        began = time.monotonic()
        if not shutil.which(command[0]):
            print(f"SKIPPED  {name}: there is no {command[0]} here", flush=True)
            continue
        done = subprocess.run(command, cwd=HERE, env=ENVIRONMENT, capture_output=True, text=True, check=False)
        if done.returncode and "npm err" in done.stderr.lower():
            print(f"SKIPPED  {name}: npx cannot fetch what checks them; is there a network?", flush=True)
            continue
        print(f"{'ok    ' if not done.returncode else 'FAILED'}  {name} ({time.monotonic() - began:.1f} s)", flush=True)
        if done.returncode:
            failed.append(name)
            print((done.stdout + done.stderr)[-8000:], flush=True)
    if failed:
        print(f"Failed: {', '.join(failed)}.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
