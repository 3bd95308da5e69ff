"""Plain records, from JSON or CSV: the columns that people choose, by their usual names."""

from incidents.alerts.bodies import Json
from incidents.alerts.times import time_of
from incidents.evidence.exchange import Exchange
from incidents.evidence.readers import names
from incidents.evidence.readers.messages import conversation, messages
from incidents.evidence.readers.values import calls, first, passages, written

USED = frozenset(alias for aliases in names.COLUMNS.values() for alias in aliases)


def exchange(record: dict[str, Json]) -> Exchange:
    by_name = {
        name.strip().lower() if name.strip().lower() in USED else name.strip(): one for name, one in record.items()
    }
    found = {what: first(by_name, aliases) for what, aliases in names.COLUMNS.items()}
    return Exchange(
        input=_spoken(found["input"]),
        output=_spoken(found["output"]),
        context=passages(found["context"]),
        tool_calls=calls(found["tool_calls"]),
        expected=written(found["expected"]),
        must_not=written(found["must_not"]),
        reference=written(found["reference"]),
        occurred_at=time_of(found["occurred_at"]),
    )


def _spoken(value: Json) -> str:
    """A text as it is; messages as what was said."""
    rows = messages(value) if isinstance(value, list | dict) else []
    return (conversation(rows) if rows and all("role" in row for row in rows) else "") or written(value)
