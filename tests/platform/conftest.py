"""What all tests of real processes share."""

from collections.abc import Iterator

import pytest

from tests.running import launched


@pytest.fixture(autouse=True)
def _nothing_is_left_behind() -> Iterator[None]:
    """Stop what a test launched, also where it failed half way: the next one would share the machine with it."""
    before = len(launched)
    yield
    for group in launched[before:]:
        group.stop()
