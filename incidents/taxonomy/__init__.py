"""What kinds of failure AI systems have: data files with typed readers, and no tables."""

from incidents.taxonomy.catalogue import (
    OTHER,
    Category,
    ContainmentAction,
    FailureMode,
    Unknown,
    all_containments,
    categories,
    category,
    category_choices,
    containment,
    containments_for,
    failure_mode,
    failure_mode_choices,
    find,
)
from incidents.taxonomy.likeness import alike, traits_of
from incidents.taxonomy.prompts import Prompt, prompts_for
from incidents.taxonomy.rules import Suggestion, classify, normalise
from incidents.taxonomy.words import propose, suggest

__all__ = [
    "OTHER",
    "Category",
    "ContainmentAction",
    "FailureMode",
    "Prompt",
    "Suggestion",
    "Unknown",
    "alike",
    "all_containments",
    "categories",
    "category",
    "category_choices",
    "classify",
    "containment",
    "containments_for",
    "failure_mode",
    "failure_mode_choices",
    "find",
    "normalise",
    "prompts_for",
    "propose",
    "suggest",
    "traits_of",
]
