"""What a published postmortem no longer shows: facts that tell of something which went into a private incident since.

Facts are frozen when it is published, with words that were open then: an alert's title, the title of a linked incident.
Once that is private, whoever reads the postmortem may not read it. External versions are words written for everybody and stay.
"""

import re
from collections.abc import Mapping
from typing import Any

from incidents.alerts.models import Alert
from incidents.postmortems.document import Postmortem
from incidents.response import story
from incidents.response.incident import Incident

FrozenFacts = Mapping[str, list[dict[str, Any]]]
_LAST_NUMBER = re.compile(r"(\d{1,18})/?$", re.ASCII)


def still_open(postmortem: Postmortem) -> dict[str, list[dict[str, Any]]]:
    """Give the frozen facts of a postmortem by section, but for those that tell of another incident that is private now."""
    frozen: FrozenFacts = postmortem.frozen_facts
    named = {about: _named(frozen, about) for about in ("alert", "link", "timeline")}
    if not any(named.values()):
        return dict(frozen)
    own = [postmortem.incident_id, *postmortem.also.values_list("pk", flat=True)]
    others = Incident.objects.filter(private=True).exclude(pk__in=own)
    hidden = {
        "alert": set(Alert.objects.filter(pk__in=named["alert"], incident__in=others).values_list("pk", flat=True)),
        "link": set(others.filter(number__in=named["link"]).values_list("number", flat=True)),
        "timeline": named["timeline"] - _told_to_all(named["timeline"], own),
    }
    return {
        key: [fact for fact in facts if _row(fact) not in hidden.get(fact["source"], ())]
        for key, facts in frozen.items()
    }


def _told_to_all(entries: set[int], incidents: list[int]) -> set[int]:
    found = Incident.objects.filter(pk__in=incidents) if entries else []
    rows = (story.open_entries(incident).filter(pk__in=entries) for incident in found)
    return {pk for events in rows for pk in events.values_list("pk", flat=True)}


def _named(frozen: FrozenFacts, about: str) -> set[int]:
    rows = (_row(fact) for facts in frozen.values() for fact in facts if fact["source"] == about)
    return {row for row in rows if row is not None}


def _row(fact: Mapping[str, Any]) -> int | None:
    """The number or id with which the address of a fact ends; None where it has no such address, as in what was imported."""
    found = _LAST_NUMBER.search(fact["url"])
    return int(found[1]) if found else None
