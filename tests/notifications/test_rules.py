"""Several rules of a channel, and the hours at which people are told in their browsers."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.test import Client

from incidents.notifications import preview
from incidents.notifications.announcing import announce
from incidents.notifications.browsers import Browser
from incidents.notifications.destinations import ChannelRule, Destination
from incidents.notifications.messages import Dispatch, Notification
from incidents.notifications.preferences import Preference
from incidents.notifications.rules import MOST
from incidents.notifications.topics import Urgency
from incidents.notifications.transmissions import Transmission
from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.systems.models import System

Connect = Callable[..., Destination]
SignIn = Callable[[User], Client]
HERE = "https://hooks.slack.com/services/T/B/x"
WEDNESDAY = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)


class TestRulesOfAChannel:
    @pytest.fixture
    def channel(self, connect: Connect) -> Destination:
        """What is severe at any time, and by day the rest."""
        row = connect(url=HERE, least_severity="sev1")
        by_day = {"from_time": time(9), "until_time": time(17), "topics": ["incident.opened"]}
        ChannelRule.objects.create(destination=row, **by_day)
        return row

    @pytest.mark.parametrize(
        ("hour", "severity", "heard"),
        [(12, "sev3", True), (3, "sev3", False), (3, "sev1", True), (12, "sev1", True)],
    )
    def test_it_hears_what_any_of_its_rules_lets_through_and_once(
        self, hour: int, severity: str, heard: bool, channel: Destination, mara: User, support_assistant: System
    ) -> None:
        with time_machine.travel(WEDNESDAY.replace(hour=hour), tick=False):
            Incident.objects.declare(title="Old prices", by=mara, system=support_assistant, severity=severity)
            announce()
            assert Transmission.objects.count() == heard
            assert preview.of(channel).count == heard

    def test_they_are_added_changed_and_removed_by_who_leads(
        self, channel: Destination, jo: User, mara: User, as_person: SignIn
    ) -> None:
        form = {"topics": ["incident.update"], "time_zone": "Europe/Berlin", "weekdays": ["5", "6"]}
        address = f"/channels/{channel.pk}/rules/"
        assert as_person(mara).get(f"{address}new/").status_code == 403
        client = as_person(jo)
        client.post(f"{address}new/", form)
        rule = ChannelRule.objects.latest("pk")
        assert rule.hours.words == "Sat, Sun (Europe/Berlin)"
        page = client.get(channel.get_absolute_url()).content.decode()
        assert "Sat, Sun (Europe/Berlin)" in page
        assert "Rule 3" in page
        wrong = client.post(f"{address}{rule.pk}/", form | {"from_time": "09:00"})
        assert (wrong.status_code, "Give both ends" in wrong.content.decode()) == (422, True)
        client.post(f"{address}{rule.pk}/", form | {"least_severity": "sev2"})
        rule.refresh_from_db()
        assert rule.least_severity == "sev2"
        assert as_person(mara).post(f"{address}{rule.pk}/remove/", follow=True).status_code in (200, 403)
        client.post(f"{address}{rule.pk}/remove/")
        assert not ChannelRule.objects.filter(pk=rule.pk).exists()

    def test_there_is_no_end_of_rules_but_ten(self, channel: Destination, jo: User, as_person: SignIn) -> None:
        ChannelRule.objects.bulk_create(ChannelRule(destination=channel) for _ in range(MOST))
        page = as_person(jo).post(f"/channels/{channel.pk}/rules/new/", {}, follow=True).content.decode()
        assert "Remove one first" in page

    def test_a_rule_of_another_channel_is_not_found(
        self, channel: Destination, connect: Connect, jo: User, as_person: SignIn
    ) -> None:
        other = connect(url=HERE)
        rule = ChannelRule.objects.get(destination=channel)
        assert as_person(jo).get(f"/channels/{other.pk}/rules/{rule.pk}/").status_code == 404


class TestHoursOfAPerson:
    @pytest.fixture
    def by_day(self, mara: User) -> Preference:
        """In the browser from 9 to 17 on workdays, by mail at other times."""
        Browser.objects.create(person=mara, name="Firefox", digest="x", sealed=b"x")
        hours = {"browser_from": time(9), "browser_until": time(17), "browser_days": [0, 1, 2, 3, 4]}
        return Preference.objects.create(person=mara, **hours)

    def told(self, person: User, incident: Incident, **how: Any) -> set[str]:
        Notification.objects.tell(
            [person], topic="incident.task", about=[incident], subject="x", text="", path="/", key="k", **how
        )
        return set(Dispatch.objects.values_list("channel", flat=True))

    @pytest.mark.parametrize(
        ("moment", "channel"),
        [
            (WEDNESDAY, "browser"),
            (WEDNESDAY.replace(hour=17, minute=0), "email"),
            (WEDNESDAY + timedelta(days=3), "email"),
        ],
    )
    def test_the_hour_decides(
        self, moment: datetime, channel: str, by_day: Preference, mara: User, incident: Incident
    ) -> None:
        with time_machine.travel(moment, tick=False):
            assert self.told(mara, incident) == {channel}

    def test_a_page_comes_on_both(self, by_day: Preference, mara: User, incident: Incident) -> None:
        with time_machine.travel(WEDNESDAY, tick=False):
            assert self.told(mara, incident, urgency=Urgency.PAGE) == {"browser", "email"}

    def test_who_has_no_browser_is_mailed_at_any_hour(self, by_day: Preference, mara: User, incident: Incident) -> None:
        Browser.objects.all().delete()
        with time_machine.travel(WEDNESDAY, tick=False):
            assert self.told(mara, incident) == {"email"}

    def test_the_hour_is_that_at_which_it_comes(self, by_day: Preference, mara: User, incident: Incident) -> None:
        by_day.quiet_from, by_day.quiet_until = time(0), time(9)
        by_day.save()
        with time_machine.travel(WEDNESDAY.replace(hour=3), tick=False):
            assert self.told(mara, incident) == {"browser"}

    def test_they_are_chosen_in_the_account(self, mara: User, as_person: SignIn) -> None:
        client = as_person(mara)
        form = {"browser_from": "09:00", "browser_until": "17:00", "browser_days": ["0", "4"]}
        client.post("/account/notifications/", form)
        chosen = Preference.objects.get()
        assert (chosen.browser_from, chosen.browser_until, chosen.browser_days) == (time(9), time(17), [0, 4])
        for wrong in ({"browser_from": "09:00"}, {"browser_days": ["1"]}, {"browser_from": "9", "browser_until": "9"}):
            assert client.post("/account/notifications/", wrong).status_code == 422
        with pytest.raises(ValidationError):
            Preference(person=mara, browser_from=time(9)).full_clean()
