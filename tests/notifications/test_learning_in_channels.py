"""Channels that chose it hear of postmortems and follow-ups; the others, and nobody of what is private, do not."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from incidents.followups import reminders
from incidents.followups.models import FollowUp
from incidents.notifications import lanes
from incidents.notifications.announcing import announce
from incidents.notifications.destinations import Destination
from incidents.notifications.rules import every_topic
from incidents.notifications.topics import HEARD, TOPICS
from incidents.notifications.transmissions import Transmission
from incidents.people.models import User
from incidents.postmortems import due
from incidents.postmortems.document import Postmortem
from incidents.response.incident import Incident
from tests.notifications.receivers import Desk
from tests.postmortems.conftest import publish

Connect = Callable[..., Destination]
LEARNING = ["postmortem.published", "postmortem.due", "follow_up.overdue", "follow_up.done"]
HERE = "https://hooks.slack.com/services/T/B/x"


@pytest.fixture
def curious(connect: Connect) -> Destination:
    return connect(url=HERE, topics=LEARNING)


@pytest.fixture
def postmortem(incident: Incident, mara: User) -> Postmortem:
    incident.resolve(by=mara)
    return Postmortem.objects.begin(incident, by=mara)


def heard(row: Destination) -> list[str]:
    announce()
    return list(Transmission.objects.filter(destination=row).order_by("pk").values_list("topic", flat=True))


def test_it_is_chosen_and_never_by_itself() -> None:
    assert not set(every_topic()) & set(LEARNING)
    assert set(LEARNING) <= set(HEARD)


def test_each_label_stands_once() -> None:
    assert len({topic.label for topic in TOPICS.values()}) == len(TOPICS)
    assert len({topic.heard for topic in HEARD.values()}) == len(HEARD)
    for code, topic in (TOPICS | HEARD).items():
        assert topic is TOPICS.get(code, topic)
        assert topic is HEARD.get(code, topic)


def test_a_postmortem_that_is_published_is_news(
    curious: Destination, connect: Connect, postmortem: Postmortem, mara: User, rui: User, jo: User, receiver: Desk
) -> None:
    others, code = connect(url=HERE), connect("webhook", url=f"{receiver.url}/in", topics=LEARNING)
    publish(postmortem, by=mara, reviewer=rui, lead=jo)
    assert (heard(curious), heard(code)) == (["postmortem.published"], ["postmortem.published"])
    assert "postmortem.published" not in heard(others)
    lanes.attempt(Transmission.objects.get(destination=code), code)
    data = json.loads(receiver.got[0].body)["data"]
    assert data["item"]["kind"] == "postmortem"
    assert data["item"]["url"] == data["links"][0]["url"]
    assert data["incident"]["number"] == postmortem.incident.number


def test_what_is_due_is_said_once(curious: Destination, postmortem: Postmortem, rui: User) -> None:
    postmortem.due_on = datetime.now(UTC).date() - timedelta(days=1)
    postmortem.save()
    due.remind()
    due.remind()
    assert heard(curious) == ["postmortem.due"]


def test_follow_ups_are_news_when_they_are_late_and_when_they_are_done(
    curious: Destination, incident: Incident, mara: User
) -> None:
    row = FollowUp.objects.add(incident, title="Alert on an old index", by=mara, owner=mara)
    with time_machine.travel(datetime(2026, 3, 4, 9, tzinfo=UTC), tick=False) as clock:
        FollowUp.objects.filter(pk=row.pk).update(due_on=date(2026, 3, 4))
        reminders.remind()
        assert heard(curious) == []
        clock.shift(timedelta(days=1))
        reminders.remind()
        reminders.remind()
        assert heard(curious) == ["follow_up.overdue"]
    row.refresh_from_db()
    row.complete(by=mara)
    assert heard(curious) == ["follow_up.overdue", "follow_up.done"]
    assert Transmission.objects.latest("pk").announcement.item.title == "Alert on an old index"  # type: ignore[union-attr]  # it has one


def test_nothing_of_what_is_private_leaves(
    curious: Destination, postmortem: Postmortem, mara: User, jo: User, rui: User
) -> None:
    other = Incident.objects.declare(title="A leaked transcript", by=mara, private=True)
    other.say_who_noticed("user", by=mara)
    postmortem.also.add(other)
    publish(postmortem, by=mara, reviewer=rui, lead=jo)
    assert heard(curious) == []


def test_what_became_private_since_is_neither_sent_nor_shown(
    curious: Destination, postmortem: Postmortem, mara: User, jo: User, rui: User
) -> None:
    other = Incident.objects.declare(title="A leaked transcript", by=mara)
    other.say_who_noticed("user", by=mara)
    postmortem.also.add(other)
    publish(postmortem, by=mara, reviewer=rui, lead=jo)
    assert heard(curious) == ["postmortem.published"]
    other.restrict([mara], by=mara)
    row = Transmission.objects.get()
    lanes.attempt(row, curious)
    row.refresh_from_db()
    assert row.error == lanes.PRIVATE
    assert Transmission.objects.visible_to(mara).exists()
    assert not Transmission.objects.visible_to(jo).exists()
