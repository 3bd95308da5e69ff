"""How long output was wrong: what is not over yet counts so far, and wherever it is said it is the same."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone

from incidents.people.models import User
from incidents.reports.cache import worked_out
from incidents.reports.document import Tile
from incidents.reports.saved import SavedReport
from incidents.reports.scope import Asked, ReportScope
from incidents.reports.trends import trends
from incidents.reports.trust import judged_days, scorecards
from incidents.reports.views.shared import context_of
from incidents.response.incident import Incident
from incidents.systems.models import System
from incidents.web.durations import span

Happened = Callable[..., Incident]
AsPerson = Callable[[User], Client]


def tile_of(user: User, asked: Asked) -> Tile:
    return next(tile for tile in trends(user, asked).tiles if tile.label == "Output was wrong for")


def rows_of(url: str, client: Client) -> int:
    return client.get(url).content.decode().count("data-row")


def still_wrong(happened: Happened, days: float) -> Incident:
    return happened(days, contained_at=None, resolved_at=None, status="investigating")


def test_what_is_not_over_counts_so_far_with_how_many_and_their_rows(
    happened: Happened, lee: User, asked: Asked, as_person: AsPerson
) -> None:
    happened(3)  # 2 h
    happened(9, contained_at=None)  # 6 h, until it was resolved
    still_wrong(happened, 2)  # 2 d 1 h
    still_wrong(happened, 1)  # 1 d 1 h
    happened(4, impact_started_at=None)
    happened(5, impact_started_at=timezone.now())  # began after it was contained, which cannot be
    happened(6, contained_at=None, resolved_at=None, status="investigating", impact_started_at=None)
    tile = tile_of(lee, asked)
    assert tile.value == "3 d 10 h so far"
    assert tile.note == "In all, across the 4 of 7 incidents that say since when."
    (so_far,) = tile.more
    assert so_far.text == "2 not over yet, counted so far"
    client = as_person(lee)
    assert (rows_of(tile.url, client), rows_of(so_far.url, client)) == (4, 2)


def test_what_is_over_is_not_so_far(happened: Happened, lee: User, asked: Asked) -> None:
    happened(3)
    tile = tile_of(lee, asked)
    assert (tile.value, tile.more) == ("2 h", ())


def test_where_none_says_since_when_it_is_unknown_and_not_zero(happened: Happened, lee: User, asked: Asked) -> None:
    happened(3, impact_started_at=None)
    assert tile_of(lee, asked).value == "unknown"


def test_a_private_incident_that_is_not_over_counts_for_whom_it_names(
    happened: Happened, mara: User, lee: User, asked: Asked
) -> None:
    happened(3)
    incident = still_wrong(happened, 2)
    incident.restrict([mara], by=mara)
    assert (tile_of(lee, asked).value, len(tile_of(mara, asked).more)) == ("2 h", 1)


def test_the_tile_the_saved_report_the_pdf_and_trust_agree(
    happened: Happened, jo: User, lee: User, support_assistant: System, as_person: AsPerson
) -> None:
    asked = Asked(judged_days(), ReportScope())
    happened(9)
    still_wrong(happened, 2)
    report = SavedReport.objects.freeze(asked, by=jo)
    (card,) = scorecards(lee, asked, [System.objects.get(pk=support_assistant.pk)])
    tile = tile_of(lee, asked)
    assert tile.value == f"{span(card.wrong)} so far" == "2 d 3 h so far"
    saved = next(each for each in report.data["trends"]["tiles"] if each["label"] == tile.label)
    assert (saved["value"], saved["note"]) == (tile.value, tile.note)
    client = as_person(lee)
    for page in (
        client.get(report.get_absolute_url()).content.decode(),
        render_to_string("reports/print.html", context_of(*worked_out(lee, asked))),
        client.get("/reports/trust/support-assistant/").content.decode(),
    ):
        value = page.split('tile__label">Output was wrong for', 1)[1].split("tile__note", 1)[0]
        assert "2 d 3 h so far" in " ".join(value.split())


def test_stored_months_know_what_is_not_over(
    happened: Happened, lee: User, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    still_wrong(happened, 70)
    longer = replace(
        asked, period=replace(asked.period, since=(asked.period.since - timedelta(days=40)).replace(day=1))
    )
    from_rows = tile_of(lee, longer)
    monkeypatch.setattr("incidents.reports.known.MANY", 0)
    assert tile_of(lee, longer) == from_rows
    assert from_rows.more
