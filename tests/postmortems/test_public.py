"""The library of published failures: found by words and by category, a page at a time."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from django.test import Client

from incidents.people.models import User
from incidents.postmortems import public
from incidents.postmortems.views.importing import PUBLIC_PAGE

AsPerson = Callable[[User], Client]


def names_in(page: str) -> list[str]:
    return [unescape(name) for name in re.findall(r"<h2>(.*?)</h2>", page)]


def test_each_published_failure_stands_on_exactly_one_page(mara: User, as_person: AsPerson) -> None:
    client, names, number = as_person(mara), list[str](), 1
    while True:
        page = client.get(f"/postmortems/public/?page={number}").content.decode()
        assert len(names_in(page)) <= PUBLIC_PAGE
        names += names_in(page)
        if 'rel="next"' not in page:
            break
        number += 1
    assert names == [failure.name for failure in public.library()]
    assert number > 2


def test_a_failure_is_found_by_words_in_any_order_and_case(mara: User, as_person: AsPerson) -> None:
    wanted = public.library()[3]
    first, *_, last = wanted.summary.split()
    found = public.search(f"{last.upper()} {first.lower()} {wanted.organisation}")
    assert wanted in found
    assert len(found) < len(public.library())
    page = as_person(mara).get("/postmortems/public/", {"q": wanted.name}).content.decode()
    assert names_in(page) == [failure.name for failure in public.search(wanted.name)]
    assert f"with “{wanted.name}”" in unescape(page)


def test_words_are_looked_for_within_the_category(mara: User, as_person: AsPerson) -> None:
    assert {failure.category for failure in public.search("the", category="drift")} == {"drift"}
    page = as_person(mara).get("/postmortems/public/?category=drift&q=the").content.decode()
    assert '<input type="hidden" name="category" value="drift">' in page, "what is typed next stays within it"
    assert len(public.search("the", category="drift")) < len(public.search("the"))


@pytest.mark.parametrize(
    "query", ["q=zebra+umbrella+42", "category=nothing", "q=%F0%9F%98%80", "page=-1", "page=x", "page=9999"]
)
def test_whatever_the_address_says_it_answers(mara: User, as_person: AsPerson, query: str) -> None:
    answer = as_person(mara).get(f"/postmortems/public/?{query}")
    assert answer.status_code == 200
    page = unescape(answer.content.decode())
    assert names_in(page) or "Nothing published matches" in page
