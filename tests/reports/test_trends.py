"""The report: every number leads to exactly its rows."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from html import unescape

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from incidents.people.models import Team, User
from incidents.reports.trends import Period, trends
from incidents.response.models import Incident
from incidents.systems.models import System


def period() -> Period:
    return Period.last(3, today=timezone.now().date())


def test_a_period_is_whole_months_up_to_today() -> None:
    last = Period.last(12, today=date(2026, 1, 20))
    assert (last.since, last.until, len(last.months())) == (date(2025, 2, 1), date(2026, 1, 21), 12)
    assert last.before.until == last.since


def test_silence_is_counted_where_it_is_known_and_never_as_zero(incident: Incident, mara: User, lee: User) -> None:
    Incident.objects.declare(title="Nobody knows when it began", by=mara)
    assert incident.detected_at
    incident.set_clock("impact_started_at", incident.detected_at - timedelta(hours=2), by=mara)
    silence = trends(lee, period=period(), team=None).phases[0]
    assert silence.median
    assert (silence.median.n, silence.median.value, silence.missing) == (1, 7200.0, 1)


def test_declined_merged_and_invisible_incidents_are_not_counted(
    incident: Incident, mara: User, lee: User, support_assistant: System
) -> None:
    other = Incident.objects.declare(title="The same", by=mara)
    other.merge_into(incident, by=mara)
    nothing = Incident.objects.declare(title="Nothing", by=None)
    nothing.decline(by=mara, reason="A test")
    Incident.objects.declare(title="Secret", by=mara, private=True)
    assert trends(lee, period=period(), team=None).incidents.now == 1
    assert trends(mara, period=period(), team=None).incidents.now == 2


def test_a_team_sees_its_own(incident: Incident, lee: User, risk: Team) -> None:
    assert trends(lee, period=period(), team=incident.team).incidents.now == 1
    assert trends(lee, period=period(), team=risk).incidents.now == 0


@pytest.mark.parametrize(
    "query", ["", "?months=3&team=assistants", "?months=nonsense&team=%F0%9F%98%80", "?team=nobody"]
)
def test_the_page_answers_whatever_the_address_says(lee: User, as_person: Callable[[User], Client], query: str) -> None:
    assert as_person(lee).get(f"/reports/{query}").status_code == 200


def test_every_number_of_the_demonstration_leads_to_as_many_incidents(
    db: None, as_person: Callable[[User], Client]
) -> None:
    call_command("load_demo")
    client = as_person(User.objects.get(email="lee@example.com"))
    page = client.get("/reports/?months=18").content.decode()
    numbers = re.findall(r'<a class="link" href="(/incidents/\?[^"]+)">(\d+)</a>', page)
    assert len(numbers) > 30
    for address, number in numbers[:: max(1, len(numbers) // 25)]:
        listed = client.get(unescape(address)).content.decode()
        assert listed.count("data-row ") == int(number), address


def test_the_report_asks_a_fixed_number_of_questions(
    db: None, as_person: Callable[[User], Client], django_assert_max_num_queries: Callable[[int], object]
) -> None:
    call_command("load_demo")
    client = as_person(User.objects.get(email="lee@example.com"))
    with django_assert_max_num_queries(16):  # type: ignore[attr-defined]  # a context manager
        client.get("/reports/?months=18")
