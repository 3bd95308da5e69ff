"""What a review waits for: each thing in a sentence, with the place where it is put right."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from incidents.followups.models import FollowUp
from incidents.people.models import User
from incidents.postmortems.document import Postmortem
from incidents.postmortems.factors import Factor, FactorKind
from incidents.postmortems.readiness import missing
from incidents.response.incident import Incident
from tests.postmortems.conftest import fill

NOTICED, IMPACT, START = (
    ("Say who noticed it first.", "/incidents/1/noticed/"),
    ("Give the impact as a number, or write “unknown, because …” under Impact.", "/incidents/1/impact/more/"),
    (
        "Say when the output went wrong, or write “unknown, because …” under Silence.",
        "/incidents/1/clocks/impact_started_at/",
    ),
)


def listed(postmortem: Postmortem) -> list[tuple[str, str]]:
    return [(item.what, item.url) for item in missing(postmortem)]


def write(postmortem: Postmortem, *keys: str, by: User, text: str = "Unknown, because nothing was logged.") -> None:
    for section in postmortem.sections.filter(key__in=keys):
        section.write(text, by=by, base=section.text)


def test_each_thing_is_named_once_with_its_place(postmortem: Postmortem) -> None:
    here = postmortem.get_absolute_url()
    required = [part for part in postmortem.parts() if part.is_required(postmortem.depth)]
    assert listed(postmortem) == [
        *((f"“{part.title}” is empty.", f"{here}#{part.key}") for part in required),
        NOTICED,
        IMPACT,
        START,
        ("Choose a trigger: a change, something else, or none found.", f"{here}#trigger"),
        ("Add 2 more contributing factors.", f"{here}#factors"),
    ]


def test_a_section_of_spaces_is_empty(postmortem: Postmortem, mara: User) -> None:
    write(postmortem, "summary", by=mara, text=" \n ")
    assert "“Summary” is empty." in map(str, missing(postmortem))


def test_a_brief_one_asks_neither_for_the_start_nor_for_evidence(postmortem: Postmortem, mara: User) -> None:
    kind = FactorKind.objects.all()[0]
    factor = Factor.objects.add(postmortem, kind, text="It hid the fault.", evidence="", by=mara)
    no_evidence = (f"The factor “{kind}” has no evidence.", f"{postmortem.get_absolute_url()}#factor-{factor.pk}")
    left = ("Add 1 more contributing factor.", f"{postmortem.get_absolute_url()}#factors")
    assert {START, no_evidence, left} <= set(listed(postmortem))
    postmortem.set_depth("brief", by=mara)
    assert not {START, no_evidence, left} & set(listed(postmortem))
    assert {NOTICED, IMPACT} <= set(listed(postmortem))


def test_what_is_known_or_said_to_be_unknown_is_not_asked_for(postmortem: Postmortem, mara: User) -> None:
    write(postmortem, "impact", "silence", by=mara)
    assert not {IMPACT, START} & set(listed(postmortem))
    write(postmortem, "impact", "silence", by=mara, text="")
    assert {IMPACT, START} <= set(listed(postmortem))
    postmortem.incident.exposures.create(of="users", estimate=0, how="Query log")
    postmortem.incident.set_clock("impact_started_at", timezone.now() - timedelta(hours=1), by=mara)
    postmortem = Postmortem.objects.get(pk=postmortem.pk)
    assert not {IMPACT, START} & set(listed(postmortem))


def test_about_several_incidents_each_is_named(postmortem: Postmortem, mara: User) -> None:
    other = Incident.objects.declare(title="The same once more", by=mara)
    other.say_who_noticed("user", by=mara)
    postmortem.cover(other, by=mara)
    postmortem = Postmortem.objects.get(pk=postmortem.pk)
    asked = listed(postmortem)
    assert ("INC-1: Say who noticed it first.", "/incidents/1/noticed/") in asked
    assert (f"INC-2: {IMPACT[0]}", "/incidents/2/impact/more/") in asked
    assert (f"INC-2: {START[0]}", "/incidents/2/clocks/impact_started_at/") in asked
    assert not [what for what, _ in asked if what.startswith("INC-2: Say who noticed")]


@pytest.mark.parametrize(
    ("priority", "fields", "lacks"),
    [
        (0, {}, "an owner and a due date and a way to know that it worked"),
        (1, {"check_text": "Nobody is paged for a week"}, "an owner and a due date"),
        (1, {"due": True, "owned": True}, "a way to know that it worked"),
        (1, {"due": True, "owned": True, "check_text": "Nobody is paged for a week"}, ""),
        (2, {}, ""),
    ],
)
def test_an_urgent_follow_up_says_what_it_lacks(
    postmortem: Postmortem, mara: User, priority: int, fields: dict[str, object], lacks: str
) -> None:
    fill(postmortem, mara)
    follow_up = FollowUp.objects.add(
        postmortem.incident,
        title="Alert on index age",
        by=mara,
        priority=priority,
        owner=mara if fields.get("owned") else None,
        due_on=timezone.localdate() if fields.get("due") else None,
        check_text=fields.get("check_text", ""),
    )
    what = f"Follow-up “Alert on index age” needs {lacks}."
    assert listed(postmortem) == ([(what, follow_up.get_absolute_url())] if lacks else [])


def test_an_urgent_follow_up_of_another_incident_is_not_asked_for(postmortem: Postmortem, mara: User) -> None:
    fill(postmortem, mara)
    other = Incident.objects.declare(title="Something else", by=mara)
    FollowUp.objects.add(other, title="Alert on index age", by=mara, priority=0, due_on=None)
    assert listed(postmortem) == []


def test_more_factors_ask_no_more_of_the_database(
    postmortem: Postmortem, mara: User, django_assert_num_queries: Any
) -> None:
    first, *others = FactorKind.objects.all()[:4]
    Factor.objects.add(postmortem, first, text="It hid the fault.", evidence="", by=mara)
    with CaptureQueriesContext(connection) as asked:
        missing(postmortem)
    for kind in others:
        Factor.objects.add(postmortem, kind, text="It hid the fault.", evidence="", by=mara)
    with django_assert_num_queries(len(asked)):
        missing(postmortem)
