"""Matchers and rules: what holds, what a rule does, and what is said where one cannot be used."""

import re
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
            ('severity!="crit.*"', True),
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
        ("text", "reason"),
        [
            ("severity", '“severity” is no matcher; write name="value", with =, !=, =~ or !~.'),
            ("=x", "is no matcher"),
            ('a=="b"', "is no matcher"),
            ("a b=c", "is no matcher"),
            (" " + "x" * 90, f"“{'x' * 80}” is no matcher"),
            ('a=~"("', "“(” is no regular expression: missing )"),
            ('a!~"("', "“(” is no regular expression: missing )"),
            ('a=~"(?=x)"', "is no regular expression"),
            ("a=b\\", "The value of “a” ends with a backslash."),
            ('a="' + "x" * 301 + '"', "The value of “a” is longer than 300 characters."),
            ("\n".join(f'a{n}="b"' for n in range(21)), "There are 21 matchers; 20 are enough."),
        ],
    )
    def test_what_is_none_is_said(self, text: str, reason: str) -> None:
        with pytest.raises(Unmatchable, match=re.escape(reason)):
            parse(text)

    def test_20_are_read_and_300_characters(self) -> None:
        assert len(parse("\n".join(f'a{n}="{"x" * 300}"' for n in range(20)))) == 20

    def test_what_is_written_is_read_again(self) -> None:
        for text in ('a="b"', 'a=~"x\\d+"', 'a="say \\"hi\\""', 'a!~"b|c"', 'a="back\\\\slash"'):
            assert parse(written(parse(text))) == parse(text)

    def test_they_are_written_one_a_line(self) -> None:
        assert written(parse('a="b", c!~"d"')) == 'a="b"\nc!~"d"'

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

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("system", "policy-index"),
            ("severity", "low"),
            ("category", "drift"),
            ("failure_mode", "drift.covariate"),
        ],
    )
    def test_a_later_rule_sees_what_an_earlier_one_set(self, name: str, value: str) -> None:
        rules = read([{f"set_{name}": value}, {"name": "Sees it", "matchers": f'{name}="{value}"', "act": "record"}])
        decision = decide(rules, FACTS)
        assert (getattr(decision, name), decision.rule) == (value, "Sees it")

    def test_one_that_does_not_match_is_passed_over_and_what_was_known_stays_known(self) -> None:
        rules = read(
            [
                {"name": "No", "matchers": 'system="fraud-scorer"', "act": "drop"},
                {"name": "Feeds are low", "matchers": 'system="home-feed"', "set_severity": "low"},
                {"name": "Both", "matchers": 'system="home-feed", severity="low"', "act": "record"},
            ]
        )
        assert decide(rules, FACTS).rule == "Both"

    def test_a_category_alone_takes_the_failure_mode_back_for_later_rules_too(self) -> None:
        rules = read(
            [
                {"set_category": "drift", "set_failure_mode": "drift.covariate"},
                {"set_category": "retrieval"},
                {"matchers": 'failure_mode="drift.covariate"', "act": "drop"},
            ]
        )
        for facts in (FACTS, {**FACTS, "failure_mode": "drift.covariate"}):
            decision = decide(rules, facts)
            assert (decision.category, decision.failure_mode, decision.act) == ("retrieval", "", "")

    def test_a_rule_that_sets_no_category_leaves_the_failure_mode_as_it_is(self) -> None:
        rules = read([{"set_category": "drift", "set_failure_mode": "drift.covariate"}, {"set_severity": "low"}])
        decision = decide(rules, FACTS)
        assert (decision.category, decision.failure_mode) == ("drift", "drift.covariate")

    def test_what_an_earlier_rule_asks_for_stays_where_a_later_one_says_nothing_of_it(self) -> None:
        rules = read(
            [
                {"group_by": "model", "join_minutes": 60, "reopen_minutes": 30},
                {"name": "Waits", "act": "wait", "times": 3, "within_minutes": 10},
            ]
        )
        decision = decide(rules, FACTS)
        assert (decision.group, decision.join_within, decision.reopen_within) == (
            "model=ranker-7",
            timedelta(hours=1),
            timedelta(minutes=30),
        )
        assert (decision.act, decision.times, decision.within) == ("wait", 3, timedelta(minutes=10))

    def test_only_a_rule_with_an_action_decides(self) -> None:
        assert decide(read([{"name": "Sets", "set_severity": "low"}]), FACTS).rule == ""

    @pytest.mark.parametrize(
        ("row", "effects"),
        [
            ({}, "nothing"),
            ({"set_system": "policy-index", "set_severity": "low"}, "system policy-index, severity low"),
            ({"set_category": "drift"}, "category drift"),
            ({"set_failure_mode": "drift.covariate"}, "failure mode drift.covariate"),
            ({"act": "open"}, "open at once"),
            ({"act": "record"}, "only record"),
            ({"act": "drop"}, "drop"),
            ({"act": "wait", "times": 3, "within_minutes": 59}, "wait for 3 in 59 min"),
            ({"act": "wait", "times": 3, "within_minutes": 61}, "wait for 3 in 61 min"),
            ({"act": "wait", "times": 3, "within_minutes": 120}, "wait for 3 in 2 h"),
            ({"group_by": "model, region"}, "group by model, region"),
            ({"join_minutes": 60, "reopen_minutes": 0}, "join for 1 h, reopen within 0 min"),
        ],
    )
    def test_what_a_rule_did_is_told_in_words(self, row: dict[str, object], effects: str) -> None:
        (rule,) = read([{"name": "Mine", **row}])
        assert rule.does == effects
        assert decide([rule], FACTS).because == f"Rule “Mine”: {effects}."

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
            ({"act": "wait", "times": 10_001, "within_minutes": 5}, "2 or more"),
            ({"act": "wait", "times": 3, "within_minutes": 10_081}, "a week at most"),
        ],
    )
    def test_a_rule_that_cannot_be_used_is_named(self, row: dict[str, object], said: str) -> None:
        with pytest.raises(Unruly, match=f"Mine: .*{said}"):
            read([{"name": "Mine", **row}])

    @pytest.mark.parametrize(("times", "minutes"), [(2, 1), (10_000, 10_080)])
    def test_it_waits_for_two_or_more_within_a_week_at_most(self, times: int, minutes: int) -> None:
        (rule,) = read([{"act": "wait", "times": times, "within_minutes": minutes}])
        assert (rule.times, rule.within) == (times, timedelta(minutes=minutes))

    def test_200_rules_are_used_and_no_more(self) -> None:
        assert len(read([{}] * 200)) == 200
        with pytest.raises(Unruly, match="There are 201 rules; at most 200 are used"):
            read([{}] * 201)

    def test_a_rule_without_a_name_is_called_by_its_place_and_a_long_name_is_cut(self) -> None:
        rules = read([{}, {"name": " "}, {"name": "x" * 100}])
        assert [rule.name for rule in rules] == ["Rule 1", "Rule 2", "x" * 80]

    def test_what_is_not_stored_is_not_asked_for(self) -> None:
        assert read([{"join_minutes": "", "reopen_minutes": None}]) == (RoutingRule(name="Rule 1"),)

    def test_a_stored_rule_is_read_as_it_was_meant(self) -> None:
        stored = {
            "name": "All",
            "matchers": 'a="b"',
            "act": "wait",
            "times": 3,
            "within_minutes": 10,
            "set_system": "home-feed",
            "set_severity": "high",
            "set_category": "drift",
            "set_failure_mode": "drift.covariate",
            "group_by": "model, region, ,a,b,c,d",
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
                set_system="home-feed",
                set_severity="high",
                set_category="drift",
                set_failure_mode="drift.covariate",
                group_by=("model", "region", "a", "b", "c"),
                join_within=timedelta(minutes=60),
                reopen_within=timedelta(0),
            ),
        )
