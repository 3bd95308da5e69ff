"""Absurd values: refused where they enter, and survived by every page where they are in the database already."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from incidents.errors import Refused
from incidents.people.models import User
from incidents.postmortems.document import Postmortem
from incidents.response.incident import Incident
from incidents.response.vocabulary import CLOCKS
from incidents.systems.models import System

Page = Callable[[User], Client]
PAGES = """
    /incidents/ /incidents/?status=all /incidents/incidents.csv /status/ /reports/ /reports/trust/ /reports/report.csv
    /follow-ups/ /postmortems/ /systems/support-assistant/ /api/v1/incidents/ /api/v1/reports/trends
    """.split()


@pytest.mark.parametrize("year", [1, 900, 1999])
@pytest.mark.parametrize("clock", CLOCKS)
def test_a_clock_before_2000_is_refused(
    incident: Incident, mara: User, key_of: Callable[..., dict[str, str]], client: Client, clock: str, year: int
) -> None:
    moment = datetime(year, 1, 1, 12, tzinfo=UTC)
    with pytest.raises(Refused, match="cannot be before 2000"):
        incident.set_clock(clock, moment, by=mara)
    sent = {"clock": clock, "at": f"{year:04}-01-01T12:00:00Z"}
    path = f"/api/v1/incidents/{incident.number}/clock/"
    answer = client.post(path, sent, content_type="application/json", headers=key_of(mara))
    assert answer.status_code == 400
    assert answer.json()["errors"]["at"] == ["Enter a date between 2000 and 2200."]


@pytest.mark.parametrize(
    ("moment", "zone"),
    [
        (datetime(1, 1, 1, tzinfo=UTC), "America/Los_Angeles"),
        (datetime(900, 1, 1, tzinfo=UTC), "UTC"),
        (datetime.max.replace(tzinfo=UTC), "Pacific/Kiritimati"),
    ],
)
def test_every_page_survives_what_is_in_the_database_already(
    postmortem: Postmortem,
    support_assistant: System,
    mara: User,
    as_person: Page,
    key_of: Callable[..., dict[str, str]],
    moment: datetime,
    zone: str,
) -> None:
    incident = postmortem.incident
    User.objects.filter(pk=mara.pk).update(time_zone=zone)
    client: Any = as_person(mara)
    ends: dict[str, Any] = {"resolved_at": moment, "contained_at": moment, "detected_at": moment}
    for fields in ({"impact_started_at": moment}, {"impact_started_at": moment} | ends, ends):
        Incident.objects.filter(pk=incident.pk).update(system=support_assistant, impact_started_at=None)
        Incident.objects.filter(pk=incident.pk).update(**fields)
        own = [
            incident.get_absolute_url(),
            f"{incident.get_absolute_url()}clocks/impact_started_at/",
            postmortem.get_absolute_url(),
        ]
        for page in (
            *PAGES,
            *own,
            f"{postmortem.get_absolute_url()}print/",
            f"{postmortem.get_absolute_url()}markdown/",
        ):
            headers = key_of(mara) if page.startswith("/api/") else {}
            assert client.get(page, headers=headers).status_code < 500, (page, fields)
