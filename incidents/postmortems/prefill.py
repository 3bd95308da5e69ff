"""The facts that a postmortem starts with. Each says where it comes from, and follows corrections until it is published."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from incidents import taxonomy
from incidents.postmortems.models import Postmortem
from incidents.response.models import CLOCKS, Event, Incident, Severity
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
    return [Fact("Output was wrong for", length, "clocks", url)]


def _silence(incident: Incident) -> list[Fact]:
    url = incident.get_absolute_url()
    first = incident.alerts.order_by("first_received_at").first()
    return [
        Fact("Silence", span(incident.silence), "clocks", url),
        Fact("Noticed first by", incident.get_noticed_by_display(), "incident", url),
        *([Fact("First alert", f"{first.title} ({_moment(first.first_received_at)})", "alert", first.get_absolute_url())]
          if first else [Fact("First alert", "none: no monitor told of it", "alerts", url)]),
    ]  # fmt: skip


def _timeline(incident: Incident) -> list[Fact]:
    url = incident.get_absolute_url()
    clocks = [Fact(label, _moment(getattr(incident, name)), "clocks", url) for name, label in CLOCKS.items()]
    kinds = [Event.Kind.CONTAINMENT, Event.Kind.NOTE]
    told = incident.events.filter(kind__in=kinds).select_related("by", "note").order_by("at")[:20]
    return [*clocks, *(_event(event, url) for event in told)]


def _event(event: Event, url: str) -> Fact:
    text = event.note.text if event.note else event.detail.get("name", "")
    return Fact(_moment(event.at), f"{event.by}: {text[:300]}", "timeline", f"{url}#event-{event.pk}")


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
    return [
        Fact("Contained by" if containment.worked is not False else "Did not help",
             f"{containment} ({_moment(containment.done_at)}){f': {containment.note}' if containment.note else ''}", "timeline", url)
        for containment in incident.containments.exclude(done_at=None)
    ]  # fmt: skip


def _moment(moment: datetime | None) -> str:
    """Exports and postmortems print UTC and say so."""
    return (
        timezone.localtime(moment, timezone.get_default_timezone()).strftime("%Y-%m-%d %H:%M UTC")
        if moment
        else "unknown"
    )
