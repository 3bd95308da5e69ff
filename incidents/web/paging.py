"""Pages of a list by key: they stay cheap however deep, and nothing is skipped or repeated while rows are added.

The API pages with rest_framework's cursors (api/pagination.py), which hold the same promise for orders of any kind.
"""

from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from incidents.web.request import whole_number

A_PAGE = 50

Row = TypeVar("Row", bound=Model)


def newest_first(rows: QuerySet[Row], *, before: str, key: str = "pk") -> tuple[list[Row], Any]:
    """Give the rows below the key `before`, and the key that the next page begins below (None on the last page).

    Where `before` is no number, as it is when it comes from an address that somebody wrote, it is the first page.
    """
    last = whole_number(before, digits=9 if key == "number" else 17)
    if last is not None:
        rows = rows.filter(**{f"{key}__lt": last})
    page = list(rows.order_by(f"-{key}")[: A_PAGE + 1])
    return page[:A_PAGE], getattr(page[A_PAGE - 1], key) if len(page) > A_PAGE else None
