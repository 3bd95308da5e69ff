"""What people correct is learnt for what reads alike, seen, and undone."""

from collections.abc import Callable
from typing import Any

import pytest

from incidents.alerts import by_hand
from incidents.alerts.drain import drain
from incidents.alerts.models import Alert, Source
from incidents.alerts.policies import Correction
from incidents.people.models import User

TAUGHT = "Voucher robot pays twice for order 4711"


@pytest.fixture
def tell(connected: Callable[..., str], post: Callable[..., Any]) -> Callable[..., Alert]:
    """Deliver one alert by a second monitor and give it as it was classified."""
    token = connected("cloudevents")

    def deliver(title: str, **fields: Any) -> Alert:
        body = {
            "specversion": "1.0",
            "id": title,
            "source": "/x",
            "type": "alert",
            "subject": title,
            "data": {"title": title} | fields,
        }
        assert post(token, body).status_code == 200
        drain()
        return Alert.objects.latest("pk")

    return deliver


@pytest.fixture
def taught(evaluations: tuple[Source, str], post: Callable[..., Any], mara: User) -> Correction:
    """Mara said what an alert of the nightly evaluations was."""
    post(evaluations[1], {"title": TAUGHT, "key": "taught"})
    drain()
    alert = Alert.objects.get(source=evaluations[0])
    by_hand.classify([alert], category="feedback_loop", remember=True, by=mara)
    return Correction.objects.get()


def test_what_reads_alike_is_classified_so_from_any_source(tell: Callable[..., Alert], taught: Correction) -> None:
    alert = tell("Voucher robot pays twice for order 12")
    assert (alert.category, alert.confidence) == ("feedback_loop", "medium")
    assert alert.classified_because.startswith("Its words are 100 % those of an alert that Mara Okafor classified on ")


def test_the_reason_says_nothing_of_the_other_alert(tell: Callable[..., Alert], taught: Correction) -> None:
    because = tell("Voucher robot pays twice for order 12").classified_because
    assert not any(word in because.lower() for word in ("voucher", "robot", "4711", "nightly"))


def test_undoing_it_holds_from_the_next_delivery_on(tell: Callable[..., Alert], taught: Correction, mara: User) -> None:
    assert tell("Voucher robot pays twice for order 12").category == "feedback_loop"
    assert tell("Voucher robot pays twice for one order").category == "feedback_loop"
    taught.undo(by=mara)
    later = tell("Voucher robot pays twice for invoice 13")
    assert later.category != "feedback_loop", later.classified_because


def test_an_older_one_can_be_undone_too(
    tell: Callable[..., Alert], taught: Correction, mara: User, evaluations: tuple[Source, str]
) -> None:
    Correction.objects.create(source=evaluations[0], name="something_else_entirely", category="drift", made_by=mara)
    assert tell("Voucher robot pays twice for order 12").category == "feedback_loop"
    assert tell("Voucher robot pays twice for one order").category == "feedback_loop"
    taught.undo(by=mara)
    later = tell("Voucher robot pays twice for invoice 13")
    assert later.category != "feedback_loop", later.classified_because


@pytest.mark.parametrize("title", ["Disk full on node a", "Voucher store slow", "Order 4711"])
def test_what_reads_otherwise_is_not_touched(tell: Callable[..., Alert], taught: Correction, title: str) -> None:
    assert tell(title).category != "feedback_loop"


def test_what_the_monitor_itself_says_stands_above_it(tell: Callable[..., Alert], taught: Correction) -> None:
    alert = tell("Voucher robot pays twice for order 12", labels={"category": "drift"})
    assert alert.category == "drift"


def test_an_identifier_is_remembered_by_its_name_alone(
    tell: Callable[..., Alert], evaluations: tuple[Source, str], mara: User
) -> None:
    Correction.objects.create(source=evaluations[0], name="voucher_total", category="drift", made_by=mara)
    assert "Mara" not in tell("Voucher total").classified_because


def test_a_correction_of_the_source_itself_comes_first(
    evaluations: tuple[Source, str], post: Callable[..., Any], taught: Correction, mara: User
) -> None:
    Correction.objects.create(
        source=evaluations[0], name="voucher_robot_pays_twice_for_order_12", category="drift", made_by=mara
    )
    post(evaluations[1], {"title": "Voucher robot pays twice for order 12", "key": "12"})
    drain()
    alert = Alert.objects.latest("pk")
    assert (alert.category, alert.confidence) == ("drift", "high")
