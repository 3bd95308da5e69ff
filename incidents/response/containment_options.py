"""What may limit the harm of an incident and was not tried yet: what worked before comes before what usually works."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from django.db import models

from incidents import taxonomy
from incidents.people.models import User
from incidents.response.containments import Containment
from incidents.response.incident import Incident
from incidents.response.vocabulary import IncidentKind, Status
from incidents.systems.models import System

MOST_SHOWN, MOST, MOST_NAMED = 4, 12, 3
_MOST_READ = 200  # of the containments that worked before, the newest

_Kind = System.Kind
# What stops wrong output of such a system whatever made it wrong, the quickest first.
USUAL_FOR_KIND: dict[str, tuple[str, ...]] = {
    _Kind.PREDICTOR: ("fallback_rules", "rollback_model", "human_review", "adjust_threshold"),
    _Kind.RECOMMENDER: ("fallback_rules", "rollback_model", "limit_scope", "reset_feedback"),
    _Kind.SEARCH: ("rollback_index", "rollback_model", "fallback_rules", "expand_recall"),
    _Kind.RAG: ("feature_off", "abstain", "rollback_index", "rollback_prompt"),
    _Kind.GENERATIVE: ("feature_off", "rollback_prompt", "rollback_model", "human_review"),
    _Kind.AGENT: ("kill_switch", "revoke_tool", "require_approval", "rate_limit"),
    _Kind.FORECASTER: ("fallback_model", "rollback_model", "pin_data", "human_review"),
    _Kind.PIPELINE: ("pin_data", "quarantine_data", "backfill"),
    _Kind.DATA: ("pin_data", "quarantine_data", "rollback_index"),
}
USUAL_FOR_ANY = ("feature_off", "rollback_model", "rollback_prompt", "human_review")
# As what a system's own fallback is recorded; everywhere else it is a simpler way of answering.
_FALLBACK_OF_KIND = {_Kind.AGENT: "require_approval", _Kind.PIPELINE: "pin_data", _Kind.DATA: "pin_data"}


@dataclass(slots=True)
class Option:
    """One act, and what speaks for it. `fallback` is the system's own text about it."""

    action: taxonomy.ContainmentAction
    worked_in: list[int]  # numbers of incidents, the newest first
    fallback: str = ""
    usual_for: str = ""


def options(
    *,
    worked: Iterable[tuple[str, int]],
    system: System | None,
    category: str,
    failure_mode: str,
    but: Collection[str] = (),
) -> list[Option]:
    """Give each act once, where it stands highest: worked before (most often first), the system's fallback, usual.

    `worked` holds acts and the numbers of the incidents in which they worked, the newest first; `but` are acts tried already.
    """
    by_action: dict[str, Option] = {}
    for code, number in (pair for pair in worked if pair[0] != taxonomy.OTHER):
        by_action.setdefault(code, Option(taxonomy.containment(code), [])).worked_in.append(number)
    found = {option.action.code: option for option in sorted(by_action.values(), key=lambda one: -len(one.worked_in))}
    if system and system.fallback.strip():
        code = _FALLBACK_OF_KIND.get(_Kind(system.kind), "fallback_rules")
        found.setdefault(code, Option(taxonomy.containment(code), [])).fallback = system.fallback.strip()
    for action, reason in _usual(system, category, failure_mode):
        option = found.setdefault(action.code, Option(action, []))
        option.usual_for = option.usual_for or reason
    return [option for option in found.values() if option.action.code not in but][:MOST]


def _usual(system: System | None, category: str, failure_mode: str) -> Iterator[tuple[taxonomy.ContainmentAction, str]]:
    if failure_mode:
        mode = taxonomy.failure_mode(failure_mode)
        yield from ((action, mode.name.lower()) for action in mode.containments)
    for code in USUAL_FOR_KIND[system.kind] if system else ():
        yield taxonomy.containment(code), f"kind: {_Kind(system.kind).label.lower()}" if system else ""
    if category:
        name = taxonomy.category(category).name.lower()
        yield from ((action, name) for action in taxonomy.containments_for(category, ""))
    elif not system:
        yield from ((taxonomy.containment(code), "any system") for code in USUAL_FOR_ANY)


def options_for(incident: Incident, *, user: User, but: Collection[str]) -> list[Option]:
    """Give the options of an incident; what worked before is read in one query, from what the user may see."""
    alike = models.Q(system=incident.system_id) if incident.system_id else models.Q()
    if incident.failure_mode:
        alike |= models.Q(failure_mode=incident.failure_mode)
    worked: Iterable[tuple[str, int]] = ()
    if alike:
        earlier = (
            Incident.objects.visible_to(user)
            .filter(alike, kind__in=[IncidentKind.REAL, IncidentKind.BACKFILLED])
            .exclude(pk=incident.pk)
            .exclude(status__in=[Status.DECLINED, Status.MERGED])
        )
        did = Containment.objects.filter(worked=True, incident__in=earlier).order_by("-incident__number", "pk")
        worked = list(did.values_list("action", "incident__number")[:_MOST_READ])
    return options(
        worked=dict.fromkeys(worked),
        system=incident.system,
        category=incident.category,
        failure_mode=incident.failure_mode,
        but=but,
    )
