"""Where an imported postmortem comes from, and what of its file no row here can hold, such as people without an account."""

from typing import Any

from django.db import models
from django.utils import timezone

from incidents.people.models import User
from incidents.postmortems.document import Postmortem
from incidents.postmortems.portable import iso
from incidents.response.incident import Incident
from incidents.response.vocabulary import CLOCKS, IncidentKind


class Provenance(models.Model):
    """That a postmortem was imported: when, by whom, from which file. `unplaced` holds what had no place, by its place.

    `unplaced`: owner, published_by, authors, tags, change (of the trigger), systems and leads (by incident number), owners
    (of follow-ups) and amended_by (by key), stand_ins (by incident number, then by clock: what, and at), not_taken.
    """

    postmortem = models.OneToOneField(Postmortem, on_delete=models.CASCADE, related_name="provenance")
    file_name = models.CharField(max_length=120)
    digest = models.CharField(
        max_length=64, blank=True, default="", db_default=""
    )  # SHA-256 of the text; "" before it was kept
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    unplaced = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return f"{self.postmortem} from {self.file_name}"

    @property
    def notes(self) -> list[str]:
        """What readers should know: who the file names, which clocks nobody knows, and what was not taken."""
        unplaced = self.unplaced
        named = {"Owner": [unplaced.get("owner", "")], "Published by": [unplaced.get("published_by", "")]}
        named |= {
            "Lead": list(unplaced.get("leads", {}).values()),
            "System": list(unplaced.get("systems", {}).values()),
        }
        named |= {"Author": unplaced.get("authors", []), "Tag": unplaced.get("tags", [])}
        named["Owner of a follow-up"] = list(dict.fromkeys(unplaced.get("owners", {}).values()))
        named["Author of an amendment"] = list(dict.fromkeys(unplaced.get("amended_by", {}).values()))
        words = [f"{label}: {word}" for label, found in named.items() for word in found if word]
        return [*words, *self.unknown_clocks, *unplaced.get("not_taken", [])]

    @property
    def unknown_clocks(self) -> list[str]:
        """A sentence for each clock that the file does not say and nobody has set since."""
        return [
            f"{CLOCKS[name]}: unknown. {what} stands in for it."
            for incident in self.postmortem.incidents
            for name, what, _ in stand_ins(incident, self.unplaced)
        ]


def stand_ins(incident: Incident, unplaced: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Clocks of an imported incident that nobody knows: which, what stands in for it, and since when."""
    clocks = unplaced.get("stand_ins", {}).get(str(incident.number), {})
    moments = {name: getattr(incident, name) for name in clocks}
    return [
        (name, clock["what"], clock["at"])
        for name, clock in clocks.items()
        if moments[name] and iso(moments[name]) == clock["at"]
    ]


def unknown_clocks(incident: Incident) -> set[str]:
    """The clocks of an incident that nobody knows, though something stands in for them; none unless it was imported."""
    if incident.kind != IncidentKind.BACKFILLED:
        return set()
    provenance = Provenance.objects.filter(postmortem__in=Postmortem.objects.of(incident)).order_by("pk").first()
    return {name for name, _, _ in stand_ins(incident, provenance.unplaced)} if provenance else set()


def unplaced_of(postmortem: Postmortem) -> dict[str, Any]:
    """What was kept of the file that a postmortem was imported from; empty where it was written here."""
    provenance = Provenance.objects.filter(postmortem=postmortem).first()
    return dict(provenance.unplaced) if provenance else {}
