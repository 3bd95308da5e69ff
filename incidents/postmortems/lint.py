"""Words that blame: found by plain rules, answered with the question about the system. It warns and never blocks.

The list follows the practice of blameless review: "human error" ends an enquiry that should begin there, and
counterfactuals ("should have") judge by what only became known later (Dekker, "The Field Guide to Understanding
Human Error"; Allspaw, "Blameless PostMortems and a Just Culture").
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from incidents.people.models import User


@dataclass(frozen=True, slots=True)
class Finding:
    words: str
    question: str


_RULES: tuple[tuple[str, str], ...] = (
    (
        r"human error|operator error|user error|(?:was|were) (?:his|her|their) (?:own )?(?:fault|mistake)",
        "What made this action look right at that moment, and what let it through?",
    ),
    (
        r"(?<!that )(?<!which )(?:should|could|ought to) have|shouldn[’']t have|should not have|if only",
        "What did people know then, and what would have made the better choice the easy one?",
    ),
    (
        r"fail(?:ed|s|ure)? to (?:notice|check|follow|see|realise|realize|test|read|ask|act|tell|understand|verify|review|monitor|escalate)",
        "What in the system hid it, or made it hard to do?",
    ),
    (
        r"careless(?:ly|ness)?|negligen(?:t|tly|ce)|sloppy|lazy|reckless(?:ly)?|stupid|incompeten(?:t|ce)|inattenti(?:ve|on)",
        "Which conditions made this likely for anyone in that position?",
    ),
    (
        r"(?:forgot|neglected|didn[’']t bother|did not bother) to",
        "What should have been a reminder, and why was it not there?",
    ),
    (
        r"(?:not|n[’']t) (?:paying attention|careful enough|pay(?:ing)? enough attention)|lack of attention",
        "What else demanded attention then, and what could have drawn it here?",
    ),
    (
        r"obvious(?:ly)?|clearly wrong|simply (?:had|needed) to|just (?:had|needed) to|common sense",
        "To whom was it visible at the time, and by which signal?",
    ),
    (r"root cause", "Which conditions had to come together? There is one trigger and more than one factor."),
    (
        r"(?:be|being|was|were) more careful|pay more attention|try harder|remember to|train(?:ing)? (?:people|staff|everyone) (?:better|again)",
        "Which change to the system would work on a bad day, for someone new?",
    ),
)
_COMPILED = tuple((re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE), question) for pattern, question in _RULES)
_BEGINNING = (
    r"(?:^|[.!?:;]\s+|[-*]\s+|\bbecause |\bwhen |\bafter )(?:(?:[Tt]hen|[Ll]ater|[Bb]ut|[Aa]nd|[Ss]o|[Ff]inally),? )?"
)
# What helped is no blame, whoever did it.
_HELPED = (
    r"(?!(?:then |had |also )*(?:rolled (?:it )?back|contained|noticed|spotted|acknowledged|restored|reverted|repaired|mended"
    r"|fixed|resolved|escalated|reported|confirmed|alerted|helped|warned)\b)"
)
_ACTING = r"(?:also |then |again |never |not |only |just |had |has |did(?:n[’']t)? |was |were )*(?:\w+ed|did|didn[’']t|made|broke|forgot|left|ran|sent|wrote|chose|took|put|gave|set|let|went|had|was|ignored)"
# Who was at fault by role: it is the same blame with the name left out. What was done well ("rolled back") stays silent.
_ROLE = (
    r"(?:the |an? |our )?(?:on-?call |data |ml |platform |duty |site reliability )*"
    r"(?:engineer|developer|operator|responder|analyst|scientist|reviewer|administrator|labeller|annotator|on-?call)s?"
    r"(?: on (?:call|duty))?"
)
_FAILING = (
    r"(?:missed|ignored|overlooked|forgot|neglected|misread|broke|skipped|bypassed|disregarded|failed|caused"
    r"|(?:did not|didn[’']t|never) (?!know|knew|receiv|ge?ot?t?\b|have\b|had\b|hear)\w+)"
)
_BY_ROLE = re.compile(rf"{_BEGINNING}({_ROLE}\s+{_FAILING}\b[^.!?;\n]{{0,60}})", re.IGNORECASE | re.MULTILINE)
_OF_PERSON = "What about the system made this the natural thing to do? Name the role or the condition, not the person."
_OF_ROLE = "What did they see and know at that moment, and what would have made the better act the easy one?"


def blame(text: str, *, people: Iterable[User] = ()) -> list[Finding]:
    """Find blaming words, each once, and sentences in which one of `people` is the one who did it."""
    plain = re.sub(r"```.*?```|`[^`\n]*`|^>.*$", " ", text[:100_000], flags=re.DOTALL | re.MULTILINE)
    findings: dict[str, Finding] = {}
    for pattern, question in _COMPILED:
        for match in pattern.finditer(plain):
            findings.setdefault(match.group().lower(), Finding(match.group(), question))
    for role in _BY_ROLE.finditer(plain):
        if not any(finding.words in role[1] for finding in findings.values()):
            findings.setdefault(role[1].lower(), Finding(_quoted(role[1]), _OF_ROLE))
    for name in sorted({name for person in people for name in _names(person)}, key=len, reverse=True):
        acting = rf"{_BEGINNING}(@?{re.escape(name)}(?:\s+[A-Z]\w+)?\s+{_HELPED}{_ACTING})\b"
        subject = re.search(acting, plain, re.MULTILINE)
        if subject and not any(name in finding.words for finding in findings.values()):
            findings.setdefault(name.lower(), Finding(_quoted(subject[1]), _OF_PERSON))
    return list(findings.values())


def _quoted(words: str) -> str:
    return " ".join(words.split())


def _names(person: User) -> list[str]:
    whole = " ".join(person.name.split())
    first = whole.partition(" ")[0]
    return [name for name in (whole, first) if len(name) > 2]
