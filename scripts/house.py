"""Checks what no linter knows of this house: readable templates, rooms of one reader, names that mean one thing.

Prints one line for each place that breaks a rule and exits 1, or prints nothing and exits 0.
"""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
WIDEST = 120  # characters of a template's line
LONGEST_TEMPLATE = 120  # lines
LONGEST_MODULE = 400  # lines
# Each is the framework's or the language's own word, and means the same wherever it stands.
SHARED_CLASS_NAMES = {"Command", "Meta"}
ADDRESS = re.compile(
    r"(?:^|=[\"'])/(incidents|alerts|sources|systems|deliveries|rules|silences|postmortems|follow-ups|reports|status|public|teams|account)/"
)


def modules(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from (file for file in sorted((HERE / folder).rglob("*.py")) if "migrations" not in file.parts)


def templates() -> Iterator[str]:
    for file in sorted((HERE / "templates").rglob("*.html")):
        lines = file.read_text().splitlines()
        where = file.relative_to(HERE)
        if len(lines) > LONGEST_TEMPLATE:
            yield f"{where}: {len(lines)} lines; split it by what it shows ({LONGEST_TEMPLATE} at most)"
        for number, line in enumerate(lines, 1):
            if re.search(r"\.(items|keys|values) *(%}|\|)", line):
                yield f"{where}:{number}: an entry of that name would be shown instead; use |pairs"
            if len(line) > WIDEST:
                yield f"{where}:{number}: {len(line)} characters in one line ({WIDEST} at most)"


def rooms() -> Iterator[str]:
    for file in modules("incidents", "reliability", "scripts", "bench"):
        lines = file.read_text().count("\n")
        if lines > LONGEST_MODULE:
            yield f"{file.relative_to(HERE)}: {lines} lines; it is two rooms ({LONGEST_MODULE} at most)"


def class_names() -> Iterator[str]:
    """Two public classes never share a name; inner ones (Kind, State, Meta) belong to their class."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in modules("incidents", "reliability"):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(f"{file.relative_to(HERE)}:{node.lineno}")
    for name, places in found.items():
        if len(places) > 1 and name not in SHARED_CLASS_NAMES:
            yield f"{places[0]}: class {name} also stands in {', '.join(places[1:])}"


def addresses() -> Iterator[str]:
    """Addresses of pages come from reverse(), so that one that moves breaks a test and not a link."""
    for file in modules("incidents"):
        if file.name in ("urls.py", "openapi.py"):
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and ADDRESS.search(node.value):
                yield f"{file.relative_to(HERE)}:{node.lineno}: the address {node.value!r}; use reverse()"
    for file in sorted((HERE / "templates").rglob("*.html")):
        for number, line in enumerate(file.read_text().splitlines(), 1):
            for href in re.findall(r'(?:href|action|hx-get|hx-post|formaction)="(/[^"{]*)', line):
                if ADDRESS.match(href):
                    yield f"{file.relative_to(HERE)}:{number}: the address {href!r}; use {{% url %}}"


def main() -> int:
    broken = [*templates(), *rooms(), *class_names(), *addresses()]
    for line in broken:
        print(line)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
