"""How often a draw was wrong, and what that offers to the impact."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from incidents.evidence.rates import wrong_rate
from incidents.evidence.samples import Sample
from incidents.people.models import User
from incidents.response.incident import Incident


def test_the_rate_counts_drawn_and_judged_samples_alone(
    incident: Incident, sample: Sample, mara: User, draw: Callable[..., list[Sample]]
) -> None:
    sample.judge("wrong", by=mara)  # somebody noticed it, so chance did not choose it
    draw(wrong=2, right=8, unclear=1, unjudged=1)
    rate = wrong_rate(incident, user=mara)
    assert rate
    assert (rate.share.k, rate.share.n, rate.uncounted) == (2, 10, 2)
    assert str(rate) == "2 of 10 drawn outputs were wrong: 20 % (95 %: 6–51 %)"


def test_without_a_judged_draw_there_is_no_rate(sample: Sample, mara: User) -> None:
    sample.judge("wrong", by=mara)
    assert wrong_rate(sample.incident, user=mara) is None


@pytest.mark.parametrize("outputs", [1, 7, 12_000, 10**12])
def test_the_estimate_lies_in_its_interval(
    incident: Incident, mara: User, draw: Callable[..., list[Sample]], outputs: int
) -> None:
    draw(wrong=1, right=4)
    rate = wrong_rate(incident, user=mara)
    assert rate
    numbers = rate.of(outputs)
    assert 0 <= numbers["low"] <= numbers["estimate"] <= numbers["high"] <= outputs


def test_the_impact_is_offered_the_numbers_and_a_person_saves_them(
    incident: Incident, mara: User, draw: Callable[..., list[Sample]], as_person: Callable[[User], Client]
) -> None:
    draw(wrong=3, right=9)
    client = as_person(mara)
    answer = client.get(f"/incidents/{incident.number}/evidence/rate/?outputs=1000", follow=True)
    page: Any = answer.content.decode()
    assert 'value="250"' in page
    assert "3 of 12 drawn outputs were wrong" in page
    assert "evidence/?show=drawn" in page
    assert not incident.exposures.exists()


def test_the_link_of_the_rate_lists_exactly_its_rows(
    incident: Incident,
    sample: Sample,
    mara: User,
    draw: Callable[..., list[Sample]],
    as_person: Callable[[User], Client],
) -> None:
    rows = draw(wrong=1, right=2)
    page = as_person(mara).get(f"/incidents/{incident.number}/evidence/?show=drawn")
    assert {row.pk for row in page.context["samples"]} == {row.pk for row in rows}
