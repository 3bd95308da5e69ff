"""Leads give a pager its address, see what it sent, and say who its people are; the incident shows who took it where."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape

from incidents.notifications.destinations import Destination
from incidents.pagers import guide
from incidents.pagers.models import PagerAddress, PagerDelivery, PagerPerson, pager_url
from incidents.people.models import User
from incidents.response.incident import Incident
from tests.pagers import words
from tests.pagers.conftest import FIELDS, Pager

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]
Paged = Callable[..., tuple[Pager, Incident]]


def text_of(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


@pytest.mark.parametrize("kind", words.KINDS)
def test_a_lead_gives_a_pager_its_address_which_is_shown_once(
    connect: Callable[..., Destination], as_person: SignIn, jo: User, kind: str
) -> None:
    client, channel = as_person(jo), connect(kind, **FIELDS[kind])
    assert "Let it answer" in text_of(client, f"/channels/{channel.pk}/")
    assert escape(guide.of(kind).steps[0]) in text_of(client, f"/channels/{channel.pk}/back/")
    answer = client.post(f"/channels/{channel.pk}/back/address/")
    assert answer["Cache-Control"] == "no-store"
    token = answer.context["url"].rsplit("/", 1)[1]
    assert pager_url(token) in answer.content.decode()
    assert PagerAddress.objects.for_token(token) == PagerAddress.objects.get()
    assert token not in text_of(client, f"/channels/{channel.pk}/back/")
    assert f"…{token[-4:]}" in text_of(client, f"/channels/{channel.pk}/back/")


def test_goalert_is_said_to_tell_nothing_back(connect: Callable[..., Destination], as_person: SignIn, jo: User) -> None:
    channel = connect("goalert", **FIELDS["goalert"])
    assert "GoAlert tells no other program who acknowledged" in text_of(as_person(jo), f"/channels/{channel.pk}/")
    assert as_person(jo).get(f"/channels/{channel.pk}/back/").status_code == 404


def test_chats_have_no_way_back(connect: Callable[..., Destination], as_person: SignIn, jo: User) -> None:
    channel = connect("slack", url="https://hooks.slack.com/services/T/B/x")
    assert "Back from" not in text_of(as_person(jo), f"/channels/{channel.pk}/")


def test_secrets_are_added_and_removed_and_never_shown(
    pager: Callable[..., Pager], as_person: SignIn, jo: User
) -> None:
    own, client = pager("pagerduty"), as_person(jo)
    path = own.address.get_absolute_url()
    client.post(f"{path}secrets/", {"secret": "short"})
    assert not own.address.secrets.exists()
    client.post(f"{path}secrets/", {"secret": "a-secret-of-pagerduty"})
    shown = text_of(client, path)
    assert "…duty" in shown
    assert "a-secret-of-pagerduty" not in shown
    client.post(f"{path}secrets/{own.address.secrets.get().pk}/remove/")
    assert not own.address.secrets.exists()


def test_a_lead_says_who_somebody_is_and_the_next_time_they_lead(
    paged: Paged, as_person: SignIn, mara: User, jo: User
) -> None:
    own, incident = paged("pagerduty")
    own.says(words.pagerduty("incident.reassigned", f"INC-{incident.number}"))
    client, path = as_person(jo), own.address.get_absolute_url()
    assert "Who is Jo Doe?" in text_of(client, path)
    client.post(f"{path}people/{PagerPerson.objects.get().pk}/", {"person": mara.pk})
    own.acknowledges(incident)
    incident.refresh_from_db()
    assert incident.lead == mara
    client.post(f"{path}people/{PagerPerson.objects.get().pk}/", {"person": ""})
    assert PagerPerson.objects.get().person is None


def test_what_came_is_listed_with_what_came_of_it_and_shown_as_it_came(
    paged: Paged, as_person: SignIn, mara: User
) -> None:
    own, incident = paged("opsgenie")
    delivery = own.acknowledges(incident)
    own.post(b"<script>")
    client, path = as_person(mara), own.address.get_absolute_url()
    shown = text_of(client, path)
    assert "Acknowledged" in shown
    assert f"jo.doe@elsewhere.example {incident}" in shown
    assert "The body is not JSON" in shown
    assert "&quot;action&quot;: &quot;Acknowledge&quot;" in text_of(client, f"{path}log/{delivery.pk}/")
    refused = PagerDelivery.objects.get(status="refused")
    assert "not kept" in text_of(client, f"{path}log/{refused.pk}/")


def test_who_leads_nothing_changes_nothing(pager: Callable[..., Pager], as_person: SignIn, mara: User) -> None:
    own, client = pager("pagerduty"), as_person(mara)
    path, before = own.address.get_absolute_url(), own.address.digest
    row = PagerPerson.objects.create(address=own.address, ref="1", name="Jo Doe")
    secret = own.address.add_secret("a-secret-of-pagerduty", by=mara)
    assert "not matched" in text_of(client, path)
    for act in ("address/", "secrets/", f"secrets/{secret.pk}/remove/", f"people/{row.pk}/"):
        client.post(f"{path}{act}", {"secret": "another-secret", "person": mara.pk})
    own.address.refresh_from_db()
    row.refresh_from_db()
    assert (own.address.digest, own.address.secrets.count(), row.person) == (before, 1, None)


def test_another_team_sees_nothing_of_it(pager: Callable[..., Pager], as_person: SignIn, sam: User) -> None:
    own, client = pager("pagerduty"), as_person(sam)
    assert client.get(own.address.get_absolute_url()).status_code == 404
    assert client.post(f"{own.address.get_absolute_url()}address/").status_code == 404


def test_the_story_says_who_took_it_where(paged: Paged, as_person: SignIn, mara: User) -> None:
    own, incident = paged("pagerduty")
    own.acknowledges(incident)
    own.says(words.pagerduty("incident.resolved", f"INC-{incident.number}", who="<b>Sam</b>"))
    shown: Any = text_of(as_person(mara), incident.get_absolute_url())
    assert 'Jo Doe</strong> <span class="faint">(not matched to anybody here)</span> acknowledged in PagerDuty' in shown
    assert "&lt;b&gt;Sam&lt;/b&gt;" in shown
    assert "resolved the alert in PagerDuty" in shown
