"""Saved reports: frozen, written over, mailed once, and with decisions that come up until they are taken."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError
from django.test import Client
from PIL import Image

from incidents.errors import WrongStatus
from incidents.followups.models import FollowUp
from incidents.notifications.upkeep import notify
from incidents.people.models import Team, User
from incidents.reports.decisions import Decision
from incidents.reports.saved import ReportSubscription, SavedReport, send_reports
from incidents.reports.scope import Asked, ReportScope
from incidents.response.incident import Incident
from incidents.systems.models import System
from tests.reports.conftest import at
from tests.running import until

Happened = Callable[..., Incident]


def test_a_saved_report_stays_as_it_was_and_says_what_is_counted_differently(
    happened: Happened, mara: User, lee: User, jo: User, asked: Asked, as_person: Callable[[User], Client]
) -> None:
    incident = happened(3)
    report = SavedReport.objects.freeze(asked, by=jo)
    assert report.changes_since() == []
    happened(4)
    incident.set_severity("sev1", by=mara)
    report.refresh_from_db()
    assert report.data["trends"]["n"] == 1
    otherwise = report.changes_since() or []
    assert ("Incidents", "1", "2") in otherwise
    assert ("Severity: SEV1", "–", "1") in otherwise
    page = as_person(lee).get(report.get_absolute_url()).content.decode()
    assert "Counted differently today" in page


def test_what_can_no_longer_be_asked_is_not_compared(
    happened: Happened, jo: User, asked: Asked, support_assistant: System, as_person: Callable[[User], Client]
) -> None:
    happened(3)
    report = SavedReport.objects.freeze(replace(asked, scope=ReportScope(system="support-assistant")), by=jo)
    assert report.changes_since() == []
    System.objects.filter(pk=support_assistant.pk).update(slug="helper")
    assert report.changes_since() is None
    assert "Counted again today" not in as_person(jo).get(report.get_absolute_url()).content.decode()


def test_it_counts_what_everybody_may_see(happened: Happened, jo: User, mara: User, asked: Asked) -> None:
    happened(3)
    happened(2, private=True)
    report = SavedReport.objects.freeze(asked, by=mara)
    assert report.data["trends"]["n"] == 1


def test_an_incident_made_private_later_is_no_longer_named(
    happened: Happened, mara: User, lee: User, jo: User, asked: Asked, as_person: Callable[[User], Client]
) -> None:
    incident = happened(3, title="Leaked salaries")
    FollowUp.objects.add(incident, title="Purge the salaries", by=mara)
    report = SavedReport.objects.freeze(asked, by=jo)
    assert "Purge the salaries" in as_person(lee).get(report.get_absolute_url()).content.decode()
    incident.restrict([mara], by=mara)
    assert "salaries" not in as_person(lee).get(report.get_absolute_url()).content.decode()
    assert "Purge the salaries" in as_person(mara).get(report.get_absolute_url()).content.decode()


def test_people_write_their_own_sentences_over_the_draft(
    happened: Happened, jo: User, asked: Asked, as_person: Callable[[User], Client]
) -> None:
    happened(3)
    report = SavedReport.objects.freeze(asked, by=jo)
    client = as_person(jo)
    client.post(f"{report.get_absolute_url()}write/", {"sentences": "A quiet quarter.\nOne index was stale."})
    client.post(f"{report.get_absolute_url()}notes/", {"text": "The feed was relaunched on 3 May."})
    page = client.get(report.get_absolute_url()).content.decode()
    assert "<li>A quiet quarter.</li>" in page
    assert "relaunched" in page
    report.refresh_from_db()
    report.write("", by=jo)
    assert report.summary == report.data["trends"]["draft"]


def test_only_a_lead_keeps_and_writes(
    mara: User, jo: User, lee: User, asked: Asked, as_person: Callable[[User], Client]
) -> None:
    report = SavedReport.objects.freeze(asked, by=jo)
    client = as_person(mara)
    client.post("/reports/keep/?months=3")
    client.post(f"{report.get_absolute_url()}write/", {"sentences": "Mine."})
    client.post(f"{report.get_absolute_url()}decisions/", {"text": "Mine."})
    report.refresh_from_db()
    assert (SavedReport.objects.count(), report.sentences, Decision.objects.count()) == (1, "", 0)


def test_a_decision_is_carried_over_until_it_is_taken_once(
    happened: Happened, jo: User, lee: User, asked: Asked, as_person: Callable[[User], Client]
) -> None:
    first = SavedReport.objects.freeze(asked, by=jo)
    client = as_person(jo)
    client.post(
        f"{first.get_absolute_url()}decisions/",
        {"text": "Pay for a second index", "owner": lee.pk, "due_on": "2027-01-31"},
    )
    decision = Decision.objects.get()
    second = SavedReport.objects.freeze(asked, by=jo)
    assert "Carried over" in client.get(second.get_absolute_url()).content.decode()
    client.post(f"{second.get_absolute_url()}decisions/{decision.pk}/decide/", {"outcome": "Yes, from January"})
    with pytest.raises(WrongStatus):
        decision.decide("No", by=lee)
    assert "Carried over" not in client.get(second.get_absolute_url()).content.decode()
    assert "Yes, from January" in client.get(first.get_absolute_url()).content.decode()


@pytest.mark.parametrize(
    "fields", [{"text": ""}, {"text": "x", "due_on": "yesterday"}, {"text": "x", "owner": "999999"}]
)
def test_a_decision_that_makes_no_sense_is_refused_where_one_is(
    jo: User, asked: Asked, as_person: Callable[[User], Client], fields: dict[str, str]
) -> None:
    report = SavedReport.objects.freeze(asked, by=jo)
    client = as_person(jo)
    answer = client.post(
        f"{report.get_absolute_url()}decisions/", fields, headers={"referer": report.get_absolute_url()}, follow=True
    )
    assert answer.status_code == 200
    assert not Decision.objects.exists()
    assert b"message--error" in answer.content


# By mail


def test_the_month_that_is_over_is_kept_and_mailed_once_with_its_picture(
    happened: Happened, lee: User, jo: User, risk: Team
) -> None:
    incident = happened(40)
    FollowUp.objects.add(incident, title="Mend it", by=jo, owner=jo, priority=1, due_on=at(3).date())
    ReportSubscription.objects.create(person=lee, cadence="monthly")
    ReportSubscription.objects.create(person=jo, cadence="monthly")
    ReportSubscription.objects.create(person=jo, cadence="quarterly", team=risk)
    for _ in range(2):
        send_reports()
    assert SavedReport.objects.count() == 2
    notify()
    assert len([note for note in mail.outbox if "cid:picture" in str(note.message())]) == 3
    message = next(message for message in mail.outbox if message.to == ["lee@example.com"])
    html = message.alternatives[0][0]  # type: ignore[attr-defined]
    assert "cid:picture" in html
    assert message.body.index("1 P0 or P1 follow-up overdue since") < message.body.index("Incidents:")
    picture: Any = message.attachments[0]
    with Image.open(io.BytesIO(picture.get_payload(decode=True))) as image:
        assert image.size == (1800, 500)
        assert len(set(image.convert("RGB").getdata())) > 3


def test_the_next_month_brings_a_new_one(happened: Happened, lee: User) -> None:
    ReportSubscription.objects.create(person=lee, cadence="monthly")
    send_reports(datetime(2026, 3, 1, 0, 10, tzinfo=UTC))
    send_reports(datetime(2026, 3, 31, 23, 50, tzinfo=UTC))
    send_reports(datetime(2026, 4, 1, 0, 10, tzinfo=UTC))
    assert [str(report.since) for report in SavedReport.objects.order_by("since")] == ["2026-02-01", "2026-03-01"]


def test_two_that_keep_the_same_period_at_once_keep_one(db: None, asked: Asked) -> None:
    first = SavedReport.objects.freeze(asked, by=None, cadence="monthly")
    assert SavedReport.objects.freeze(asked, by=None, cadence="monthly") == first
    with pytest.raises(IntegrityError):
        SavedReport.objects.create(
            cadence="monthly", team="", since=asked.period.since, until=asked.period.until, asked={}, data={}, title="x"
        )


def test_who_wants_it_by_mail_says_so_once_and_stops_it(
    lee: User, jo: User, as_person: Callable[[User], Client]
) -> None:
    client = as_person(lee)
    for _ in range(2):
        client.post("/reports/kept/subscribe/", {"team": "", "cadence": "monthly"})
    row = ReportSubscription.objects.get()
    as_person(jo).post(f"/reports/kept/subscriptions/{row.pk}/end/")
    assert ReportSubscription.objects.exists()
    as_person(lee).post(f"/reports/kept/subscriptions/{row.pk}/end/")
    assert not ReportSubscription.objects.exists()


# The API


def test_the_api_gives_the_same_numbers(
    happened: Happened, lee: User, key_of: Callable[..., dict[str, str]], client: Client
) -> None:
    happened(3)
    happened(2, private=True)
    since = at(60).date().isoformat()
    answer = client.get(
        f"/api/v1/reports/trends?since={since}&until={at(0).date()}&by=team", headers=key_of(lee)
    ).json()
    assert answer["trends"]["n"] == 1
    assert answer["asked"]["since"] == since
    assert answer["asked"]["months"] == "own"
    assert client.get("/api/v1/reports/trends/").status_code == 401


@pytest.mark.parametrize("months", ["12", "3", "quarter"])
def test_the_api_answers_with_the_period_it_was_asked_for(
    lee: User, key_of: Callable[..., dict[str, str]], client: Client, months: str
) -> None:
    answer = client.get(f"/api/v1/reports/trends?months={months}", headers=key_of(lee)).json()["asked"]
    assert answer["months"] == months
    assert answer["since"] < answer["until"], "and with its days"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("months=eternity", "months"),
        ("since=2026-01-01", "until"),
        ("since=2026-02-01&until=2026-01-01", "until"),
        ("team=nobody", "team"),
        ("severity=sev9", "severity"),
        ("compare=x", "compare"),
        ("since=0001-01-01&until=0002-01-01", "since"),
    ],
)
def test_the_api_says_which_field_is_wrong(
    lee: User, key_of: Callable[..., dict[str, str]], client: Client, query: str, field: str
) -> None:
    answer = client.get(f"/api/v1/reports/trends?{query}", headers=key_of(lee))
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert field in answer.json()["errors"]


def test_a_report_is_drawn_on_paper(
    happened: Happened, jo: User, asked: Asked, as_person: Callable[[User], Client]
) -> None:
    pytest.importorskip("weasyprint", exc_type=ImportError)
    happened(3)
    report = SavedReport.objects.freeze(asked, by=jo)
    for address in ("/reports/report.pdf?months=3", f"{report.get_absolute_url()}report.pdf"):
        answer = as_person(jo).get(address)
        assert answer.status_code in (200, 302)
        if answer.status_code == 200:
            assert answer.content.startswith(b"%PDF")


def test_what_was_worked_out_is_remembered_until_something_happens(
    happened: Happened, mara: User, lee: User, as_person: Callable[[User], Client], django_assert_max_num_queries: Any
) -> None:
    incident = happened(3)
    client = as_person(lee)
    client.get("/reports/?months=3")
    with django_assert_max_num_queries(14):
        client.get("/reports/?months=3")
    incident.set_clock("impact_started_at", incident.declared_at - timedelta(hours=9), by=mara)
    assert "9 h" in client.get("/reports/?months=3").content.decode()


@pytest.mark.django_db(transaction=True)
def test_both_halves_of_a_report_are_worked_out_side_by_side_and_leave_no_connection() -> None:
    from django.core.management import call_command
    from django.db import connection

    from incidents.reports.cache import report
    from incidents.reports.learning import learn
    from incidents.reports.scope import read

    call_command("load_demo")
    lee = User.objects.get(email="lee@example.com")
    asked = read({"months": "18"}, today=at(0).date())
    assert report(lee, asked)[1] == learn(lee, asked)
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"

    def is_alone() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(others)
            return bool(cursor.fetchone() == (0,))

    until(is_alone, seconds=60, what="PostgreSQL ends a connection a moment after it was closed")
