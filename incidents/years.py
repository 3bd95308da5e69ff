"""Which years can be meant at all, wherever somebody gives a date: on a page, in the API, in a filter.

A date far outside is a typing error (0026 for 2026), and one is enough to stretch every report over two thousand years.
"""

from datetime import date

from django.core.exceptions import ValidationError

EARLIEST_YEAR = 2000  # before this there was no such system
LATEST_YEAR = 2200


def check_year(day: date) -> None:
    """Raise ValidationError unless a day or moment lies between the years that can be meant."""
    if not EARLIEST_YEAR <= day.year <= LATEST_YEAR:
        raise ValidationError(f"Enter a date between {EARLIEST_YEAR} and {LATEST_YEAR}.", code="year")
