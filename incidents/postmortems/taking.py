"""An imported document becomes a backfilled incident and its postmortem. What has no place in a row is kept beside it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from incidents.errors import Refused
from incidents.followups.models import FollowUp
from incidents.people.models import Team, User
from incidents.postmortems.archives import named_as
from incidents.postmortems.counterparts import Counterparts
from incidents.postmortems.deadlines import business_days_after
from incidents.postmortems.document import Postmortem
from incidents.postmortems.factors import Factor, FactorGroup, FactorKind
from incidents.postmortems.facts import IMPORTED, Fact
from incidents.postmortems.guide import Guide, Policy
from incidents.postmortems.portable import Covered, Portable, iso
from incidents.postmortems.provenance import Provenance
from incidents.postmortems.reviews import Amendment
from incidents.postmortems.sections import Revision, Section
from incidents.response.attachments import Attachment
from incidents.response.events import Event
from incidents.response.incident import Incident, IncidentCounter
from incidents.response.vocabulary import CLOCKS, IncidentKind, Severity, Status

_State = Postmortem.State
_BEGINNING = ("declared_at", "detected_at", "acknowledged_at", "impact_started_at")
_END = ("contained_at", "resolved_at")


@dataclass(slots=True)
class Imported:
    postmortem: Postmortem
    not_taken: list[str]


def began_at(incident: Covered, happened: datetime | None) -> datetime | None:
    """When it was, as near to its declaration as the file says; None where the file has no moment at all."""
    return next((at for _, at in _moments(incident, happened)), None)


def _moments(incident: Covered, happened: datetime | None) -> Iterator[tuple[str, datetime]]:
    """What may stand in for its declaration, the nearest first: in words, and when."""
    clocks = incident.clocks
    yield from ((f"The clock “{CLOCKS[name]}”", clocks[name]) for name in _BEGINNING if name in clocks)
    if happened:
        yield "The date in the file", happened
    yield from ((f"The clock “{CLOCKS[name]}”", clocks[name]) for name in _END if name in clocks)


def take(
    document: Portable,
    *,
    file_name: str,
    digest: str,
    happened: datetime | None,
    files: Mapping[str, bytes],
    remarks: list[str],
    matcher: Counterparts,
    team: Team | None,
) -> Imported:
    """Make the rows of one document, in the caller's transaction. The person who imports is the matcher's."""
    by, now = matcher.by, timezone.now()
    unplaced: dict[str, Any] = {"authors": document.authors, "tags": document.tags, "not_taken": remarks[:200]}
    incidents = [_incident(row, happened, file_name, matcher, team, unplaced) for row in document.incidents]
    _renumber(document, incidents)
    first = incidents[0]
    published = document.state in ("", _State.PUBLISHED)
    owner = _who(matcher, document.owner, first)
    postmortem = Postmortem.objects.create(
        slug=str(first.number),
        incident=first,
        title="" if document.title == first.title else document.title,
        guide=Guide.objects.current(),
        depth=document.depth or Policy.objects.of(first.severity).depth,
        owner=owner,
        due_on=document.due_on or business_days_after(first.resolved_at or now, 10),
        state=_state(document),
        started_at=document.started_at or first.resolved_at or now,
        published_at=(document.published_at or now) if published else None,
        published_by=matcher.person(document.published_by) if published else None,
        not_required_because=document.not_required_because if document.state == _State.NOT_REQUIRED else "",
        triggered_by=document.triggered_by,
        trigger_text=document.trigger_text,
        frozen_facts=_frozen(document, first, happened),
    )
    postmortem.also.add(*incidents[1:])
    unplaced["owner"] = "" if owner else document.owner
    unplaced["published_by"] = "" if postmortem.published_by or not published else document.published_by
    if cause := document.trigger_change:
        change = matcher.change(cause) if document.triggered_by == Postmortem.Trigger.CHANGE else None
        Postmortem.objects.filter(pk=postmortem.pk).update(trigger=change)
        unplaced["change"] = asdict(cause) | {"happened_at": iso(cause.happened_at) if cause.happened_at else ""}
    _attach(document, first, files, unplaced, by)
    _write_sections(postmortem, document)
    _write_factors(postmortem, document, matcher)
    _write_rows(postmortem, document, incidents, matcher, unplaced)
    Provenance.objects.create(
        postmortem=postmortem, file_name=file_name[-120:], digest=digest, by=by, at=now, unplaced=unplaced
    )
    postmortem.record(by, became=postmortem.state, imported=file_name)
    postmortem.refresh_from_db()
    postmortem.index()
    return Imported(postmortem, unplaced["not_taken"])


def _state(document: Portable) -> str:
    """Reviews are not carried, so what was under review is written on."""
    if document.state in (_State.IN_REVIEW, _State.APPROVED):
        return _State.DRAFT
    return document.state or _State.PUBLISHED


def _incident(
    row: Covered,
    happened: datetime | None,
    file_name: str,
    matcher: Counterparts,
    team: Team | None,
    unplaced: dict[str, Any],
) -> Incident:
    system, lead = matcher.system(row.system), matcher.person(row.lead)
    began = began_at(row, happened) or timezone.now()
    ended = max([*row.clocks.values(), began])
    clocks = {"declared_at": began, "resolved_at": ended} | row.clocks
    incident = Incident.objects.create(
        number=IncidentCounter.take(),
        title=row.title,
        status=Status.CLOSED,
        severity=row.severity,
        kind=IncidentKind.BACKFILLED,
        system=system,
        team=system.team if system else team,
        category=row.category,
        failure_mode=row.failure_mode,
        noticed_by=row.noticed_by,
        impact_method=row.impact_method,
        lead=None if row.private else lead,
        private=row.private,
        opened_by=matcher.by,
        **clocks,
    )
    if row.private:
        incident.people.add(matcher.by)
    number = str(incident.number)
    source = next((what for what, _ in _moments(row, happened)), "The time of the import")
    unknown = {
        name: {"what": source, "at": iso(clocks[name])}
        for name in ("declared_at", "resolved_at")
        if name not in row.clocks
    }
    if "resolved_at" in unknown and row.clocks:
        unknown["resolved_at"]["what"] = "The last clock that the file says"
    unplaced.setdefault("stand_ins", {})[number] = unknown
    unplaced.setdefault("systems", {})[number] = "" if system else row.system
    unplaced.setdefault("leads", {})[number] = "" if incident.lead else row.lead
    incident.record(Event.Kind.OPENED, by=matcher.by, imported=file_name)
    return incident


def _who(matcher: Counterparts, words: str, incident: Incident) -> User | None:
    """Whom the words mean, if they may see the incident."""
    found = matcher.person(words)
    return found if found and Incident.objects.visible_to(found).filter(pk=incident.pk).exists() else None


def _renumber(document: Portable, incidents: list[Incident]) -> None:
    """Let its own incidents be named by the numbers that they have here."""
    numbers = {
        str(old.number): new.number for old, new in zip(document.incidents, incidents, strict=True) if old.number
    }

    def here(text: str) -> str:
        return re.sub(
            r"(?<![\w/#-])INC-(\d{1,9})(?![\w-])", lambda found: f"INC-{numbers.get(found[1], found[1])}", text
        )

    document.sections = {key: here(text) for key, text in document.sections.items()}
    for fact in document.facts:
        fact.label, fact.text, fact.record = here(fact.label), here(fact.text), here(fact.record)
    for amendment in document.amendments:
        amendment.text = here(amendment.text)
    for promise in document.follow_ups:
        promise.incident = numbers.get(str(promise.incident), incidents[0].number)


def _frozen(document: Portable, incident: Incident, happened: datetime | None) -> dict[str, list[dict[str, Any]]]:
    """The filled-in lines as the file says them; of a file without any, the few facts in it, and nothing of the record."""
    lines = [
        (row.section, Fact(row.label, row.text, row.source, "", "", row.record, row.edited_by))
        for row in document.facts
    ]
    if not lines:
        row = document.incidents[0]
        values = {"Incident": row.title, "System": row.system, "Lead": row.lead}
        values["Severity"] = Severity(row.severity).label if row.severity != Severity.UNKNOWN else ""
        values["Date"] = f"{happened:%Y-%m-%d %H:%M} UTC" if happened else ""
        values |= {label: f"{at:%Y-%m-%d %H:%M} UTC" for name, label in CLOCKS.items() if (at := row.clocks.get(name))}
        lines = [("summary", Fact(label, text, "imported file", "")) for label, text in values.items() if text]
    frozen: dict[str, list[dict[str, Any]]] = {}
    for place, (section, fact) in enumerate(lines, 1):
        frozen.setdefault(section, []).append(asdict(fact) | {"key": f"{IMPORTED}{place}"})
    return frozen


def _attach(
    document: Portable, incident: Incident, files: Mapping[str, bytes], unplaced: dict[str, Any], by: User
) -> None:
    """Keep the files that the texts show, and let the texts show them from here."""
    for path, content in files.items():
        names = "|".join(re.escape(name) for name in sorted(named_as(path), key=len, reverse=True))
        mention = re.compile(rf"(?<![\w/.-])(?:{names})(?![\w/-])")
        texts = [*document.sections.values(), *(row.text for row in document.amendments)]
        if not any(mention.search(text) for text in texts):
            unplaced["not_taken"].append(f"The file “{path[:100]}”: no text shows it.")
            continue
        name = re.sub(r"^\d+-", "", path.rpartition("/")[2])
        try:
            attachment = Attachment.objects.attach(incident, SimpleUploadedFile(name or "file", content), by=by)
        except Refused as refused:
            unplaced["not_taken"].append(f"The file “{path[:100]}”: {' '.join(refused.messages)}")
            continue
        address = reverse("attachment", args=[incident.number, attachment.pk])
        document.sections = {key: mention.sub(address, text) for key, text in document.sections.items()}
        for row in document.amendments:
            row.text = mention.sub(address, row.text)


def _write_sections(postmortem: Postmortem, document: Portable) -> None:
    """Write the texts; who wrote them is in `authors`, not in the history, which begins here."""
    order = [part.key for part in postmortem.guide.parts]
    now = timezone.now()
    for key, text in document.sections.items():
        position = order.index(key) if key in order else 99
        section = Section.objects.create(postmortem=postmortem, key=key, position=position, text=text, version=1)
        if text:
            Revision.objects.create(section=section, text=text, by=None, version=1, at=now, began_at=now)
    postmortem.add_sections()


def _write_factors(postmortem: Postmortem, document: Portable, matcher: Counterparts) -> None:
    for line in document.factors:
        kind = matcher.factor(line)
        if kind is None and line.group in FactorGroup.values:
            kind, _ = FactorKind.objects.get_or_create(group=line.group, name=line.factor, defaults={"retired": True})
        if kind:
            content = {"text": line.text, "evidence": line.evidence, "by": None}
            Factor.objects.get_or_create(postmortem=postmortem, kind=kind, defaults=content)


# What was shown elsewhere was not shown here: proof is earned where it is said.
_UNPROVEN = {FollowUp.State.VERIFIED.value: FollowUp.State.DONE, FollowUp.State.DID_NOT_HOLD.value: FollowUp.State.OPEN}


def _write_rows(
    postmortem: Postmortem,
    document: Portable,
    incidents: list[Incident],
    matcher: Counterparts,
    unplaced: dict[str, Any],
) -> None:
    now, by_number = timezone.now(), {incident.number: incident for incident in incidents}
    priorities = {priority.label: priority.value for priority in FollowUp.Priority}
    for row in document.follow_ups:
        incident = by_number[row.incident]
        owner = _who(matcher, row.owner, incident)
        state = _UNPROVEN.get(row.state, row.state)
        finished = state in (FollowUp.State.DONE, FollowUp.State.WONT_DO)
        if finished and row.finished_at is None:
            unplaced["not_taken"].append(
                f"When “{row.title}” was finished is unknown; the time of the import stands in for it."
            )
        made = FollowUp.objects.create(
            incident=incident,
            title=row.title,
            description=row.description,
            check_text=row.check,
            kind=row.type,
            priority=priorities[row.priority],
            state=state,
            owner=owner,
            due_on=row.due_on,
            created_by=matcher.by,
            created_at=row.created_at or now,
            finished_at=(row.finished_at or now) if finished else None,
            outcome=row.outcome,
        )
        unplaced.setdefault("owners", {})[str(made.pk)] = "" if owner else row.owner
    for addition in document.amendments:
        by = matcher.person(addition.by)
        at = addition.at or now
        amendment = Amendment.objects.create(
            postmortem=postmortem, key=addition.section, text=addition.text, by=by, at=at
        )
        unplaced.setdefault("amended_by", {})[str(amendment.pk)] = "" if by else addition.by
