"""Pages of a list: every row once, newest first, whatever the address says."""

import pytest

from incidents.people.models import User
from incidents.web.paging import A_PAGE, newest_first


@pytest.fixture
def people(db: None) -> list[User]:
    return User.objects.bulk_create(User(email=f"{n}@example.com") for n in range(2 * A_PAGE))


def test_every_row_is_on_one_page_also_while_rows_are_added(people: list[User]) -> None:
    first, older_than = newest_first(User.objects.all(), before="")
    User.objects.create(email="new@example.com")
    second, end = newest_first(User.objects.all(), before=str(older_than))
    assert [user.pk for user in first + second] == sorted((user.pk for user in people), reverse=True)
    assert end is None, "a page that is exactly full has no empty one behind it"


@pytest.mark.parametrize("before", ["", "abc", "-1", "1e5", "٣", "9" * 30])
def test_what_is_no_key_leads_to_the_first_page(before: str, people: list[User]) -> None:
    assert newest_first(User.objects.all(), before=before) == newest_first(User.objects.all(), before="")
