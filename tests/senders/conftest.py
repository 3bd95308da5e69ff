"""A Faultline for real senders to send to."""

from collections.abc import Iterator

import pytest

from tests.running import Running, prepared, running


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(prepared(tmp_path_factory.mktemp("site") / "data")) as group:
        yield group
