"""What a report opens with: what is to be decided, each with exactly its rows, and only for those who may see them."""

import random
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone

from incidents.followups.models import FollowUp
from incidents.people.models import User
from incidents.postmortems.document import Postmortem
from incidents.postmortems.guide import Guide
from incidents.postmortems.reviews import Review
from incidents.reports.cache import worked_out
from incidents.reports.decide import Matter, ToDecide
from incidents.reports.decisions import Decision
from incidents.reports.saved import SavedReport
from incidents.reports.scope import Asked, ReportScope
from incidents.reports.trust import judged_days, over_budget, scorecards
from incidents.reports.views.shared import context_of
from incidents.response.incident import Incident
from incidents.response.links import Link
from incidents.systems.models import System
from tests.reports.conftest import at

Happened = Callable[..., Incident]
AsPerson = Callable[[User], Client]


def to_decide(user: User, asked: Asked) -> ToDecide:
    return worked_out(user, asked)[2]


def promise(incident: Incident, by: User, **fields: Any) -> FollowUp:
    usual: dict[str, Any] = {
        "title": "Mend it",
        "owner": by,
        "due_on": timezone.now().date() + timedelta(days=9),
        "priority": 1,
    }
    return FollowUp.objects.add(incident, by=by, **usual | fields)


def day(days: int) -> date:
    return timezone.now().date() + timedelta(days=days)


def rows_of(matter: Matter, client: Client) -> int:
    """How many rows the page behind it lists."""
    page = client.get(matter.url)
    assert page.status_code == 200
    return page.content.decode().count("data-row")


def text_of(page: str) -> str:
    """What the block says, without its marks."""
    block = page.split("What to decide", 1)[1].split("</section>", 1)[0]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", block)).split())


def test_where_nothing_is_to_be_decided_one_line_says_so(
    happened: Happened, lee: User, asked: Asked, as_person: AsPerson
) -> None:
    happened(3)
    assert to_decide(lee, asked) == ToDecide((), (), (), ())
    for page in (
        as_person(lee).get("/reports/?months=3").content.decode(),
        render_to_string("reports/print.html", context_of(*worked_out(lee, asked))),
    ):
        assert text_of(page).startswith("Nothing: no P0 or P1 follow-up is late")


def test_urgent_follow_ups_that_are_late_lead_to_exactly_themselves(
    happened: Happened, mara: User, lee: User, asked: Asked, as_person: AsPerson
) -> None:
    incident = happened(3)
    for priority, due in ((0, -40), (1, -2), (1, 0), (1, 5), (2, -9)):
        promise(incident, mara, priority=priority, due_on=day(due))
    promise(incident, mara, due_on=day(-3)).complete(by=mara, outcome="It fired")
    promise(happened(4, private=True), mara, due_on=day(-90))
    (late,) = to_decide(lee, asked).overdue
    assert (late.n, late.subject, late.since) == (2, "2 P0 or P1 follow-ups", str(day(-40)))
    assert late.text == f"overdue, the longest since {day(-40):%-d %b %Y}"
    assert rows_of(late, as_person(lee)) == 2
    (mine,) = to_decide(mara, asked).overdue
    assert (mine.n, rows_of(mine, as_person(mara))) == (3, 3)
    elsewhere = replace(asked, scope=ReportScope(team="risk"))
    assert to_decide(lee, elsewhere).overdue == ()


def test_a_system_over_its_budget_is_named_with_the_percent_of_its_page(
    happened: Happened,
    lee: User,
    asked: Asked,
    support_assistant: System,
    fraud_scorer: System,
    as_person: AsPerson,
) -> None:
    System.objects.update(objective=Decimal("99.90"))  # 2 h 9 min in 90 days
    happened(9)  # 2 h
    assert to_decide(lee, asked).over_budget == ()
    happened(2, contained_at=None, resolved_at=None, status="investigating")  # 2 d 1 h so far
    happened(5, system=fraud_scorer, impact_started_at=None, contained_at=at(3.9), resolved_at=at(3.9))
    worst, other = to_decide(lee, asked).over_budget
    assert (worst.subject, other.subject) == ("support-assistant", "fraud-scorer")
    assert f"{worst.n:,} % of its budget used: output was wrong for 2 d 3 h in 90 days" in worst.text
    assert "at least" not in worst.text
    assert other.text.startswith(f"at least {other.n:,} % of its budget used: output was wrong for at least 1 d")
    client = as_person(lee)
    for matter in (worst, other):
        assert f"{matter.n:,} %" in client.get(matter.url).content.decode()
    assert client.get("/reports/trust/?budget=exceeded").content.decode().count("data-row") == 2
    System.objects.filter(pk=support_assistant.pk).update(objective=None)
    assert [matter.subject for matter in to_decide(lee, asked).over_budget] == ["fraud-scorer"]
    for scope in (ReportScope(team="assistants"), ReportScope(system="support-assistant")):
        assert to_decide(lee, replace(asked, scope=scope)).over_budget == ()


def test_what_is_used_of_a_budget_is_what_the_scorecard_says(
    happened: Happened, lee: User, support_assistant: System, fraud_scorer: System
) -> None:
    """However stretches overlap, begin before the period, go on, or have an end before their beginning."""
    chance = random.Random(5)
    System.objects.update(objective=Decimal("99.99"))
    for _ in range(40):
        began, length = chance.uniform(0, 100), chance.choice([-1.0, 0.1, 2.0, 9.0])
        ended = at(began - length) if began > length else None
        happened(
            began,
            system=chance.choice([support_assistant, fraud_scorer]),
            impact_started_at=chance.choice([at(began), at(began), None]),
            contained_at=ended,
            resolved_at=ended and chance.choice([ended, at(0)]),
            status="closed" if ended else "investigating",
        )
    systems = list(System.objects.all())
    spent = {each.system: each for each in over_budget(lee)}
    cards = scorecards(lee, Asked(judged_days(), ReportScope()), systems)
    assert len(spent) == len(cards) == 2
    for card in cards:
        assert spent[card.system].wrong == pytest.approx(card.wrong, abs=5)
        assert spent[card.system].at_least == card.at_least
        assert any(row.seconds < 86400 for row in card.stretches)


def test_many_systems_over_budget_are_a_number(
    happened: Happened, lee: User, asked: Asked, support_assistant: System, as_person: AsPerson
) -> None:
    for number in range(9):
        system = System.objects.create(
            slug=f"s{number}",
            name=f"System {number}",
            kind=System.Kind.RAG,
            team=support_assistant.team,
            objective=Decimal("99.99"),
        )
        happened(3, system=system)
    *named, rest = to_decide(lee, asked).over_budget
    assert (len(named), rest.n, rest.subject) == (6, 3, "3 more systems")
    assert rows_of(rest, as_person(lee)) == 9, "the page lists all of them"


def test_a_decision_is_open_until_it_is_taken(
    happened: Happened, jo: User, lee: User, asked: Asked, as_person: AsPerson
) -> None:
    happened(3)
    client = as_person(lee)
    client.get("/reports/?months=3")  # which is remembered
    report = SavedReport.objects.freeze(replace(asked, scope=ReportScope(team="assistants")), by=jo)
    decision = Decision.objects.ask(report, "Pay for a second index", by=jo, owner=lee, due_on=day(9))
    (matter,) = to_decide(lee, asked).undecided
    assert (matter.subject, matter.since) == ("“Pay for a second index”", str(day(0)))
    assert matter.text == f"asked on {day(0):%-d %b %Y} of Lee Tan, due on {day(9):%-d %b %Y}"
    assert "Pay for a second index" in text_of(client.get("/reports/?months=3").content.decode())
    assert "Pay for a second index" in client.get(matter.url).content.decode()
    assert len(to_decide(lee, replace(asked, scope=ReportScope(team="assistants"))).undecided) == 1
    assert to_decide(lee, replace(asked, scope=ReportScope(team="risk"))).undecided == ()
    decision.decide("Yes", by=lee)
    assert to_decide(lee, asked).undecided == ()
    assert "second index" not in text_of(client.get("/reports/?months=3").content.decode())


def test_reviews_that_are_owed_say_since_when(
    happened: Happened, mara: User, lee: User, asked: Asked, as_person: AsPerson
) -> None:
    for days, state, private in ((3, "in_review", False), (4, "draft", False), (5, "in_review", True)):
        incident = happened(days, private=private)
        postmortem = Postmortem.objects.create(
            incident=incident, slug=str(incident.number), guide=Guide.objects.current(), due_on=day(0), state=state
        )
        Review.objects.create(postmortem=postmortem, reviewer=lee, asked_at=at(2))
    (matter,) = to_decide(lee, asked).undecided
    assert (matter.n, matter.subject) == (1, "1 postmortem")
    assert matter.text == f"waits for its review since {at(2):%-d %b %Y}"
    assert rows_of(matter, as_person(lee)) == 1


def test_the_review_is_owed_from_when_it_was_sent(happened: Happened, mara: User, lee: User, asked: Asked) -> None:
    incident = happened(3)
    postmortem = Postmortem.objects.create(
        incident=incident, slug=str(incident.number), guide=Guide.objects.current(), due_on=day(0)
    )
    Review.objects.create(postmortem=postmortem, reviewer=lee, asked_at=at(2))
    postmortem.send_to_review(by=mara, missing=[])
    (matter,) = to_decide(lee, asked).undecided
    assert matter.since == str(day(0))


def test_urgent_follow_ups_that_nobody_planned_wait_for_a_decision(
    happened: Happened, mara: User, lee: User, asked: Asked, as_person: AsPerson
) -> None:
    incident = happened(3)
    promise(incident, mara, owner=None)
    promise(incident, mara, due_on=None)
    promise(incident, mara)
    promise(incident, mara, owner=None, priority=2)
    promise(incident, mara, owner=None).drop(by=mara, reason="No")
    (matter,) = to_decide(lee, asked).undecided
    assert matter.n == 2
    assert matter.text == f"without an owner or a day, the oldest since {day(0):%-d %b %Y}"
    assert rows_of(matter, as_person(lee)) == 2


def test_what_should_have_been_taken_back_waits_for_a_decision(
    happened: Happened, mara: User, lee: User, asked: Asked, as_person: AsPerson
) -> None:
    incident = happened(1, status="investigating", contained_at=None, resolved_at=None)
    containment = incident.contain(by=mara, action="rollback_index")
    assert to_decide(lee, asked).undecided == ()
    type(containment).objects.filter(pk=containment.pk).update(remove_by=at(1))
    (matter,) = to_decide(lee, asked).undecided
    assert (matter.n, matter.subject, matter.since) == (1, "1 incident", f"{at(1):%Y-%m-%d}")
    assert rows_of(matter, as_person(lee)) == 1
    containment.remove(by=mara)
    assert to_decide(lee, asked).undecided == ()


def test_what_was_done_does_not_hold_where_its_failure_came_back(
    happened: Happened, mara: User, lee: User, asked: Asked, as_person: AsPerson
) -> None:
    first = happened(40)
    before, after, given_up = (promise(first, mara) for _ in range(3))
    before.complete(by=mara, outcome="It fired")
    after.complete(by=mara, outcome="It fired")
    given_up.drop(by=mara, reason="No")
    promise(first, mara)
    FollowUp.objects.filter(pk=before.pk).update(finished_at=at(30))
    assert to_decide(lee, asked).not_holding == ()
    secret = happened(9, private=True)
    Link.objects.link(secret, first, Link.Kind.REPEAT_OF, by=mara)
    assert to_decide(lee, asked).not_holding == (), "nobody learns of a repeat that they may not see"
    assert to_decide(mara, asked).not_holding[0].n == 1
    another_failure = happened(8, failure_mode="drift.concept")
    Link.objects.link(another_failure, first, Link.Kind.RELATED, by=mara)
    assert to_decide(lee, asked).not_holding == ()
    repeat = happened(7)
    Link.objects.link(repeat, first, Link.Kind.REPEAT_OF, by=mara)
    (matter,) = to_decide(lee, asked).not_holding
    assert (matter.n, matter.subject) == (1, "1 follow-up")
    assert matter.text == "was done, and the failure came back in the period"
    assert rows_of(matter, as_person(lee)) == 1
    Incident.objects.filter(pk=repeat.pk).update(status="declined")
    assert to_decide(lee, asked).not_holding == ()


def test_a_containment_that_failed_in_several_incidents_does_not_hold(
    happened: Happened, mara: User, lee: User, asked: Asked, as_person: AsPerson
) -> None:
    going_on: dict[str, Any] = {"status": "investigating", "contained_at": None, "resolved_at": None}
    for days, worked in ((5, False), (4, True), (3, False)):
        happened(days, **going_on).contain(by=mara, action="rollback_index").verify(by=mara, worked=worked)
        matters = to_decide(lee, asked).not_holding
        assert len(matters) == (days == 3), "once may be bad luck"
    (matter,) = matters
    assert (matter.n, matter.text) == (2, "did not work in 2 of the 3 incidents it was used in")
    assert rows_of(matter, as_person(lee)) == 2


def test_it_opens_the_page_the_pdf_the_saved_report_and_the_api(
    happened: Happened,
    mara: User,
    jo: User,
    lee: User,
    asked: Asked,
    as_person: AsPerson,
    client: Client,
    key_of: Callable[..., dict[str, str]],
) -> None:
    follow_up = promise(happened(3), mara, due_on=day(-2))
    report = SavedReport.objects.freeze(asked, by=jo)
    live = as_person(lee).get("/reports/?months=3").content.decode()
    paper = render_to_string("reports/print.html", context_of(*worked_out(lee, asked)))
    saved = as_person(lee).get(report.get_absolute_url()).content.decode()
    for page in (live, paper, saved):
        assert "1 P0 or P1 follow-up overdue since" in text_of(page)
        assert page.index("What to decide") < page.index('class="plain sentences"' if page != paper else "sentences")
    answer = client.get("/api/v1/reports/trends?months=3", headers=key_of(lee)).json()
    assert answer["decide"]["overdue"][0]["n"] == 1
    follow_up.complete(by=mara, outcome="It fired")
    assert "Nothing:" in text_of(as_person(lee).get("/reports/?months=3").content.decode())
    assert "1 P0 or P1 follow-up" in text_of(as_person(lee).get(report.get_absolute_url()).content.decode())


def test_a_report_saved_before_there_was_such_a_block_has_none(
    happened: Happened, jo: User, asked: Asked, as_person: AsPerson
) -> None:
    happened(3)
    report = SavedReport.objects.freeze(asked, by=jo)
    data = dict(report.data)
    del data["decide"]
    for sentence in ("draft_how",):
        del data["trends"][sentence]
    SavedReport.objects.filter(pk=report.pk).update(data=data)
    answer = as_person(jo).get(report.get_absolute_url())
    assert answer.status_code == 200
    assert "What to decide" not in answer.content.decode()


@pytest.mark.parametrize("query", ["came_back_since=x&came_back_until=2026-01-01", "came_back_since=2026-01-01"])
def test_a_period_that_is_none_leaves_nothing(happened: Happened, mara: User, as_person: AsPerson, query: str) -> None:
    promise(happened(3), mara)
    page = as_person(mara).get(f"/follow-ups/?show=all&{query}")
    assert page.status_code == 200
    assert "data-row" not in page.content.decode()
