"""Whether a file was imported before: the same text, or an incident of the same title and day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q
from django.db.models.functions import Lower

from incidents.people.models import User
from incidents.postmortems.document import Postmortem
from incidents.response.incident import Incident


@dataclass(frozen=True, slots=True)
class DocumentIdentity:
    """What a file is known by: its text, and the title and the days (UTC) of its incident; no day may be any day."""

    digest: str
    title: str
    days: frozenset[date]

    def is_as(self, other: "DocumentIdentity") -> bool:
        if self.digest == other.digest:
            return True
        return self.title == other.title and (not self.days or not other.days or bool(self.days & other.days))


def identity_of(digest: str, title: str, moments: Iterable[datetime | None]) -> DocumentIdentity:
    days = frozenset(moment.date() for moment in moments if moment)
    return DocumentIdentity(digest, " ".join(title.split()).lower(), days)


class Earlier:
    """The postmortems that some files may be, among those that the user may see; one query however many files."""

    def __init__(self, files: Iterable[DocumentIdentity], user: User) -> None:
        wanted = list(files)
        titles = {file.title for file in wanted} - {""}
        rows = Postmortem.objects.visible_to(user).alias(named=Lower("title"), called=Lower("incident__title"))
        rows = rows.filter(
            Q(provenance__digest__in={file.digest for file in wanted}) | Q(named__in=titles) | Q(called__in=titles)
        )
        rows = rows.select_related("incident", "provenance").order_by("pk")
        self._known = [(postmortem, _identities(postmortem)) for postmortem in rows]

    def of(self, file: DocumentIdentity) -> Postmortem | None:
        """The postmortem that the file seems to be."""
        return next(
            (found for found, identities in self._known if any(file.is_as(other) for other in identities)), None
        )


def _identities(postmortem: Postmortem) -> list[DocumentIdentity]:
    provenance = getattr(postmortem, "provenance", None)
    digest = provenance.digest if provenance else ""
    moments = _moments(postmortem.incident)
    titles = {title for title in (postmortem.title, postmortem.incident.title) if title}
    return [identity_of(digest or f"postmortem {postmortem.pk}", title, moments) for title in titles]


def _moments(incident: Incident) -> list[datetime | None]:
    return [incident.impact_started_at, incident.detected_at, incident.declared_at]
