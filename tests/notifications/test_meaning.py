"""What an Event means for whom: everybody who must know is told, nobody else, and nobody twice."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from incidents.alerts.models import Alert
from incidents.notifications import meaning
from incidents.notifications.announcing import announce
from incidents.notifications.messages import Notification
from incidents.notifications.topics import TOPICS
from incidents.people.models import Team, User
from incidents.response.events import Event, Note, PendingEvent
from incidents.response.followers import Follower
from incidents.response.incident import Incident
from incidents.response.roles import Assignment, ResponseRole
from incidents.response.tasks import Task
from incidents.response.vocabulary import IncidentKind
from incidents.systems.models import System


def heard(topic: str = "") -> list[tuple[str, str]]:
    """Who was told since the last time, and of what; of one topic or of all."""
    announce()
    rows = Notification.objects.filter(topic__startswith=topic).order_by("made_at", "person__name")
    return sorted((row.person.name, row.topic) for row in rows)


def opened(system: System, severity: str, **fields: object) -> Incident:
    return Incident.objects.declare(title="Answers are stale", by=None, system=system, severity=severity, **fields)


class TestOpened:
    @pytest.mark.parametrize("severity", ["sev1", "sev2"])
    def test_something_severe_pages_the_team(
        self, support_assistant: System, mara: User, jo: User, rui: User, sam: User, severity: str
    ) -> None:
        opened(support_assistant, severity)
        assert heard() == [("Jo Lindqvist", "incident.opened"), ("Mara Okafor", "incident.opened")]
        assert {row.urgency for row in Notification.objects.all()} == {"page"}

    @pytest.mark.parametrize("severity", ["sev3", "unknown"])
    def test_something_minor_waits_for_working_hours(
        self, support_assistant: System, mara: User, severity: str
    ) -> None:
        saturday = timezone.now().replace(hour=3) + timedelta(days=(5 - timezone.now().weekday()) % 7)
        with time_machine.travel(saturday, tick=False):
            opened(support_assistant, severity)
            announce()
        due = Notification.objects.get().dispatches.get().due_at
        assert (due.weekday(), due.hour) == (0, 9)

    def test_the_mildest_wakes_nobody(self, support_assistant: System, mara: User) -> None:
        opened(support_assistant, "sev4")
        assert heard() == []

    @pytest.mark.parametrize("kind", [IncidentKind.TEST, IncidentKind.BACKFILLED])
    def test_a_test_and_what_is_entered_afterwards_wake_nobody(
        self, support_assistant: System, mara: User, kind: str
    ) -> None:
        opened(support_assistant, "sev1", kind=kind)
        assert heard() == []

    def test_whoever_declares_it_is_not_told_of_it(self, support_assistant: System, mara: User, jo: User) -> None:
        Incident.objects.declare(title="Stale", by=mara, system=support_assistant, severity="sev1")
        assert heard() == [("Jo Lindqvist", "incident.opened")]

    def test_without_a_team_the_administrators_are_told(self, mara: User, ada: User) -> None:
        Incident.objects.declare(title="Whose is it?", by=None, severity="sev1")
        assert heard() == [("Ada Admin", "incident.opened")]

    def test_of_a_private_one_whoever_it_names_is_told_and_nobody_else(
        self, support_assistant: System, mara: User, jo: User, ada: User
    ) -> None:
        incident = opened(support_assistant, "sev1")
        incident.restrict([mara], by=jo)
        Incident.people.through.objects.filter(user=jo).delete()
        assert heard("incident.opened") == [("Mara Okafor", "incident.opened")]

    def test_who_follows_the_system_hears_that_it_opened(self, support_assistant: System, sam: User) -> None:
        Follower.toggle(sam, system=support_assistant)
        opened(support_assistant, "sev3")
        assert ("Sam Outsider", "incident.status") in heard()

    def test_whoever_is_on_call_and_follows_gets_one_message(self, support_assistant: System, mara: User) -> None:
        Follower.toggle(mara, system=support_assistant)
        opened(support_assistant, "sev1")
        assert heard() == [("Mara Okafor", "incident.opened")]


class TestLater:
    def test_raising_it_pages_and_lowering_it_does_not(self, known: Incident, mara: User, jo: User) -> None:
        known.set_severity("sev3", by=mara)
        assert heard() == []
        known.set_severity("sev1", by=mara)
        assert heard() == [("Jo Lindqvist", "incident.raised")]

    def test_reopening_it_pages_again(self, known: Incident, mara: User, jo: User) -> None:
        known.resolve(by=mara, note="Index rebuilt.")
        known.reopen(by=mara, reason="Stale again.")
        assert heard("incident.reopened") == [("Jo Lindqvist", "incident.reopened")]

    def test_who_follows_hears_each_change_of_status_once(self, known: Incident, mara: User, sam: User) -> None:
        Follower.toggle(sam, incident=known)
        known.contain(by=mara, action="rollback_model")
        known.resolve(by=mara)
        assert heard() == [("Sam Outsider", "incident.status")] * 2

    def test_whoever_is_asked_for_something_is_told(self, known: Incident, mara: User, jo: User, rui: User) -> None:
        known.assign_lead(jo, by=mara)
        Task.objects.add(known, title="Sample fifty", by=mara, owner=rui)
        Assignment.objects.give(known, ResponseRole.objects.get(code="scribe"), rui, by=mara)
        assert heard() == [
            ("Jo Lindqvist", "incident.lead"),
            ("Rui Costa", "incident.role"),
            ("Rui Costa", "incident.task"),
        ]

    def test_nobody_is_told_of_what_they_took_themselves(self, known: Incident, jo: User) -> None:
        known.assign_lead(jo, by=jo)
        Task.objects.add(known, title="Sample fifty", by=jo, owner=jo)
        assert heard() == []

    def test_whoever_is_mentioned_in_a_note_is_told(self, known: Incident, mara: User, rui: User) -> None:
        note = Note.objects.create(incident=known, author=mara, text="@rui does this look like the March drift? @mara")
        known.record(Event.Kind.NOTE, by=mara, written=note)
        assert heard() == [("Rui Costa", "incident.mention")]

    def test_whoever_may_not_see_it_is_not_told_that_they_are_mentioned(
        self, known: Incident, mara: User, rui: User
    ) -> None:
        known.restrict([mara], by=mara)
        note = Note.objects.create(incident=known, author=mara, text="@rui must not know")
        known.record(Event.Kind.NOTE, by=mara, written=note)
        assert heard() == []


class TestClaiming:
    def test_an_event_is_announced_once_however_often_one_looks(
        self, support_assistant: System, mara: User, jo: User
    ) -> None:
        opened(support_assistant, "sev1")
        assert (announce(), announce()) == (1, 0)
        assert (Notification.objects.count(), PendingEvent.objects.count()) == (2, 0)

    def test_one_that_cannot_be_worked_out_holds_up_no_other(
        self, support_assistant: System, mara: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first, second = opened(support_assistant, "sev1"), opened(support_assistant, "sev1")
        understood = meaning.of

        def poisoned(event: Event) -> list[meaning.Message]:
            if event.incident_id == first.pk:
                raise RuntimeError("cannot be worked out")
            return understood(event)

        monkeypatch.setattr(meaning, "of", poisoned)
        assert announce() == 1
        assert {row.incident for row in Notification.objects.all()} == {second}
        pending = PendingEvent.objects.get()
        assert (pending.attempts, pending.error) == (1, "cannot be worked out")
        monkeypatch.setattr(meaning, "of", understood)
        assert announce() == 0, "not before it is due again"
        with time_machine.travel(timezone.now() + timedelta(minutes=1)):
            assert announce() == 1
        assert Notification.objects.filter(incident=first).exists()

    def test_events_of_many_rows_written_at_once_are_announced_too(self, known: Incident, mara: User, jo: User) -> None:
        update = {"text": "News.", "impact": "", "severity": "sev2", "status": "investigating"}
        Follower.toggle(jo, incident=known)
        Event.objects.bulk_create([Event(incident=known, kind="update", by=mara, detail=update) for _ in range(3)])
        assert announce() == 3
        assert len(heard("incident.update")) == 3


def test_every_kind_that_means_something_names_topics_that_exist(
    tell: Callable[..., Alert], support_assistant: System, assistants: Team, mara: User, jo: User
) -> None:
    for person in (mara, jo):
        Follower.toggle(person, team=assistants)
    tell("Groundedness fell", system="support-assistant")
    announce()
    assert {row.topic for row in Notification.objects.all()} <= set(TOPICS)
    assert Notification.objects.exists()
