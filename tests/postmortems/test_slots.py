"""What an incident's page shows of postmortems and follow-ups is what the person may see of them."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from incidents.followups.models import FollowUp
from incidents.people.models import User
from incidents.postmortems.document import Postmortem
from incidents.response.incident import Incident
from incidents.systems.models import System
from tests.postmortems.conftest import publish

As = Callable[[User], Client]
Begin = Callable[[str], Postmortem]


def actions_of(incident: Incident, client: Client) -> str:
    return client.get(incident.get_absolute_url()).content.decode().partition('id="actions"')[2].partition("<main")[0]


class TestPostmortemOfAnIncident:
    def test_everybody_who_may_read_it_is_led_there(
        self, postmortem: Postmortem, mara: User, sam: User, as_person: As
    ) -> None:
        for person in (mara, sam):
            assert f'href="{postmortem.get_absolute_url()}"' in actions_of(postmortem.incident, as_person(person))

    def test_nobody_is_led_to_one_that_covers_what_they_may_not_see(
        self, postmortem: Postmortem, another: Begin, mara: User, jo: User, as_person: As
    ) -> None:
        hidden = another("Recall fell in the home feed").incident
        postmortem.cover(hidden, by=mara)
        hidden.restrict([mara], by=mara)
        assert as_person(jo).get(postmortem.get_absolute_url()).status_code == 404
        seen = actions_of(postmortem.incident, as_person(jo))
        assert postmortem.get_absolute_url() not in seen
        assert "Start postmortem" not in seen, "there is one, and it is not theirs to see"
        assert f'href="{postmortem.get_absolute_url()}"' in actions_of(postmortem.incident, as_person(mara))

    def test_starting_it_gives_nothing_of_a_hidden_one(
        self,
        postmortem: Postmortem,
        another: Begin,
        mara: User,
        jo: User,
        as_person: As,
        key_of: Callable[..., dict[str, str]],
    ) -> None:
        hidden = another("Recall fell in the home feed").incident
        postmortem.cover(hidden, by=mara)
        hidden.restrict([mara], by=mara)
        number = postmortem.incident.number
        assert as_person(jo).post(reverse("postmortem-begin", args=[number])).status_code == 404
        answer = Client().post(f"/api/v1/incidents/{number}/postmortem/", headers=key_of(jo))
        assert answer.status_code == 404

    def test_a_covered_incident_leads_to_what_covers_it_and_not_to_its_own_emptied_draft(
        self, postmortem: Postmortem, another: Begin, mara: User, as_person: As
    ) -> None:
        emptied = another("Recall fell in the home feed")
        postmortem.cover(emptied.incident, by=mara)
        seen = actions_of(emptied.incident, as_person(mara))
        assert f'href="{postmortem.get_absolute_url()}"' in seen
        assert emptied.get_absolute_url() not in seen
        assert Postmortem.objects.begin(emptied.incident, by=mara) == postmortem

    def test_a_covered_incident_without_its_own_offers_no_start(
        self, postmortem: Postmortem, another: Begin, mara: User, as_person: As
    ) -> None:
        emptied = another("Recall fell in the home feed")
        covered = emptied.incident
        emptied.delete()
        postmortem.cover(covered, by=mara)
        seen = actions_of(covered, as_person(mara))
        assert "Start postmortem" not in seen
        assert f'href="{postmortem.get_absolute_url()}"' in seen

    def test_its_own_comes_before_one_that_covers_it(
        self, postmortem: Postmortem, another: Begin, mara: User, as_person: As
    ) -> None:
        own = another("Recall fell in the home feed")
        own.sections.get(key="summary").write("A story of its own.", by=mara, base="")
        postmortem.cover(own.incident, by=mara)
        assert f'href="{own.get_absolute_url()}"' in actions_of(own.incident, as_person(mara))

    def test_it_is_started_by_responders_once_the_incident_is_over(
        self, incident: Incident, mara: User, sam: User, as_person: As
    ) -> None:
        assert "Start postmortem" not in actions_of(incident, as_person(mara))
        incident.resolve(by=mara)
        Incident.objects.filter(pk=incident.pk).update(resolved_at=timezone.now() - timedelta(minutes=2))
        assert "Start postmortem" in actions_of(incident, as_person(mara))
        assert "Start postmortem" not in actions_of(incident, as_person(sam))

    def test_nobody_is_asked_to_start_what_starts_by_itself(
        self, incident: Incident, mara: User, sam: User, as_person: As
    ) -> None:
        incident.resolve(by=mara)
        seen = actions_of(incident, as_person(mara))
        assert "Its postmortem starts in a moment" in seen
        assert "Start postmortem" not in seen
        assert "starts in a moment" not in actions_of(incident, as_person(sam))
        incident.set_kind("test", by=mara)
        assert "Start postmortem" in actions_of(incident, as_person(mara)), "that of a test waits to be asked for"


class TestSimilarIncidents:
    @pytest.fixture
    def earlier(self, support_assistant: System, mara: User, jo: User, rui: User) -> Callable[[], Incident]:
        """One more earlier incident of the same kind, with a published postmortem and a follow-up."""

        def happen() -> Incident:
            incident = Incident.objects.declare(
                title="Answers cite the retired pricing policy", by=mara, system=support_assistant
            )
            incident.resolve(by=mara)
            publish(Postmortem.objects.begin(incident, by=mara), by=mara, reviewer=rui, lead=jo)
            FollowUp.objects.add(incident, title=f"Alert on index age {incident.number}", by=mara)
            return incident

        return happen

    def test_they_show_what_was_learnt_and_promised_as_far_as_one_may_see_it(
        self, earlier: Callable[[], Incident], incident: Incident, another: Begin, mara: User, sam: User, as_person: As
    ) -> None:
        before = earlier()
        learnt = before.postmortems.get()
        path = reverse("incident-similar", args=[incident.number])
        page = as_person(sam).get(path).content.decode()
        assert f'href="{learnt.get_absolute_url()}"' in page
        assert f"Alert on index age {before.number}" in page
        hidden = another("Recall fell in the home feed").incident
        Postmortem.also.through.objects.create(postmortem=learnt, incident=hidden)
        hidden.restrict([mara], by=mara)
        assert learnt.get_absolute_url() not in as_person(sam).get(path).content.decode()
        assert f'href="{learnt.get_absolute_url()}"' in as_person(mara).get(path).content.decode()

    def test_a_longer_list_asks_no_more_queries(
        self, earlier: Callable[[], Incident], incident: Incident, mara: User, as_person: As
    ) -> None:
        client, path = as_person(mara), reverse("incident-similar", args=[incident.number])
        earlier()
        client.get(path)
        with CaptureQueriesContext(connection) as for_one:
            client.get(path)
        earlier()
        earlier()
        with CaptureQueriesContext(connection) as for_three:
            page = client.get(path).content.decode()
        assert len(for_three) == len(for_one)
        assert page.count("what was learnt") == 3
