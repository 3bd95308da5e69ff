"""What people's corrections teach beyond the name and the source that they were made for: texts that read alike.

A correction is a lesson as long as it stands. Lessons are read anew whenever that changed, so making one and undoing it
both hold from the next delivery on, in every process.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from incidents import taxonomy
from incidents.alerts.policies import Correction

ALIKE = 0.7
FEWEST_WORDS = 3  # an identifier such as `psi_income` is remembered by name alone
MOST_LESSONS = 500  # the newest

Version = tuple[int, int]  # the newest correction that stands, and how many do: whatever changes, one of these does
NOTHING_TAUGHT: Version = (0, 0)


@dataclass(frozen=True, slots=True)
class Lesson:
    traits: frozenset[str]
    category: str
    failure_mode: str
    made_by: str
    made_at: datetime

    def because(self, share: float) -> str:
        """Say why, without the words of the other alert, which the reader may not be allowed to see."""
        day = f"{self.made_at:%-d %B %Y}"
        return f"Its words are {share:.0%} those of an alert that {self.made_by} classified on {day}.".replace(
            "%", " %"
        )


def version() -> Version:
    """Ask which corrections stand. Plain SQL, because every turn with a new alert asks."""
    with connection.cursor() as cursor:
        cursor.execute(_VERSION)
        newest, standing = cursor.fetchone() or NOTHING_TAUGHT
    return newest, standing


_VERSION = "SELECT coalesce(max(id), 0), count(*) FROM incidents_correction WHERE undone_at IS NULL"
_remembered: tuple[Version, tuple[Lesson, ...]] = (NOTHING_TAUGHT, ())


def lessons(version: Version) -> tuple[Lesson, ...]:
    """Give what the standing corrections teach, read again where `version` is not the remembered one."""
    global _remembered
    if _remembered[0] != version:
        newest = Correction.objects.standing().select_related("made_by").order_by("-pk")[:MOST_LESSONS]
        _remembered = (version, tuple(_lesson(correction) for correction in newest if _has_words(correction.name)))
    return _remembered[1]


def _has_words(name: str) -> bool:
    return len(name.split("_")) >= FEWEST_WORDS


def _lesson(correction: Correction) -> Lesson:
    traits = taxonomy.traits_of(correction.name.replace("_", " "))
    by = str(correction.made_by or "somebody")
    return Lesson(traits, correction.category, correction.failure_mode, by, correction.made_at)


def nearest(title: str, known: tuple[Lesson, ...]) -> tuple[Lesson, float] | None:
    """Give the lesson whose words are most alike, and how alike; None where none is alike enough."""
    traits = taxonomy.traits_of(title)
    alike = max(((taxonomy.alike(traits, lesson.traits), lesson) for lesson in known), key=lambda pair: pair[0])
    return (alike[1], alike[0]) if alike[0] >= ALIKE else None
