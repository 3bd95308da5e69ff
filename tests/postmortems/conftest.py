"""A postmortem at the moments that the tests tell of."""

from collections.abc import Callable

import pytest

from incidents.people.models import User
from incidents.postmortems import readiness, reviews
from incidents.postmortems.document import Postmortem
from incidents.postmortems.factors import Factor, FactorKind
from incidents.postmortems.facts import freeze_facts
from incidents.response.incident import Incident


@pytest.fixture
def postmortem(incident: Incident, mara: User) -> Postmortem:
    """Mara's postmortem of an incident that she led."""
    incident.classify("", "retrieval.stale_index", by=mara)
    incident.contain(by=mara, action="rollback_index")
    incident.resolve(by=mara)
    return Postmortem.objects.begin(incident, by=mara)


def fill(postmortem: Postmortem, by: User) -> None:
    """Say everything that a review waits for."""
    for key in ("summary", "impact", "silence", "factors", "accounts"):
        for section in postmortem.sections.filter(key=key):
            section.write("Known.", by=by, base=section.text)
    postmortem.incident.say_who_noticed("user", by=by)
    postmortem.set_trigger("none", by=by)
    for kind in FactorKind.objects.all()[:2]:
        Factor.objects.add(postmortem, kind, text="It hid the fault.", evidence="/systems/", by=by)
    assert readiness.missing(postmortem) == []


ALL = [key for key, _ in reviews.CHECKS]


@pytest.fixture
def published(postmortem: Postmortem, mara: User, jo: User, rui: User) -> Postmortem:
    """What Mara wrote, Rui approved and Jo published."""
    publish(postmortem, by=mara, reviewer=rui, lead=jo)
    return postmortem


def publish(postmortem: Postmortem, *, by: User, reviewer: User, lead: User) -> None:
    fill(postmortem, by)
    postmortem.send_to_review(by=by, missing=[])
    reviews.decide(postmortem, by=reviewer, verdict="approved", checks=ALL)
    postmortem.publish(by=lead, facts=freeze_facts(postmortem))


@pytest.fixture
def another(mara: User) -> Callable[[str], Postmortem]:
    """Begin the postmortem of one more resolved incident."""

    def begin(title: str) -> Postmortem:
        made = Incident.objects.declare(title=title, by=mara)
        made.resolve(by=mara)
        return Postmortem.objects.begin(made, by=mara)

    return begin
