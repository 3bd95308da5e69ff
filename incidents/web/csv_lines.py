"""Rows as CSV, line by line, and safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any


def csv_lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Write them line by line; a cell that a spreadsheet would take for a formula gets an apostrophe before it."""
    for number, row in enumerate(rows):
        if number == 0:
            yield _line(row.keys())
        yield _line([_cell(value) for value in row.values()])


def _line(cells: Any) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


# To a spreadsheet, the wide signs of East Asian keyboards among them.
_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return f"'{text}" if text.startswith(_BEGINS_A_FORMULA) else text
