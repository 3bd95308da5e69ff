"""Postmortems start themselves, ask as much as the severity deserves, and cover what belongs together."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from incidents.errors import WrongStatus
from incidents.people.models import User
from incidents.postmortems import due
from incidents.postmortems.document import Postmortem
from incidents.postmortems.facts import facts_of
from incidents.response.incident import Incident

As = Callable[[User], Client]


class TestStarting:
    def test_a_resolved_incident_gets_one_by_itself_owned_by_its_lead(self, incident: Incident, mara: User) -> None:
        incident.resolve(by=mara)
        assert due.start_missing() == 0, "a slip of the finger can still be undone"
        with time_machine.travel(timezone.now() + timedelta(minutes=1)):
            assert (due.start_missing(), due.start_missing()) == (1, 0)
        started = Postmortem.objects.get()
        assert (started.owner, started.state, started.slug) == (mara, "draft", str(incident.number))

    def test_an_open_incident_has_none_yet(self, incident: Incident, mara: User) -> None:
        with pytest.raises(WrongStatus):
            Postmortem.objects.begin(incident, by=mara)

    def test_severity_decides_by_policy_how_much_is_asked_and_until_when(self, incident: Incident, mara: User) -> None:
        with time_machine.travel(datetime(2026, 11, 20, 12, tzinfo=UTC)):  # a Friday
            incident.resolve(by=mara)
            started = Postmortem.objects.begin(incident)
        assert (str(started.due_on), started.depth) == ("2026-11-27", "standard")
        asked = [part.key for part in started.parts()]
        assert "lucky" in asked
        assert "accounts" not in asked, "only a deep one asks for accounts"
        started.set_depth("brief", by=mara)
        assert [part.key for part in started.parts()] == ["summary", "impact", "silence", "trigger", "factors"]
        started.set_depth("deep", by=mara)
        assert "accounts" in [part.key for part in started.parts()]

    def test_an_incident_may_have_several_and_one_may_cover_several(
        self, postmortem: Postmortem, another: Callable[[str], Postmortem], mara: User, rui: User
    ) -> None:
        second = Postmortem.objects.begin(postmortem.incident, by=mara, another=True)
        assert second.slug == f"{postmortem.incident.number}-2"
        other = another("Recall fell in the home feed")
        postmortem.cover(other.incident, by=mara)
        other.refresh_from_db()
        assert other.state == "not_required", "what held no word yet gives way"
        assert {fact.label for fact in facts_of(postmortem)["summary"]} >= {"INC-1 severity", "INC-2 severity"}
        other.incident.restrict([mara], by=mara)
        assert not Postmortem.objects.visible_to(rui).filter(pk=postmortem.pk).exists(), (
            "as private as its most private"
        )
        postmortem.uncover(other.incident, by=mara)
        assert Postmortem.objects.visible_to(rui).filter(pk=postmortem.pk).exists()

    def test_what_is_covered_by_another_starts_none_of_its_own(
        self, postmortem: Postmortem, mara: User, another: Callable[[str], Postmortem]
    ) -> None:
        other = another("Recall fell").incident
        Postmortem.objects.filter(incident=other).delete()
        postmortem.cover(other, by=mara)
        with time_machine.travel(timezone.now() + timedelta(minutes=1)):
            assert due.start_missing() == 0


def test_the_postmortem_of_a_private_incident_is_hidden_with_it(
    postmortem: Postmortem, mara: User, jo: User, as_person: As
) -> None:
    postmortem.incident.restrict([], by=mara)
    path = postmortem.get_absolute_url()
    assert as_person(mara).get(path).status_code == 200
    for rest in (
        "",
        "markdown/",
        "json/",
        "print/",
        "pdf/",
        "history/",
        "meeting/",
        "live/",
        "evidence/",
        "share/",
        "line/?key=x",
    ):
        assert as_person(jo).get(f"{path}{rest}").status_code == 404, rest
    assert postmortem.incident.title not in as_person(jo).get("/postmortems/?show=all").content.decode()
