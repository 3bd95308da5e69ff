"""What in a text looks like somebody's address, number or secret, and what to write instead. Pure: the same text, the same answer.

It proposes; a person decides. What it does not know, such as a name, only a person sees.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_address

from incidents.evidence.exchange import Exchange


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A part of a text that should not leave: of which kind, from where to where, and how it reads."""

    kind: str
    start: int
    end: int
    text: str


def _is_card(text: str) -> bool:
    """Whether its digits pass the check of card numbers (Luhn)."""
    digits = [int(letter) for letter in reversed(text) if letter.isdigit()]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[1::2]]
    return 13 <= len(digits) <= 19 and len(set(digits)) > 1 and (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _is_iban(text: str) -> bool:
    """Whether it passes the check of ISO 7064 (mod 97)."""
    written = text.replace(" ", "")
    moved = written[4:] + written[:4]
    return 15 <= len(written) <= 34 and int("".join(str(int(letter, 36)) for letter in moved)) % 97 == 1


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_phone(text: str) -> bool:
    return 8 <= sum(letter.isdigit() for letter in text) <= 15


# Nothing here is tried twice at the same sign (`+` after a bound gives nothing back), so that long texts stay quick.
# Tried in this order, so that the digits of an IBAN are not proposed as a phone number.
_PATTERNS: dict[str, tuple[re.Pattern[str], Callable[[str], bool]]] = {
    "key": (
        re.compile(
            r"\b(?:sk|pk|rk|flk|ghp|gho|ghs|glpat|xox[abprs]|hf|npm)[-_][A-Za-z0-9_-]{12,200}"
            r"|\bgithub_pat_[A-Za-z0-9_]{20,200}"
            r"|\bA(?:KIA|SIA)[A-Z0-9]{16}\b"
            r"|\bAIza[A-Za-z0-9_-]{30,60}"
            r"|\beyJ[A-Za-z0-9_-]{8,300}+\.[A-Za-z0-9_-]{8,4000}+\.[A-Za-z0-9_-]{8,2000}"
            r"|(?<=Bearer )[A-Za-z0-9._~+/=-]{16,2000}",
            re.ASCII,
        ),
        lambda _: True,
    ),
    "email": (
        re.compile(r"(?<![\w.+%'-])[\w.+%'-]{1,200}+@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}\b"),
        lambda _: True,
    ),
    "iban": (re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b", re.ASCII), _is_iban),
    # In groups as they are printed, four or (American Express) six and five, or in one piece.
    "card": (
        re.compile(
            r"(?<![\w.])(?:\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?\d{1,7}|\d{4}[ -]?\d{6}[ -]?\d{5}|\d{13,19})(?!\w)", re.ASCII
        ),
        _is_card,
    ),
    "ip": (
        re.compile(r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7})(?![\w:]|\.\d)"),
        _is_address,
    ),
    "phone": (re.compile(r"(?<![\w.])(?:\+|00|0|\()\d?(?:[ ()/.-]{0,2}\d){7,14}(?!\w)", re.ASCII), _is_phone),
}
KINDS = {
    "key": "API key or token",
    "email": "Email address",
    "iban": "IBAN",
    "card": "Card number",
    "ip": "IP address",
    "phone": "Phone number",
}


def find(text: str) -> list[Suspicion]:
    """What should not leave, in the order of the text; no two overlap."""
    found: list[Suspicion] = []
    taken = bytearray(len(text))  # a mark for each sign that is found already: quick however much is found
    for kind, (pattern, is_one) in _PATTERNS.items():
        for start, end in _spans(text, pattern, is_one):
            if 1 not in taken[start:end]:
                taken[start:end] = b"\x01" * (end - start)
                found.append(Suspicion(kind, start, end, text[start:end]))
    return sorted(found, key=lambda one: one.start)


def _spans(text: str, pattern: re.Pattern[str], is_one: Callable[[str], bool]) -> Iterator[tuple[int, int]]:
    """Where one stands: what a pattern takes may begin or end with digits that belong to something else, such as a date."""
    at = 0
    while match := pattern.search(text, at):
        start, end = match.span()
        ends = [end, *(place for place in range(end - 1, start, -1) if text[place] in " -")]
        fit = next((place for place in ends if is_one(text[start:place])), None)
        if fit:
            yield start, fit
        at = fit or start + 1


def redacted(text: str) -> str:
    """The text with `[email]` and the like instead of what was found; everything else stays as it is."""
    parts, at = [], 0
    for one in find(text):
        parts += [text[at : one.start], f"[{one.kind}]"]
        at = one.end
    return "".join([*parts, text[at:]])


def texts_of(exchange: Exchange) -> Iterator[str]:
    """Every text of an exchange in which something may be found."""
    yield from (exchange.input, exchange.output, exchange.expected, exchange.must_not)
    yield from (passage.text for passage in exchange.context)
    for call in exchange.tool_calls:
        yield from (call.arguments, call.result)


def findings(exchange: Exchange) -> list[Suspicion]:
    return [one for text in texts_of(exchange) for one in find(text)]


def propose(exchange: Exchange) -> Exchange:
    """The exchange as it might leave."""
    return replace(
        exchange,
        input=redacted(exchange.input),
        output=redacted(exchange.output),
        expected=redacted(exchange.expected),
        must_not=redacted(exchange.must_not),
        context=tuple(replace(passage, text=redacted(passage.text)) for passage in exchange.context),
        tool_calls=tuple(
            replace(call, arguments=redacted(call.arguments), result=redacted(call.result))
            for call in exchange.tool_calls
        ),
    )
