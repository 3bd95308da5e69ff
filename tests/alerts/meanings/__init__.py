"""How each kind of monitor says each thing: one JSON file a kind, from which the table in docs/meanings.md is made.

A cell patches the kind's example by JSON Pointers (`set`, `unset`) or gives a whole `body`, and says in `how` what a
reader of the docs needs; `also` gives further ways of saying it. A cell with nothing but `how` says why the monitor
cannot say it. `python -m tests.alerts.meanings` prints the table.
"""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from incidents.alerts.sources import KINDS, example

CELLS = {
    "firing": "Firing",
    "resolved": "Resolved",
    "vanished": "Ended without recovery",
    "no_data": "No data",
    "check_failed": "Check failed to run",
    "notice": "Notice",
    "test": "Test",
    "escalated": "Escalated",
}
HERE = Path(__file__).parent
PAGE = HERE.parents[2] / "docs" / "meanings.md"


def kinds() -> list[str]:
    return list(KINDS)


def of_kind(slug: str) -> dict[str, Any]:
    meanings: dict[str, Any] = json.loads((HERE / f"{slug}.json").read_text())
    return meanings


def is_said(cell: dict[str, Any]) -> bool:
    return cell.keys() != {"how"}


def body_of(slug: str, cell: dict[str, Any]) -> Any:
    """Give what the monitor sends to say this."""
    body = copy.deepcopy(cell["body"]) if "body" in cell else json.loads(example(slug))
    for pointer, value in cell.get("set", {}).items():
        parent, name = _parent_of(body, pointer)
        parent[name] = value
    for pointer in cell.get("unset", []):
        parent, name = _parent_of(body, pointer)
        del parent[name]
    return body


def _parent_of(body: Any, pointer: str) -> tuple[Any, Any]:
    *path, last = (part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])
    for part in path:
        body = body[int(part)] if isinstance(body, list) else body.setdefault(part, {})
    return body, int(last) if isinstance(body, list) else last


def table() -> str:
    """Write the table of docs/meanings.md: a section a kind, a line a cell."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    for slug in kinds():
        meanings = of_kind(slug)
        yield f"\n## {KINDS[slug].name}\n"
        yield "| it says | by |\n|---|---|"
        for name, title in CELLS.items():
            yield f"| {title} | {meanings[name]['how']} |"
        yield f"| **What names the alert** | {meanings['named_by']['how']} |"
