"""The list of follow-ups: found, narrowed, paged to its end, and taken along as CSV."""

import csv
import io
import re
from collections.abc import Callable
from datetime import date

import pytest
from django.test import Client

from incidents.followups.models import FollowUp
from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.systems.models import System
from incidents.web.paging import A_PAGE

As = Callable[[User], Client]


@pytest.fixture
def several(incident: Incident, mara: User, jo: User, fraud_scorer: System) -> dict[str, FollowUp]:
    """Two of the assistant, one of the feed, in the order of the list."""
    other = Incident.objects.declare(title="The feed is narrow", by=mara, system=fraud_scorer)
    add = FollowUp.objects.add
    return {
        "index": add(incident, title="Alert on index age", by=mara, owner=mara, priority=0, due_on=date(2030, 1, 1)),
        "drill": add(incident, title="Practise the rollback", by=mara, owner=jo, priority=3, due_on=date(2030, 2, 1)),
        "feed": add(other, title="Watch the diversity", by=mara, priority=1),
    }


def titles(client: Client, query: str) -> list[str]:
    page = client.get(f"/follow-ups/?show=all&{query}")
    assert page.status_code == 200
    return [row.title for row in page.context["follow_ups"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=index+AGE", ["index"]),
        ("q=narrow", ["feed"]),
        ("q=INC-1", ["index", "drill"]),
        ("q=nothing+of+it", []),
        ("system=fraud-scorer", ["feed"]),
        ("team=assistants", ["index", "drill"]),
        ("priority=0", ["index"]),
        ("priority=urgent", ["index", "feed"]),
        ("owner=none", ["feed"]),
        ("owner=x", []),
        ("priority=9&after=x_y_z&after=2030-99-01_0_1", ["index", "drill", "feed"]),
    ],
)
def test_it_is_narrowed(several: dict[str, FollowUp], mara: User, as_person: As, query: str, found: list[str]) -> None:
    assert titles(as_person(mara), query) == [several[name].title for name in found]


def test_it_is_narrowed_to_one_owner_and_each_row_says_whose_and_of_which_system_it_is(
    several: dict[str, FollowUp], mara: User, jo: User, as_person: As
) -> None:
    client = as_person(mara)
    assert titles(client, f"owner={jo.pk}") == ["Practise the rollback"]
    page = client.get(f"/follow-ups/?show=all&owner={jo.pk}").text
    row = page[page.index("<li class") : page.index("</li>", page.index("<li class"))]
    assert "Jo Lindqvist" in row
    assert "support-assistant" in row
    assert "priority--3" in row


def test_its_pages_hold_every_row_once_whatever_is_due_when(incident: Incident, mara: User, as_person: As) -> None:
    days = [None, date(2030, 1, 1), date(2030, 1, 1), date(2030, 3, 1)]
    FollowUp.objects.bulk_create(
        FollowUp(incident=incident, title=f"Fix {n}", due_on=days[n % 4], priority=n % 3) for n in range(2 * A_PAGE + 7)
    )
    client, seen, after = as_person(mara), [], ""
    for _ in range(4):
        page = client.get("/follow-ups/", {"show": "all", "after": after})
        seen += [row.pk for row in page.context["follow_ups"]]
        after = page.context["after"]
        if not after:
            break
        assert f"after={after}" in page.text
    assert seen == list(FollowUp.objects.for_list().values_list("pk", flat=True))


def test_it_is_taken_along_as_it_is_narrowed_and_opens_safely_in_a_spreadsheet(
    several: dict[str, FollowUp], mara: User, as_person: As
) -> None:
    FollowUp.objects.filter(pk=several["feed"].pk).update(title="=HYPERLINK(1)")
    answer = as_person(mara).get("/follow-ups/export/?show=all&priority=urgent")
    assert answer["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))
    assert [(row["title"], row["owner"], row["system"]) for row in rows] == [
        ("Alert on index age", "mara@example.com", "support-assistant"),
        ("'=HYPERLINK(1)", "", "fraud-scorer"),
    ]


def test_what_somebody_may_not_see_is_in_no_list(
    several: dict[str, FollowUp], mara: User, jo: User, as_person: As
) -> None:
    several["index"].incident.restrict([], by=mara)
    assert titles(as_person(jo), "") == ["Watch the diversity"]
    assert "index age" not in as_person(jo).get("/follow-ups/export/?show=all").getvalue().decode()


def test_its_title_is_the_heading_of_a_follow_up(several: dict[str, FollowUp], mara: User, as_person: As) -> None:
    page = as_person(mara).get(several["index"].get_absolute_url()).text
    assert page.count("<h1") == 1
    assert '<h1 class="wrap">Alert on index age</h1>' in page
    assert page.index("<h1") < page.index("priority--0")


def test_the_navigation_counts_ones_own_and_says_nothing_where_there_are_none(
    several: dict[str, FollowUp], mara: User, rui: User, as_person: As
) -> None:
    def counted(user: User) -> list[str]:
        page = as_person(user).get("/follow-ups/").content.decode()
        links = page.split('id="nav"')[1].split("</nav>")[0].split("<a")
        (link,) = (link for link in links if "Follow-ups" in link)
        return re.findall(r'nav__count num">(\d+)<', link)

    assert counted(mara) == ["1"]
    assert counted(rui) == [], "no zero"
