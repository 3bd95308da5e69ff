"""Files as people choose them to import: Markdown, or a .zip of Markdown and the pictures beside it.

Nothing is ever written to disk and no name is ever a path here: an entry is found only by the name that a text gives it.
"""

import io
import lzma
import posixpath
import zipfile
import zlib
from dataclasses import dataclass, field
from urllib.parse import quote

MOST_BYTES, MOST_ARCHIVE_BYTES = 15_000_000, 25_000_000  # of a text with pictures in it, of an archive
MOST_ENTRIES, MOST_UNPACKED_BYTES = 500, 60_000_000
_BROKEN = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, lzma.LZMAError, EOFError, OSError),
    *(RuntimeError, NotImplementedError, ValueError, KeyError, IndexError, OverflowError, MemoryError),
)


@dataclass(slots=True)
class Chosen:
    """One Markdown file with what lies beside it, by the path that its text would say."""

    name: str
    raw: bytes = b""
    files: dict[str, bytes] = field(default_factory=dict)
    trouble: str = ""


def unpack(name: str, raw: bytes) -> list[Chosen]:
    """The Markdown files of one upload. Never raises: one that cannot be read says why."""
    if not (name.lower().endswith(".zip") or raw.startswith(b"PK\x03\x04")):
        return [Chosen(name, raw[: MOST_BYTES + 1])]
    if len(raw) > MOST_ARCHIVE_BYTES:
        return [Chosen(name, trouble=f"It is larger than {MOST_ARCHIVE_BYTES // 1_000_000} MB.")]
    try:
        entries = _entries(raw)
    except _Refused as refused:
        return [Chosen(name, trouble=str(refused))]
    except _BROKEN:
        return [Chosen(name, trouble="It is not a readable .zip file.")]
    texts = {path: content for path, content in entries.items() if path.lower().endswith((".md", ".markdown", ".txt"))}
    if not texts:
        return [Chosen(name, trouble="It holds no Markdown file.")]
    chosen = []
    for path, content in texts.items():
        folder = posixpath.dirname(path)
        beside = {
            entry[len(folder) + 1 if folder else 0 :]: entries[entry]
            for entry in entries
            if entry not in texts and (not folder or entry.startswith(f"{folder}/"))
        }
        chosen.append(Chosen(f"{name}: {path}" if len(texts) > 1 else name, content[: MOST_BYTES + 1], beside))
    return chosen


class _Refused(Exception):
    pass


def _entries(raw: bytes) -> dict[str, bytes]:
    entries: dict[str, bytes] = {}
    left = MOST_UNPACKED_BYTES
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        if len(members) > MOST_ENTRIES:
            raise _Refused(f"It holds more than {MOST_ENTRIES} files.")
        for member in members:
            path = posixpath.normpath(member.filename.replace("\\", "/"))
            if path.startswith(("/", "..")) or "\x00" in path or "__MACOSX" in path:
                continue
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise _Refused(f"“{path[:80]}” in it is packed in a way that is not read here.")
            with archive.open(member) as file:  # what an entry says of its size is believed by nobody
                content = file.read(left + 1)
            left -= len(content)
            if left < 0:
                raise _Refused(f"It unpacks to more than {MOST_UNPACKED_BYTES // 1_000_000} MB.")
            entries[path] = content
    return entries


def named_as(path: str) -> set[str]:
    """How a text may write the path of a file that lies beside it."""
    return {path, quote(path), f"./{path}", f"./{quote(path)}"}
