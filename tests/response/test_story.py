"""The story over the log."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from incidents.errors import Refused
from incidents.people.models import User
from incidents.response import story
from incidents.response.incident import Incident

Page = Callable[[User], Client]


class TestStory:
    def test_an_entry_is_told_anew_and_the_log_stays(self, incident: Incident, mara: User) -> None:
        note = incident.add_note("Index is old", by=mara)
        earlier = incident.declared_at - timedelta(hours=2)
        story.curate(
            note.event, by=mara, text="The index was a month old.", at=earlier, marker="diagnosis", pinned=True
        )
        told, _ = story.entries(incident, user=mara, show="pinned")
        assert [(event.curation.text, event.curation.at) for event in told] == [("The index was a month old.", earlier)]
        note.event.refresh_from_db()
        assert note.event.at > incident.declared_at, "the log says when it was recorded"
        whole, _ = story.entries(incident, user=mara, show="log")
        assert "curated" in [event.kind for event in whole]
        assert "curated" not in [event.kind for event in story.entries(incident, user=mara)[0]]

    def test_it_is_ordered_by_when_things_are_told_to_have_happened(self, incident: Incident, mara: User) -> None:
        first, second = incident.add_note("One", by=mara), incident.add_note("Two", by=mara)
        story.curate(second.event, by=mara, at=incident.declared_at - timedelta(hours=1))
        newest_first = [event.pk for event in story.entries(incident, user=mara)[0] if event.kind == "note"]
        assert newest_first == [first.event.pk, second.event.pk]
        assert story.entries(incident, user=mara, order="oldest")[0][0].pk == second.event.pk
        incident.resolve(by=mara)
        told = [event.kind for event in story.entries(incident, user=mara)[0]]
        assert told[0] == "status", "the order does not turn round once it is over"

    def test_the_page_turns_the_order_round_where_it_is_asked_to(
        self, incident: Incident, mara: User, as_person: Page
    ) -> None:
        incident.add_note("One", by=mara)
        incident.add_note("Two", by=mara)
        page = as_person(mara).get(incident.get_absolute_url()).content.decode()
        assert page.index("<p>Two</p>") < page.index("<p>One</p>")
        assert "newest first" in page
        page = as_person(mara).get(f"{incident.get_absolute_url()}?order=oldest").content.decode()
        assert page.index("<p>One</p>") < page.index("<p>Two</p>")
        assert "oldest first" in page
        assert "order=oldest" in page.partition('id="story"')[2].partition(">")[0], "and so do updates"

    def test_the_entries_of_one_author_are_read_by_themselves(
        self, incident: Incident, mara: User, jo: User, lee: User, as_person: Page
    ) -> None:
        incident.add_note("By Mara", by=mara)
        incident.add_note("By Jo", by=jo)
        incident.record(incident.events.model.Kind.ALERTS_CLEARED, by=None)
        client, address = as_person(mara), incident.get_absolute_url()
        page = client.get(address).content.decode()
        assert f"?by={jo.pk}#" in page
        assert "?by=faultline#" in page
        assert f"?by={lee.pk}#" not in page, "she has written nothing here"
        page = client.get(f"{address}?by={jo.pk}").content.decode()
        assert "<p>By Jo</p>" in page
        assert "<p>By Mara</p>" not in page
        assert page.count("data-entry") == 1
        assert f"by={jo.pk}" in page.partition('id="story"')[2].partition(">")[0], "and so do updates"
        assert f"?by={mara.pk}#" in page, "the others can still be chosen"
        page = client.get(f"{address}?by=faultline&show=log").content.decode()
        assert page.count("data-entry") == 1
        assert "All alerts cleared." in page
        for nonsense in (str(lee.pk), "9" * 9, "x", "-1", "٣"):
            assert client.get(address, {"by": nonsense}).status_code == 200

    def test_who_wrote_only_what_one_may_not_see_is_not_named(
        self, incident: Incident, mara: User, jo: User, as_person: Page
    ) -> None:
        other = Incident.objects.declare(title="Elsewhere", by=mara, private=True)
        incident.record(incident.events.model.Kind.LINK, by=jo, other=other.number)
        incident.add_note("By Mara", by=mara)
        page = as_person(jo).get(f"{incident.get_absolute_url()}?show=log&by={mara.pk}").content.decode()
        assert f"by={jo.pk}" not in page

    def test_what_is_left_out_is_still_in_the_log(self, incident: Incident, mara: User) -> None:
        note = incident.add_note("Wrong window, sorry", by=mara)
        story.curate(note.event, by=mara, hidden=True)
        assert note.event not in story.entries(incident, user=mara)[0]
        assert note.event in story.entries(incident, user=mara, show="log")[0]

    def test_nothing_is_told_to_happen_in_the_future(self, incident: Incident, mara: User) -> None:
        note = incident.add_note("Soon", by=mara)
        with pytest.raises(Refused, match="future"):
            story.curate(note.event, by=mara, at=timezone.now() + timedelta(hours=1))

    def test_five_thousand_entries_come_a_screen_at_a_time(
        self, incident: Incident, mara: User, as_person: Page
    ) -> None:
        incident.events.model.objects.bulk_create(
            incident.events.model(incident=incident, kind="note", by=mara, detail={}) for _ in range(300)
        )
        shown = as_person(mara).get(f"/incidents/{incident.number}/").content.decode()
        assert shown.count("data-entry") == story.A_SCREEN
        assert "(301 in all)" in shown
        more = as_person(mara).get(f"/incidents/{incident.number}/?most=120").content.decode()
        assert more.count("data-entry") == 120

    def test_a_viewer_reads_an_entry_and_may_not_edit_it(
        self, incident: Incident, mara: User, lee: User, as_person: Page
    ) -> None:
        event = incident.add_note("Index is old", by=mara).event
        address = f"/incidents/{incident.number}/events/{event.pk}/"
        assert "In the story" not in as_person(lee).get(address).content.decode()
        assert as_person(lee).post(address, {"text": "Rewritten"}).status_code == 403
        answer = as_person(mara).post(address, {"text": "Told anew", "marker": "key", "evidence_url": "javascript:x"})
        assert answer.status_code == 422
        assert "Told anew" in answer.content.decode(), "nothing typed is lost"
        as_person(mara).post(address, {"text": "Told anew", "marker": "key", "pinned": "on"})
        assert "Told anew" in as_person(lee).get(f"/incidents/{incident.number}/?show=pinned").content.decode()
