"""What may limit the harm: never nothing, and what worked before first."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from incidents.people.models import User
from incidents.response.containment_options import MOST, USUAL_FOR_ANY, USUAL_FOR_KIND, options, options_for
from incidents.response.incident import Incident
from incidents.systems.models import System
from incidents.taxonomy import containment, containments_for

STALE = {"category": "retrieval", "failure_mode": "retrieval.stale_index"}
UNCLASSIFIED = {"category": "", "failure_mode": ""}


def codes(found: list[Any]) -> list[str]:
    return [option.action.code for option in found]


def agent(fallback: str = "Every refund waits for a person.") -> System:
    return System(name="refund-agent", kind="agent", fallback=fallback)


class TestOrder:
    def test_what_worked_then_the_fallback_then_what_is_usual_for_mode_kind_and_category(self) -> None:
        system = System(name="shelf", kind="rag", fallback="Keyword search.")
        worked = [("human_review", 41), ("abstain", 12), ("human_review", 11)]
        found = options(worked=worked, system=system, **STALE)
        assert codes(found)[:3] == ["human_review", "abstain", "fallback_rules"]
        assert [option.worked_in for option in found[:3]] == [[41, 11], [12], []]
        assert found[2].fallback == "Keyword search."
        usual = [action.code for action in containments_for("retrieval", "retrieval.stale_index")]
        rest = [code for code in codes(found) if code not in {"human_review", "abstain", "fallback_rules"}]
        assert rest[: len(usual)] == [code for code in usual if code in rest]
        assert len(found) == len(set(codes(found))) <= MOST

    def test_an_act_stands_once_with_all_that_speaks_for_it(self) -> None:
        (first, *rest) = options(worked=[("require_approval", 7)], system=agent(), **UNCLASSIFIED)
        assert (first.action.code, first.worked_in) == ("require_approval", [7])
        assert first.fallback == "Every refund waits for a person."
        assert "require_approval" not in codes(rest)

    def test_without_a_class_the_kind_of_the_system_decides(self) -> None:
        found = options(worked=[], system=agent(fallback=" "), **UNCLASSIFIED)
        assert codes(found) == list(USUAL_FOR_KIND["agent"])
        assert {option.usual_for for option in found} == {"kind: agent"}

    def test_without_a_system_and_a_class_something_is_offered(self) -> None:
        assert codes(options(worked=[], system=None, **UNCLASSIFIED)) == list(USUAL_FOR_ANY)

    def test_what_was_tried_is_left_out(self) -> None:
        assert "kill_switch" not in codes(options(worked=[], system=agent(), but={"kill_switch"}, **UNCLASSIFIED))

    @pytest.mark.parametrize("kind", System.Kind.values)
    def test_every_kind_has_its_own(self, kind: str) -> None:
        assert all(containment(code) for code in USUAL_FOR_KIND[kind])


class TestWhatWorkedBefore:
    @pytest.fixture
    def earlier(self, support_assistant: System, mara: User) -> Incident:
        earlier = Incident.objects.declare(title="Old answers", system=support_assistant, by=mara)
        earlier.contain(by=mara, action="rollback_index").verify(by=mara, worked=True)
        earlier.contain(by=mara, action="reindex").verify(by=mara, worked=False)
        earlier.contain(by=mara, action="block_source")
        return earlier

    def test_only_what_was_checked_and_worked_is_named(self, incident: Incident, earlier: Incident, mara: User) -> None:
        found = options_for(incident, user=mara, but=())
        assert [(one.action.code, one.worked_in) for one in found if one.worked_in] == [
            ("rollback_index", [earlier.number])
        ]

    def test_a_private_incident_is_not_named_to_others(
        self, incident: Incident, earlier: Incident, mara: User, jo: User, sam: User
    ) -> None:
        earlier.restrict([mara, jo], by=jo)
        assert options_for(incident, user=mara, but=())[0].worked_in == [earlier.number]
        assert not any(one.worked_in for one in options_for(incident, user=sam, but=()))

    def test_the_same_failure_of_another_system_counts(
        self, incident: Incident, earlier: Incident, mara: User, rui: User
    ) -> None:
        earlier.classify("retrieval", "retrieval.stale_index", by=mara)
        elsewhere = Incident.objects.declare(title="Rules are old", by=rui)
        assert not any(one.worked_in for one in options_for(elsewhere, user=rui, but=()))
        elsewhere.classify("retrieval", "retrieval.stale_index", by=rui)
        assert options_for(elsewhere, user=rui, but=())[0].worked_in == [earlier.number]


class TestThePage:
    def test_an_unclassified_incident_has_something_to_do_and_the_fallback_is_recorded_in_its_words(
        self, support_assistant: System, mara: User, as_person: Callable[[User], Client]
    ) -> None:
        support_assistant.fallback = "Keyword search, then a person."
        support_assistant.save()
        incident = Incident.objects.declare(title="Hm", system=support_assistant, by=mara)
        page = as_person(mara).get(incident.get_absolute_url()).content.decode()
        assert "The fallback of" in page
        as_person(mara).post(
            f"/incidents/{incident.number}/contain/", {"action": "fallback_rules", "note": support_assistant.fallback}
        )
        assert incident.containments.get().note == "Keyword search, then a person."

    def test_its_words_propose_a_failure_mode_until_it_has_one(
        self, support_assistant: System, mara: User, as_person: Callable[[User], Client]
    ) -> None:
        incident = Incident.objects.declare(
            title="Answers cite documents that were replaced last month", system=support_assistant, by=mara
        )
        client = as_person(mara)
        assert 'id="proposal"' in client.get(incident.get_absolute_url()).content.decode()
        incident.classify("retrieval", "retrieval.stale_index", by=mara)
        assert 'id="proposal"' not in client.get(incident.get_absolute_url()).content.decode()
