"""The words of the timeline."""

from datetime import timedelta

import pytest
from django.template.loader import get_template
from django.test import Client

from incidents.people.models import User
from incidents.response.events import Event
from incidents.response.incident import Incident


@pytest.mark.parametrize("kind", Event.Kind.values)
def test_each_kind_of_event_has_words(kind: str) -> None:
    get_template(f"response/events/{kind}.html")


def test_a_corrected_clock_is_told_by_its_label_and_in_the_readers_time(
    incident: Incident, mara: User, client: Client
) -> None:
    detected = incident.declared_at.replace(year=2025, month=3, day=4, hour=9, minute=5)
    incident.set_clock("detected_at", detected, by=mara, reason="From the log")
    incident.set_clock("impact_started_at", detected - timedelta(hours=1), by=mara)
    incident.set_clock("impact_started_at", None, by=mara)

    client.force_login(mara)
    page = " ".join(client.get(f"{incident.get_absolute_url()}?show=log").content.decode().split())

    assert "corrected the clocks: detected 4 Mar 09:05 <time" in page
    assert "corrected the clocks: impact started unknown" in page
    assert "<q>From the log</q>" in page
