"""How incidents are linked, and which are alike."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.response.likeness import similar
from incidents.response.links import Link
from incidents.systems.models import System

Page = Callable[[User], Client]


class TestLikeness:
    def test_earlier_ones_are_found_by_failure_system_and_words(
        self, mara: User, rui: User, support_assistant: System, fraud_scorer: System
    ) -> None:
        def declare(title: str, system: System, mode: str = "") -> Incident:
            made = Incident.objects.declare(title=title, by=mara, system=system)
            if mode:
                made.classify("", mode, by=mara)
            return made

        same = declare("Answers cite the retired policy", support_assistant, "retrieval.stale_index")
        words = declare("Stale answers on pricing", fraud_scorer)
        declare("Scores are all zero", fraud_scorer, "data_quality.completeness")
        found = similar(
            user=mara,
            title="Stale answers about pricing",
            system=support_assistant,
            category="retrieval",
            failure_mode="retrieval.stale_index",
        )
        assert [one.incident for one in found] == [same, words]
        assert found[0].because == ["stale or partly updated index", "the same system", "shared words"]
        same.restrict([], by=mara)
        assert same not in [one.incident for one in similar(user=rui, title=same.title)]

    @pytest.mark.parametrize(
        ("shared", "is_alike"),
        [
            ({"failure_mode": "retrieval.stale_index"}, True),
            ({"system": True, "category": "retrieval"}, True),
            ({"title": "Refunds are refused"}, True),
            ({"system": True}, False),
            ({"category": "retrieval"}, False),
        ],
    )
    def test_the_same_system_or_the_same_category_alone_is_no_likeness(
        self, mara: User, support_assistant: System, shared: dict[str, Any], is_alike: bool
    ) -> None:
        earlier = Incident.objects.declare(title="Refunds refused by the assistant", by=mara, system=support_assistant)
        earlier.classify("", "retrieval.stale_index", by=mara)
        asked = shared | ({"system": support_assistant} if "system" in shared else {})
        found = similar(**{"user": mara, "title": "", **asked})
        assert [likeness.incident for likeness in found] == ([earlier] if is_alike else [])

    @pytest.mark.parametrize(
        "title", ["", "a b", "'); DROP", "& | ! <-> :*", "or or or", "the of and", "日本語", "x" * 500]
    )
    def test_no_words_break_the_search(self, title: str, incident: Incident, mara: User) -> None:
        similar(user=mara, title=title)
        list(Incident.objects.matching(title))

    def test_a_link_is_read_from_both_sides_and_hides_what_is_hidden(
        self, incident: Incident, mara: User, rui: User
    ) -> None:
        other = Incident.objects.declare(title="The same, in March", by=mara)
        Link.objects.link(incident, other, "repeat_of", by=mara)
        Link.objects.link(incident, other, "repeat_of", by=mara)
        assert [(how, seen) for how, seen, _ in Link.objects.of(incident, user=rui)] == [("repeat of", other)]
        assert [(how, seen) for how, seen, _ in Link.objects.of(other, user=rui)] == [("repeated by", incident)]
        other.restrict([], by=mara)
        assert Link.objects.of(incident, user=rui) == []

    def test_while_one_types_it_asks_whether_it_is_open_already(
        self, incident: Incident, jo: User, as_person: Page
    ) -> None:
        asked = as_person(jo).get("/incidents/alike/?title=scores").content.decode()
        assert "Is it one of these?" not in asked
        asked = as_person(jo).get("/incidents/alike/?title=retired policy&system=support-assistant").content.decode()
        assert str(incident) in asked
