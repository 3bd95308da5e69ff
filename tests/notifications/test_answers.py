"""What a receiver's answer means."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from incidents.notifications.channels.answers import LONGEST_WAIT, Judgement, Reception, wait
from incidents.notifications.channels.catalogue import BROWSER, RECEIVERS
from incidents.outgoing import Answer
from tests.notifications.announcements import NOW

D, AGAIN, G, R = Reception.DELIVERED, Reception.RETRY, Reception.GONE, Reception.REFUSED

every_kind = pytest.mark.parametrize("kind", RECEIVERS)


def judge(kind: str, status: int, body: str | dict[str, object] = "", **headers: str) -> Judgement:
    sent = body if isinstance(body, str) else json.dumps(body)
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return (RECEIVERS.get(kind) or BROWSER).judge(Answer(status, sent.encode(), named), now=NOW)


@every_kind
@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, D), (201, D), (202, D), (204, D), (301, R), (302, R), (307, R), (400, R), (413, R), (408, AGAIN), (410, G), (425, AGAIN), (429, AGAIN), (500, AGAIN), (502, AGAIN), (503, AGAIN), (504, AGAIN), (599, AGAIN)],
)  # fmt: skip
def test_statuses_mean_the_same_to_all(kind: str, status: int, outcome: Reception) -> None:
    judgement = judge(kind, status)
    assert judgement.reception is outcome
    assert bool(judgement.reason) is (outcome is not D)


@pytest.mark.parametrize(
    ("kind", "status", "body", "outcome"),
    [
        ("slack", 200, "ok", D),
        ("slack", 200, "invalid_payload", R),
        ("slack", 200, "something new", R),
        ("slack", 400, "invalid_payload", R),
        ("slack", 400, "no_text", R),
        ("slack", 403, "action_prohibited", R),
        ("slack", 403, "invalid_token", G),
        ("slack", 404, "no_service", G),
        ("slack", 404, "channel_not_found", G),
        ("slack", 410, "channel_is_archived", G),
        ("slack", 500, "rollup_error", AGAIN),
        ("teams", 200, "1", D),
        (
            "teams",
            200,
            "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429",
            AGAIN,
        ),
        (
            "teams",
            200,
            "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 413",
            R,
        ),
        ("teams", 400, {"error": {"code": "WorkflowTriggerIsNotEnabled"}}, G),
        ("teams", 404, {"error": {"code": "WorkflowNotFound"}}, G),
        ("discord", 404, {"message": "Unknown Webhook", "code": 10015}, G),
        ("discord", 401, {"message": "Invalid Webhook Token", "code": 50027}, G),
        ("discord", 400, {"code": 50035, "message": "Invalid Form Body"}, R),
        ("google_chat", 404, {"error": {"status": "NOT_FOUND"}}, G),
        ("pagerduty", 400, {"status": "invalid event", "errors": ["Length of 'routing_key' is incorrect"]}, R),
        ("pagerduty", 400, "[" * 100_000, R),
        ("opsgenie", 403, {"message": "Api Key is not authorized"}, R),
        ("webhook", 401, "", AGAIN),
        ("webhook", 404, "", AGAIN),
        ("webhook", 422, "", R),
        ("web_push", 404, "", G),
        ("web_push", 413, "", R),
    ],
)
def test_what_some_answer_is_their_own(
    kind: str, status: int, body: str | dict[str, object], outcome: Reception
) -> None:
    assert judge(kind, status, body).reception is outcome


@every_kind
def test_how_long_to_wait_is_read_in_seconds_and_as_a_date(kind: str) -> None:
    assert judge(kind, 429, retry_after="17").after == timedelta(seconds=17)
    assert judge(kind, 503, retry_after="Wed, 04 Mar 2026 09:31:00 GMT").after == timedelta(minutes=1)
    assert judge(kind, 429).after is None


def test_discord_says_it_in_its_json() -> None:
    assert judge("discord", 429, {"retry_after": 0.5}).after == timedelta(seconds=0.5)


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("0", timedelta(0)),
        ("1.5", timedelta(seconds=1.5)),
        ("99999999", LONGEST_WAIT),
        ("Wed, 04 Mar 2026 09:00:00 GMT", timedelta(0)),
        ("Wed, 04 Mar 2099 09:00:00 GMT", LONGEST_WAIT),
        ("Wednesday, 04-Mar-26 09:31:00 GMT", timedelta(minutes=1)),
        ("Wed, 99 Mar 2026 09:31:00 GMT", None),
        ("-5", None),
        ("soon", None),
        ("٣", None),
        ("9" * 400, None),
        ("", None),
    ],
)
def test_a_wait_is_bounded_and_nonsense_is_none(text: str, after: timedelta | None) -> None:
    assert wait(text, now=datetime(2026, 3, 4, 9, 30, tzinfo=UTC)) == after


def test_a_reason_says_what_was_answered_and_leaves_pages_out() -> None:
    assert (
        judge("opsgenie", 403, "Key is\nnot authorized").reason == "It answered 403 Forbidden: “Key is not authorized”."
    )
    assert judge("opsgenie", 403, "<!DOCTYPE html><title>x").reason == "It answered 403 Forbidden."
    assert judge("opsgenie", 499).reason == "It answered 499."
    assert "redirect" in judge("webhook", 302).reason
    assert len(judge("opsgenie", 400, "x " * 60_000).reason) < 300
    assert "routing_key" in judge("pagerduty", 400, {"errors": ["Length of 'routing_key' is incorrect"]}).reason
