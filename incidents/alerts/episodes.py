"""What a claim does to the episodes of its fingerprint. Pure, so that a model can be checked against it.

Delivered twice, late or out of order, claims end as if delivered once and in order: a stale firing never opens
anything again, and a resolve that comes before its firing opens nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Result = Literal["opened", "repeated", "resolved", "stale", "unseen"]


@dataclass(frozen=True, slots=True)
class Closed:
    """The newest episode that has ended. `exact` where the monitor itself said when."""

    starts_at: datetime
    ends_at: datetime
    exact: bool


@dataclass(frozen=True, slots=True)
class EpisodeVerdict:
    result: Result
    reason: str


def judge(
    says: Literal["firing", "resolved"],
    *,
    starts_at: datetime,
    start_given: bool,
    ends_at: datetime | None,
    end_given: bool,
    open_since: datetime | None,
    closed: Closed | None,
) -> EpisodeVerdict:
    """Decide what one claim does, given the firing episode (if any) and the newest one that ended (if any).

    `open_since` is the newest start that was given for the firing episode: where the resolve between two episodes is
    late, the second one's firing repeats the first, and the late resolve must not end it.
    """
    if says == "firing":
        return _judge_firing(starts_at, start_given=start_given, open_since=open_since, closed=closed)
    return _judge_resolve(starts_at, start_given, ends_at, end_given, open_since=open_since, closed=closed)


def _judge_firing(
    starts_at: datetime, *, start_given: bool, open_since: datetime | None, closed: Closed | None
) -> EpisodeVerdict:
    if open_since is not None:
        return EpisodeVerdict("repeated", "It is firing already.")
    if closed and start_given:
        # An end that we had to infer is our clock, not the monitor's: comparing with it could swallow a new episode.
        bound = closed.ends_at if closed.exact else closed.starts_at
        if starts_at <= bound:
            return EpisodeVerdict("stale", "It is about an episode that has ended already.")
    return EpisodeVerdict("opened", "Nothing with this fingerprint was firing.")


def _judge_resolve(
    starts_at: datetime,
    start_given: bool,
    ends_at: datetime | None,
    end_given: bool,
    *,
    open_since: datetime | None,
    closed: Closed | None,
) -> EpisodeVerdict:
    if open_since is not None:
        if end_given and ends_at is not None and ends_at < open_since:
            return EpisodeVerdict("stale", "It resolves an earlier episode than the one that is firing.")
        return EpisodeVerdict("resolved", "It ends the episode that was firing.")
    if closed and (not start_given or starts_at <= closed.ends_at):
        return EpisodeVerdict("stale", "That episode has ended already.")
    return EpisodeVerdict("unseen", "Nothing with this fingerprint was firing, so there is nothing to open.")
