"""The six clocks on one line: to scale where that can be read, and labels that never overlap."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import example, given
from hypothesis import strategies as st

from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.response.track import NARROWEST, Mark, Track, track
from incidents.response.vocabulary import CLOCKS, Status

Page = Callable[[User], Client]
START = datetime(2026, 3, 1, 8, tzinfo=UTC)
NAMES = list(CLOCKS)


def at(**minutes: float) -> dict[str, datetime | None]:
    return {f"{name}_at": START + timedelta(minutes=after) for name, after in minutes.items()}


def kinds(line: Track) -> list[str]:
    return [part.kind for part in line.parts]


def place(line: Track, name: str) -> float:
    return next(mark.x for mark in line.marks if mark.name == name)


_after = st.none() | st.floats(0, 10**6) | st.sampled_from([0.0, 1.0, 2.0, 60.0])
_clocks = st.fixed_dictionaries(
    {name: _after for name in NAMES if name != "declared_at"} | {"declared_at": st.floats(0, 10**6)}
)


def _drawn(clocks: dict[str, float | None], hours: float | None, *, is_open: bool) -> Track:
    known = {name: None if after is None else START + timedelta(minutes=after) for name, after in clocks.items()}
    begin = known["impact_started_at"]
    until = begin + timedelta(hours=hours) if begin and hours is not None else None
    now = max(moment for moment in (*known.values(), until) if moment) + timedelta(hours=1) if is_open else None
    return track(known, unknown=[name for name in NAMES if known[name] is None], until=until, now=now)


def _box(mark: Mark, width: float) -> tuple[float, float]:
    """Where a label reaches on a line of this width, from the place of its mark inwards."""
    place = mark.x / 100 * width
    return (place - mark.width, place) if mark.is_above else (place, place + mark.width)


class TestLegible:
    @given(_clocks, st.none() | st.floats(0, 1000), st.booleans(), st.sampled_from([NARROWEST, 288, 380, 900]))
    @example(dict.fromkeys(NAMES, 5.0), None, True, NARROWEST)
    @example(dict.fromkeys(NAMES) | {"declared_at": 5.0}, None, False, NARROWEST)
    def test_no_label_overlaps_another_nor_the_line_that_leads_to_one(
        self, clocks: dict[str, float | None], hours: float | None, is_open: bool, width: int
    ) -> None:
        line = _drawn(clocks, hours, is_open=is_open)
        for mark in line.marks:
            left, right = _box(mark, width)
            assert -0.1 <= left <= right <= width + 0.1, "no label leaves the line"
        for first, second in combinations(line.marks, 2):
            if first.is_above != second.is_above:
                continue
            (left, right), (from_, to) = _box(first, width), _box(second, width)
            if first.row == second.row:
                assert right <= from_ + 0.1 or to <= left + 0.1, (first, second)
            for label, other in ((first, second), (second, first)):
                reach = _box(label, width)
                if label.row < other.row and label.x != other.x:
                    assert not reach[0] + 0.1 < other.x / 100 * width < reach[1] - 0.1, "no lead runs through a label"

    @given(_clocks, st.none() | st.floats(0, 1000), st.booleans())
    def test_the_parts_follow_one_another_and_the_marks_stand_in_the_order_of_time(
        self, clocks: dict[str, float | None], hours: float | None, is_open: bool
    ) -> None:
        line = _drawn(clocks, hours, is_open=is_open)
        for first, second in zip(line.parts, line.parts[1:], strict=False):
            assert abs(first.x + first.width - second.x) < 0.05
        known = sorted((after, place(line, name)) for name, after in clocks.items() if after is not None)
        assert [x for _, x in known] == sorted(x for _, x in known)
        assert all(part.width > 0 for part in line.parts)
        if is_open:
            assert place(line, "now") == pytest.approx(98, abs=0.1)


class TestScale:
    def test_steps_that_can_be_seen_are_drawn_to_scale(self) -> None:
        line = track(
            at(impact_started=0, detected=60, declared=90, acknowledged=120, contained=180, resolved=240), unknown=[]
        )
        assert not line.is_compressed
        assert [round(part.width / line.parts[0].width, 2) for part in line.parts] == [1, 0.5, 0.5, 1, 1]

    def test_steps_too_short_to_see_are_drawn_longer_and_that_is_said(
        self, incident: Incident, mara: User, as_person: Page
    ) -> None:
        line = track(at(impact_started=0, detected=20 * 60, declared=20 * 60 + 2, resolved=20 * 60 + 30), unknown=[])
        assert line.is_compressed
        assert line.parts[0].width == max(part.width for part in line.parts)
        assert min(part.width for part in line.parts) >= 8
        words = "Not to scale: short steps are drawn longer."
        client = as_person(mara)
        assert words not in client.get(incident.get_absolute_url()).content.decode(), "one step is to scale"
        long_ago = timezone.now() - timedelta(days=30)
        Incident.objects.filter(pk=incident.pk).update(detected_at=long_ago, acknowledged_at=None)
        Incident.objects.filter(pk=incident.pk).update(declared_at=long_ago + timedelta(minutes=5))
        assert words in client.get(incident.get_absolute_url()).content.decode()

    def test_what_is_opened_this_moment_has_a_line_up_to_now(self) -> None:
        line = track(at(detected=0, declared=0, acknowledged=0), unknown=[], now=START + timedelta(seconds=1))
        assert (kinds(line), line.is_compressed, place(line, "declared_at")) == (["rest"], False, 2)


class TestWhatItShows:
    def test_silence_is_what_lies_between_start_and_detection(self) -> None:
        line = track(at(impact_started=0, detected=60, declared=90, resolved=240), unknown=[])
        assert kinds(line) == ["silence", "rest", "rest"]
        just_now = track(at(impact_started=0, detected=60), unknown=[], now=START + timedelta(minutes=60, seconds=5))
        assert kinds(just_now) == ["silence", "rest"], "what came after it was noticed is no silence"
        early = track(at(impact_started=60, detected=0, declared=90), unknown=[])
        assert "silence" not in kinds(early), "detected before it began: an odd order is no silence"

    def test_a_start_that_is_a_range_is_drawn_as_one(self) -> None:
        clocks = at(impact_started=0, detected=120, declared=180)
        line = track(clocks, unknown=[], until=START + timedelta(minutes=60))
        assert kinds(line) == ["range", "silence", "rest"]

    def test_an_unknown_start_is_a_hatched_stub_and_no_silence(self) -> None:
        line = track(at(detected=0, declared=30, resolved=90), unknown=["impact_started_at"])
        assert kinds(line) == ["gap", "rest", "rest"]
        assert (line.marks[0].label, line.marks[0].is_known) == ("Impact started?", False)

    def test_an_unknown_clock_is_hatched_between_those_that_are_known(self) -> None:
        line = track(at(impact_started=0, declared=60, resolved=120), unknown=["detected_at", "acknowledged_at"])
        assert kinds(line) == ["gap", "gap"]
        names = [mark.name for mark in line.marks]
        assert names == ["impact_started_at", "detected_at", "declared_at", "acknowledged_at", "resolved_at"]

    def test_what_is_still_to_come_is_neither_hatched_nor_marked(self) -> None:
        line = track(at(impact_started=0, detected=60, declared=60), unknown=[], now=START + timedelta(hours=2))
        assert kinds(line) == ["silence", "rest"]
        assert [mark.name for mark in line.marks][-1] == "now"
        assert "now" not in [mark.name for mark in track(at(detected=0, declared=60), unknown=[]).marks]


class TestWordsForNoTime:
    @pytest.mark.parametrize(
        ("status", "acknowledged", "contained"),
        [
            (Status.TRIAGE, "not yet", "not yet"),
            (Status.INVESTIGATING, "unknown", "not yet"),
            (Status.CONTAINED, "unknown", "unknown"),
            (Status.RESOLVED, "unknown", "unknown"),
            (Status.DECLINED, "never", "never"),
        ],
    )
    def test_what_has_no_time_is_unknown_only_if_it_must_have_one(
        self, incident: Incident, rui: User, as_person: Page, status: Status, acknowledged: str, contained: str
    ) -> None:
        ended = timezone.now() if status == Status.RESOLVED else None
        Incident.objects.filter(pk=incident.pk).update(
            status=status, acknowledged_at=None, contained_at=None, resolved_at=ended
        )
        page = as_person(rui).get(incident.get_absolute_url())
        words = {name: word if time is None else "" for name, _, _, time, word in page.context["clocks"]}
        assert words["impact_started_at"] == "unknown"
        assert (words["acknowledged_at"], words["contained_at"]) == (acknowledged, contained)
        listed = " ".join(re.sub(r"<[^>]+>", " ", page.content.decode().partition('id="clocks"')[2]).split())
        assert f"Acknowledged {acknowledged} Contained {contained}" in listed
