"""What triage decides, and taking it back."""

from collections.abc import Callable

import pytest
from django.test import Client

from incidents.errors import Refused
from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.systems.models import System

Page = Callable[[User], Client]


class TestTakingBack:
    def test_an_acknowledgement(self, mara: User, support_assistant: System) -> None:
        incident = Incident.objects.declare(title="From an alert", by=None, system=support_assistant)
        incident.acknowledge(by=mara)
        incident.undo(by=mara)
        assert (incident.status, incident.lead, incident.acknowledged_at) == ("triage", None, None)

    def test_a_decline(self, mara: User) -> None:
        incident = Incident.objects.declare(title="From an alert", by=None)
        incident.decline(by=mara, reason="A test run")
        incident.undo(by=mara)
        assert incident.status == "triage"

    def test_nothing_that_came_later_is_swept_away(self, incident: Incident, mara: User) -> None:
        incident.resolve(by=mara)
        with pytest.raises(Refused, match="can be undone"):
            incident.undo(by=mara)
        assert incident.status == "resolved"

    def test_the_page_offers_it_at_once(self, mara: User, as_person: Page, support_assistant: System) -> None:
        incident = Incident.objects.declare(title="From an alert", by=None, system=support_assistant)
        client = as_person(mara)
        shown = client.post(f"/incidents/{incident.number}/acknowledge/", follow=True).content.decode()
        assert f'formaction="/incidents/{incident.number}/undo/"' in shown
        client.post(f"/incidents/{incident.number}/undo/")
        incident.refresh_from_db()
        assert incident.status == "triage"


class TestAcknowledging:
    def test_what_an_alert_opened_has_no_acknowledged_time_until_somebody_takes_it(
        self, mara: User, support_assistant: System
    ) -> None:
        incident = Incident.objects.declare(title="From an alert", by=None, system=support_assistant)
        assert (incident.status, incident.acknowledged_at, incident.lead) == ("triage", None, None)
        incident.acknowledge(by=mara)
        assert incident.acknowledged_at is not None
        assert incident.lead == mara

    def test_what_a_person_declares_is_acknowledged_by_them(self, incident: Incident, mara: User) -> None:
        assert (incident.status, incident.acknowledged_at) == ("investigating", incident.declared_at)
        assert incident.lead == mara
