"""What each channel sends: within its receiver's limits and schema, whatever people and monitors wrote."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import jsonschema_rs
import pytest
import yaml

from incidents.notifications.channels import goalert, google_chat, mattermost, ntfy, pagerduty, teams
from incidents.notifications.channels.base import Act, Announcement, Outgoing, Receiver
from incidents.notifications.channels.catalogue import RECEIVERS, by_group
from incidents.outgoing import checked
from tests.notifications.announcements import (
    CALLS,
    CONFIGS,
    FACTS,
    HOSTILE,
    NOW,
    OPENED,
    RESOLVED,
    TOPICS,
    everywhere,
)
from tests.vectors import VECTORS

_CONTRACTS = yaml.safe_load((Path(__file__).parent / "contracts.yaml").read_text())
CONTRACTS = {kind: jsonschema_rs.validator_for(schema, validate_formats=True) for kind, schema in _CONTRACTS.items()}

LARGEST = {
    "teams": teams.LARGEST,
    "google_chat": google_chat.LARGEST,
    "pagerduty": pagerduty.LARGEST,
    "mattermost": mattermost.LARGEST,
    "webhook": 128_000,
}

every_receiver = pytest.mark.parametrize("receiver", RECEIVERS.values(), ids=lambda receiver: receiver.kind)


def sent(receiver: Receiver, announcement: Announcement) -> Outgoing:
    return receiver.request(CONFIGS[receiver.kind], announcement, now=NOW)


def read(receiver: Receiver, announcement: Announcement) -> Any:
    """What the receiver reads, after it was seen to obey its contract."""
    request = sent(receiver, announcement)
    value = (
        dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        if receiver.kind == "goalert"
        else json.loads(request.body)
    )
    wrong = [str(error.message)[:200] for error in CONTRACTS[receiver.kind].iter_errors(value)]
    assert not wrong, (receiver.kind, wrong)
    assert len(request.body) <= LARGEST.get(receiver.kind, 64_000)
    assert request.method == "POST"
    checked(request.url)
    assert all("\n" not in text and text.isascii() for pair in request.headers.items() for text in pair)
    return value


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from texts(part)


class TestContracts:
    @every_receiver
    @pytest.mark.parametrize("topic", TOPICS)
    def test_each_topic_with_each_hostile_text_obeys(self, receiver: Receiver, topic: str) -> None:
        for text in HOSTILE:
            read(receiver, everywhere(text, topic=topic))
        for text in ("", CALLS, "a" * 9_000):
            read(receiver, everywhere(text, topic=topic, closing=True))

    @every_receiver
    def test_each_way_to_make_a_text_a_script_obeys(self, receiver: Receiver) -> None:
        for vector, topic in zip(VECTORS, cycle(TOPICS), strict=False):
            read(receiver, everywhere(vector, topic=topic))

    @every_receiver
    def test_what_is_about_no_incident_obeys(self, receiver: Receiver) -> None:
        read(receiver, replace(OPENED, topic="test", incident=None, acts=(), text=""))

    def test_the_catalogue_lists_each_once(self) -> None:
        assert (
            {receiver.kind for listed in by_group().values() for receiver in listed} == set(RECEIVERS) == set(CONFIGS)
        )

    def test_limits_in_bytes_are_kept(self) -> None:
        for text in HOSTILE:
            told = read(RECEIVERS["ntfy"], everywhere(text))
            assert len(told["message"].encode()) <= ntfy.MESSAGE
            assert len(told["title"].encode()) <= ntfy.TITLE
            alert = read(RECEIVERS["goalert"], everywhere(text))
            assert len(alert["summary"].encode()) <= goalert.SUMMARY
            assert len(alert.get("details", "").encode()) <= goalert.DETAILS

    def test_all_texts_of_an_embed_together_are_within_discords_limit(self) -> None:
        for text in (*HOSTILE, *VECTORS):
            embed = read(RECEIVERS["discord"], everywhere(text))["embeds"][0]
            assert sum(len(part.encode("utf-16-le")) // 2 for part in texts(embed)) <= 6000


class TestUntrustedTexts:
    def test_slack_gets_no_angle_bracket_but_those_of_our_own_links(self) -> None:
        for text in (*HOSTILE, *VECTORS):
            for part in texts(read(RECEIVERS["slack"], everywhere(text))):
                assert not re.search(r"<(?!https://faultline\.example/[^<>|\s]*\|[^<>|\n]*>)", part)

    def test_slack_reads_marks_only_where_our_links_are(self) -> None:
        blocks = read(RECEIVERS["slack"], everywhere("*bold*"))["blocks"]
        assert [part["type"] for block in blocks for part in block.get("elements", [])] == ["mrkdwn"]

    def test_mattermost_calls_nobody(self) -> None:
        for text in (*HOSTILE, *VECTORS):
            assert not any(re.search(r"@\w", part) for part in texts(read(RECEIVERS["mattermost"], everywhere(text))))

    def test_google_chat_reads_no_mention_and_no_tag(self) -> None:
        for text in (*HOSTILE, *VECTORS):
            message = read(RECEIVERS["google_chat"], everywhere(text))
            assert not re.search(r"<[^\u200b]", message["text"])
            widgets = message["cardsV2"][0]["card"]["sections"][0]["widgets"]
            shown = [
                part
                for widget in widgets
                for name in ("textParagraph", "decoratedText")
                for part in texts(widget.get(name))
            ]
            assert not any(re.search("[<>]", part) for part in shown)

    def test_teams_gets_what_people_wrote_as_runs_without_marks_and_escapes_its_facts(self) -> None:
        card = read(RECEIVERS["teams"], everywhere("[x](javascript:alert) *a* <at>Mara</at>"))["attachments"][0][
            "content"
        ]
        facts = [fact["value"] for block in card["body"] for fact in block.get("facts", [])]
        assert all(not re.search(r"(?<!\\)[\[\]*<>_`]", fact) for fact in facts)
        assert facts

    @pytest.mark.parametrize("kind", ["discord", "mattermost"])
    def test_marks_of_markdown_are_escaped(self, kind: str) -> None:
        for text in (CALLS, "[x](javascript:alert(1)) **b** `c` ~~d~~ |e|", "<b>"):
            for part in texts(read(RECEIVERS[kind], everywhere(text))):
                ours = re.sub(r"\[(?:[^\]\\]|\\.)*\]\(https://faultline\.example/[^)]*\)", "", part)
                assert not re.search(r"(?<!\\)[\[\]*<>`~|]", ours)

    def test_an_address_within_a_text_still_leads_where_it_did(self) -> None:
        told = read(RECEIVERS["discord"], replace(OPENED, text="See https://runs.example/a_b_c?x=1 now_"))
        assert "https://runs.example/a_b_c?x=1 now\\_" in told["embeds"][0]["description"]

    @every_receiver
    def test_no_control_character_and_nothing_that_turns_the_writing_round_is_sent(self, receiver: Receiver) -> None:
        for text in HOSTILE:
            assert not any(
                re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", part)
                for part in texts(read(receiver, everywhere(text)))
            )

    @every_receiver
    def test_a_button_leads_only_to_a_plain_web_address(self, receiver: Receiver) -> None:
        acts = (
            ("a", "javascript:alert(1)"),
            ("b", "https://x.example/a b"),
            ("c", "https://x.example/>|<"),
            ("d", "ftp://x.example"),
        )
        body = sent(receiver, replace(OPENED, acts=acts)).body.decode()
        assert "javascript" not in body
        assert "x.example" not in body

    @every_receiver
    def test_it_says_what_happened_and_leads_there(self, receiver: Receiver) -> None:
        body = json.dumps(read(receiver, OPENED), ensure_ascii=False)
        assert "Answers cite the retired pricing policy" in body
        assert FACTS.url in body


class TestPagers:
    ACTS = {
        "incident.opened": Act.OPEN,
        "incident.raised": Act.OPEN,
        "incident.reopened": Act.OPEN,
        "incident.escalated": Act.OPEN,
        "incident.acknowledged": Act.ACKNOWLEDGE,
        "test": Act.OPEN,
    }

    @pytest.mark.parametrize("topic", TOPICS)
    def test_a_pager_hears_only_what_opens_acknowledges_or_closes(self, topic: str) -> None:
        announcement = replace(OPENED, topic=topic)
        assert announcement.act == self.ACTS.get(topic)
        assert RECEIVERS["pagerduty"].takes(announcement) is (topic in self.ACTS)
        assert RECEIVERS["goalert"].takes(announcement) is (self.ACTS.get(topic) is Act.OPEN)
        assert RECEIVERS["slack"].takes(announcement)

    @pytest.mark.parametrize(
        ("announcement", "action"),
        [(OPENED, "trigger"), (replace(OPENED, topic="incident.acknowledged"), "acknowledge"), (RESOLVED, "resolve")],
    )
    def test_pagerduty_gets_one_alert_under_the_incidents_number(self, announcement: Announcement, action: str) -> None:
        event = read(RECEIVERS["pagerduty"], announcement)
        assert (event["event_action"], event["dedup_key"]) == (action, "INC-57")

    @pytest.mark.parametrize(
        ("severity", "pagerduty", "opsgenie"),
        [
            ("sev1", "critical", "P1"),
            ("sev2", "error", "P2"),
            ("sev3", "warning", "P3"),
            ("sev4", "info", "P4"),
            ("unknown", "error", "P3"),
        ],
    )
    def test_severities_become_theirs(self, severity: str, pagerduty: str, opsgenie: str) -> None:
        announcement = replace(OPENED, incident=replace(FACTS, severity=severity))
        assert read(RECEIVERS["pagerduty"], announcement)["payload"]["severity"] == pagerduty
        assert read(RECEIVERS["opsgenie"], announcement)["priority"] == opsgenie

    def test_opsgenie_acknowledges_and_closes_by_the_alias(self) -> None:
        acknowledged = sent(RECEIVERS["opsgenie"], replace(OPENED, topic="incident.acknowledged"))
        closed = sent(RECEIVERS["opsgenie"], RESOLVED)
        assert acknowledged.url == "https://api.opsgenie.com/v2/alerts/INC-57/acknowledge?identifierType=alias"
        assert closed.url == "https://api.opsgenie.com/v2/alerts/INC-57/close?identifierType=alias"
        assert closed.headers["Authorization"] == "GenieKey 0000-1111-2222-3333-4444"

    def test_goalert_and_oncall_close_what_they_opened(self) -> None:
        opened, closed = (read(RECEIVERS["goalert"], one) for one in (OPENED, RESOLVED))
        assert (opened["dedup"], closed["dedup"], closed["action"]) == ("INC-57", "INC-57", "close")
        opened, closed = (read(RECEIVERS["grafana_oncall"], one) for one in (OPENED, RESOLVED))
        assert (opened["alert_uid"], opened["state"], closed["state"]) == ("INC-57", "alerting", "ok")

    def test_a_test_wakes_nobody_where_the_pager_can_tell(self) -> None:
        test = replace(OPENED, topic="test", incident=None)
        assert read(RECEIVERS["pagerduty"], test)["payload"]["severity"] == "info"
        assert read(RECEIVERS["opsgenie"], test)["priority"] == "P5"


class TestServers:
    """Some run in regions, or are one's own."""

    def test_pagerduty_and_opsgenie_in_the_eu(self) -> None:
        pagerduty_eu = CONFIGS["pagerduty"] | {"url": "https://events.eu.pagerduty.com"}
        opsgenie_eu = CONFIGS["opsgenie"] | {"url": "https://api.eu.opsgenie.com"}
        assert (
            RECEIVERS["pagerduty"].request(pagerduty_eu, OPENED, now=NOW).url
            == "https://events.eu.pagerduty.com/v2/enqueue"
        )
        assert (
            RECEIVERS["opsgenie"].request(opsgenie_eu, OPENED, now=NOW).url == "https://api.eu.opsgenie.com/v2/alerts"
        )

    def test_google_chat_keeps_an_incident_in_one_thread(self) -> None:
        request = sent(RECEIVERS["google_chat"], OPENED)
        assert request.url.endswith("&messageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD")
        assert json.loads(request.body)["thread"] == {"threadKey": "INC-57"}

    def test_ntfy_rings_for_what_is_urgent_alone(self) -> None:
        told = [read(RECEIVERS["ntfy"], one)["priority"] for one in (OPENED, replace(OPENED, urgent=False), RESOLVED)]
        assert told == [5, 4, 3]
        assert sent(RECEIVERS["ntfy"], OPENED).headers["Authorization"] == "Bearer tk_abc"
