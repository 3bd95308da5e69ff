"""What each kind of monitor says, in each of its ways: the cells of docs/meanings.md, each read here."""

import json
from typing import Any

import pytest

from incidents.alerts.claims import Claim
from incidents.alerts.escalation import severity_claimed
from incidents.alerts.models import AlertSeverity
from incidents.alerts.sources.readers import READERS
from tests.alerts import meanings

# What a cell's claim says and which condition it has; a test may be told of anything.
SAID = {
    "firing": ("firing", "bad_value"),
    "resolved": ("resolved", "bad_value"),
    "vanished": ("resolved", "no_data"),
    "no_data": ("firing", "no_data"),
    "check_failed": ("firing", "check_failed"),
    "notice": ("firing", "notice"),
    "escalated": ("firing", "bad_value"),
}


def claims(slug: str, cell: dict[str, Any]) -> list[Claim]:
    body = json.dumps(meanings.body_of(slug, cell)).encode()
    statements = READERS[slug](body, {"content-type": "application/json"} | cell.get("headers", {}))
    return [statement for statement in statements if isinstance(statement, Claim)]


def claim(slug: str, cell: dict[str, Any]) -> Claim:
    return claims(slug, cell)[0]


def said_cells() -> list[tuple[str, str]]:
    return [
        (slug, name)
        for slug in meanings.kinds()
        for name in meanings.CELLS
        if meanings.is_said(meanings.of_kind(slug)[name])
    ]


@pytest.mark.parametrize(("slug", "name"), said_cells())
def test_each_cell_is_understood(slug: str, name: str) -> None:
    known = meanings.of_kind(slug)[name]
    for cell in (known, *known.get("also", [])):
        if cell.get("opens_nothing"):  # a handshake or a change, which makes no claim at all
            assert claims(slug, cell) == []
            continue
        said = claim(slug, cell)
        if name == "test":
            assert said.condition == "test"
        else:
            assert (said.says, said.condition) == SAID[name]
        for words in cell.get("title", []):
            assert words in said.title


@pytest.mark.parametrize("slug", meanings.kinds())
def test_what_is_one_alert_has_one_name_in_whichever_way_it_is_told(slug: str) -> None:
    known = meanings.of_kind(slug)
    firing = claim(slug, known["firing"])
    for name in ("resolved", "vanished", "no_data", "escalated"):
        cell = known[name]
        if meanings.is_said(cell) and not cell.get("own_identity") and not cell.get("opens_nothing"):
            assert claim(slug, cell).identity == firing.identity, name


@pytest.mark.parametrize("slug", meanings.kinds())
def test_what_names_it_tells_two_apart_and_nothing_else_does(slug: str) -> None:
    known = meanings.of_kind(slug)
    identity = claim(slug, known["firing"]).identity
    assert known["named_by"]["another"], "at least one patch makes another alert of it"
    for cell in known["named_by"]["another"]:
        assert claim(slug, cell).identity != identity, cell
    for cell in known["named_by"]["the_same"]:
        assert claim(slug, cell).identity == identity, cell


@pytest.mark.parametrize("slug", [slug for slug, name in said_cells() if name == "escalated"])
def test_an_escalation_is_worse(slug: str) -> None:
    known, mildest_first = meanings.of_kind(slug), list(reversed(AlertSeverity.values))
    milder = known["escalated"].get("from", known["firing"])
    before, after = (severity_claimed(claim(slug, cell)) for cell in (milder, known["escalated"]))
    assert mildest_first.index(after) > mildest_first.index(before)


def test_the_page_shows_these_cells() -> None:
    assert meanings.table().strip() in meanings.PAGE.read_text(), "run: python -m tests.alerts.meanings"
