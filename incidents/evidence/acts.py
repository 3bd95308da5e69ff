"""One act of an agent, as its runtime reports it: what it called, on what, whether anybody allowed it. Pure; knows no table."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

LONGEST_KEY = 120
LONGEST_ACTOR = 120  # of an agent, of who it acts for, of a tool, of who approved
LONGEST_TARGET = 300
_DIGEST = re.compile(r"[0-9a-f]{64}|", re.ASCII)


def digest_of_arguments(text: str) -> str:
    """SHA-256 of the arguments, as hexadecimal digits: they can be compared, and are kept nowhere; "" of nothing."""
    return hashlib.sha256(text.encode()).hexdigest() if text else ""


@dataclass(frozen=True, slots=True)
class AgentAct:
    key: str
    agent: str
    tool: str
    at: datetime
    on_behalf_of: str = ""
    target: str = ""
    arguments_digest: str = ""
    approval: str = ""
    approved_by: str = ""
    result: str = ""
    reversible: bool | None = None
    denied: bool = False

    def problem(self) -> str:
        """What keeps it from being stored, in one sentence; "" where nothing does."""
        if not self.key or not self.tool:
            return "An act needs a key and a tool."
        actors = (self.agent, self.on_behalf_of, self.tool, self.approved_by)
        if len(self.key) > LONGEST_KEY or len(self.target) > LONGEST_TARGET or max(map(len, actors)) > LONGEST_ACTOR:
            return f"A key or a name of this act is longer than {LONGEST_ACTOR} characters, or its target than {LONGEST_TARGET}."
        if not _DIGEST.fullmatch(self.arguments_digest):
            return "The digest of arguments is SHA-256: 64 hexadecimal digits in lower case."
        if self.denied and self.result == "succeeded":
            return "What was denied cannot have succeeded."
        return ""
