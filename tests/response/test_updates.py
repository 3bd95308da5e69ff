"""What stakeholders are told, and the mail that is owed for it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.utils import timezone

from incidents.notifications.announcing import announce
from incidents.notifications.messages import Dispatch, Notification
from incidents.notifications.upkeep import notify
from incidents.people.models import Team, User
from incidents.response.followers import Follower
from incidents.response.incident import Incident
from incidents.response.updates import Cadence, Update, next_update_due, remind_of_updates
from incidents.response.vocabulary import IncidentKind

Page = Callable[[User], Client]


class TestUpdates:
    def test_the_cadence_follows_the_severity_until_one_is_promised(self, incident: Incident, mara: User) -> None:
        cadences = Cadence.by_severity()
        assert incident.acknowledged_at
        assert next_update_due(incident, cadences) == incident.acknowledged_at + timedelta(minutes=60)
        incident.set_severity("sev1", by=mara)
        assert next_update_due(incident, cadences) == incident.acknowledged_at + timedelta(minutes=30)
        promised = timezone.now() + timedelta(hours=4)
        Update.objects.post(incident, text="We look into it.", by=mara, next_at=promised)
        assert next_update_due(incident, cadences) == promised
        incident.resolve(by=mara)
        assert next_update_due(incident, cadences) is None

    def test_the_form_says_how_often_stakeholders_hear_unless_a_time_is_promised(
        self, incident: Incident, mara: User, as_person: Page
    ) -> None:
        Cadence.objects.filter(severity="sev2").update(minutes=60)
        Cadence.objects.filter(severity="sev4").update(minutes=None)
        assert "every 60 min (SEV2)" in as_person(mara).get(incident.get_absolute_url()).content.decode()
        incident.set_severity("sev4", by=mara)
        assert "no fixed time (SEV4)" in as_person(mara).get(incident.get_absolute_url()).content.decode()
        as_person(mara).post(f"{incident.get_absolute_url()}updates/", {"text": "News.", "next_in": "30"})
        update = Update.objects.get()
        assert update.next_at
        assert timedelta(minutes=29) < update.next_at - timezone.now() <= timedelta(minutes=30)

    def test_those_who_follow_the_incident_its_system_or_its_team_are_mailed_once(
        self, known: Incident, mara: User, jo: User, rui: User, sam: User, assistants: Team
    ) -> None:
        Follower.toggle(jo, incident=known)
        Follower.toggle(jo, system=known.system)
        Follower.toggle(rui, team=assistants)
        Update.objects.post(known, text="Answers are **stale**.", by=mara)
        assert notify() == 2
        assert notify() == 0
        assert sorted(note.to[0] for note in mail.outbox) == ["jo@example.com", "rui@example.com"]
        assert f"/incidents/{known.number}/" in mail.outbox[0].body

    def test_of_a_private_incident_only_its_people_hear(
        self, known: Incident, mara: User, jo: User, rui: User, assistants: Team
    ) -> None:
        for person in (jo, rui):
            Follower.toggle(person, team=assistants)
        known.restrict([jo], by=mara)
        Update.objects.post(known, text="Between us.", by=mara)
        announce()
        assert [notification.person for notification in Notification.objects.all()] == [jo]

    def test_an_overdue_update_is_reminded_of_once(self, known: Incident, mara: User) -> None:
        incident = known
        Incident.objects.filter(pk=incident.pk).update(acknowledged_at=timezone.now() - timedelta(hours=2))
        assert (remind_of_updates(), remind_of_updates()) == (1, 0)
        announce()
        assert Notification.objects.get().person == mara
        incident.refresh_from_db()
        Update.objects.post(incident, text="News.", by=mara)
        Incident.objects.filter(pk=incident.pk).update(last_update_at=timezone.now() - timedelta(hours=2))
        assert remind_of_updates() == 1

    def test_mail_that_cannot_be_sent_is_tried_again_later(
        self, known: Incident, jo: User, mara: User, settings: Any
    ) -> None:
        Follower.toggle(jo, incident=known)
        Update.objects.post(known, text="News.", by=mara)
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
        assert notify() == 0
        dispatch = Dispatch.objects.get()
        assert (dispatch.sent_at, dispatch.attempts) == (None, 1)
        assert dispatch.due_at > timezone.now()
        assert "refused" in dispatch.error

    @pytest.mark.parametrize("trouble", [ValueError("no such header"), RuntimeError(), OSError("refused")])
    def test_mail_that_fails_for_whatever_reason_holds_no_other_back(
        self,
        known: Incident,
        mara: User,
        jo: User,
        rui: User,
        lee: User,
        assistants: Team,
        trouble: Exception,
        monkeypatch: Any,
    ) -> None:
        for person in (mara, jo, rui):
            Follower.toggle(person, team=assistants)
        Update.objects.post(known, text="News.", by=lee)
        announce()
        first = Dispatch.objects.order_by("due_at", "pk")[0]
        send = EmailMultiAlternatives.send

        def fail_for_the_first(message: EmailMultiAlternatives, *args: Any, **kwargs: Any) -> Any:
            if message.to == [first.notification.person.email]:
                raise trouble
            return send(message, *args, **kwargs)

        monkeypatch.setattr(EmailMultiAlternatives, "send", fail_for_the_first)
        assert notify() == 2
        first.refresh_from_db()
        assert (first.sent_at, first.attempts, first.error) == (None, 1, str(trouble) or type(trouble).__name__)
        assert first.due_at > timezone.now()
        monkeypatch.setattr(EmailMultiAlternatives, "send", send)
        with time_machine.travel(first.due_at + timedelta(seconds=1)):
            assert notify() == 1

    def test_tests_owe_nobody_anything(self, mara: User) -> None:
        drill = Incident.objects.declare(title="Drill", by=mara, severity="sev1", kind=IncidentKind.TEST)
        assert next_update_due(drill, Cadence.by_severity()) is None
        assert drill not in Incident.objects.counted()
        assert drill in Incident.objects.counted(IncidentKind.TEST)

    def test_the_status_page_shows_what_is_open_to_whoever_may_see_it(
        self, incident: Incident, mara: User, rui: User, as_person: Page
    ) -> None:
        Update.objects.post(incident, text="Answers are stale.", by=mara)
        assert "Answers are stale." in as_person(rui).get("/status/").content.decode()
        incident.restrict([], by=mara)
        page = as_person(rui).get("/status/").content.decode()
        assert incident.title not in page
        assert "Answers are stale." not in page
