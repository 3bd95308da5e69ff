"""Claims end as if delivered once and in order, whatever happened to them on the way."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.alerts.episodes import Closed, judge

START = datetime(2026, 11, 20, tzinfo=UTC)


@dataclass(frozen=True)
class Said:
    says: Literal["firing", "resolved"]
    starts_at: datetime
    ends_at: datetime | None


@dataclass
class State:
    """What ingest keeps of one fingerprint."""

    open_from: datetime | None = None
    open_since: datetime | None = None
    closed: Closed | None = None

    def hear(self, said: Said) -> str:
        verdict = judge(
            said.says,
            starts_at=said.starts_at,
            start_given=True,
            ends_at=said.ends_at,
            end_given=said.ends_at is not None,
            open_since=self.open_since,
            closed=self.closed,
        )
        match verdict.result:
            case "opened":
                self.open_from = self.open_since = said.starts_at
            case "repeated":
                assert self.open_since
                self.open_since = max(self.open_since, said.starts_at)
            case "resolved":
                assert self.open_from
                assert said.ends_at
                self.closed = Closed(self.open_from, max(said.ends_at, self.open_from), exact=True)
                self.open_from = self.open_since = None
            case "unseen":
                assert said.ends_at
                self.closed = Closed(said.starts_at, said.ends_at, exact=True)
        return verdict.result


def story(lengths: list[tuple[int, int]], *, still_firing: bool) -> list[Said]:
    """Tell of episodes of these lengths and pauses (minutes), the last one still firing or not."""
    at, told = START, []
    for position, (length, pause) in enumerate(lengths):
        end = at + timedelta(minutes=length)
        told.append(Said("firing", at, None))
        if not (still_firing and position == len(lengths) - 1):
            told.append(Said("resolved", at, end))
        at = end + timedelta(minutes=pause)
    return told


episodes = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 30)), min_size=1, max_size=4)


@given(episodes, st.booleans(), st.data())
def test_any_order_with_any_repeats_ends_in_the_same_state(
    lengths: list[tuple[int, int]], still_firing: bool, data: st.DataObject
) -> None:
    told = story(lengths, still_firing=still_firing)
    repeats = data.draw(st.lists(st.sampled_from(told), max_size=6))
    shuffled, in_order = State(), State()
    for said in told:
        in_order.hear(said)
    for said in data.draw(st.permutations([*told, *repeats])):
        shuffled.hear(said)
    assert (shuffled.open_from is None) == (in_order.open_from is None)


@given(episodes, st.booleans())
def test_in_order_each_episode_opens_once_and_ends_once(lengths: list[tuple[int, int]], still_firing: bool) -> None:
    state = State()
    heard = [state.hear(said) for said in story(lengths, still_firing=still_firing)]
    assert heard.count("opened") == len(lengths)
    assert heard.count("resolved") == len(lengths) - still_firing


def test_a_late_resolve_of_the_first_episode_does_not_end_the_second() -> None:
    first, resolve, second = story([(5, 5), (5, 5)], still_firing=True)
    state = State()
    assert [state.hear(said) for said in (first, second, resolve)] == ["opened", "repeated", "stale"]
    assert state.open_from == START


ENDED = Closed(START, START + timedelta(minutes=10), exact=True)
INFERRED = Closed(START, START + timedelta(minutes=10), exact=False)
OVER = "It is about an episode that has ended already."
NEW = "Nothing with this fingerprint was firing."


@pytest.mark.parametrize(
    ("minute", "start_given", "closed", "result", "reason"),
    [
        (0, True, None, "opened", NEW),
        (9, True, ENDED, "stale", OVER),
        (10, True, ENDED, "stale", OVER),
        (11, True, ENDED, "opened", NEW),
        (9, False, ENDED, "opened", NEW),
        (0, True, INFERRED, "stale", OVER),
        (1, True, INFERRED, "opened", NEW),
    ],
)
def test_a_firing_opens_what_began_after_the_last_episode_as_far_as_its_end_is_known(
    minute: int, start_given: bool, closed: Closed | None, result: str, reason: str
) -> None:
    """An end that was inferred is our clock's, and swallows no new episode."""
    verdict = judge(
        "firing",
        starts_at=START + timedelta(minutes=minute),
        start_given=start_given,
        ends_at=None,
        end_given=False,
        open_since=None,
        closed=closed,
    )
    assert (verdict.result, verdict.reason) == (result, reason)


def test_a_firing_repeats_what_is_firing_whenever_it_says_that_it_began() -> None:
    for minute in (0, 5, 30):
        verdict = judge(
            "firing",
            starts_at=START + timedelta(minutes=minute),
            start_given=True,
            ends_at=None,
            end_given=False,
            open_since=START + timedelta(minutes=20),
            closed=ENDED,
        )
        assert (verdict.result, verdict.reason) == ("repeated", "It is firing already.")


@pytest.mark.parametrize(
    ("minute", "end_given", "result", "reason"),
    [
        (19, True, "stale", "It resolves an earlier episode than the one that is firing."),
        (20, True, "resolved", "It ends the episode that was firing."),
        (19, False, "resolved", "It ends the episode that was firing."),
    ],
)
def test_a_resolve_ends_what_is_firing_unless_its_end_was_given_and_is_earlier(
    minute: int, end_given: bool, result: str, reason: str
) -> None:
    verdict = judge(
        "resolved",
        starts_at=START,
        start_given=True,
        ends_at=START + timedelta(minutes=minute),
        end_given=end_given,
        open_since=START + timedelta(minutes=20),
        closed=None,
    )
    assert (verdict.result, verdict.reason) == (result, reason)


@pytest.mark.parametrize(
    ("minute", "start_given", "closed", "result", "reason"),
    [
        (10, True, ENDED, "stale", "That episode has ended already."),
        (11, False, ENDED, "stale", "That episode has ended already."),
        (11, True, ENDED, "unseen", f"{NEW.rstrip('.')}, so there is nothing to open."),
        (0, True, None, "unseen", f"{NEW.rstrip('.')}, so there is nothing to open."),
    ],
)
def test_a_resolve_of_what_does_not_fire_opens_nothing(
    minute: int, start_given: bool, closed: Closed | None, result: str, reason: str
) -> None:
    verdict = judge(
        "resolved",
        starts_at=START + timedelta(minutes=minute),
        start_given=start_given,
        ends_at=START + timedelta(minutes=30),
        end_given=True,
        open_since=None,
        closed=closed,
    )
    assert (verdict.result, verdict.reason) == (result, reason)
