"""What an incident took in money, work or tokens, beside how many it reached; told only once somebody has added it up."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from incidents.demonstration.past import IncidentLog, Telling
from incidents.demonstration.stories import Cost
from incidents.response.events import Event
from incidents.response.impact import NUMBERS, Exposure, columns_of
from incidents.response.quantities import smallest


def costs_of(telling: Telling) -> list[Exposure]:
    """What is known of it, not saved and of no incident yet. What depends on the reach is unknown where that is."""
    found = (_exposure(telling, cost) for cost in telling.happening.costs)
    return [exposure for exposure in found if exposure]


def _exposure(telling: Telling, cost: Cost) -> Exposure | None:
    reach = telling.course.reach
    amounts: dict[str, Any] = dict.fromkeys(NUMBERS)
    if cost.amount is not None:
        amounts["estimate"] = cost.amount
    elif reach is None or cost.each is None:
        return None
    else:
        corrected = reach.corrected if telling.course.resolved_at else None
        counts = {"estimate": reach.estimate, "low": reach.low, "high": reach.high, "corrected": corrected}
        amounts = {name: None if count is None else count * cost.each for name, count in counts.items()}
    parts = {name: None if amount is None else smallest(Decimal(amount), cost.unit) for name, amount in amounts.items()}
    return Exposure(**columns_of(cost.unit), **parts, how=cost.how)


def write_costs(log: IncidentLog, telling: Telling, at: datetime) -> None:
    for number, exposure in enumerate(costs_of(telling), start=1):
        exposure.incident, exposure.changed_at = log.incident, at
        exposure.save()
        facts = {name: getattr(exposure, name) for name in (*NUMBERS, "how")}
        added_at = at + timedelta(minutes=4 * number)
        log.add(
            Event.Kind.IMPACT, added_at, telling.lead, of=exposure.label, was=None, became=facts, words=exposure.words
        )
