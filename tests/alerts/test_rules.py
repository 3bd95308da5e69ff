"""Matchers and rules: what holds, what a rule does, and what is said where one cannot be used."""

import time
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.alerts.matchers import Unmatchable, all_hold, parse, written
from incidents.alerts.rules import RoutingRule, Unruly, decide, read

FACTS = {
    "severity": "critical",
    "system": "home-feed",
    "team": "discovery, feeds",
    "model": "ranker-7",
    "title": 'A "quoted" title',
}


class TestMatchers:
    @pytest.mark.parametrize(
        ("text", "holds"),
        [
            ('severity="critical"', True),
            ("severity=critical", True),
            ('severity!="critical"', False),
            ('severity=~"crit.*|high"', True),
            ('severity=~"crit"', False),
            ('severity!~"crit"', True),
            ('missing=""', True),
            ('missing!=""', False),
            ('missing!~".+"', True),
            ('team="discovery, feeds"', True),
            ('severity="critical", system="home-feed"', True),
            ('severity="critical"\nsystem="fraud-scorer"', False),
            ('title="A \\"quoted\\" title"', True),
            ('model=~"ranker-\\d+"', True),
            ("", True),
        ],
    )
    def test_they_hold_as_alertmanagers_do(self, text: str, holds: bool) -> None:
        assert all_hold(parse(text), FACTS) is holds

    @pytest.mark.parametrize(
        "text",
        [
            "severity",
            "=x",
            'a=="b"',
            'a=~"("',
            'a=~"(?=x)"',
            "a b=c",
            'a="' + "x" * 301 + '"',
            "\n".join(f'a{n}="b"' for n in range(21)),
        ],
    )
    def test_what_is_none_is_said(self, text: str) -> None:
        with pytest.raises(Unmatchable):
            parse(text)

    def test_what_is_written_is_read_again(self) -> None:
        for text in ('a="b"', 'a=~"x\\d+"', 'a="say \\"hi\\""', 'a!~"b|c"', 'a="back\\\\slash"'):
            assert parse(written(parse(text))) == parse(text)

    def test_no_expression_takes_long(self) -> None:
        matchers = parse('title=~"(a+)+$"')
        began = time.process_time()
        assert not all_hold(matchers, {"title": "a" * 200_000 + "!"})
        assert time.process_time() - began < 5, "a backtracking engine would take longer than the universe"

    @given(st.text(max_size=80))
    def test_any_text_is_read_or_refused(self, text: str) -> None:
        try:
            all_hold(parse(text), FACTS)
        except Unmatchable:
            return


class TestRules:
    def test_the_first_that_says_what_to_do_ends_the_asking(self) -> None:
        rules = read(
            [
                {"name": "Feeds are high", "matchers": 'system="home-feed"', "set_severity": "high"},
                {"name": "High is recorded", "matchers": 'severity="high"', "act": "record"},
                {"name": "Never asked", "act": "drop"},
            ]
        )
        decision = decide(rules, FACTS)
        assert (decision.act, decision.severity, decision.rule) == ("record", "high", "High is recorded")
        assert "Feeds are high" in decision.because
        assert "Never asked" not in decision.because

    def test_without_a_rule_nothing_is_changed(self) -> None:
        decision = decide((), FACTS)
        assert (decision.act, decision.reasons, decision.group) == ("", (), "")

    def test_groups_and_windows(self) -> None:
        (rule,) = read([{"name": "By model", "group_by": "model, region", "join_minutes": 60, "reopen_minutes": 0}])
        decision = decide((rule,), FACTS)
        assert decision.group == "model=ranker-7|region="
        assert (decision.join_within, decision.reopen_within) == (timedelta(hours=1), timedelta(0))

    @pytest.mark.parametrize(
        ("row", "said"),
        [
            ({"matchers": "x"}, "is no matcher"),
            ({"act": "explode"}, "not an action of a rule"),
            ({"act": "wait", "times": 1, "within_minutes": 5}, "how many times"),
            ({"act": "wait", "times": 3}, "how many times"),
        ],
    )
    def test_a_rule_that_cannot_be_used_is_named(self, row: dict[str, object], said: str) -> None:
        with pytest.raises(Unruly, match=f"Mine: .*{said}"):
            read([{"name": "Mine", **row}])

    def test_a_stored_rule_is_read_as_it_was_meant(self) -> None:
        stored = {
            "name": "All",
            "matchers": 'a="b"',
            "act": "wait",
            "times": 3,
            "within_minutes": 10,
            "set_severity": "high",
            "group_by": "model, region",
            "join_minutes": 60,
            "reopen_minutes": 0,
        }
        assert read([stored]) == (
            RoutingRule(
                name="All",
                matchers=parse('a="b"'),
                act="wait",
                times=3,
                within=timedelta(minutes=10),
                set_severity="high",
                group_by=("model", "region"),
                join_within=timedelta(minutes=60),
                reopen_within=timedelta(0),
            ),
        )
