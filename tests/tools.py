"""Programs outside Python that some tests drive. Where one is missing its tests skip, loudly, and in CI they fail."""

import os
import shutil
from pathlib import Path

import pytest

not_tested: list[str] = []
reported: list[str] = []  # figures of a run that people want to read at its end


def print_at_end(line: str) -> None:
    reported.append(line)


def chromium() -> str | None:
    """Find a Chromium: the one of CHROMIUM=, the system's, or the browser driver's own."""
    chosen = os.environ.get("CHROMIUM")
    named = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    own = sorted((Path.home() / ".cache" / "ms-playwright").glob("chromium-*/chrome-linux*/chrome"))
    return next((path for path in (chosen, *named, *map(str, own)) if path and Path(path).exists()), None)


def alertmanager() -> str | None:
    return shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")


def prometheus() -> str | None:
    return shutil.which("prometheus")


def sender(name: str) -> str:
    """Find the Python in which a library that sends alerts is installed (`make senders`); without it, skip loudly."""
    place = Path(os.environ.get("SENDERS") or Path(__file__).resolve().parent.parent / ".senders") / name
    if (place / "bin" / "python").exists():
        return str(place / "bin" / "python")
    sentence = f"NOT TESTED, because {name} is not installed (make senders): the lines of docs/sources/{name}.md with the real library."
    not_tested.append(sentence)
    pytest.skip(sentence)


def needed(path: str | None, *, program: str, what: str) -> str:
    """Return the program's path; without it, skip (in CI fail) and say at the end what was not tested."""
    if path:
        return path
    sentence = f"NOT TESTED, because {program} is missing here: {what}."
    if os.environ.get("CI") == "true":
        pytest.fail(sentence)
    if sentence not in not_tested:
        not_tested.append(sentence)
    pytest.skip(sentence)
