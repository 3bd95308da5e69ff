"""What charts and tables are split by: label, tone and order of each code, and how the list is asked for its rows."""

from incidents import taxonomy
from incidents.reports.facts import ReportFacts
from incidents.reports.known import Known
from incidents.response.measures import US
from incidents.response.vocabulary import NoticedBy, Severity

_HUES = ["drift", "retrieval", "feedback_loop", "agent_action", "data_quality", "model_release", "output_safety"]


def noticed_by_us(facts: ReportFacts) -> int:
    return sum(facts.counts["noticed_by", code.value] for code in US)


def drawn(counts: dict[str, int], dimension: str) -> list[str]:
    """The codes that are drawn: in the order of their kind where that has one, else the seven most frequent."""
    orders = {
        "severity": Severity.values,
        "category": [*dict(taxonomy.category_choices()), ""],
        "noticed_by": [*NoticedBy.values[1:], ""],
    }
    if order := orders.get(dimension):
        return [code for code in order if counts.get(code)]
    return sorted(counts, key=lambda code: (-counts[code], code))[:7]


def tone(dimension: str, code: str, position: int) -> str:
    """The class that colours a code: its own where it has one, else one of seven by its position."""
    match dimension:
        case "severity":
            return code if code != Severity.UNKNOWN else "none"
        case "category":
            return code or "none"
    return _HUES[position % len(_HUES)]


def label(known: Known, dimension: str, code: str) -> str:
    match dimension:
        case "severity":
            return Severity(code).label
        case "category":
            return taxonomy.category(code).name
        case "failure_mode":
            return mode.name if (mode := taxonomy.find(code)) else code or "Not settled"
        case "system":
            return known.systems.get(code, ("", "No system"))[1]
        case "team":
            return known.teams.get(code, ("", "No team"))[1]
    return NoticedBy(code).label


def condition(known: Known, dimension: str, code: str) -> dict[str, str]:
    """What the list of incidents is asked for, to show those of one code."""
    match dimension:
        case "system":
            return {"system": known.systems.get(code, ("none", ""))[0]}
        case "team":
            return {"team": known.teams.get(code, ("none", ""))[0]}
        case "noticed_by" if not code:
            return {"missing": "noticed_by"}
    return {dimension: code or "none"}
