"""What is proposed to be replaced: found by its form and its check digits, and nothing else is touched."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.evidence.exchange import Exchange, Passage, ToolCall
from incidents.evidence.redaction import find, propose, redacted


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("Write to ann.o'neil+x@mail.example.co.uk, please", "Write to [email], please"),
        ("anna@müller.de", "[email]"),
        ("Call +49 (0)30 1234567 or 030/1234567.", "Call [phone] or [phone]."),
        ("Card 4111 1111 1111 1111 ok", "Card [card] ok"),
        ("Card 4111 1111 1111 1112 no", "Card 4111 1111 1111 1112 no"),
        ("IBAN DE89 3704 0044 0532 0130 00.", "IBAN [iban]."),
        ("IBAN GB82 WEST 1234 5698 7654 32.", "IBAN [iban]."),
        ("IBAN GB83 WEST 1234 5698 7654 32.", "IBAN GB83 WEST 1234 5698 7654 32."),
        ("Pay 4111 1111 1111 1111 12/27, not 12 4111 1111 1111 1111", "Pay [card] 12/27, not 12 [card]"),
        ("Amex 3782-822463-10005 or 378282246310005", "Amex [card] or [card]"),
        ("DE89 3704 0044 0532 0130 00 BIC COBADEFF", "[iban] BIC COBADEFF"),
        ("from 192.168.1.20 and 2001:db8::1", "from [ip] and [ip]"),
        ("version 1.2.3 at 12:30:45", "version 1.2.3 at 12:30:45"),
        ("key sk-proj-abcdEFGH1234ijkl and AKIAIOSFODNN7EXAMPLE", "key [key] and [key]"),
        ("Authorization: Bearer abcdef0123456789XYZ", "Authorization: Bearer [key]"),
        ("order 12345, 19.99 euros, 2026-07-01", "order 12345, 19.99 euros, 2026-07-01"),
    ],
)
def test_what_is_found_is_replaced_by_its_kind(text: str, becomes: str) -> None:
    assert redacted(text) == becomes


def test_every_text_of_an_exchange_is_looked_at() -> None:
    mail = "ann@example.com"
    whole = Exchange(mail, mail, (Passage(mail, "doc"),), (ToolCall("send", mail, mail),), mail, mail, "trace/1")
    proposed = propose(whole)
    assert mail not in str(proposed.texts())
    assert (proposed.reference, proposed.context[0].id, proposed.tool_calls[0].name) == ("trace/1", "doc", "send")


TEXTS = st.text(
    st.sampled_from("aB 01234567890@.+-:/()[]\nDEsk_ ü") | st.characters(exclude_categories=["Cs"]), max_size=120
)


@given(TEXTS)
def test_what_is_found_stands_in_the_text_in_order_and_apart(text: str) -> None:
    found = find(text)
    assert all(text[one.start : one.end] == one.text for one in found)
    assert all(one.end <= later.start for one, later in pairwise(found))


@given(TEXTS)
def test_the_rest_of_the_text_stays_as_it_is(text: str) -> None:
    rest, at = redacted(text), 0
    for one in find(text):
        before = text[at : one.start] + f"[{one.kind}]"
        assert rest.startswith(before)
        rest, at = rest[len(before) :], one.end
    assert rest == text[at:]


@given(TEXTS)
def test_the_same_text_gives_the_same_answer(text: str) -> None:
    assert redacted(text) == redacted(text)
    assert redacted(f"{text} ann@example.com").endswith("[email]")
