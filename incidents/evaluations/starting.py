"""What a new case begins with: nothing, or what an incident or a sample of it says."""

from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from incidents.evaluations.cases import Content, content_of
from incidents.evidence.samples import Sample
from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.web.request import whole_number


@dataclass(frozen=True, slots=True)
class Origin:
    """From where a case comes."""

    incident: Incident | None = None
    sample: Sample | None = None

    @property
    def content(self) -> Content | None:
        """What the sample says. Raises Refused where nobody confirmed it as redacted."""
        return content_of(self.sample) if self.sample else None

    @property
    def labels(self) -> dict[str, Any]:
        """What a form begins with."""
        if self.incident is None:
            return {}
        names = ("title", "severity", "failure_mode")
        return {name: getattr(self.incident, name) for name in names}


def origin_of(asked: QueryDict, *, user: User) -> Origin:
    """What the address names: `sample`, or `from`, an incident; nothing where the person may not see it."""
    number, sample_id = whole_number(asked.get("from", "")), whole_number(asked.get("sample", ""), digits=17)
    if sample_id is not None:
        samples = Sample.objects.visible_to(user).select_related("incident", "incident__system", "system")
        sample = samples.filter(pk=sample_id).first()
        return Origin(sample.incident, sample) if sample else Origin()
    if number is not None:
        return Origin(Incident.objects.visible_to(user).filter(number=number).first())
    return Origin()
