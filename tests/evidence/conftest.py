"""Samples that the tests tell stories about."""

from collections.abc import Callable

import pytest

from incidents.evidence.exchange import Exchange, Passage
from incidents.evidence.samples import Sample
from incidents.people.models import User
from incidents.response.incident import Incident

ASKED = Exchange(
    input="What does the basic plan cost?",
    output="It costs 9 euros a month.",
    context=(Passage("The basic plan costs 9 euros.", id="pricing-2024", score=0.83),),
)


@pytest.fixture
def sample(incident: Incident, mara: User) -> Sample:
    [added] = Sample.objects.add(incident, [ASKED], by=mara, source="pasted")
    return added


@pytest.fixture
def draw(incident: Incident, mara: User) -> Callable[..., list[Sample]]:
    """Draws samples at random and judges them: so many wrong, right and unclear, and so many that nobody judged."""

    def drawn(*, wrong: int = 0, right: int = 0, unclear: int = 0, unjudged: int = 0) -> list[Sample]:
        verdicts = ["wrong"] * wrong + ["right"] * right + ["unclear"] * unclear + [""] * unjudged
        rows = Sample.objects.add(incident, [ASKED] * len(verdicts), by=mara, source="upload", drawn=True)
        for row, verdict in zip(rows, verdicts, strict=True):
            row.judge(verdict, by=mara)
        return rows

    return drawn
