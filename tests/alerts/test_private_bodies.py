"""The body of a private incident's alert is private on every way to it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from incidents.alerts.drain import drain
from incidents.alerts.models import Alert, Delivery, Source
from incidents.people.models import User

Page = Callable[[User], Client]
CANARY = "CANARY-7411"


@pytest.fixture
def secret(evaluations: tuple[Source, str], post: Callable[..., Any], mara: User) -> Delivery:
    """What the nightly evaluations sent last belongs to an incident that only Mara sees."""
    source, token = evaluations
    source.map_fields({"title": "name"})
    post(token, {"name": CANARY})
    drain()
    incident = Alert.objects.get().incident
    assert incident
    incident.restrict([], by=mara)
    return Delivery.objects.get()


def test_a_lead_of_the_source_does_not_read_it_in_the_field_map(secret: Delivery, jo: User, as_person: Page) -> None:
    client, address = as_person(jo), f"{secret.source.get_absolute_url()}map/"
    for path in (address, f"{address}?delivery={secret.pk}"):
        page = client.get(path)
        assert page.status_code == 200
        assert CANARY not in page.text


def test_whom_it_names_still_does(secret: Delivery, mara: User, as_person: Page) -> None:
    as_lead = User.objects.get(pk=mara.pk)
    as_lead.memberships.update(role="lead")
    assert CANARY in as_person(as_lead).get(f"{secret.source.get_absolute_url()}map/").text


@pytest.mark.parametrize("who", ["jo", "mara"])
def test_the_test_button_publishes_it_to_nobody(
    secret: Delivery, jo: User, mara: User, as_person: Page, who: str
) -> None:
    client = as_person({"jo": jo, "mara": mara}[who])
    client.post(f"{secret.source.get_absolute_url()}test/")
    drain()
    sent = Delivery.objects.get(is_test=True)
    assert CANARY.encode() not in bytes(sent.body)
