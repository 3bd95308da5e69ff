"""The door for pagers: whose address, signed how, how much, and that what is taken is stored before the answer."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from incidents.errors import Refused
from incidents.notifications.destinations import Destination
from incidents.pagers.door import MOST_BYTES
from incidents.pagers.models import KEPT, PagerAddress, PagerDelivery
from incidents.people.models import User
from reliability.logs import cut_secrets
from tests.pagers.conftest import Pager
from tests.pagers.words import pagerduty, signed

pytestmark = pytest.mark.django_db

BODY = json.dumps(pagerduty("incident.acknowledged", "INC-1")).encode()
SECRET = "s3cr3t-of-the-webhook"


@pytest.fixture
def signing(pager: Callable[..., Pager], jo: User) -> Pager:
    own = pager("pagerduty")
    own.address.add_secret(SECRET, by=jo)
    return own


def test_what_is_signed_is_stored_as_it_came(signing: Pager) -> None:
    answer = signing.post(BODY, **{"X-PagerDuty-Signature": signed(SECRET, BODY)})
    assert answer.status_code == 200
    row = PagerDelivery.objects.get()
    assert bytes(row.body) == BODY
    assert row.status == "received"
    signing.address.refresh_from_db()
    assert signing.address.heard_at == row.received_at


@pytest.mark.parametrize(
    ("signature", "why"),
    [
        ("", "Only signed deliveries are taken here"),
        (signed("another secret", BODY), "made with none of the secrets"),
        (signed(SECRET, BODY).replace("v1=", "v2="), "made with none of the secrets"),
        (signed(SECRET, BODY + b" "), "made with none of the secrets"),
        ("v1=zz", "made with none of the secrets"),
    ],
    ids=["missing", "another secret", "another version", "another body", "no signature"],
)
def test_what_is_not_signed_is_refused_and_noted_without_its_bytes(signing: Pager, signature: str, why: str) -> None:
    for _ in range(2):
        answer = signing.post(BODY, **({"X-PagerDuty-Signature": signature} if signature else {}))
        assert answer.status_code == 401
        assert why in answer.json()["detail"]
    row = PagerDelivery.objects.get()
    assert (row.status, row.repeats, bytes(row.body)) == ("refused", 1, b"")
    assert why in row.reason


def test_a_secret_is_changed_without_a_gap(signing: Pager, jo: User) -> None:
    signing.address.add_secret("the new secret", by=jo)
    both = f"{signed('a third one', BODY)},{signed('the new secret', BODY)}"
    assert signing.post(BODY, **{"X-PagerDuty-Signature": both}).status_code == 200
    assert signing.post(BODY, **{"X-PagerDuty-Signature": signed(SECRET, BODY)}).status_code == 200
    signing.address.secrets.order_by("pk")[0].delete()
    assert signing.post(BODY, **{"X-PagerDuty-Signature": signed(SECRET, BODY)}).status_code == 401


def test_a_secret_that_cannot_be_opened_any_more_lets_nothing_through(signing: Pager) -> None:
    signing.address.secrets.update(sealed=b"gone")
    assert signing.post(BODY, **{"X-PagerDuty-Signature": signed(SECRET, BODY)}).status_code == 401


def test_until_it_has_a_secret_its_address_is_one(pager: Callable[..., Pager]) -> None:
    assert pager("pagerduty").post(BODY).status_code == 200


@pytest.mark.parametrize("kind", ["opsgenie", "grafana_oncall"])
def test_pagers_that_do_not_sign_have_no_secret_to_add(pager: Callable[..., Pager], jo: User, kind: str) -> None:
    with pytest.raises(Refused, match="does not sign"):
        pager(kind).address.add_secret(SECRET, by=jo)


def test_goalert_is_given_no_address(connect: Callable[..., Destination], jo: User) -> None:
    with pytest.raises(Refused, match="GoAlert does not tell"):
        PagerAddress.objects.open(connect("goalert", url="https://goalert.example/x"), by=jo)


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        (b"", 400, "not JSON"),
        (b"{", 400, "not JSON"),
        (b"\xff\xfe\x00", 400, "not JSON"),
        (b"[" * 100_000, 400, "nested"),
        (b'"' + b"x" * MOST_BYTES + b'"', 413, "0.25 MiB"),
    ],
)
def test_what_cannot_be_read_is_answered_with_why(
    pager: Callable[..., Pager], body: bytes, status: int, why: str
) -> None:
    answer = pager("opsgenie").post(body)
    assert answer.status_code == status
    assert why in answer.json()["detail"]
    assert not PagerDelivery.objects.filter(status="received").exists()


@pytest.mark.parametrize("path", ["/pagers/" + "0" * 32, "/pagers/nonsense", "/pagers/nonsense/"])
def test_an_unknown_address_is_answered_404(db: None, path: str) -> None:
    answer = Client().post(path, BODY, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_pager")


def test_it_takes_post_only_and_leads_nowhere(pager: Callable[..., Pager]) -> None:
    own = pager("opsgenie")
    answer = Client().get(f"/pagers/{own.token}")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert Client().post(f"/pagers/{own.token}/", BODY, content_type="application/json").status_code == 200


def test_an_old_address_works_for_a_day(pager: Callable[..., Pager], jo: User) -> None:
    own = pager("opsgenie")
    _, token = PagerAddress.objects.open(own.channel, by=jo)
    assert own.post(BODY).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        assert own.post(BODY).status_code == 404
        assert Pager(own.channel, token).post(BODY).status_code == 200


def test_the_address_stands_in_no_log(pager: Callable[..., Pager]) -> None:
    line = f"delivered path=/pagers/{pager().token} status=200"
    assert cut_secrets(None, "", line) == "delivered path=/pagers/[cut] status=200"


def test_what_was_read_is_kept_for_ninety_days(paged: Callable[..., Any]) -> None:
    own, incident = paged("opsgenie")
    own.acknowledges(incident)
    own.post(BODY)
    with time_machine.travel(timezone.now() + KEPT + timedelta(days=1)):
        assert PagerDelivery.objects.prune() == 1, "what still waits is not deleted"
