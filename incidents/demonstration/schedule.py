"""When what happened: some months are busier than others, and what belongs to a season happens in it."""

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from incidents.demonstration.stories import FAILURES, Failure, Happening
from incidents.response.vocabulary import NoticedBy

DAYS = 762  # a little more than two years, so that a year can be compared with the one before it
NEWEST = 1.6  # days ago; what is younger is still going on
# How busy a month is, from January: launches in spring and autumn, sales before the holidays, and a quiet summer.
_BUSY = (0.9, 0.8, 1.0, 1.3, 1.0, 1.2, 0.7, 0.5, 1.1, 1.2, 1.6, 1.1)
_HOURS = (2, 2, 2, 2, 2, 3, 4, 6, 9, 11, 11, 10, 9, 10, 10, 9, 8, 7, 6, 5, 4, 4, 3, 2)
# How many days ago the last ones were: what is still to be learnt and done is of these.
_LATELY = (2.2, 4.1, 6.3, 9.5, 15.0, 23.0, 34.0, 48.0)
# Two of one system so close to each other would have been one.
_APART = timedelta(days=4)


@dataclass(frozen=True, slots=True)
class Occasion:
    failure: Failure
    happening: Happening
    at: datetime


def schedule(chance: random.Random, now: datetime) -> list[Occasion]:
    """All that is over by now, in the order in which it happened."""
    everything = [(failure, happening) for failure in FAILURES for happening in failure.happened]
    ages = _ages(chance, [happening for _, happening in everything])
    occasions: dict[str, Occasion] = {}
    taken: dict[str, list[datetime]] = defaultdict(list)
    # What belongs to a season has the least choice, and what repeats another comes after it.
    for failure, happening in sorted(everything, key=lambda pair: (bool(pair[1].repeats), not pair[1].months)):
        candidates = _candidates(chance, happening, now, age=ages[happening.title])
        at = next(moment for moment in candidates if _is_free(moment, taken[failure.system]))
        taken[failure.system].append(at)
        occasions[happening.title] = Occasion(failure, happening, at)
    return sorted(occasions.values(), key=lambda occasion: occasion.at)


def _ages(chance: random.Random, happenings: list[Happening]) -> dict[str, float]:
    """How many days ago each was, more or less: spread over the whole time; what people had to notice became rarer."""
    repeated = {happening.repeats for happening in happenings}
    ages = {happening.title: chance.uniform(150, 330) for happening in happenings if happening.repeats}
    ages |= {title: chance.uniform(430, DAYS - 10) for title in repeated if title}
    others = [happening for happening in happenings if happening.title not in ages]
    others.sort(key=lambda happening: chance.random() + (0.2 if happening.noticed_by == NoticedBy.MONITOR else 0))
    older, newest = others[: -len(_LATELY)], others[-len(_LATELY) :]
    for position, happening in enumerate(older):
        place = (position + chance.random()) / len(older)
        ages[happening.title] = DAYS - (DAYS - max(_LATELY)) * place**1.25
    return ages | {happening.title: age for happening, age in zip(newest, _LATELY, strict=True)}


def _candidates(chance: random.Random, happening: Happening, now: datetime, *, age: float) -> Iterator[datetime]:
    by_people = happening.noticed_by != NoticedBy.MONITOR
    awake = range(8, 20) if by_people else range(24)
    spread = 3.0 if age > max(_LATELY) else 0.2
    while True:
        spread = min(1.5 * spread, DAYS / 2)
        day = now - timedelta(days=min(max(chance.gauss(age, spread), NEWEST), DAYS))
        if by_people and day.weekday() > 4:
            continue
        if happening.months and day.month not in happening.months:
            continue
        if not happening.months and age > max(_LATELY) and chance.random() > _BUSY[day.month - 1] / max(_BUSY):
            continue
        hour = chance.choices(awake, weights=[_HOURS[hour] for hour in awake])[0]
        moment = day.replace(hour=hour, minute=chance.randrange(60), second=chance.randrange(60), microsecond=0)
        if moment <= now - timedelta(days=NEWEST):
            yield moment


def _is_free(moment: datetime, taken: list[datetime]) -> bool:
    return all(abs(moment - other) > _APART for other in taken)
