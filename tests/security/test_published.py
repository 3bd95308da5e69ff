"""A published postmortem, when something that it tells of becomes private later: what was written for everybody stays."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from incidents.alerts import by_hand
from incidents.alerts.models import Alert
from incidents.people.models import User
from incidents.postmortems.document import Postmortem
from incidents.postmortems.facts import corrections, freeze_facts
from incidents.postmortems.reading import ExternalVersion, ShareLink
from incidents.response import story
from incidents.response.events import Event
from incidents.response.incident import Incident
from incidents.response.links import Link

Page = Callable[[User], Client]
WORDS, LINKED, PINNED = (
    "The transcript of patient Zanzibar",
    "Patients by the name of Xanadu",
    "Somebody leaked Quuxbury",
)


@pytest.fixture
def secret(incident: Incident, mara: User) -> Incident:
    """What Mara looks into alone."""
    incident.restrict([], by=mara)
    return incident


@pytest.fixture
def alert(tell: Callable[..., Alert]) -> Alert:
    return tell(WORDS)


def publish(incident: Incident, *, by: User, lead: User) -> Postmortem:
    incident.acknowledge(by=by)
    incident.resolve(by=by)
    postmortem = Postmortem.objects.begin(incident, by=by)
    Postmortem.objects.filter(pk=postmortem.pk).update(state=Postmortem.State.APPROVED)
    postmortem.refresh_from_db()
    postmortem.publish(by=lead, facts=freeze_facts(postmortem))
    return postmortem


def incident_of(alert: Alert) -> Incident:
    alert.refresh_from_db()
    assert alert.incident
    return alert.incident


def read_all(client: Client, key: dict[str, str], postmortem: Postmortem, secret: str) -> str:
    page = postmortem.get_absolute_url()
    paths = [
        page,
        f"{page}print/",
        f"{page}history/",
        f"{page}markdown/",
        f"{page}json/",
        f"{page}meeting/",
        f"/shared/{secret}/",
    ]
    paths += [f"{page}evidence/?about={about}" for about in ("timeline", "alerts")]
    answers = [client.get(path) for path in paths]
    answers.append(client.get(f"/api/v1{page}document/", headers=key))
    assert {answer.status_code for answer in answers} == {200}, [
        (a.status_code, a.request["PATH_INFO"]) for a in answers
    ]
    return "".join(answer.text for answer in answers)


def test_an_incident_of_several_alerts_tells_no_more_of_one_that_moved_away(
    tell: Callable[..., Alert], secret: Incident, mara: User, jo: User, as_person: Page, key_of: Callable[..., Any]
) -> None:
    tell("Answers are stale")
    moved = tell(WORDS)
    incident = incident_of(moved)
    linked = Incident.objects.declare(title=LINKED, by=mara, system=incident.system)
    Link.objects.link(incident, linked, Link.Kind.CAUSED_BY, by=mara)
    told = incident.events.filter(kind=Event.Kind.ALERT_LINKED).order_by("-pk")[0]
    story.curate(told, by=mara, pinned=True, text=PINNED)
    postmortem = publish(incident, by=mara, lead=jo)
    _, link = ShareLink.objects.make(postmortem, external=False, days=3, by=jo)
    client, key = as_person(jo), key_of(jo)
    before = read_all(client, key, postmortem, link)
    assert all(words in before for words in (WORDS, LINKED, PINNED, "Answers are stale"))
    by_hand.link([moved], secret, by=mara)
    linked.restrict([], by=mara)
    incident.refresh_from_db()
    assert not incident.private
    after = read_all(client, key, postmortem, link)
    for words in (WORDS, LINKED, PINNED):
        assert words not in after
        assert words not in str(corrections(postmortem))
    assert "Answers are stale" in after


def test_what_comes_back_stands_in_it_again(
    tell: Callable[..., Alert], incident: Incident, mara: User, jo: User, as_person: Page
) -> None:
    tell("Answers are stale")
    moved = tell(WORDS)
    own = incident_of(moved)
    postmortem = publish(own, by=mara, lead=jo)
    by_hand.link([moved], incident, by=mara)
    incident.restrict([], by=mara)
    page = postmortem.get_absolute_url()
    assert WORDS not in as_person(jo).get(page).text
    incident.open_up(by=mara)
    assert WORDS in as_person(jo).get(page).text


def test_where_the_alert_gave_its_title_only_the_approved_external_version_stays(
    alert: Alert, secret: Incident, mara: User, jo: User, as_person: Page, key_of: Callable[..., Any], client: Client
) -> None:
    incident = incident_of(alert)
    postmortem = publish(incident, by=mara, lead=jo)
    external = ExternalVersion.write(postmortem, f"{WORDS}: what we learnt.", by=mara)
    external.approve(by=jo)
    _, for_all = ShareLink.objects.make(postmortem, external=True, days=3, by=jo)
    _, whole = ShareLink.objects.make(postmortem, external=False, days=3, by=jo)
    assert client.get(f"/shared/{whole}/").status_code == 200
    assert by_hand.link([alert], secret, by=mara) == [incident]
    assert client.get(f"/shared/{whole}/").status_code == 404
    assert WORDS in client.get(f"/shared/{for_all}/").text, "it was approved for everybody"
    page, stranger = postmortem.get_absolute_url(), as_person(jo)
    for path in (page, f"{page}print/", f"{page}history/", f"{page}share/"):
        assert stranger.get(path).status_code == 404
    assert stranger.get(f"/api/v1{page}document/", headers=key_of(jo)).status_code == 404
    assert WORDS not in stranger.get("/postmortems/?show=all&q=Zanzibar").text
    assert as_person(mara).get(page).status_code == 200
    ExternalVersion.write(postmortem, f"{WORDS}: new words.", by=mara)
    assert client.get(f"/shared/{for_all}/").status_code == 404, "new words wait for their approval"
