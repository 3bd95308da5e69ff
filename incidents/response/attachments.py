"""Files that belong to an incident: pictures, notebooks, tables. Checked for what they are, and served so that none can run."""

import hashlib
import io
import json
from typing import Any, Self

from django.core.files.uploadedfile import UploadedFile
from django.db import models, transaction
from django.utils import timezone
from PIL import Image, ImageOps, UnidentifiedImageError

from incidents.errors import Refused
from incidents.people.models import User
from incidents.response.events import Event
from incidents.response.incident import Incident

MOST_BYTES, MOST_FILES, MOST_PIXELS = 10 * 1024 * 1024, 50, 25_000_000

PICTURES = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp"}
_TEXTS = {
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "txt": "text/plain",
    "log": "text/plain",
    "md": "text/markdown",
}
_ACCEPTED = "PNG, JPEG, GIF and WebP pictures, notebooks (.ipynb), .csv, .tsv, .json, .txt, .log, .md and .pdf"


class AttachmentQuerySet(models.QuerySet["Attachment"]):
    def attach(self, incident: Incident, file: "UploadedFile[Any]", *, by: User) -> "Attachment":
        """Keep a file. Raises Refused where it is too large, or not what its name says."""
        name = _clean_name(file.name or "")
        if not file.size:
            raise Refused(f"{name} is empty.")
        if file.size > MOST_BYTES:
            raise Refused(f"{name} is larger than {MOST_BYTES // 1024 // 1024} MB. Link to it instead.")
        content, kind = _checked(file.read(), name)
        with transaction.atomic():
            incident.locked()
            if self.filter(incident=incident).count() >= MOST_FILES:
                raise Refused(f"An incident can hold at most {MOST_FILES} files.")
            attachment = self.create(
                incident=incident,
                name=name,
                content_type=kind,
                content=content,
                size=len(content),
                by=by,
                digest=hashlib.sha256(content).hexdigest(),
            )
            incident.record(
                Event.Kind.ATTACHMENT,
                by=by,
                id=attachment.pk,
                name=name,
                picture=attachment.is_picture,
                digest=attachment.digest,
            )
        return attachment

    def for_list(self) -> Self:
        return self.defer("content").select_related("by").order_by("pk")


class Attachment(models.Model):
    """One file. Its bytes are in the database, so that they are saved, restored and deleted with what they belong to."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="attachments")
    name = models.CharField(max_length=120)
    content_type = models.CharField(max_length=60)
    content = models.BinaryField()
    size = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    objects = AttachmentQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    @property
    def is_picture(self) -> bool:
        return self.content_type in PICTURES.values()

    def remove(self, *, by: User) -> None:
        """Take it away; that it was here, and its digest, stay in the log."""
        with transaction.atomic():
            self.incident.record(Event.Kind.ATTACHMENT, by=by, name=self.name, removed=True, digest=self.digest)
            self.delete()


def _clean_name(name: str) -> str:
    name = "".join(letter for letter in name.replace("\\", "/").rpartition("/")[2] if letter.isprintable()).strip(" .")
    stem, dot, ending = name.rpartition(".")
    return f"{stem[:100]}{dot}{ending[:15]}" if dot else name[:110] or "file"


def _checked(content: bytes, name: str) -> tuple[bytes, str]:
    """See what the bytes are; the name alone is believed by nobody."""
    ending = name.rpartition(".")[2].lower()
    if ending in ("png", "jpg", "jpeg", "gif", "webp"):
        return _picture(content, name)
    if ending == "pdf" and content.startswith(b"%PDF-"):
        return content, "application/pdf"
    if ending in ("ipynb", "json") and _is_json(content, notebook=ending == "ipynb"):
        return content, "application/x-ipynb+json" if ending == "ipynb" else "application/json"
    if ending in _TEXTS and _is_text(content):
        return content, _TEXTS[ending]
    known = ending in _TEXTS or ending in ("pdf", "ipynb", "json")
    raise Refused(f"{name} is not what its name says." if known else f"{name}: only {_ACCEPTED} are accepted.")


def _picture(content: bytes, name: str) -> tuple[bytes, str]:
    """Draw it anew, which drops where it was taken and whatever else was hidden in it. A moving one keeps its first frame."""
    try:
        with Image.open(io.BytesIO(content), formats=list(PICTURES)) as image:
            if image.width * image.height > MOST_PIXELS:
                raise Refused(f"{name} has more than {MOST_PIXELS // 1_000_000} million pixels.")
            kind = image.format or "PNG"
            image.load()
            drawn = io.BytesIO()
            ImageOps.exif_transpose(image).save(
                drawn, format=kind, **({"quality": 90} if kind in ("JPEG", "WEBP") else {})
            )
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError):
        raise Refused(f"{name} is not a readable picture.") from None
    return drawn.getvalue(), PICTURES[kind]


def _is_text(content: bytes) -> bool:
    try:
        return "\x00" not in content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False


def _is_json(content: bytes, *, notebook: bool) -> bool:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return not notebook or (isinstance(document, dict) and "nbformat" in document and "cells" in document)
