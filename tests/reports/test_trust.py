"""The scorecard of a system: how long its output was wrong, against what was promised."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from incidents.followups.models import FollowUp
from incidents.people.models import User
from incidents.reports.drills import is_drill_overdue
from incidents.reports.scope import Asked
from incidents.reports.trust import Scorecard, budget, scorecards, together
from incidents.response.incident import Incident
from incidents.systems.models import System
from tests.reports.conftest import at

Happened = Callable[..., Incident]


def card(user: User, asked: Asked, system: System) -> Scorecard:
    return scorecards(user, asked, [System.objects.get(pk=system.pk)])[0]


def test_wrong_output_runs_from_when_it_began_to_when_it_was_contained(
    happened: Happened, lee: User, asked: Asked, support_assistant: System
) -> None:
    happened(10)  # began an hour before it was noticed, contained an hour after
    scorecard = card(lee, asked, support_assistant)
    assert (scorecard.wrong, scorecard.silent, scorecard.at_least, scorecard.incidents) == (7200, 3600, False, 1)


def test_two_incidents_at_once_are_wrong_once(
    happened: Happened, lee: User, asked: Asked, support_assistant: System
) -> None:
    happened(10)
    first = Incident.objects.get()
    happened(
        10,
        detected_at=first.detected_at,
        declared_at=first.declared_at,
        impact_started_at=first.impact_started_at,
        contained_at=first.contained_at,
    )
    assert card(lee, asked, support_assistant).wrong == 7200


def test_silence_is_a_part_of_wrong_output_and_counts_once_where_incidents_overlap(
    happened: Happened, lee: User, asked: Asked, support_assistant: System
) -> None:
    happened(10)
    first = Incident.objects.get()
    happened(
        10,
        detected_at=first.contained_at,  # noticed only when it was over
        declared_at=first.declared_at,
        impact_started_at=first.impact_started_at,
        contained_at=first.contained_at,
    )
    scorecard = card(lee, asked, support_assistant)
    assert (scorecard.silent, scorecard.wrong) == (7200, 7200)


def test_where_nobody_knows_since_when_it_is_at_least(
    happened: Happened, lee: User, asked: Asked, support_assistant: System
) -> None:
    happened(10, impact_started_at=None)
    scorecard = card(lee, asked, support_assistant)
    assert (round(scorecard.wrong), scorecard.at_least) == (3600, True)
    assert scorecard.silence_known
    assert (scorecard.silence_known.k, scorecard.silence_known.n) == (0, 1)


def test_what_reaches_into_the_period_counts_as_far_as_it_does(
    happened: Happened, lee: User, asked: Asked, support_assistant: System
) -> None:
    since = asked.period.bounds()[0]
    days = (datetime.now(UTC) - since).total_seconds() / 86400
    happened(days + 1, contained_at=since + timedelta(hours=3))
    assert round(card(lee, asked, support_assistant).wrong) == 3 * 3600


def test_the_budget_is_what_the_objective_allows(
    happened: Happened, lee: User, asked: Asked, support_assistant: System
) -> None:
    assert card(lee, asked, support_assistant).percent is None
    System.objects.filter(pk=support_assistant.pk).update(objective=Decimal("99.90"))
    happened(10)
    scorecard = card(lee, asked, support_assistant)
    assert scorecard.allowed
    assert scorecard.percent == round(100 * 7200 / scorecard.allowed)
    assert budget(Decimal(99), timedelta(days=100)) == pytest.approx(86400)


@pytest.mark.parametrize("objective", [0, 49, 100, 120])
def test_an_objective_that_is_none_is_refused(support_assistant: System, objective: int) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        System.objects.filter(pk=support_assistant.pk).update(objective=objective)


def test_a_private_incident_is_in_the_scorecard_of_nobody_else(
    happened: Happened, mara: User, lee: User, asked: Asked, support_assistant: System
) -> None:
    secret = happened(10, private=True, severity="sev1", status="investigating", contained_at=None, resolved_at=None)
    FollowUp.objects.add(secret, title="Purge it", by=mara, priority=0)
    secret.contain(by=mara, action="kill_switch")
    hidden = card(lee, asked, support_assistant)
    assert (hidden.incidents, hidden.wrong, hidden.last, hidden.urgent, hidden.practised) == (0, 0, None, 0, None)
    named = card(mara, asked, support_assistant)
    assert named.practised
    assert (named.incidents, named.urgent, named.days_since) == (1, 1, 10)


def test_a_drill_counts_as_practice_and_as_nothing_else(
    mara: User, lee: User, asked: Asked, support_assistant: System
) -> None:
    System.objects.filter(pk=support_assistant.pk).update(tier=1)
    assert card(lee, asked, support_assistant).drill_overdue
    drill = Incident.objects.declare(title="Drill: the fallback", by=mara, system=support_assistant, kind="test")
    drill.contain(by=mara, action="fallback_model")
    scorecard = card(lee, asked, support_assistant)
    assert (scorecard.incidents, scorecard.wrong, scorecard.drill_overdue) == (0, 0, False)


@pytest.mark.parametrize(
    ("tier", "days", "overdue"), [(1, 89, False), (1, 91, True), (2, 179, False), (2, 181, True), (3, 999, False)]
)
def test_a_drill_is_due_by_tier(tier: int, days: int, overdue: bool) -> None:
    assert is_drill_overdue(System(tier=tier), at(days)) is overdue


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(1, 80)), max_size=30))
def test_spans_together_cover_what_any_of_them_covers(spans: list[tuple[int, int]]) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    covered = {second for since, length in spans for second in range(since, since + length)}
    covering = together(
        (start + timedelta(seconds=since), start + timedelta(seconds=since + length)) for since, length in spans
    )
    assert covering == len(covered)


def test_the_pages_of_trust_ask_a_fixed_number_of_questions(
    happened: Happened,
    lee: User,
    support_assistant: System,
    fraud_scorer: System,
    as_person: Callable[[User], Client],
    django_assert_max_num_queries: Callable[[int], object],
) -> None:
    for days in range(1, 30, 3):
        happened(days)
        happened(days, system=fraud_scorer)
    client = as_person(lee)
    for path, most in (("/reports/trust/", 18), ("/reports/trust/support-assistant/?months=12", 27)):
        with django_assert_max_num_queries(most):  # type: ignore[attr-defined]  # a context manager
            assert client.get(path).status_code == 200
    assert client.get("/reports/trust/nobody/").status_code == 404


def test_a_lead_of_its_team_sets_the_objective(
    jo: User, rui: User, support_assistant: System, as_person: Callable[[User], Client]
) -> None:
    for person, written in ((rui, "97"), (jo, "99.5"), (jo, "120"), (jo, "NaN")):
        as_person(person).post("/reports/trust/support-assistant/objective/", {"objective": written})
    support_assistant.refresh_from_db()
    assert support_assistant.objective == Decimal("99.50")
