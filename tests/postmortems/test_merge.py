"""Texts of several people are put together by line, and nothing that anybody typed is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.people.models import User
from incidents.postmortems.lint import blame
from incidents.postmortems.merge import TextPiece, Word, compare, merge

TEXTS = st.lists(st.sampled_from(["a", "b", "c", "", "a b", "é", "- x"]) | st.text("xyz ", max_size=4), max_size=9).map(
    "\n".join
)


@given(TEXTS, TEXTS, TEXTS)
def test_every_line_that_either_typed_is_in_what_comes_of_it(base: str, mine: str, theirs: str) -> None:
    lines = merge(base, mine, theirs).text.split("\n")
    for text in (mine, theirs):
        assert all(line in lines for line in text.split("\n") if line not in base.split("\n") and line)


@given(TEXTS, TEXTS, TEXTS)
def test_it_is_the_same_whoever_saves_first(base: str, mine: str, theirs: str) -> None:
    ours, other = merge(base, mine, theirs), merge(base, theirs, mine)
    assert ours.is_clean == other.is_clean
    if ours.is_clean:
        assert ours.text == other.text


@given(TEXTS, TEXTS)
def test_who_was_alone_is_taken_as_it_is(base: str, mine: str) -> None:
    assert merge(base, mine, base).text == mine
    assert merge(base, base, mine).text == mine
    assert merge(base, mine, mine).text == mine


@given(TEXTS, TEXTS)
def test_a_comparison_holds_both_texts(was: str, now: str) -> None:
    words = compare(was, now)
    assert "".join(word.text for word in words if word.how != "ins") == was
    assert "".join(word.text for word in words if word.how != "del") == now


def test_different_lines_are_put_together_even_side_by_side() -> None:
    assert merge("a\nb\nc", "A\nb\nc", "a\nB\nc").text == "A\nB\nc"
    assert (
        merge("one\n\ntwo", "one, more\n\ntwo", "one\n\ntwo, more\n\nthree").text == "one, more\n\ntwo, more\n\nthree"
    )


def test_what_one_inserts_between_lines_that_the_other_left_alone_stays_between_them() -> None:
    assert merge("a\nb\nc", "a\nmore\nb\nc", "a\nb\nC").text == "a\nmore\nb\nC"
    assert merge("a\nb\nc", "a\nb\nC", "a\nmore\nb\nc").text == "a\nmore\nb\nC"


def test_the_same_line_is_for_people_to_settle() -> None:
    found = merge("a\nb\nc", "a\nmine\nc", "a\ntheirs\nc")
    assert found.pieces == (TextPiece("a"), TextPiece("mine", "theirs"), TextPiece("c"))
    assert found.text == "a\ntheirs\nmine\nc"


def test_several_lines_are_settled_as_one_and_what_stands_between_two_conflicts_stays_there() -> None:
    assert merge("a\nb\nc", "a\nmy\nlines\nc", "a\ntheir\nown\nlines\nc").pieces == (
        TextPiece("a"),
        TextPiece("my\nlines", "their\nown\nlines"),
        TextPiece("c"),
    )
    assert merge("a\nb\nc", "mine\nb\nmine", "theirs\nB\ntheirs").pieces == (
        TextPiece("mine", "theirs"),
        TextPiece("B"),
        TextPiece("mine", "theirs"),
    )


def test_what_one_takes_out_and_the_other_changes_is_settled_too() -> None:
    assert not merge("a\nb\nc", "a\nc", "a\nB\nc").is_clean


def test_a_very_long_text_is_a_choice_of_the_whole() -> None:
    base = "\n".join(map(str, range(5_000)))
    assert merge(base, f"{base}\nmine", f"{base}\ntheirs").pieces == (TextPiece(f"{base}\nmine", f"{base}\ntheirs"),)


def test_up_to_4000_lines_are_put_together_whoever_wrote_them() -> None:
    def text(first: str, last: str, *, lines: int) -> str:
        return "\n".join([first, *map(str, range(lines - 2)), last])

    whole = merge(text("a", "z", lines=4_000), text("A", "z", lines=4_000), text("a", "Z", lines=4_000))
    assert whole.text == text("A", "Z", lines=4_000)
    for lengths in ((4_001, 3, 3), (3, 4_001, 3), (3, 3, 4_001)):
        base, mine, theirs = (
            text(first, last, lines=length)
            for (first, last), length in zip((("a", "z"), ("A", "z"), ("a", "Z")), lengths, strict=True)
        )
        assert merge(base, mine, theirs).pieces == (TextPiece(mine, theirs),)


class TestComparing:
    def test_it_goes_by_words_and_names_only_what_changed(self) -> None:
        assert compare("The index is old.", "The alias is old, too.") == [
            Word("", "The "),
            Word("del", "index"),
            Word("ins", "alias"),
            Word("", " is old"),
            Word("ins", ", too"),
            Word("", "."),
        ]
        assert compare("", "a") == [Word("ins", "a")]
        assert compare("a", "") == [Word("del", "a")]
        assert compare("It’s the team's", "It’s the team's") == [Word("", "It’s the team's")]

    def test_words_that_are_repeated_often_are_compared_as_well(self) -> None:
        text = "stale fresh " * 150
        assert compare(text, text + "over") == [Word("", text), Word("ins", "over")]

    def test_beyond_20000_words_one_text_replaces_the_other(self) -> None:
        text = " ".join(map(str, range(5_000))) + " "
        assert compare(text, text) == [Word("", text)]
        assert compare(text, f"{text}more") == [Word("del", text), Word("ins", f"{text}more")]


class TestBlame:
    def test_it_asks_about_the_system_instead(self) -> None:
        found = blame("It was human error. The team should have noticed. They failed to check the index.")
        assert {finding.words for finding in found} == {"human error", "failed to check", "should have"}
        assert all(finding.question.endswith("?") for finding in found)

    def test_a_check_that_should_have_stopped_it_blames_nobody(self) -> None:
        assert blame("The check that should have stopped it looks at averages.") == []

    def test_names_are_found_where_they_act_and_not_where_they_are_thanked(self, mara: User) -> None:
        people = [mara]
        assert blame("Mara deployed the index without a canary.", people=people)
        assert blame("- Mara Okafor forgot the alias", people=people)
        assert blame("The fallback was written by Mara.", people=people) == []

    def test_only_the_sentence_is_quoted(self, mara: User) -> None:
        (finding,) = blame("It was late. Mara ran the job.", people=[mara])
        assert finding.words == "Mara ran"

    @pytest.mark.parametrize(
        "text",
        [
            "Engineer on call missed the alert and ignored the page.",
            "It was late. The operator did not follow the runbook.",
            "- the on-call engineer never checked the dashboard",
            "Operators ignored the warning.",
        ],
    )
    def test_a_role_is_blamed_like_a_person(self, text: str) -> None:
        (finding,) = blame(text)
        assert finding.words in text
        assert finding.question.endswith("?")

    @pytest.mark.parametrize(
        "text",
        [
            "The engineer on call rolled back the index within 3 minutes.",
            "The operator was not told: the alert went to nobody.",
            "The engineer on call did not receive the alert.",
            "An alert reached the engineer on call.",
        ],
    )
    def test_what_a_role_did_well_or_was_never_told_is_no_blame(self, text: str) -> None:
        assert blame(text) == []

    @pytest.mark.parametrize(
        "text",
        [
            "Tom Adeyemi rolled back the index within 3 minutes.",
            "Mara Okafor rolled back the index within 3 minutes.",
            "Then Mara noticed it and Mara had already escalated.",
        ],
    )
    def test_what_a_person_did_well_is_no_blame(self, mara: User, text: str) -> None:
        assert blame(text, people=[mara]) == []

    def test_what_helped_hides_no_other_sentence_and_a_word_before_it_no_name(self, mara: User) -> None:
        (finding,) = blame("Mara rolled back the index. Then Mara deleted the alias.", people=[mara])
        assert finding.words == "Mara deleted"
        assert blame("Later the operator ignored the page.")

    def test_code_and_quotes_are_left_alone(self) -> None:
        assert blame("`should have` and\n> human error\n\n```\nfailed to check\n```") == []
