"""The questions a postmortem asks: some of every failure, more by category."""

from dataclasses import dataclass
from functools import cache

from incidents.taxonomy.catalogue import read_json


@dataclass(frozen=True, slots=True)
class Prompt:
    key: str
    category: str  # empty for those asked of every failure
    text: str


@cache
def _prompts() -> dict[str, tuple[Prompt, ...]]:
    raw = read_json("prompts.json")
    return {
        group: tuple(
            Prompt(f"{group}-{n}", "" if group == "general" else group, text) for n, text in enumerate(texts, start=1)
        )
        for group, texts in raw.items()
    }


def prompts_for(category: str) -> tuple[Prompt, ...]:
    """The general questions, then those of this category (none while it is unclassified)."""
    return _prompts()["general"] + _prompts().get(category, ())
