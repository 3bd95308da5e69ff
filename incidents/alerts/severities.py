"""What monitors call bad, in five steps. Pure."""

import re
from collections.abc import Mapping

_SEVERITIES = {
    "critical": "critical crit fatal emergency alert page p0 p1 sev0 sev1 disaster blocker",
    "high": "high error err major p2 sev2 urgent",
    "medium": "warning warn medium average minor moderate p3 sev3",
    "low": "low notice p4 sev4",
    "info": "info informational information none ok debug p5 success",
}
_BY_WORD = {word: severity for severity, words in _SEVERITIES.items() for word in words.split()}


def severity_of(raw: str, *, flags: list[str], own: Mapping[str, str] | None = None) -> str:
    """Translate a monitor's word, by its own vocabulary first; an unknown one is medium and says so."""
    word = re.sub(r"[\s_-]", "", raw.lower())
    severity = (own or {}).get(word) or _BY_WORD.get(word)
    if severity is None:
        flags.append("severity_defaulted")
    return severity or "medium"
