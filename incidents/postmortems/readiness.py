"""What a postmortem must know before anybody is asked to review it: facts that only people can give."""

from dataclasses import dataclass

from incidents.followups.models import FollowUp
from incidents.postmortems.document import Postmortem
from incidents.postmortems.guide import Depth


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing, in a sentence, and the place where it is put right."""

    what: str
    url: str

    def __str__(self) -> str:
        return self.what


def missing(postmortem: Postmortem) -> list[Missing]:
    """List what its depth asks for and nobody has said yet; an empty list means that it may be reviewed."""
    here, depth = postmortem.get_absolute_url(), Depth(postmortem.depth)
    written = {key for key, text in postmortem.sections.values_list("key", "text") if text.strip()}
    told = [
        Missing(f"“{part.title}” is empty.", f"{here}#{part.key}")
        for part in postmortem.parts()
        if part.is_required(depth) and part.key not in written
    ]
    for incident in postmortem.incidents:
        there, name = incident.get_absolute_url(), f"{incident}: " if len(postmortem.incidents) > 1 else ""
        if not incident.noticed_by:
            told.append(Missing(f"{name}nobody said who noticed first.", f"{there}edit/"))
        if not incident.exposures.exists() and "impact" not in written:
            told.append(Missing(f"{name}the impact is neither a number nor “unknown, because”.", f"{there}impact/"))
        if depth is not Depth.BRIEF and incident.impact_started_at is None and "silence" not in written:
            told.append(Missing(f"{name}when the output went wrong is neither known nor “unknown, because” under Silence.", f"{there}clocks/"))  # fmt: skip
    if not postmortem.triggered_by:
        told.append(
            Missing("The trigger is not decided: one change, something else, or none found.", f"{here}#trigger")
        )
    return [*told, *_factors(postmortem, depth, here), *_follow_ups(postmortem)]


def _factors(postmortem: Postmortem, depth: Depth, here: str) -> list[Missing]:
    factors = list(postmortem.factors.select_related("kind"))
    wanted = 1 if depth is Depth.BRIEF else 2
    told = []
    if len(factors) < wanted:
        told.append(Missing(f"{wanted - len(factors)} more contributing factor{'s' if wanted - len(factors) > 1 else ''}.", f"{here}#factors"))  # fmt: skip
    if depth is not Depth.BRIEF:
        told += [
            Missing(f"The factor “{factor.kind}” names no evidence.", f"{here}#factor-{factor.pk}")
            for factor in factors
            if not factor.evidence
        ]
    return told


def _follow_ups(postmortem: Postmortem) -> list[Missing]:
    urgent = FollowUp.objects.open().filter(incident__in=postmortem.incidents, priority__lte=FollowUp.Priority.P1)
    told = []
    for row in urgent.select_related("owner"):
        lacks = [
            name
            for name, given in (("an owner", row.owner), ("a due date", row.due_on), ("a way to know that it worked", row.check_text))
            if not given
        ]  # fmt: skip
        if lacks:
            told.append(Missing(f"Follow-up “{row.title}” needs {' and '.join(lacks)}.", row.get_absolute_url()))
    return told
