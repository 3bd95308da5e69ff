"""What was owed, kept or learned while everybody could see an incident is told to nobody else once it is private."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from incidents.alerts import by_hand
from incidents.alerts.models import Alert
from incidents.notifications.announcing import announce
from incidents.notifications.messages import Dispatch, Notification
from incidents.notifications.upkeep import notify
from incidents.people.models import User
from incidents.reports.saved import SavedReport
from incidents.reports.scope import read
from incidents.response import updates
from incidents.response.followers import Follower
from incidents.response.incident import Incident
from incidents.response.public_pages import PublicPage, PublicPost
from incidents.response.roles import Assignment, ResponseRole
from incidents.response.updates import Update
from incidents.systems.models import System

Page = Callable[[User], Client]
WORDS = "Zanzibar"


def test_mail_that_is_still_owed_goes_to_whom_it_names_alone(known: Incident, mara: User, jo: User, sam: User) -> None:
    for person in (mara, sam):
        Follower.toggle(person, incident=known)
    Update.objects.post(known, text=WORDS, by=jo)
    announce()
    known.restrict([], by=mara)
    notify()
    assert [letter.to for letter in mail.outbox] == [[mara.email]]
    assert notify() == 0
    assert "become private" in Dispatch.objects.get(notification__person=sam).error


def test_an_overdue_update_is_not_told_to_a_role_that_is_not_named(known: Incident, mara: User, sam: User) -> None:
    role = ResponseRole.objects.exclude(code="lead").order_by("pk")[0]
    incident = known
    Assignment.objects.create(incident=incident, role=role, person=sam)
    incident.restrict([], by=mara)
    Incident.objects.filter(pk=incident.pk).update(next_update_at=timezone.now() - timedelta(hours=1))
    assert updates.remind_of_updates() == 1
    announce()
    assert {notice.person for notice in Notification.objects.all()} == {mara}


def test_a_source_does_not_list_how_a_private_alert_was_classified(
    tell: Callable[..., Alert], incident: Incident, mara: User, jo: User, as_person: Page
) -> None:
    alert = tell(f"{WORDS} was published")
    by_hand.classify([alert], category="output_safety", remember=True, by=mara)
    correction = alert.source.corrections.get()
    page = alert.source.get_absolute_url()
    assert correction.name in as_person(jo).get(page).text
    by_hand.link([alert], incident, by=mara)
    incident.restrict([], by=mara)
    assert correction.name not in as_person(jo).get(page).text
    assert as_person(jo).post(f"{page}corrections/{correction.pk}/undo/").status_code == 404
    assert correction.name in as_person(mara).get(page).text


def test_a_draft_for_the_public_is_read_by_whom_the_incident_names(
    incident: Incident, support_assistant: System, mara: User, jo: User, as_person: Page
) -> None:
    page = PublicPage.objects.create(system=support_assistant, name="Assistant", is_on=True)
    draft = PublicPost.objects.write(page, text=WORDS, state="problem", by=mara, incident=incident)
    desk = f"/systems/{page.system.slug}/public/"
    assert WORDS in as_person(jo).get(desk).text
    incident.restrict([], by=mara)
    assert WORDS not in as_person(jo).get(desk).text
    decide = f"{desk}posts/{draft.pk}/"
    assert as_person(jo).post(decide, {"decision": "approve"}).status_code == 404
    assert WORDS in as_person(mara).get(desk).text


def test_what_the_public_reads_already_can_still_be_withdrawn(
    incident: Incident, support_assistant: System, mara: User, jo: User, as_person: Page
) -> None:
    page = PublicPage.objects.create(system=support_assistant, name="Assistant", is_on=True)
    post = PublicPost.objects.write(page, text=WORDS, state="problem", by=mara, incident=incident)
    post.approve(by=jo)
    incident.restrict([], by=mara)
    desk = as_person(jo).get(f"/systems/{page.system.slug}/public/").text
    assert WORDS in desk
    assert str(incident) not in desk
    as_person(jo).post(f"/systems/{page.system.slug}/public/posts/{post.pk}/", {"decision": "withdraw"})
    post.refresh_from_db()
    assert post.withdrawn_at


def test_a_saved_report_names_it_no_more(incident: Incident, mara: User, jo: User, as_person: Page) -> None:
    incident.set_clock("impact_started_at", timezone.now() - timedelta(hours=3), by=mara)
    incident.resolve(by=mara)
    asked = read({"months": "3"}, today=timezone.localdate() + timedelta(days=1))
    report = SavedReport.objects.freeze(asked, by=mara)
    report.refresh_from_db()  # as it is stored
    assert str(incident) in str(report.data)
    numbers = str(report.data["trends"]["tiles"])
    incident.restrict([], by=mara)
    shown = report.data_for(jo)
    assert str(incident) not in str(shown)
    assert incident.get_absolute_url() not in str(shown)
    assert str(shown["trends"]["tiles"]) == numbers
    assert report.data_for(mara) == report.data
    assert str(incident) not in as_person(jo).get(report.get_absolute_url()).text


@pytest.mark.parametrize("model", ["user", "team", "system", "factorkind", "responserole"])
def test_the_admin_site_deletes_nothing_on_which_an_incident_can_hang(
    incident: Incident, mara: User, ada: User, as_person: Page, model: str
) -> None:
    incident.restrict([], by=mara)
    row: Any = {"user": mara, "team": incident.team, "system": incident.system}.get(model)
    pk = row.pk if row else "deputy" if model == "responserole" else 1
    client = as_person(ada)
    for answer in (
        client.get(f"/admin/incidents/{model}/{pk}/delete/"),
        client.post(f"/admin/incidents/{model}/{pk}/delete/", {"post": "yes"}),
    ):
        assert answer.status_code in (302, 403)
        assert incident.title not in answer.text
    listed = client.get(f"/admin/incidents/{model}/").text
    assert "delete_selected" not in listed


def test_settling_a_name_counts_only_alerts_that_one_sees(
    tell: Callable[..., Alert], incident: Incident, mara: User, jo: User
) -> None:
    seen, hidden = tell("One", system="helper-bot"), tell("Two", system="helper-bot")
    by_hand.link([hidden], incident, by=mara)
    incident.restrict([], by=mara)
    system = incident.system
    assert system
    assert by_hand.settle_system("helper-bot", system, by=jo) == 1
    hidden.refresh_from_db()
    seen.refresh_from_db()
    assert hidden.system == seen.system == system
