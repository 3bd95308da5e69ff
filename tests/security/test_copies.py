"""What is private takes its copies along: the incident that an alert gave its title, the log that names the alert."""

import html
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from incidents.alerts import by_hand, merging
from incidents.alerts.models import Alert
from incidents.errors import Refused
from incidents.people.models import User
from incidents.postmortems.document import Postmortem
from incidents.postmortems.history import history
from incidents.response import story
from incidents.response.events import Event
from incidents.response.incident import Incident
from incidents.response.links import Link
from incidents.response.tasks import Task
from tests.security.asking import plain

Page = Callable[[User], Client]
WORDS = "The transcript of patient Zanzibar was published"


@pytest.fixture
def secret(incident: Incident, mara: User) -> Incident:
    """What Mara looks into alone."""
    incident.restrict([], by=mara)
    return incident


@pytest.fixture
def alert(tell: Callable[..., Alert]) -> Alert:
    """An alert that opened an incident of its own, which everybody sees."""
    return tell(WORDS)


def opened_by(alert: Alert) -> Incident:
    alert.refresh_from_db()
    assert alert.incident
    return alert.incident


def read_all(client: Client, key: dict[str, str], *incidents: Incident) -> str:
    paths = ["/incidents/?status=all", "/alerts/?show=all", "/api/v1/incidents/?status=all", "/api/v1/alerts/"]
    for incident in incidents:
        page = incident.get_absolute_url()
        paths += [page, f"{page}?show=log", f"/api/v1{page}", f"/api/v1{page}events/"]
    return "".join(client.get(path, headers=key if path.startswith("/api/") else {}).text for path in paths)


def test_the_incident_that_an_alert_opened_becomes_private_with_it(
    alert: Alert, secret: Incident, mara: User, jo: User, as_person: Page, key_of: Callable[..., Any]
) -> None:
    opened = opened_by(alert)
    answer = as_person(mara).post(f"/alerts/{alert.pk}/link/", {"into": secret.number}, follow=True)
    assert "Now private too, because it shows the same words: " in answer.text
    assert f'<a href="{opened.get_absolute_url()}">{opened} {opened.title}</a>.' in answer.text
    assert WORDS not in read_all(as_person(jo), key_of(jo), opened, secret)
    assert WORDS in read_all(as_person(mara), key_of(mara), opened, secret)


def test_whoever_works_on_it_goes_on_seeing_it(alert: Alert, secret: Incident, mara: User, jo: User, lee: User) -> None:
    opened = opened_by(alert)
    opened.acknowledge(by=jo)
    Task.objects.add(opened, title="Take the transcript down", by=jo, owner=lee)
    by_hand.link([alert], secret, by=mara)
    opened.refresh_from_db()
    assert opened.private
    assert set(opened.people.all()) == {mara, jo, lee}
    assert set(secret.people.all()) == {mara}


def test_also_where_the_other_becomes_private_only_later(
    alert: Alert, incident: Incident, mara: User, jo: User, as_person: Page
) -> None:
    opened = opened_by(alert)
    assert by_hand.link([alert], incident, by=mara) == []
    assert incident.restrict([], by=mara) == [opened]
    assert as_person(jo).get(opened.get_absolute_url()).status_code == 404


@pytest.mark.parametrize("in_its_place", [True, False])
def test_the_page_says_what_became_private_when_an_incident_does(
    alert: Alert, incident: Incident, mara: User, as_person: Page, in_its_place: bool
) -> None:
    opened, client = opened_by(alert), as_person(mara)
    merged = Incident.objects.declare(title="<b>The same</b>", by=mara, system=incident.system)
    by_hand.link([alert], incident, by=mara)
    merging.merge(merged, incident, by=mara)
    ask = reverse("incident-visibility", args=[incident.number])
    answer = client.post(ask, {"private": "yes"}, headers={"HX-Request": "true"} if in_its_place else {})
    assert answer["HX-Redirect" if in_its_place else "Location"] == incident.get_absolute_url()
    shown = client.get(incident.get_absolute_url()).text
    assert "Now private too, because they show the same words: " in shown
    for other in (opened, merged):
        assert f'<a href="{other.get_absolute_url()}">{other} {html.escape(other.title)}</a>' in shown
    assert "Now private too" not in client.get(incident.get_absolute_url()).text


def test_an_incident_of_several_alerts_stays_and_its_log_names_the_moved_one_no_more(
    tell: Callable[..., Alert], secret: Incident, mara: User, jo: User, as_person: Page, key_of: Callable[..., Any]
) -> None:
    first = tell("Answers are stale")
    second = tell(WORDS)
    opened = opened_by(first)
    assert opened_by(second) == opened
    assert by_hand.link([second], secret, by=mara) == []
    told = read_all(as_person(jo), key_of(jo), opened)
    assert "Answers are stale" in told
    assert WORDS not in told
    assert WORDS in read_all(as_person(mara), key_of(mara), opened)
    entry = next(event for event in opened.events.all() if event.tells_of_alert(second.pk, WORDS))
    assert as_person(jo).get(f"{opened.get_absolute_url()}events/{entry.pk}/").status_code == 404


@pytest.mark.parametrize("first", ["moved", "private"])
def test_the_reason_of_a_classification_quotes_the_moved_alert_no_more(
    tell: Callable[..., Alert], incident: Incident, mara: User, jo: User, as_person: Page, key_of: Any, first: str
) -> None:
    alert = tell(WORDS, metric="stale_citation_rate")
    opened = opened_by(alert)
    assert "stale_citation_rate" in opened.classified_because
    opened.describe(title="Something about answers", summary="", by=mara)
    if first == "private":
        incident.restrict([], by=mara)
    by_hand.link([alert], incident, by=mara)
    if first == "moved":
        incident.restrict([], by=mara)
    opened.refresh_from_db()
    assert not opened.private
    assert "stale_citation_rate" not in read_all(as_person(jo), key_of(jo), opened)


def test_what_comes_back_is_told_again(
    tell: Callable[..., Alert], incident: Incident, mara: User, jo: User, as_person: Page, key_of: Callable[..., Any]
) -> None:
    tell("Answers are stale")
    second = tell(WORDS)
    opened = opened_by(second)
    by_hand.link([second], incident, by=mara)
    by_hand.link([second], opened, by=mara)
    incident.restrict([], by=mara)
    assert WORDS in read_all(as_person(jo), key_of(jo), opened)


def test_an_alert_of_a_private_incident_is_not_moved_where_others_read_it(
    alert: Alert, secret: Incident, mara: User, jo: User, as_person: Page
) -> None:
    by_hand.link([alert], secret, by=mara)
    elsewhere = Incident.objects.declare(title="Something else", by=mara, system=secret.system)
    for data in ({"into": elsewhere.number}, {"open": "1"}):
        answer = as_person(mara).post(f"/alerts/{alert.pk}/link/", data, follow=True)
        assert "private" in answer.text
        assert opened_by(alert) == secret
    with pytest.raises(Refused):
        by_hand.open_incident(alert, by=mara)


class TestMerging:
    def test_what_is_merged_into_a_private_one_becomes_private_with_it(
        self, alert: Alert, secret: Incident, mara: User, jo: User, as_person: Page, key_of: Callable[..., Any]
    ) -> None:
        opened = opened_by(alert)
        assert merging.merge(opened, secret, by=mara) == [opened]
        assert WORDS not in read_all(as_person(jo), key_of(jo), opened, secret)

    def test_undoing_it_shows_it_again_and_names_no_private_number(
        self, alert: Alert, secret: Incident, mara: User, jo: User, as_person: Page, key_of: Callable[..., Any]
    ) -> None:
        opened = opened_by(alert)
        merging.merge(opened, secret, by=mara)
        merging.undo(opened, by=mara)
        told = read_all(as_person(jo), key_of(jo), opened)
        assert WORDS in told
        assert str(secret) not in told

    def test_who_sees_the_merged_one_alone_does_not_learn_where_it_went(
        self, alert: Alert, secret: Incident, mara: User, jo: User, as_person: Page, key_of: Callable[..., Any]
    ) -> None:
        opened = opened_by(alert)
        opened.assign_lead(jo, by=mara)
        merging.merge(opened, secret, by=mara)
        client, key = as_person(jo), key_of(jo)
        page = client.get(opened.get_absolute_url())
        assert "Merged into another incident." in page.text
        assert client.get(f"/api/v1{opened.get_absolute_url()}", headers=key).json()["merged_into"] is None
        assert str(secret) not in read_all(client, key, opened)
        mine = as_person(mara).get(f"/api/v1{opened.get_absolute_url()}", headers=key_of(mara)).json()
        assert mine["merged_into"] == secret.number

    def test_an_incident_takes_along_what_was_merged_into_it_before(
        self, alert: Alert, incident: Incident, mara: User
    ) -> None:
        opened = opened_by(alert)
        merging.merge(opened, incident, by=mara)
        incident.restrict([], by=mara)
        opened.refresh_from_db()
        assert opened.private


def test_a_public_incident_does_not_tell_what_private_one_it_is_linked_with(
    incident: Incident, mara: User, jo: User, as_person: Page, key_of: Callable[..., Any]
) -> None:
    other = Incident.objects.declare(title=WORDS, by=mara, system=incident.system)
    link = Link.objects.link(incident, other, Link.Kind.CAUSED_BY, by=mara)
    count = story.entries(incident, user=jo, show="log")[1]
    assert str(other) in read_all(as_person(jo), key_of(jo), incident)
    other.restrict([], by=mara)
    told = read_all(as_person(jo), key_of(jo), incident)
    assert str(other) not in told
    assert WORDS not in told
    assert story.entries(incident, user=jo, show="log")[1] == count - 1
    assert story.entries(incident, user=mara, show="log")[1] == count
    Link.objects.unlink(link.pk, incident, by=mara)
    assert str(other) not in read_all(as_person(jo), key_of(jo), incident)


def test_nor_that_it_was_linked_with_one_that_is_private_already(
    incident: Incident, mara: User, jo: User, as_person: Page, key_of: Callable[..., Any]
) -> None:
    other = Incident.objects.declare(title=WORDS, by=mara, system=incident.system)
    other.restrict([], by=mara)
    page, stranger, key = incident.get_absolute_url(), as_person(jo), key_of(jo)
    lists = ("/incidents/?status=all", "/api/v1/incidents/?status=all&ordering=-changed_at")

    def seen_of(client: Client, headers: dict[str, str]) -> list[str]:
        paths = (*lists, page, f"{page}?show=log", f"/api/v1{page}", f"/api/v1{page}events/")
        answers = [client.get(path, headers=headers if path.startswith("/api/") else {}) for path in paths]
        return [plain(answer.text) for answer in answers]

    def asks_again(client: Client, shown: str) -> int:
        """The status of the answer to the page that asks whether anything is new; 204 says that nothing is."""
        seen = re.search(r'hx-get="([^"]*seen=[^"]*)"', shown)
        assert seen
        return client.get(html.unescape(seen[1]), headers={"HX-Request": "true"}).status_code

    with time_machine.travel(timezone.now() + timedelta(hours=1), tick=False):
        before, shown, mine = seen_of(stranger, key), stranger.get(page).text, as_person(mara).get(page).text
        link = Link.objects.link(other, incident, Link.Kind.CAUSED_BY, by=mara)
        assert seen_of(stranger, key) == before
        assert asks_again(stranger, shown) == 204
        assert asks_again(as_person(mara), mine) == 200
        stranger.post(reverse("incident-unlink", args=[incident.number, link.pk]))
        assert Link.objects.filter(pk=link.pk).exists()
        Link.objects.unlink(link.pk, incident, by=mara)
        assert not Link.objects.filter(pk=link.pk).exists()
        assert seen_of(stranger, key) == before


def test_nor_what_its_postmortem_covered(incident: Incident, mara: User, jo: User) -> None:
    other = Incident.objects.declare(title=WORDS, by=mara, system=incident.system)
    for each in (incident, other):
        each.resolve(by=mara)
    own, empty = Postmortem.objects.begin(incident, by=mara), Postmortem.objects.begin(other, by=mara)
    own.cover(other, by=mara)
    own.uncover(other, by=mara)
    empty.refresh_from_db()
    assert str(incident) not in empty.not_required_because
    other.restrict([], by=mara)

    def told_to(user: User) -> list[object]:
        entries = history(own, user=user)
        return [value for entry in entries if isinstance(entry, Event) for value in entry.detail.values()]

    assert told_to(jo)
    assert other.number not in told_to(jo)
    assert told_to(mara).count(other.number) == 2
    assert Event.Kind.POSTMORTEM in {event.kind for event in story.visible(incident, user=jo)}
