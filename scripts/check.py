"""Runs the fast checks side by side and names the ones that failed.

A new check is one line of CHECKS: a command that prints what is wrong and then exits with another code than 0.
"""

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
TEMPLATES = [str(file) for file in sorted((HERE / "templates").rglob("*.html"))]

CHECKS: dict[str, list[str | Path]] = {
    "types": [BIN / "mypy", "."],  # the longest first
    # Without a server this compares models and files, which is all that is asked.
    "migrations": [
        BIN / "python",
        "-W",
        "ignore",
        "manage.py",
        *"makemigrations --check --dry-run --skip-checks".split(),
    ],
    # Pinned here, so that no lock file is needed; fetched once by npx, and skipped, loudly, where it cannot be had.
    "scripts and styles": [
        "npx",
        *"--yes --prefer-offline @biomejs/biome@2.6.8 check --error-on-warnings static".split(),
    ],
    "rooms and names": [BIN / "python", "scripts/house.py"],
    "import boundaries": [BIN / "lint-imports", "--no-cache"],
    "ruff check": [BIN / "ruff", "check", "."],
    "ruff format": [BIN / "ruff", "format", "--check", "--quiet", "."],
    "templates": [BIN / "djade", "--check", "--target-version", "5.2", *TEMPLATES],
}
ENVIRONMENT = os.environ | {"npm_config_fetch_retries": "0", "npm_config_fetch_timeout": "15000"}


def forget_renamed_modules() -> None:
    """Throw mypy's cache away when a module is gone: it would go on to find fault with imports of it."""
    cache = HERE / ".mypy_cache"
    modules = {
        str(file) for room in ("bench", "incidents", "reliability", "tests") for file in (HERE / room).rglob("*.py")
    }
    known = cache / "modules.txt"
    if known.exists() and not modules.issuperset(known.read_text().splitlines()):
        shutil.rmtree(cache)
    cache.mkdir(exist_ok=True)
    known.write_text("\n".join(modules))


def run(name: str) -> tuple[bool, str]:
    """Run a check; tell whether it passed or was skipped, with the lines to print."""
    command = CHECKS[name]
    if not shutil.which(command[0]):
        return True, f"SKIPPED  {name}: there is no {command[0]} here"
    began = time.monotonic()
    done = subprocess.run(command, cwd=HERE, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    took = time.monotonic() - began
    if not done.returncode:
        return True, f"ok       {name} ({took:.1f} s)"
    if "npm err" in done.stderr.lower():
        return True, f"SKIPPED  {name}: npx cannot fetch what checks them; is there a network?"
    return False, f"FAILED   {name} ({took:.1f} s)\n{(done.stdout + done.stderr)[-8000:]}"


def main() -> int:
    failed = []
    forget_renamed_modules()
    with ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 1)) as pool:
        running = {pool.submit(run, name): name for name in CHECKS}
        for finished in as_completed(running):
            passed, lines = finished.result()
            print(lines, flush=True)
            if not passed:
                failed.append(running[finished])
    if failed:
        print(f"Failed: {', '.join(failed)}.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
