"""The lane beside the timeline: what agents did, with the moments of the incident's clocks between."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from incidents.evidence.actions import AgentAction
from incidents.response.incident import Incident
from incidents.response.vocabulary import CLOCKS


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the lane: an act, or a clock of the incident."""

    at: datetime
    action: AgentAction | None = None
    clock: str = ""


def steps(incident: Incident, rows: Sequence[AgentAction], *, is_first: bool, is_last: bool) -> list[Step]:
    """Acts and clocks, the newest first; a page shows the clocks that lie between its acts, and those beyond either end."""
    acts = [Step(row.at, action=row) for row in rows]
    times = {label: getattr(incident, name) for name, label in CLOCKS.items()}
    clocks = [Step(at, clock=label) for label, at in times.items() if at is not None and rows]
    newest, oldest = (rows[0].at, rows[-1].at) if rows else (None, None)
    within = [
        step
        for step in clocks
        if newest and oldest and (is_first or step.at <= newest) and (is_last or step.at > oldest)
    ]
    return sorted([*acts, *within], key=lambda step: step.at, reverse=True)
