"""The facts that a postmortem starts with. Each says where it comes from, and follows corrections until it is published."""

from collections import Counter
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Min, Q, QuerySet
from django.urls import reverse
from django.utils.text import slugify

from incidents import taxonomy
from incidents.alerts.models import Alert, Outcome, Source
from incidents.postmortems.document import Postmortem
from incidents.postmortems.lines import EditedLine
from incidents.postmortems.provenance import Provenance, unknown_clocks
from incidents.postmortems.withheld import still_open
from incidents.response import impact as impacts
from incidents.response import story
from incidents.response.containments import Containment
from incidents.response.events import Event
from incidents.response.impact import Exposure, Impact
from incidents.response.incident import Incident
from incidents.response.vocabulary import CLOCKS, Severity
from incidents.systems.models import Change, System
from incidents.web.durations import span

MOST_EVENTS = 30  # of the timeline
IMPORTED = "imported."  # how the keys of lines begin that came from a file


@dataclass(frozen=True, slots=True)
class Fact:
    """One filled-in line: what the record says, where it says it, and how somebody put it differently, if they did."""

    label: str
    text: str
    source: str
    url: str
    key: str = ""
    record: str = ""  # what the record says now, where a person edited the line
    by: str = ""  # who edited it

    @property
    def is_edited(self) -> bool:
        return bool(self.by)


def facts_of(postmortem: Postmortem) -> dict[str, list[Fact]]:
    """The facts by section: as they were at publication, else as they are now, with the lines that people edited."""
    frozen = {key: [Fact(**fact) for fact in facts] for key, facts in still_open(postmortem).items()}
    if postmortem.state == Postmortem.State.PUBLISHED and frozen:
        return frozen
    # The record of an imported one began with its import: what the file says stays.
    imported = frozen and Provenance.objects.filter(postmortem=postmortem).exists()
    known = frozen if imported else recorded_facts(postmortem)
    edits = {edit.key: edit for edit in postmortem.edited_lines.select_related("by")}
    return {key: [_as_edited(fact, edits) for fact in facts] for key, facts in known.items()}


def corrections(postmortem: Postmortem) -> list[tuple[Fact, str]]:
    """What the record says otherwise than when this was published: each fact as published, with what it says now.

    What was added since, such as a note, is no correction. Empty while it is not published. What was imported was
    never on this record, so nothing of it is corrected by it.
    """
    if postmortem.state != Postmortem.State.PUBLISHED or not postmortem.frozen_facts:
        return []
    now = {fact.key: fact.text for facts in recorded_facts(postmortem).values() for fact in facts}
    every = [fact for facts in facts_of(postmortem).values() for fact in facts]
    published = [fact for fact in every if not fact.key.startswith(IMPORTED)]
    then = [(fact, fact.record if fact.is_edited else fact.text) for fact in published]
    return [
        (fact, now.get(fact.key, "no longer on record")) for fact, recorded in then if now.get(fact.key) != recorded
    ]


def freeze_facts(postmortem: Postmortem) -> dict[str, list[dict[str, Any]]]:
    """The facts as they are now, to be kept with what is published; lines that were left out are gone."""
    now = facts_of(postmortem)
    return {key: [asdict(fact) for fact in facts if fact.text] for key, facts in now.items()}


def recorded_facts(postmortem: Postmortem) -> dict[str, list[Fact]]:
    """What the record says, section by section, of every incident that the postmortem is about."""
    incidents = postmortem.incidents
    by_section: dict[str, list[Fact]] = {}
    for incident in incidents:
        for section, facts in gather(incident).items():
            seen: Counter[str] = Counter()
            for fact in facts:
                seen[fact.label] += 1
                # A line is known by its row, or by its label and its place among its like: a label that is reworded
                # loses the edits that people made to its line.
                key = f"{incident.number}.{section}.{fact.key or f'{slugify(fact.label)[:30]}-{seen[fact.label]}'}"
                label = fact.label if len(incidents) == 1 else f"{incident} {fact.label[:1].lower()}{fact.label[1:]}"
                by_section.setdefault(section, []).append(replace(fact, key=key[:60], label=label))
    return by_section


def _as_edited(fact: Fact, edits: dict[str, EditedLine]) -> Fact:
    edit = edits.get(fact.key)
    if edit is None:
        return fact
    return replace(fact, text=edit.text, record=fact.text, by=str(edit.by or "someone"))


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
        "again": _again(incident),
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
    counted = [
        Fact(_hit(exposure), _counted(exposure), "impact", f"{url}#impact") for exposure in incident.exposures.all()
    ]
    known = [
        Fact(label, str(value), "impact", f"{url}#impact")
        for label, value in impacts.facts(Impact.objects.filter(incident=incident).first())
    ]
    ask = reverse("incident-more-exposure", args=[incident.number])
    unknown = [] if counted else [Fact("Hit", "unknown: nobody has said how many", "impact", ask)]
    return [Fact("Output was wrong for", _length(incident), "clocks", url), *counted, *unknown, *known]


def _length(incident: Incident) -> str:
    """How long the output was wrong, as reports count it: until it was contained, else resolved; a range where its start is."""
    began, ended = incident.impact_started_at, incident.contained_at or incident.resolved_at
    until = incident.impact_started_until
    if began is None:
        return "unknown: nobody has said when it started"
    if incident.contained_at is None and "resolved_at" in unknown_clocks(incident):
        return "unknown: nobody has said when it ended"
    if ended is None:
        return "unknown: it is neither contained nor resolved"
    if ended < began:
        return "unknown: the clocks are out of order"
    return f"{span(max(ended - until, timedelta()))} to {span(ended - began)}" if until else span(ended - began)


def _hit(exposure: Exposure) -> str:
    """Outputs are hit; money, work and tokens are lost. Each currency is a line of its own, told from others by its label."""
    return f"{exposure.label} {'hit' if exposure.of in impacts.COUNTED else 'lost'}"


def _counted(exposure: Exposure) -> str:
    corrected = f"{exposure.corrected_words} put right" if exposure.corrected_words else "put right: unknown"
    evidence = f" ({exposure.evidence})" if exposure.evidence else ""
    return f"{exposure}; {exposure.how}{evidence}; {corrected}"


def _silence(incident: Incident) -> list[Fact]:
    url = incident.get_absolute_url()
    least, most = incident.shortest_silence, incident.silence
    length = f"{span(least)} to {span(most)}" if least is not None else span(most)
    if most is not None and most < timedelta():
        length = "unknown: the clocks are out of order"
    how = incident.get_impact_method_display() if incident.impact_method else ""
    return [
        Fact("Silence", length, "clocks", url),
        *([Fact("The start is known by", how.lower(), "clocks", url)] if how else []),
        Fact("Noticed first by", incident.get_noticed_by_display(), "incident", url),
        *_alerts(incident),
        *_green(incident),
    ]


def _alerts(incident: Incident) -> list[Fact]:
    """The first six alerts, and how many more there are."""
    alerts = incident.alerts.order_by("first_received_at").select_related("source")
    count = alerts.count()
    if not count:
        return [Fact("First alert", "none on record", "alerts", incident.get_absolute_url())]
    facts = []
    for place, alert in enumerate(alerts[:6]):
        label, key = ("Alert", f"alert-{alert.pk}") if place else ("First alert", "")
        text = f"{alert.title} ({_moment(alert.first_received_at)})"
        facts.append(Fact(label, text, "alert", alert.get_absolute_url(), key))
    if count > 6:
        every = f"{reverse('alerts')}?show=all&q=INC-{incident.number}"
        facts.append(Fact("More alerts", f"{count - 6} more", "alerts", every))
    return facts


def _green(incident: Incident) -> list[Fact]:
    """What was measured on this system while it was wrong and found good, and how long the monitor that found it was silent.

    A monitor counts as green where it said of a bad value of this system that it is over or passes, and where nothing
    of this system fired there meanwhile. That it reported something else, that its data came back, or that an alert
    ended because its data stopped, says nothing of the output.
    """
    began = incident.impact_started_at
    noticed = incident.detected_at or incident.declared_at
    if began is None or noticed <= began or incident.system is None:
        return []
    told = dict(
        incident.alerts.filter(first_received_at__lte=noticed)
        .order_by("source")
        .values_list("source")
        .annotate(first=Min("first_received_at"))
    )
    fired = _fired(incident, incident.system, began, noticed)
    quiet = (
        _good(incident, incident.system, began, noticed)
        .exclude(alert__source__in=[*told, *fired])
        .values("alert__source__name", "alert__source__slug")
        .annotate(times=Count("pk"), last=Max("delivery__received_at"))
        .order_by("-times", "alert__source__name")[:5]
    )
    facts = []
    for source in quiet:
        slug, times = source["alert__source__slug"], "once" if source["times"] == 1 else f"{source['times']} times"
        text = (
            f"{source['alert__source__name']} found {incident.system} good {times}, last at {_moment(source['last'])}"
        )
        facts.append(Fact("Green meanwhile", text, "source", reverse("source", args=[slug]), slug))
    for monitor in Source.objects.filter(pk__in=told).order_by("name"):
        first = told[monitor.pk]
        if first > began and fired.get(monitor.pk, first) >= first:
            address = reverse("source", args=[monitor.slug])
            text = f"{monitor} told of it first at {_moment(first)}"
            facts.append(Fact("Silent until then", text, "source", address, f"silent-{monitor.slug}"))
    return facts


def _of_others(incident: Incident, prefix: str = "") -> Q:
    """What belongs to another incident that is private: whoever reads this postmortem may not see that one."""
    return Q(**{f"{prefix}incident__private": True}) & ~Q(**{f"{prefix}incident": incident})


def _good(incident: Incident, system: System, since: datetime, until: datetime) -> QuerySet[Outcome]:
    """What was said between two moments of a bad value of the system: that it is over, or passes, by then."""
    said = Outcome.objects.filter(
        result__in=[Outcome.Result.RESOLVED, Outcome.Result.UNSEEN],
        alert__system=system,
        alert__condition=Alert.Condition.BAD_VALUE,
        alert__ends_at__gte=since,
        delivery__received_at__gte=since,
        delivery__received_at__lt=until,
    )
    return said.exclude(alert__flags__contains=["end_vanished"]).exclude(_of_others(incident, "alert__"))


def _fired(incident: Incident, system: System, since: datetime, until: datetime) -> dict[int, datetime]:
    """The sources where something of the system fired at some time between two moments, and since when in them."""
    alerts = Alert.objects.filter(system=system, first_received_at__lt=until).exclude(
        flags__contains=["resolved_unseen"]
    )
    alerts = alerts.exclude(_of_others(incident)).filter(
        Q(ends_at=None) | Q(status=Alert.Status.FIRING) | Q(ends_at__gt=since)
    )
    firsts = alerts.order_by("source").values_list("source").annotate(first=Min("first_received_at"))
    return {source: max(first, since) for source, first in firsts}


def _timeline(incident: Incident) -> list[Fact]:
    """The clocks, and the story as people curated it: what was pinned or marked, and what was done and written."""
    url = incident.get_absolute_url()
    unknown = unknown_clocks(incident)
    clocks = [
        Fact(label, "unknown" if name in unknown else _clock(incident, name), "clocks", url)
        for name, label in CLOCKS.items()
    ]
    events = story.for_postmortem(incident, most=MOST_EVENTS + 1)
    facts = [event_fact(event, incident) for event in events[:MOST_EVENTS]]
    if len(events) > MOST_EVENTS:
        facts.append(Fact("Later", "more entries are in the incident’s timeline", "timeline", url))
    return [*clocks, *facts]


def _clock(incident: Incident, name: str) -> str:
    at, until = getattr(incident, name), incident.impact_started_until
    if name == "impact_started_at" and at and until:
        return f"between {_moment(at)} and {_moment(until)}"
    return _moment(at)


_STEPS = {
    "planned": "planned: ",
    "removed": "rolled back: ",
    "dropped": "decided against: ",
    "verified": "found that it did not work: ",
}


def event_fact(event: Event, incident: Incident) -> Fact:
    """One entry of the incident's timeline, as people tell it."""
    curation, detail = story.curation_of(event), event.detail
    text = curation.text or (event.note.text if event.note else "") or detail.get("text", "")
    if not text and "name" in detail:
        step = "found that it worked: " if detail.get("worked") else _STEPS.get(detail.get("state", ""), "")
        text = f"{step}{detail['name']}"
    text = text or event.get_kind_display()
    mark = f"[{curation.get_marker_display()}] " if curation.marker else ""
    at = curation.at or event.at
    address = reverse("entry", args=[incident.number, event.pk])
    return Fact(_moment(at), f"{mark}{event.by or 'Faultline'}: {text[:300]}", "timeline", address, str(event.pk))


def suspects(incidents: list[Incident]) -> list[Change]:
    """Changes that may have set it off: of the systems and what they depend on, in the look-back before each began."""
    changes = {change.pk: change for incident in incidents for change in incident.changes_before()}
    return list(changes.values())


def _changes(incident: Incident) -> list[Fact]:
    if incident.system is None:
        return []
    facts = []
    for change in incident.changes_before():
        text = f"{change.title} ({change.system}, {_moment(change.happened_at)})"
        url = change.url or change.system.get_absolute_url()
        facts.append(Fact(change.get_kind_display(), text, "change", url, str(change.pk)))
    known = incident.impact_started_at or incident.detected_at
    event = "it began" if incident.impact_started_at else "it was detected" if known else "it was declared"
    none = Fact(
        "Changes", f"none on record in the 14 days before {event}", "changes", incident.system.get_absolute_url()
    )
    return facts or [none]


def _class(incident: Incident) -> list[Fact]:
    url = incident.get_absolute_url()
    name = taxonomy.category(incident.category).name
    if incident.failure_mode:
        name = f"{name}: {taxonomy.failure_mode(incident.failure_mode).name}"
    because = f" ({incident.classified_because})" if incident.classified_because else ""
    return [Fact("Kind of failure", f"{name}{because}", "classification", url)]


def _response(incident: Incident) -> list[Fact]:
    url = incident.get_absolute_url()
    facts = []
    for containment in incident.containments.exclude(done_at=None):
        result = containment.result or containment.note
        over = f", rolled back {_moment(containment.removed_at)}" if containment.removed_at else ""
        text = f"{containment} ({_moment(containment.done_at)}{over}){f': {result}' if result else ''}"
        anchor = f"{url}#containment-{containment.pk}"
        facts.append(Fact(_effect(containment), text, "containment", anchor, str(containment.pk)))
    roles: dict[str, list[str]] = {}
    for assignment in incident.assignments.select_related("role", "person"):
        roles.setdefault(str(assignment.role), []).append(str(assignment.person))
    facts += [Fact(role, ", ".join(people), "roles", f"{url}#roles") for role, people in roles.items()]
    if handovers := incident.handovers.filter(state="accepted").count():
        facts.append(Fact("Handed over", f"{handovers} time{'s' if handovers > 1 else ''}", "timeline", url))
    if updates := incident.updates.count():
        facts.append(Fact("Updates", f"{updates} for stakeholders", "updates", f"{url}?show=updates"))
    return facts


def _again(incident: Incident) -> list[Fact]:
    """What it was linked with: repeats and causes are on record, likeness is for people to judge."""
    linked = [(link.get_kind_display(), link.other) for link in incident.links.select_related("other")]
    linked += [(link.seen_from(incident), link.incident) for link in incident.linked_from.select_related("incident")]
    return [
        Fact(how.capitalize(), f"{other}: {other.title}", "link", other.get_absolute_url(), f"{other.number}")
        for how, other in linked
        if not other.private
    ]


def _effect(containment: Containment) -> str:
    if containment.worked is None:
        return "Done, not checked"
    return "Contained by" if containment.worked else "Did not help"


def _moment(moment: datetime | None) -> str:
    """Exports and postmortems print UTC and say so."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if moment else "unknown"
