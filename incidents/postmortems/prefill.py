"""The facts that a postmortem starts with. Each says where it comes from, and follows corrections until it is published."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from incidents import taxonomy
from incidents.postmortems.models import Postmortem
from incidents.response import impact as impacts
from incidents.response import story
from incidents.response.impact import Exposure, Impact
from incidents.response.models import CLOCKS, Containment, Event, Incident, Severity
from incidents.systems.models import Change
from incidents.templatetags.ui import span

LOOK_BACK = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Fact:
    label: str
    text: str
    source: str
    url: str


def facts_of(postmortem: Postmortem) -> dict[str, list[Fact]]:
    """The facts by section: as they were at publication, else as they are now."""
    if postmortem.state == Postmortem.State.PUBLISHED and postmortem.frozen_facts:
        return {key: [Fact(**fact) for fact in facts] for key, facts in postmortem.frozen_facts.items()}
    return gather(postmortem.incident)


def frozen(postmortem: Postmortem) -> dict[str, Any]:
    return {key: [asdict(fact) for fact in facts] for key, facts in gather(postmortem.incident).items()}


def gather(incident: Incident) -> dict[str, list[Fact]]:
    """Gather what is known about the incident, section by section."""
    return {
        "summary": _summary(incident),
        "impact": _impact(incident),
        "silence": _silence(incident),
        "timeline": _timeline(incident),
        "trigger": _changes(incident),
        "factors": _class(incident),
        "response": _response(incident),
    }


def _summary(incident: Incident) -> list[Fact]:
    url = incident.get_absolute_url()
    severity = Severity(incident.severity).label
    return [
        Fact("Incident", f"{incident}: {incident.title}", "incident", url),
        Fact("System", str(incident.system or "not known"), "incident", url),
        Fact("Severity", severity, "incident", url),
        Fact("Lead", str(incident.lead or "nobody"), "incident", url),
    ]


def _impact(incident: Incident) -> list[Fact]:
    url = incident.get_absolute_url()
    began, ended = incident.impact_started_at, incident.resolved_at
    length = span(ended - began) if began and ended else "unknown: nobody has said when it started"
    counted = [
        Fact(f"{row.get_of_display()} hit", _counted(row), "impact", f"{url}#impact")
        for row in incident.exposures.all()
    ]
    known = [
        Fact(label, str(told), "impact", f"{url}#impact")
        for label, told in impacts.facts(Impact.objects.filter(incident=incident).first())
    ]
    unknown = [Fact("Hit", "unknown: nobody has said how many", "impact", f"{url}impact/")] if not counted else []
    return [Fact("Output was wrong for", length, "clocks", url), *counted, *unknown, *known]


def _counted(row: Exposure) -> str:
    low, high = row.low if row.low is not None else "?", row.high if row.high is not None else "?"
    interval = f" ({low:,} to {high:,})" if isinstance(low, int) and isinstance(high, int) else f" ({low} to {high})"
    corrected = "put right: unknown" if row.corrected is None else f"{row.corrected:,} put right"
    return f"about {row.estimate:,}{'' if row.low is row.high is None else interval}; {row.how}; {corrected}"


def _silence(incident: Incident) -> list[Fact]:
    url = incident.get_absolute_url()
    first = incident.alerts.order_by("first_received_at").first()
    least = incident.shortest_silence
    length = f"{span(least)} to {span(incident.silence)}" if least is not None else span(incident.silence)
    how = incident.get_impact_method_display() if incident.impact_method else ""
    return [
        Fact("Silence", length, "clocks", url),
        *([Fact("The start is known by", how.lower(), "clocks", url)] if how else []),
        Fact("Noticed first by", incident.get_noticed_by_display(), "incident", url),
        *([Fact("First alert", f"{first.title} ({_moment(first.first_received_at)})", "alert", first.get_absolute_url())]
          if first else [Fact("First alert", "none: no monitor told of it", "alerts", url)]),
    ]  # fmt: skip


def _timeline(incident: Incident) -> list[Fact]:
    """The clocks, and the story as people curated it: what was pinned or marked, and what was done and written."""
    url = incident.get_absolute_url()
    clocks = [Fact(label, _moment(getattr(incident, name)), "clocks", url) for name, label in CLOCKS.items()]
    return [*clocks, *(_event(event, url) for event in story.told(incident, most=30))]


def _event(event: Event, url: str) -> Fact:
    told = getattr(event, "curation", None)
    text = (told.text if told else "") or (event.note.text if event.note else "") or event.detail.get("text", "")
    text = text or event.detail.get("name", "") or event.get_kind_display()
    mark = f"[{told.get_marker_display()}] " if told and told.marker else ""
    at = (told.at if told else None) or event.at
    return Fact(_moment(at), f"{mark}{event.by or 'Faultline'}: {text[:300]}", "timeline", f"{url}events/{event.pk}/")


def _changes(incident: Incident) -> list[Fact]:
    if incident.system is None:
        return []
    began = incident.impact_started_at or incident.detected_at or incident.declared_at
    systems = [incident.system_id, *incident.system.dependencies.values_list("upstream_id", flat=True)]
    before = Change.objects.filter(system__in=systems, happened_at__lte=began, happened_at__gte=began - LOOK_BACK)
    found = [
        Fact(change.get_kind_display(), f"{change.title} ({change.system}, {_moment(change.happened_at)})", "change",
             change.url or change.system.get_absolute_url())
        for change in before.select_related("system")[:10]
    ]  # fmt: skip
    return found or [
        Fact("Changes", "none on record in the 14 days before", "changes", incident.system.get_absolute_url())
    ]


def _class(incident: Incident) -> list[Fact]:
    url = incident.get_absolute_url()
    name = taxonomy.category(incident.category).name
    if incident.failure_mode:
        name = f"{name}: {taxonomy.failure_mode(incident.failure_mode).name}"
    return [Fact("Kind of failure", name, incident.classified_because or "not settled yet", url)]


def _response(incident: Incident) -> list[Fact]:
    url = incident.get_absolute_url()
    contained = [
        Fact(_effect(row), f"{row} ({_moment(row.done_at)}){f': {row.result or row.note}' if row.result or row.note else ''}",
             "containment", f"{url}#containment-{row.pk}")
        for row in incident.containments.exclude(done_at=None)
    ]  # fmt: skip
    roles: dict[str, list[str]] = {}
    for held in incident.assignments.select_related("role", "person"):
        roles.setdefault(str(held.role), []).append(str(held.person))
    crew = [Fact(role, ", ".join(people), "roles", f"{url}#roles") for role, people in roles.items()]
    handed = incident.handovers.filter(state="accepted").count()
    told = incident.updates.count()
    return [
        *contained,
        *crew,
        *([Fact("Handed over", f"{handed} time{'s' if handed > 1 else ''}", "timeline", url)] if handed else []),
        *([Fact("Updates", f"{told} for stakeholders", "updates", f"{url}?show=updates")] if told else []),
    ]


def _effect(row: Containment) -> str:
    return {True: "Contained by", False: "Did not help"}.get(row.worked, "Contained by (not checked)")  # type: ignore[arg-type]  # None is the default


def _moment(moment: datetime | None) -> str:
    """Exports and postmortems print UTC and say so."""
    return (
        timezone.localtime(moment, timezone.get_default_timezone()).strftime("%Y-%m-%d %H:%M UTC")
        if moment
        else "unknown"
    )
