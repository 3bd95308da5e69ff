"""What a postmortem still needs before it can be reviewed: facts that only people can give."""

from dataclasses import dataclass

from django.urls import reverse

from incidents.followups.models import FollowUp
from incidents.postmortems.document import Postmortem
from incidents.postmortems.guide import Depth
from incidents.response.incident import Incident


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
    items = [
        Missing(f"“{part.title}” is empty.", f"{here}#{part.key}")
        for part in postmortem.parts()
        if part.is_required(depth) and part.key not in written
    ]
    incidents = postmortem.incidents
    for incident in incidents:
        prefix = f"{incident}: " if len(incidents) > 1 else ""
        items += _of_incident(incident, depth, written, prefix=prefix)
    if not postmortem.triggered_by:
        items.append(Missing("Choose a trigger: a change, something else, or none found.", f"{here}#trigger"))
    return [*items, *_factors(postmortem, depth, here), *_follow_ups(incidents)]


def _of_incident(incident: Incident, depth: Depth, written: set[str], *, prefix: str) -> list[Missing]:
    items = []
    if not incident.noticed_by:
        items.append(Missing(f"{prefix}Say who noticed it first.", _page("incident-noticed", incident)))
    if "impact" not in written and not incident.exposures.exists():
        what = "Give the impact as a number, or write “unknown, because …” under Impact."
        items.append(Missing(prefix + what, _page("incident-more-exposure", incident)))
    if depth is not Depth.BRIEF and "silence" not in written and incident.impact_started_at is None:
        what = "Say when the output went wrong, or write “unknown, because …” under Silence."
        items.append(Missing(prefix + what, _page("incident-clock", incident, "impact_started_at")))
    return items


def _page(name: str, incident: Incident, *more: str) -> str:
    return reverse(name, args=[incident.number, *more])


def _factors(postmortem: Postmortem, depth: Depth, here: str) -> list[Missing]:
    factors = list(postmortem.factors.select_related("kind"))
    left = (1 if depth is Depth.BRIEF else 2) - len(factors)
    items = []
    if left > 0:
        items.append(Missing(f"Add {left} more contributing factor{'s' if left > 1 else ''}.", f"{here}#factors"))
    if depth is not Depth.BRIEF:
        items += [
            Missing(f"The factor “{factor.kind}” has no evidence.", f"{here}#factor-{factor.pk}")
            for factor in factors
            if not factor.evidence
        ]
    return items


def _follow_ups(incidents: list[Incident]) -> list[Missing]:
    """Open follow-ups of the two highest priorities that have no owner, no due date or no check."""
    urgent = FollowUp.objects.open().filter(incident__in=incidents, priority__lte=FollowUp.Priority.P1)
    items = []
    for follow_up in urgent:
        needs = {
            "an owner": follow_up.owner_id,
            "a due date": follow_up.due_on,
            "a way to know that it worked": follow_up.check_text,
        }
        lacks = [name for name, value in needs.items() if not value]
        if lacks:
            what = f"Follow-up “{follow_up.title}” needs {' and '.join(lacks)}."
            items.append(Missing(what, follow_up.get_absolute_url()))
    return items
