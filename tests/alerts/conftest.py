"""What several tests of alerts begin with."""

from collections.abc import Callable
from typing import Any

import pytest

from incidents.alerts.models import Source
from incidents.alerts.sources import KINDS
from incidents.people.models import Team


@pytest.fixture
def connected(assistants: Team) -> Callable[..., str]:
    """Connect a monitor of some kind and give its token."""

    def connect(kind: str, **fields: Any) -> str:
        return Source.objects.connect(kind=kind, name=KINDS[kind].name, team=assistants, **fields)[1]

    return connect
