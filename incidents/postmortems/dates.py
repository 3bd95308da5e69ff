"""Days and moments as people write them in postmortems. Pure; what can mean two days gives both."""

import re
from datetime import UTC, datetime, timedelta

from incidents.postmortems.portable import as_moment

_MONTHS = {
    name: number
    for number, names in enumerate(
        "january jan|february feb|march mar|april apr|may|june jun|july jul|august aug|september sep sept|october oct"
        "|november nov|december dec".split("|"),
        1,
    )
    for name in names.split()
}
_DAY = {
    "named": re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[ -]([a-z]{3,9})\.?,?[ -](\d{4})"),
    "american": re.compile(r"([a-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})"),
    "year_first": re.compile(r"(\d{4})[/.-](\d{1,2})[/.-](\d{1,2})"),
    "dotted": re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})"),
    "slashed": re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})"),
}
_TIME = re.compile(r"(?:,? ?at |[ ,t]+)?(\d{1,2}):(\d{2})(?::(\d{2}))? ?(?:utc|z|gmt)?")
DAY_IN_TEXT = r"\d{4}-\d{2}-\d{2}|\d{1,2}[/.]\d{1,2}[/.]\d{4}|\d{1,2} [A-Za-z]{3,9} \d{4}|[A-Za-z]{3,9} \d{1,2}, \d{4}"


def moments(value: object) -> list[datetime]:
    """What the value may mean, in UTC: one moment, two where day and month may be swapped, or none. A day is its midnight."""
    if exact := as_moment(value):
        return [exact]
    text = " ".join(str(value).lower().split())[:60] if isinstance(value, str) else ""
    text = re.sub(r"^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,? ", "", text)
    for form, pattern in _DAY.items():
        if (found := pattern.match(text)) and (rest := _time(text[found.end() :])) is not None:
            return sorted({day + rest for day in _days(form, found)})
    return []


def _days(form: str, found: re.Match[str]) -> list[datetime]:
    one, two, three = found.groups()
    orders: list[tuple[str, str | int, str]]
    match form:
        case "named":
            orders = [(three, _MONTHS.get(two, 0), one)]
        case "american":
            orders = [(three, _MONTHS.get(one, 0), two)]
        case "year_first":
            orders = [(one, two, three)]
        case "dotted":
            orders = [(three, two, one)]
        case _:
            orders = [(three, two, one), (three, one, two)]
    days = []
    for year, month, day in orders:
        try:
            days.append(datetime(int(year), int(month), int(day), tzinfo=UTC))
        except ValueError:
            continue
    return [day for day in days if 1990 <= day.year < 2200]


def _time(text: str) -> timedelta | None:
    """The time of day that follows a day: none is midnight; words that are no time, or of another zone, are None."""
    if not text.strip():
        return timedelta()
    found = _TIME.fullmatch(text.strip())
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        return None
    return timedelta(hours=int(found[1]), minutes=int(found[2]), seconds=min(int(found[3] or 0), 59))
