"""Texts are cut on whole words, in the unit of whoever reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.notifications.channels.limits import Size, clip, json_octets, octets, one_line, plain, units
from incidents.notifications.channels.marks import angles, markdown


@given(st.text(max_size=200), st.integers(4, 80), st.sampled_from([units, octets, json_octets]))
def test_a_cut_text_is_within_its_limit_and_begins_as_it_did(text: str, most: int, size: Size) -> None:
    cut = clip(text, most, size=size)
    assert size(cut) <= most
    assert cut == text or (cut.endswith("…") and text.startswith(cut[:-1]))


@given(st.text(alphabet="a&<*\\ ", max_size=200), st.integers(10, 80))
def test_a_text_can_be_measured_as_it_will_be_escaped(text: str, most: int) -> None:
    for escape in (angles, markdown):
        assert len(escape(clip(text, most, size=lambda part, escape=escape: units(escape(part))))) <= most  # type: ignore[misc]


def test_a_text_is_cut_between_words() -> None:
    assert clip("Answers cite the retired policy", 20) == "Answers cite the…"
    assert clip("Answers cite the retired policy", 17) == "Answers cite the…"
    assert clip("a" * 30, 10) == "a" * 9 + "…"
    assert clip("short", 5) == "short"


@pytest.mark.parametrize(
    ("text", "became"),
    [("a\r\nb\rc", "a\nb\nc"), ("\x00a\x1b[1m", "a[1m"), ("\u202eabc\u202c", "abc"), ("tab\tstays", "tab\tstays")],
)
def test_what_steers_is_left_out(text: str, became: str) -> None:
    assert plain(text) == became


def test_one_line_is_one() -> None:
    assert one_line(" a\n\nb\tc ") == "a b c"
