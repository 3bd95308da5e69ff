"""The parts of a postmortem and the questions that each asks.

The order follows how people understand a failure: what users got, how long nobody knew, what changed, what made it
possible. There is no part for a “root cause”: one trigger, several contributing factors.
"""

from dataclasses import dataclass

from incidents import taxonomy


@dataclass(frozen=True, slots=True)
class Part:
    key: str
    title: str
    help: str
    minutes: int
    required: bool = False
    questions: tuple[str, ...] = ()
    asks_by_category: bool = False


PARTS: tuple[Part, ...] = (
    Part(
        "summary",
        "Summary",
        "At most five sentences, for a colleague in another team.",
        4,
        required=True,
        questions=("What did users get that was wrong, for how long, and what ended it?",),
    ),
    Part(
        "impact",
        "Impact",
        "Numbers, or “unknown, because …”.",
        5,
        required=True,
        questions=(
            "Which outputs were wrong but looked right, and how many (range)?",
            "How many decisions, answers or actions were made on them? Can they be found and corrected?",
            "Which slices were hit: language, region, cohort, tenant?",
            "What was reversible, what was not, and what still needs correcting?",
        ),
    ),
    Part(
        "silence",
        "Silence",
        "The time between the first wrong output and somebody noticing.",
        4,
        questions=(
            "What was green while the system was wrong?",
            "Which signal moved first, and who was looking at it?",
            "What would have shown it a day earlier?",
        ),
    ),
    Part(
        "timeline",
        "Timeline",
        "The story as it looked at the time; begin before the incident. Dead ends belong here.",
        5,
        questions=("What did people see, think and try, and what surprised them?",),
    ),
    Part(
        "trigger",
        "What changed",
        "One trigger, or “none found”.",
        3,
        questions=(
            "Which model, prompt, index, data set, feature, permission, guardrail or provider changed before it began?",
            "Do several small changes overlap on different slices?",
        ),
    ),
    Part(
        "factors",
        "Contributing factors",
        "At least two. A factor is a property of the system or of how we work, never a person.",
        8,
        required=True,
        questions=(
            "What made this possible, what made it worse, what made it hard to see?",
            "What usually protects us, and how did it let this through?",
            "Which evaluation or test should have stopped it: missing, not run, passed wrongly, overridden?",
        ),
        asks_by_category=True,
    ),
    Part(
        "response",
        "Response",
        "How it was contained and by whom it could be.",
        4,
        questions=(
            "What went well, what was hard, and where were we lucky?",
            "Was there a fallback or a stop, was it used, and was it better than nothing?",
            "Who was needed, and how were they found?",
        ),
    ),
    Part(
        "learning",
        "What we know now",
        "What surprised us about our own system. Open questions may stay open.",
        4,
        questions=(
            "Which dashboard, runbook or assumption was wrong?",
            "Which earlier incident is this like, and why did its follow-ups not prevent it?",
        ),
    ),
)

_BY_KEY = {part.key: part for part in PARTS}


def part(key: str) -> Part:
    return _BY_KEY[key]


def questions(part: Part, *, category: str) -> list[str]:
    """The questions to ask in this part of an incident of this category."""
    by_category = taxonomy.prompts_for(category) if part.asks_by_category and category else ()
    return [*part.questions, *(prompt.text for prompt in by_category if prompt.category == category)]
