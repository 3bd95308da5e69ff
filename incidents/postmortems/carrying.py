"""A postmortem of here as it is carried elsewhere, with the files that its texts show."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from incidents.followups.models import FollowUp
from incidents.people.models import User
from incidents.postmortems.document import Postmortem
from incidents.postmortems.facts import facts_of
from incidents.postmortems.portable import (
    Addition,
    CauseOnRecord,
    Covered,
    FactLine,
    FactorLine,
    Portable,
    Promise,
    as_moment,
)
from incidents.postmortems.provenance import stand_ins, unplaced_of
from incidents.response.attachments import Attachment
from incidents.response.incident import Incident
from incidents.response.vocabulary import CLOCKS
from incidents.web.addresses import address_pattern

MOST_FILE_BYTES = 20 * 1024 * 1024  # of all files that go along with one postmortem


@dataclass(slots=True)
class Carried:
    """The document, the titles of its parts in their order, and the files that go along by their path."""

    document: Portable
    titles: dict[str, str]
    files: dict[str, Attachment] = field(default_factory=dict)


def carry(postmortem: Postmortem) -> Carried:
    """Gather everything that its page says; whoever asks may see it, so they may see all of its incidents."""
    unplaced = unplaced_of(postmortem)
    document = Portable(
        title=postmortem.name,
        state=postmortem.state,
        depth=postmortem.depth,
        owner=person(postmortem.owner) or unplaced.get("owner", ""),
        authors=_authors(postmortem, unplaced.get("authors", [])),
        tags=unplaced.get("tags", []),
        due_on=postmortem.due_on,
        started_at=postmortem.started_at,
        published_at=postmortem.published_at,
        published_by=person(postmortem.published_by) or unplaced.get("published_by", ""),
        not_required_because=postmortem.not_required_because,
        triggered_by=postmortem.triggered_by,
        trigger_text=postmortem.trigger_text,
        trigger_change=cause_of(postmortem, unplaced),
        incidents=[_covered(incident, unplaced) for incident in postmortem.incidents],
        follow_ups=[_promise(row, unplaced.get("owners", {})) for row in follow_ups_of(postmortem)],
    )
    for factor in postmortem.factors.select_related("kind").order_by("pk"):
        evidence = f"{settings.BASE_URL}{factor.evidence}" if factor.evidence.startswith("/") else factor.evidence
        document.factors.append(FactorLine(factor.kind.group, factor.kind.name, factor.text, evidence))
    for row in postmortem.amendments.select_related("by"):
        by = person(row.by) or unplaced.get("amended_by", {}).get(str(row.pk), "")
        document.amendments.append(Addition(section=row.key, text=row.text, by=by, at=row.at))
    titles = _take_sections(document, postmortem)
    return _with_files(Carried(document, titles), postmortem)


def _take_sections(document: Portable, postmortem: Postmortem) -> dict[str, str]:
    facts = facts_of(postmortem)
    texts = dict(postmortem.sections.values_list("key", "text"))
    titles = {part.key: part.title for part in postmortem.parts() if part.key in texts}
    for key in titles:
        document.sections[key] = texts[key]
        document.facts += [
            FactLine(key, fact.label, fact.text, fact.source, fact.by, fact.record)
            for fact in facts.get(key, [])
            if fact.text
        ]
    return titles


def person(user: User | None) -> str:
    """A person so that they can be found elsewhere: by address, else by name."""
    if user is None:
        return ""
    return f"{user.name} <{user.email}>" if user.name else user.email


def _authors(postmortem: Postmortem, unplaced: list[str]) -> list[str]:
    """Who wrote, in the order in which each began."""
    written = User.objects.filter(pk__in=_writers(postmortem)).in_bulk()
    return list(dict.fromkeys([*unplaced, *(person(written[pk]) for pk in _writers(postmortem))]))


def _writers(postmortem: Postmortem) -> list[int]:
    revisions = postmortem.sections.exclude(revisions__by=None).order_by("revisions__pk")
    return list(dict.fromkeys(pk for pk in revisions.values_list("revisions__by", flat=True) if pk))


def _covered(incident: Incident, unplaced: dict[str, Any]) -> Covered:
    number = str(incident.number)
    unknown = [name for name, _, _ in stand_ins(incident, unplaced)]
    clocks = {name: getattr(incident, name) for name in (*CLOCKS, "impact_started_until") if name not in unknown}
    return Covered(
        number=incident.number,
        title=incident.title,
        system=incident.system.name if incident.system else unplaced.get("systems", {}).get(number, ""),
        severity=incident.severity,
        category=incident.category,
        failure_mode=incident.failure_mode,
        noticed_by=incident.noticed_by,
        lead=person(incident.lead) or unplaced.get("leads", {}).get(number, ""),
        private=incident.private,
        impact_method=incident.impact_method,
        clocks={name: at for name, at in clocks.items() if at},
    )


def _promise(row: FollowUp, owners: dict[str, str]) -> Promise:
    return Promise(
        title=row.title,
        incident=row.incident.number,
        type=row.kind,
        priority=row.get_priority_display(),
        state=row.state,
        owner=person(row.owner) or owners.get(str(row.pk), ""),
        due_on=row.due_on,
        description=row.description,
        check=row.check_text,
        outcome=row.outcome,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )


def cause_of(postmortem: Postmortem, unplaced: dict[str, Any]) -> CauseOnRecord | None:
    """The change on record that triggered it, or the one that the file names which it was imported from."""
    if postmortem.triggered_by != Postmortem.Trigger.CHANGE:
        return None
    if change := postmortem.trigger:
        return CauseOnRecord(change.kind, change.title, change.system.name, change.happened_at)
    if named := unplaced.get("change"):
        return CauseOnRecord(named["kind"], named["title"], named["system"], as_moment(named["happened_at"]))
    return None


def follow_ups_of(postmortem: Postmortem) -> list[FollowUp]:
    follow_ups = FollowUp.objects.filter(incident__in=postmortem.incidents)
    return list(follow_ups.select_related("owner", "incident").order_by("priority", "pk"))


# Files


def _with_files(carried: Carried, postmortem: Postmortem) -> Carried:
    """Let the texts show the files beside the document, each named by its place, as long as they fit."""
    own = {incident.number: incident for incident in postmortem.incidents}
    address = re.compile(rf"(?:{re.escape(settings.BASE_URL)})?{address_pattern('attachment', numbers=2)}")
    paths: dict[int, str] = {}
    size = 0

    def replaced(found: re.Match[str]) -> str:
        nonlocal size
        pk = int(found[2]) if len(found[2]) < 10 else 0
        file = Attachment.objects.filter(incident=own.get(int(found[1])), pk=pk).defer("content").first()
        if file is None or (pk not in paths and size + file.size > MOST_FILE_BYTES):
            if file and file.name not in carried.document.left_out:
                carried.document.left_out.append(file.name)
            return found[0]
        if pk not in paths:
            size += file.size
            paths[pk] = f"files/{len(paths) + 1}-{re.sub(r'[^A-Za-z0-9._-]+', '-', file.name)}"
            carried.files[paths[pk]] = file
        return paths[pk]

    document = carried.document
    document.sections = {key: address.sub(replaced, text) for key, text in document.sections.items()}
    for row in document.amendments:
        row.text = address.sub(replaced, row.text)
    return carried


def contents(carried: Carried) -> Iterator[tuple[str, bytes]]:
    """The bytes of each file that goes along, read one at a time."""
    for path, file in carried.files.items():
        yield path, bytes(file.content)
