"""Lengths of time in words."""

from datetime import timedelta

_UNITS = (("d", 86400), ("h", 3600), ("min", 60))


def span(length: timedelta | float | None) -> str:
    """Write a length of time (a timedelta, or seconds) in its two largest units; None is unknown, which is not zero."""
    if length is None:
        return "unknown"
    seconds = length.total_seconds() if isinstance(length, timedelta) else float(length)
    if seconds < 0:
        return f"−{span(-seconds)}"
    for position, (name, size) in enumerate(_UNITS):
        if seconds >= size:
            whole, rest = divmod(int(seconds), size)
            if position + 1 < len(_UNITS) and rest >= _UNITS[position + 1][1]:
                return f"{whole} {name} {rest // _UNITS[position + 1][1]} {_UNITS[position + 1][0]}"
            return f"{whole} {name}"
    return f"{int(seconds)} s"
