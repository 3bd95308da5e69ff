"""Reads a file of samples, whatever tool wrote it: each record is recognised by what it holds. Pure."""

import csv
import io
import sys
from collections.abc import Callable, Iterator
from typing import Any

from incidents.alerts.bodies import REPLACEMENT, Json, Unreadable, decoded, load
from incidents.evidence.readers import langfuse, openai, otlp, phoenix, plain
from incidents.evidence.readers.spans import TraceSpan, exchanges
from incidents.evidence.readers.tools import acts
from incidents.evidence.readers.values import Dropped, FileReading

MOST_BYTES = 1024 * 1024
MOST_RECORDS = 2_000

Record = tuple[str, Json]
_SPANS: dict[str, tuple[Callable[[Json], bool], Callable[[str, Any], Any]]] = {
    "OTLP traces": (otlp.recognizes, otlp.spans),
    "Phoenix spans": (phoenix.recognizes, lambda place, value: [phoenix.span(place, value)]),
    "Langfuse export": (langfuse.recognizes, langfuse.spans),
}


def read(content: bytes) -> FileReading:
    """Read CSV, JSON or JSON on lines. What cannot be read is in `dropped`, with its line; nothing raises."""
    text = decoded(content).replace("\x00", REPLACEMENT)
    reading = FileReading()
    spans: list[TraceSpan] = []
    is_json = text.lstrip()[:1] in ("{", "[")
    for number, (place, record) in enumerate(_json(text, reading) if is_json else _csv(text, reading), start=1):
        if number > MOST_RECORDS:
            reading.dropped.append(
                Dropped(place, f"A file may hold {MOST_RECORDS:,} records; this and the rest are left out.")
            )
            break
        _take(place, record, reading, spans)
    exchanges(spans, reading)
    reading.acts = acts(spans)
    return reading


def _take(place: str, record: Json, reading: FileReading, spans: list[TraceSpan]) -> None:
    for name, (recognizes, spans_of) in _SPANS.items():
        if recognizes(record):
            reading.format, reading.is_trace = reading.format or name, True
            spans += spans_of(place, record)
            return
    if not isinstance(record, dict):
        reading.dropped.append(Dropped(place, "It is no object with an input and an output."))
    elif openai.recognizes(record):
        reading.format = reading.format or "OpenAI messages"
        reading.take(place, openai.exchange(record))
    else:
        reading.format = reading.format or "plain records"
        reading.take(place, plain.exchange(record))


def _json(text: str, reading: FileReading) -> Iterator[Record]:
    try:
        whole = load(text.encode())
    except Unreadable as problem:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) == 1:
            reading.dropped.append(Dropped("line 1", str(problem)))
            return
        yield from _lines(text, reading)
        return
    rows = whole.get("data") if isinstance(whole, dict) and isinstance(whole.get("data"), list) else whole
    if isinstance(rows, list):
        yield from ((f"record {number}", row) for number, row in enumerate(rows, start=1))
    else:
        yield ("record 1", rows)


def _lines(text: str, reading: FileReading) -> Iterator[Record]:
    # Only line feeds end a record: a text may hold any other sign that Python takes for the end of a line.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            yield f"line {number}", load(line.encode())
        except Unreadable as problem:
            why = str(problem).replace("The body", "This line").replace(" at line 1,", " at")
            reading.dropped.append(Dropped(f"line {number}", why))


def _csv(text: str, reading: FileReading) -> Iterator[Record]:
    csv.field_size_limit(min(sys.maxsize, MOST_BYTES))
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        if not rows.fieldnames:
            return
        for row in rows:
            if None in row:
                reading.dropped.append(
                    Dropped(f"line {rows.line_num}", "It has more cells than the first line has names.")
                )
            else:
                yield f"line {rows.line_num}", {name: cell for name, cell in row.items() if cell is not None}
    except csv.Error as problem:
        reading.dropped.append(Dropped(f"line {rows.line_num}", f"This is not CSV: {problem}."))
