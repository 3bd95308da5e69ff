"""Postmortems that were written elsewhere, from Markdown files: read, previewed as they would become, then imported.

A file may begin with front matter between lines of ---: title, date, resolved, severity, system, category, factors.
Whatever it does not say is left unknown. Each becomes a backfilled incident and its published postmortem.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import yaml
from django.db import models, transaction
from django.utils import timezone

from incidents import taxonomy
from incidents.errors import Refused
from incidents.people.models import Team, User
from incidents.postmortems.deadlines import business_days_after
from incidents.postmortems.document import Postmortem
from incidents.postmortems.factors import Factor, FactorKind
from incidents.postmortems.guide import Guide, Policy
from incidents.postmortems.sections import LONGEST, Revision, Section, clean
from incidents.response.events import Event
from incidents.response.incident import Incident, IncidentCounter
from incidents.response.vocabulary import IncidentKind, Severity, Status
from incidents.systems.models import System

MOST_FILES, MOST_BYTES = 200, 1_000_000

# What sections are called elsewhere, in the words of common public templates.
_CALLED: dict[str, tuple[str, ...]] = {
    "summary": ("summary", "executive summary", "overview", "issue summary", "abstract", "tl;dr", "what happened"),
    "impact": ("impact", "customer impact", "user impact", "effects"),
    "silence": ("silence", "detection", "how it was detected", "how we noticed"),
    "timeline": ("timeline", "time line", "chronology", "sequence of events"),
    "trigger": ("trigger", "what changed", "triggering change"),
    "factors": (
        "contributing factors",
        "factors",
        "root cause",
        "root causes",
        "cause",
        "causes",
        "root cause and trigger",
        "analysis",
    ),
    "response": ("response", "resolution", "mitigation", "recovery", "resolution and recovery", "containment"),
    "well": ("what went well", "things that went well"),
    "hard": ("what went wrong", "what was hard", "what could have gone better", "things that went poorly"),
    "lucky": ("where we got lucky", "where we were lucky", "luck"),
    "learning": ("lessons", "lessons learned", "lessons learnt", "learnings", "what we know now", "what we learned"),
    "again": (
        "past and future",
        "related incidents",
        "recurrence",
        "action items",
        "follow-ups",
        "follow ups",
        "actions",
        "next steps",
        "corrective actions",
    ),
}
_SECTIONS = {name: key for key, names in _CALLED.items() for name in names}


@dataclass(slots=True)
class ImportedFile:
    """One file as it was understood, and what of it was not."""

    name: str
    title: str = ""
    happened_at: datetime | None = None
    resolved_at: datetime | None = None
    severity: str = Severity.UNKNOWN
    system: str = ""
    category: str = ""
    failure_mode: str = ""
    factors: list[str] = field(default_factory=list)
    sections: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    trouble: str = ""


def read(name: str, raw: bytes) -> ImportedFile:
    """Read one file; what is wrong with it goes to `trouble`, what was left out to `remarks`. Never raises."""
    file = ImportedFile(name=name[-120:])
    if len(raw) > MOST_BYTES:
        file.trouble = f"It is larger than {MOST_BYTES // 1_000_000} MB."
        return file
    try:
        text = clean(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        file.trouble = "It is not UTF-8 text."
        return file
    matter, body = _front_matter(text, file)
    _take_facts(matter, file)
    _take_sections(body, file)
    if not file.title:
        file.title = re.sub(r"[-_]+", " ", name.rpartition("/")[2].rpartition(".")[0]).strip() or "Untitled"
        file.remarks.append("It has no title; the file name is used.")
    file.title = file.title[:200]
    if file.happened_at is None:
        file.trouble = file.trouble or "It does not say when it happened: add “date: 2025-03-14” to its front matter."
    if not file.sections:
        file.trouble = file.trouble or "It has no text."
    for key, part in file.sections.items():
        if len(part) > LONGEST:
            file.trouble = f"Its section “{key}” is longer than {LONGEST:,} characters."
    return file


def _front_matter(text: str, file: ImportedFile) -> tuple[dict[str, Any], str]:
    match = re.match(r"---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|$)", text, re.DOTALL)
    if match is None:
        return {}, text
    try:
        matter = yaml.safe_load(match[1]) if match[1].count("*") < 20 else None
    except (yaml.YAMLError, ValueError, RecursionError):
        matter = None
    if not isinstance(matter, dict):
        file.remarks.append("Its front matter is not valid YAML and was left out.")
        return {}, text[match.end() :]
    return {str(key).strip().lower().replace(" ", "_").replace("-", "_"): value for key, value in matter.items()}, text[
        match.end() :
    ]


def _take_facts(matter: dict[str, Any], file: ImportedFile) -> None:
    file.title = _word(matter.get("title"))
    for name in ("date", "happened_at", "start", "started_at", "impact_start"):
        file.happened_at = file.happened_at or _moment(matter.get(name))
    for name in ("resolved", "resolved_at", "end", "ended_at"):
        file.resolved_at = file.resolved_at or _moment(matter.get(name))
    if file.happened_at and file.resolved_at and file.resolved_at < file.happened_at:
        file.remarks.append("It ends before it begins; the end was left out.")
        file.resolved_at = None
    severity = re.sub(r"[^a-z0-9]", "", _word(matter.get("severity")).lower())
    named = {
        "1": "sev1",
        "2": "sev2",
        "3": "sev3",
        "4": "sev4",
        "critical": "sev1",
        "high": "sev2",
        "medium": "sev3",
        "low": "sev4",
    }
    severity = named.get(severity.removeprefix("p"), severity)
    if severity in Severity.values:
        file.severity = severity
    elif severity:
        file.remarks.append(f"The severity “{_word(matter.get('severity'))}” is not known; the severity stays unknown.")
    file.system = _word(matter.get("system") or matter.get("service"))[:200]
    _take_class(_word(matter.get("failure_mode")) or _word(matter.get("category")), file)
    factors = matter.get("factors") or matter.get("contributing_factors") or []
    file.factors = [_word(name) for name in (factors if isinstance(factors, list) else [factors]) if _word(name)][:20]


def _take_class(code: str, file: ImportedFile) -> None:
    code = code.strip().lower().replace(" ", "_").replace("-", "_")
    if not code:
        return
    known = taxonomy.find(code)
    if known is None:
        file.remarks.append(f"The category “{code}” is not known; it stays unclassified.")
        return
    file.category, file.failure_mode = known.category, known.failure_mode


def _take_sections(body: str, file: ImportedFile) -> None:
    """Split at headings; what stands under none of the usual ones goes, heading and all, into “What we know now”."""
    key, headed = "summary", False  # the first heading of the first level is the document’s own
    for part in re.split(r"(?m)^(?=#{1,3} )", _outside_fences(body)):
        part = part.replace("\x01", "#")
        text = part
        if match := re.match(r"(#{1,3}) +(.+?)[ #]*(?:\n|$)", part):
            level, heading, text = len(match[1]), match[2].strip(), part[match.end() :]
            plain = re.sub(r"^[\d.)\s]+|[:*_]+", "", heading).strip().lower()
            if level == 1 and not headed:
                file.title = file.title or _without_kind(heading)
                key, headed = "summary", True
            elif plain in _SECTIONS:
                key = _SECTIONS[plain]
            elif level <= 2:
                key, text = "learning", part
            else:
                text = part  # a heading below stays where it is
        if text.strip():
            file.sections[key] = f"{file.sections.get(key, '')}\n\n{text.strip()}".strip()


def _without_kind(heading: str) -> str:
    return re.sub(r"(?i)^(?:incident )?post-?mortem(?: of| for)?[:\s-]*", "", heading) or heading


def _outside_fences(text: str) -> str:
    """Hide what looks like a heading within a block of code."""
    return re.sub(r"(?ms)^(```|~~~).*?^\1", lambda block: re.sub(r"(?m)^#", "\x01", block.group()), text)


def _word(value: Any) -> str:
    return " ".join(str(value).split()) if isinstance(value, str | int | float) else ""


def _moment(value: Any) -> datetime | None:
    try:
        if isinstance(value, datetime):
            moment = value
        elif isinstance(value, date):
            moment = datetime(value.year, value.month, value.day, tzinfo=UTC)
        elif isinstance(value, str):
            moment = datetime.fromisoformat(value.strip())
        else:
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year >= 1990 and moment <= timezone.now() else None


class ImportBatch(models.Model):
    """Files that somebody is about to import, stored until they confirm. Imported once, however often one presses."""

    files = models.JSONField()  # [{"name": …, "text": …}]
    by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    taken_at = models.DateTimeField(null=True, blank=True)
    taken = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{len(self.files)} files"

    @classmethod
    def keep(cls, files: Iterable[tuple[str, bytes]], *, by: User, team: Team | None) -> "ImportBatch":
        stored = [
            {"name": name[-120:], "text": raw[: MOST_BYTES + 1].decode("utf-8", "replace").replace("\x00", "")}
            for name, raw in files
        ]
        if not stored:
            raise Refused("Choose at least one Markdown file.")
        if len(stored) > MOST_FILES:
            raise Refused(f"Choose at most {MOST_FILES} files at a time.")
        return cls.objects.create(files=stored, by=by, team=team)

    def read(self) -> list[ImportedFile]:
        return [read(file["name"], file["text"].encode()) for file in self.files]

    def take(self, *, by: User) -> int:
        """Import every file without trouble; returns how many. A second call imports none."""
        with transaction.atomic():
            if not ImportBatch.objects.filter(pk=self.pk, taken_at=None).update(taken_at=timezone.now()):
                self.refresh_from_db()
                return 0
            fit = [file for file in self.read() if not file.trouble]
            for file in fit:
                _take(file, team=self.team, by=by)
            ImportBatch.objects.filter(pk=self.pk).update(taken=len(fit), files=[])
        self.refresh_from_db()
        return len(fit)


def _take(file: ImportedFile, *, team: Team | None, by: User) -> Postmortem:
    began = file.happened_at or timezone.now()
    ended = file.resolved_at or began
    system = System.objects.visible_to(by).named(file.system) if file.system else None
    incident = Incident.objects.create(
        number=IncidentCounter.take(),
        title=file.title,
        status=Status.CLOSED,
        severity=file.severity,
        kind=IncidentKind.BACKFILLED,
        system=system,
        team=system.team if system and system.team else team,
        category=file.category,
        failure_mode=file.failure_mode,
        opened_by=by,
        impact_started_at=began,
        declared_at=began,
        resolved_at=ended,
    )
    incident.record(Event.Kind.OPENED, by=by, imported=file.name)
    guide, now = Guide.objects.current(), timezone.now()
    postmortem = Postmortem.objects.create(
        slug=str(incident.number),
        incident=incident,
        guide=guide,
        depth=Policy.objects.of(file.severity).depth,
        owner=by,
        due_on=business_days_after(ended, 10),
        state=Postmortem.State.PUBLISHED,
        started_at=ended,
        published_at=now,
        published_by=by,
    )
    _write_sections(postmortem, file, by=by)
    kinds = {kind.name.lower(): kind for kind in FactorKind.objects.all()}
    for name in file.factors:
        if kind := kinds.get(name.lower()):
            Factor.objects.get_or_create(postmortem=postmortem, kind=kind, defaults={"text": name, "by": by})
    postmortem.record(by, became="published", imported=file.name)
    postmortem.index()
    return postmortem


def _write_sections(postmortem: Postmortem, file: ImportedFile, *, by: User) -> None:
    order = [part.key for part in postmortem.guide.parts]
    for key, text in file.sections.items():
        section = Section.objects.create(
            postmortem=postmortem,
            key=key,
            position=order.index(key) if key in order else 99,
            text=text,
            version=1,
            edited_by=by,
            edited_at=timezone.now(),
        )
        Revision.objects.create(section=section, text=text, by=by, version=1)
