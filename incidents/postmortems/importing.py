"""Postmortems from Markdown files: read, shown as they would become with everything that is not taken, then imported.

A file that Faultline wrote is read back whole (portable.py); any other is understood as far as it goes (elsewhere.py).
Whatever a file does not say is left unknown.
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db import models, transaction
from django.utils import timezone

from incidents.errors import Refused
from incidents.people.models import Team, User
from incidents.postmortems.archives import MOST_BYTES, Chosen, unpack
from incidents.postmortems.bounds import bounded
from incidents.postmortems.counterparts import Counterparts, unmatched
from incidents.postmortems.dates import moments
from incidents.postmortems.document import Postmortem
from incidents.postmortems.earlier import DocumentIdentity, Earlier, identity_of
from incidents.postmortems.elsewhere import Understanding, by_line, severity_of
from incidents.postmortems.embedded import taken_out
from incidents.postmortems.export import body as as_body
from incidents.postmortems.guide import BUILT_IN
from incidents.postmortems.portable import BadMatter, Covered, Portable, brief, load, outside_marks, parse, split
from incidents.postmortems.preview import understood
from incidents.postmortems.sections import LONGEST, clean
from incidents.postmortems.taking import Imported, began_at, take
from incidents.response.vocabulary import year_question
from incidents.years import EARLIEST_YEAR

MOST_FILES, MOST_STORED_BYTES, MOST_TEXT = 200, 60_000_000, 1_000_000  # the last without the pictures in it


_ASKED = ("date", "system", "severity", "year", "again")


@dataclass(slots=True)
class ImportedFile:
    """One file as it was understood; `remarks` say what was not taken, `trouble` why nothing can be.

    `earlier` is the postmortem that was made of it before, `twin` the file beside it that is the same; it is taken
    nevertheless where somebody asks for it `again`.
    """

    name: str
    document: Portable = field(default_factory=lambda: Portable(incidents=[Covered()]))
    happened: datetime | None = None
    days: list[datetime] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    trouble: str = ""
    year_is_right: bool = False
    is_own: bool = False  # whether Faultline wrote it
    digest: str = ""
    earlier: Postmortem | None = None
    twin: str = ""
    again: bool = False

    @property
    def incident(self) -> Covered:
        return self.document.incidents[0]

    @property
    def title(self) -> str:
        return self.document.title

    @property
    def lacks_date(self) -> bool:
        return not self.trouble and began_at(self.incident, self.happened) is None

    @property
    def year_question(self) -> str:
        """What to ask about the year in which the impact started, where it is long ago; "" once somebody confirmed it.

        A file that Faultline wrote is not asked about: its clocks were typed, and confirmed, where it comes from.
        """
        if self.trouble or self.is_own or self.year_is_right:
            return ""
        starts = [row.clocks.get("impact_started_at") for row in self.document.incidents]
        questions = [year_question(start) for start in [*starts, began_at(self.incident, self.happened)]]
        return next((question for question in questions if question), "")

    @property
    def is_fit(self) -> bool:
        is_asked = self.lacks_date or bool(self.year_question) or (self.is_repeated and not self.again)
        return not self.trouble and not is_asked

    @property
    def is_repeated(self) -> bool:
        return bool(self.earlier or self.twin)

    @property
    def identity(self) -> DocumentIdentity:
        began = began_at(self.incident, self.happened)
        return identity_of(self.digest, self.incident.title, [began, self.happened, *self.days])

    @property
    def understood(self) -> list[tuple[str, str]]:
        """Everything that the file says, as (what, words)."""
        return list(understood(self.document, self.happened))

    def answer(self, *, date: str = "", system: str = "", severity: str = "", year: str = "", again: str = "") -> None:
        """Fill in what the file does not say with what somebody says in the preview.

        Also whether its `year` is right, and whether it is taken `again`.
        """
        self.again = bool(again)
        if self.lacks_date and len(found := moments(date)) == 1 and found[0].year >= EARLIEST_YEAR:
            self.happened = found[0]
        self.year_is_right = year == "right"
        self.incident.system = self.incident.system or system.strip()[:200]
        if self.incident.severity in ("", "unknown"):
            self.incident.severity = severity_of(severity) or self.incident.severity


def read(name: str, raw: bytes, files: Mapping[str, bytes] | None = None) -> ImportedFile:
    """Read one file; what is wrong with it goes to `trouble`, what was left out to `remarks`. Never raises."""
    file = ImportedFile(name=name[-120:], files=dict(files or {}))
    if len(raw) > MOST_BYTES:
        file.trouble = f"It is larger than {MOST_BYTES // 1_000_000} MB."
        return file
    try:
        text = clean(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        file.trouble = "It is not UTF-8 text."
        return file
    file.digest = hashlib.sha256(text.encode()).hexdigest()
    matter, body = split(text)
    try:
        facts = load(matter) if matter else {}
    except BadMatter as unreadable:
        file.remarks.append(f"{unreadable} It was read line by line.")
        facts, rest = by_line(matter or "")
        file.remarks += [f"A line of the front matter was not understood: {brief(line)}" for line in rest]
    if not isinstance(facts, dict):
        facts = {}
        file.remarks.append("Its front matter is not valid YAML of names and values and was left out.")
    file.is_own = "faultline" in facts
    if not file.is_own:
        body, pictures, remarks = taken_out(body)
        file.files |= pictures
        file.remarks += remarks
    if len(body.encode()) > MOST_TEXT:
        file.trouble = f"It is larger than {MOST_TEXT // 1_000_000} MB."
    elif file.is_own:
        file.document, remarks = parse(facts, body)
        file.remarks += remarks
    else:
        reading = Understanding(file.remarks.append)
        reading.take_matter(facts)
        reading.take_body(body)
        reading.check_order()
        if not any(part.strip() for part in reading.document.sections.values()):
            file.trouble = "It has no text."
        file.document, file.happened, file.days = reading.document, reading.happened, reading.days
    if file.trouble:
        return file
    _finish(file, name)
    if "faultline" in facts:
        file.remarks += _unread(file.document, body)
    return file


def _unread(document: Portable, body: str) -> list[str]:
    """What somebody wrote into the copy for people, which is not read: lines that the front matter does not make."""
    titles = dict.fromkeys([part.key for part in BUILT_IN] + list(document.sections), "")
    copy = "\n".join(as_body(document, titles, mark="text-1"))
    made = {line.strip() for line in copy.split("\n")}
    lines = [line.strip() for line in outside_marks(body).split("\n")]
    added = [line for line in lines if line and not line.startswith("#") and line not in made]
    remarks = [
        f"Outside of the marks only the front matter is read, so this was not taken: {brief(line)}" for line in added
    ]
    return remarks if len(remarks) <= 20 else [*remarks[:20], f"And {len(remarks) - 20} more such lines."]


def _finish(file: ImportedFile, name: str) -> None:
    document = file.document
    if not document.title:
        document.title = re.sub(r"[-_]+", " ", name.rpartition("/")[2].rpartition(".")[0]).strip() or "Untitled"
        file.remarks.append("It has no title; the file name is used.")
    file.remarks += bounded(document)
    if file.happened and file.happened.year < EARLIEST_YEAR:
        file.remarks.append(f"Its date is before {EARLIEST_YEAR} and was not taken.")
        file.happened = None
    for key, part in document.sections.items():
        if len(part) > LONGEST:
            file.trouble = f"Its section “{key}” is longer than {LONGEST:,} characters."


class ImportBatch(models.Model):
    """Files that somebody is about to import, stored until they confirm. Imported once, however often one presses."""

    files = models.JSONField()  # [{"name": …, "text": …, "files": {path: base64}, "trouble": …}]
    by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    taken_at = models.DateTimeField(null=True, blank=True)
    taken = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{len(self.files)} files"

    @classmethod
    def keep(cls, files: Iterable[tuple[str, bytes]], *, by: User, team: Team | None) -> "ImportBatch":
        """Store what was chosen. Raises Refused for nothing, too many files, or too much of them."""
        chosen: list[Chosen] = []
        size = 0
        for name, raw in files:
            unpacked = unpack(name, raw)
            size += sum(len(file.raw) + sum(map(len, file.files.values())) for file in unpacked)
            chosen += unpacked
            if len(chosen) > MOST_FILES:
                raise Refused(f"Choose at most {MOST_FILES} files at a time.")
            if size > MOST_STORED_BYTES:
                raise Refused(f"Choose at most {MOST_STORED_BYTES // 1_000_000} MB at a time.")
        if not chosen:
            raise Refused("Choose at least one Markdown file.")
        return cls.objects.create(files=[_stored(file) for file in chosen], by=by, team=team)

    def read(self) -> list[ImportedFile]:
        """Every file as it is understood, with who and what of it is not known here."""
        matcher = Counterparts(self.by)
        read_files = []
        for stored in self.files:
            beside = {path: base64.b64decode(content) for path, content in stored.get("files", {}).items()}
            file = read(stored["name"], stored["text"].encode(), beside)
            file.trouble = stored.get("trouble", "") or file.trouble
            if not file.trouble:
                file.remarks += unmatched(file.document, matcher)
            read_files.append(file)
        _compare(read_files, self.by)
        return read_files

    def take(self, *, by: User, answers: Mapping[str, str] | None = None) -> list[Imported]:
        """Import every file that is fit, with the answers to what it lacks; a second call imports none.

        `answers` are by “date-0”, “system-0”, “severity-0”, “year-0” and “again-0”, for the first file.
        """
        answered = answers or {}
        with transaction.atomic():
            if not ImportBatch.objects.filter(pk=self.pk, taken_at=None).update(taken_at=timezone.now()):
                self.refresh_from_db()
                return []
            files = self.read()
            for place, file in enumerate(files):
                file.answer(**{name: answered.get(f"{name}-{place}", "") for name in _ASKED})
            matcher = Counterparts(by)
            made = [
                take(
                    file.document,
                    file_name=file.name,
                    digest=file.digest,
                    happened=file.happened,
                    files=file.files,
                    remarks=file.remarks,
                    matcher=matcher,
                    team=self.team,
                )
                for file in files
                if file.is_fit
            ]
            ImportBatch.objects.filter(pk=self.pk).update(taken=len(made), files=[])
        self.refresh_from_db()
        return made


def _compare(files: list[ImportedFile], user: User) -> None:
    """Find which files are postmortems already, and which are the same as one before them."""
    readable = [(file, file.identity) for file in files if not file.trouble]
    earlier = Earlier([identity for _, identity in readable], user)
    for place, (file, identity) in enumerate(readable):
        file.earlier = earlier.of(identity)
        file.twin = next((other.name for other, before in readable[:place] if identity.is_as(before)), "")


def _stored(file: Chosen) -> dict[str, object]:
    stored: dict[str, object] = {"name": _storable(file.name)[-120:], "text": ""}
    if file.trouble:
        return stored | {"trouble": file.trouble}
    if len(file.raw) > MOST_BYTES:
        return stored | {"trouble": f"It is larger than {MOST_BYTES // 1_000_000} MB."}
    try:
        text = file.raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return stored | {"trouble": "It is not UTF-8 text."}
    beside = {_storable(path): base64.b64encode(content).decode() for path, content in file.files.items()}
    return stored | {"text": text.replace("\x00", ""), "files": beside}


def _storable(name: str) -> str:
    return name.replace("\x00", "").encode("utf-8", "ignore").decode()
