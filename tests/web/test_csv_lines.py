"""Cells of CSV files: what a spreadsheet would take for a formula is a text."""

import csv

import pytest

from incidents.web.csv_lines import csv_lines


def written(cell: object) -> str:
    _, row = csv.reader("".join(csv_lines([{"title": cell}])).splitlines(keepends=True))
    return row[0]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_a_formula_is_a_text(sign: str) -> None:
    assert written(f"{sign}1+1|cmd") == f"'{sign}1+1|cmd"


@pytest.mark.parametrize("text", ["Recall fell", "1+1=2", "a, “b” and\nc", "5 %", ""])
def test_anything_else_stays_as_it_is(text: str) -> None:
    assert written(text) == text


def test_what_is_unknown_is_empty() -> None:
    assert written(None) == ""
