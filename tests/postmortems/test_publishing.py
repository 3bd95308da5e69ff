"""What is published is amended, found again, learnt from, and shared with care."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.utils import timezone

from incidents.errors import Refused, WrongStatus
from incidents.followups.models import FollowUp
from incidents.notifications.messages import Notification
from incidents.notifications.upkeep import notify
from incidents.people.models import User
from incidents.postmortems import export, reading
from incidents.postmortems.document import Postmortem
from incidents.postmortems.factors import Factor, FactorKind
from incidents.postmortems.meeting import ParkedFix
from incidents.postmortems.public import library, related
from incidents.postmortems.reading import ExternalVersion, Reading, ShareLink
from incidents.postmortems.reviews import Amendment
from incidents.response.incident import Incident
from incidents.systems.models import System
from incidents.web import pdf

As = Callable[[User], Client]


class TestAfterwards:
    def test_it_is_locked_and_amended_where_everybody_sees_it(
        self, published: Postmortem, mara: User, as_person: As
    ) -> None:
        with pytest.raises(WrongStatus):
            published.sections.get(key="summary").write("Later", by=mara, base="Known.")
        Amendment.write(published, "It was 1,400 answers.", key="impact", by=mara)
        page = as_person(mara).get(published.get_absolute_url()).content.decode()
        assert "It was 1,400 answers." in page
        assert "Amended by Mara Okafor" in page
        assert "It was 1,400 answers." in export.as_markdown(published)

    def test_readers_are_counted_once(self, published: Postmortem, mara: User, lee: User, as_person: As) -> None:
        for person in (mara, lee, lee):
            as_person(person).get(published.get_absolute_url())
        assert Reading.summary(published) == "read by 2 people from 2 teams"

    def test_the_history_shows_who_changed_what_and_lets_it_read_so_again(
        self, postmortem: Postmortem, mara: User, jo: User, as_person: As
    ) -> None:
        section = postmortem.sections.get(key="summary")
        section.write("It took three hours.", by=mara, base="")
        section.write("It took five hours.", by=jo, base="It took three hours.")
        path = postmortem.get_absolute_url()
        page = as_person(mara).get(f"{path}history/").content.decode()
        assert "<del>three</del><ins>five</ins>" in page
        first = section.revisions.order_by("pk")[0]
        as_person(mara).post(f"{path}history/{first.pk}/restore/")
        section.refresh_from_db()
        assert section.text == "It took three hours."

    def test_the_history_says_what_was_set(self, postmortem: Postmortem, mara: User, as_person: As) -> None:
        postmortem.set_trigger("other", by=mara, text="A holiday feed")
        postmortem.set_trigger("", by=mara)
        postmortem.set_depth("deep", by=mara)
        postmortem.rename("Old prices quoted", by=mara)
        page = " ".join(as_person(mara).get(f"{postmortem.get_absolute_url()}history/").content.decode().split())
        assert "set the trigger in the postmortem: A holiday feed" in page
        assert "took the trigger out of the postmortem" in page
        assert "set the depth of the postmortem to deep" in page
        assert "renamed the postmortem to “Old prices quoted”" in page
        assert "changed the scope" not in page

    def test_the_library_finds_by_weight_filters_and_hides_what_is_private(
        self, postmortem: Postmortem, mara: User, rui: User, as_person: As, another: Callable[[str], Postmortem]
    ) -> None:
        titled, mentions, secret = (
            another("Stale embeddings"),
            another("Recall fell"),
            another("Embeddings of salaries"),
        )
        mentions.sections.get(key="impact").write("The embeddings were stale.", by=mara, base="")
        secret.incident.restrict([mara], by=mara)
        found = as_person(rui).get("/postmortems/?q=embeddings").content.decode()
        assert found.index("Stale embeddings") < found.index("Recall fell")
        assert "salaries" not in found
        assert "The <mark>embeddings</mark> were stale." in found
        kind = FactorKind.objects.all()[0]
        Factor.objects.add(titled, kind, text="x", evidence="", by=mara)
        for query in (f"factor={kind.pk}", f"factor={kind.group}"):
            page = as_person(rui).get(f"/postmortems/?{query}").content.decode()
            assert "Stale embeddings" in page
            assert "Recall fell" not in page
        for nonsense in (
            "q=%26+%7C+%21+%3C-%3E",
            "q=" + "%25" * 300,
            "factor=%00",
            "factor=99999999999",
            "page=x",
            "q=the",
        ):
            assert as_person(rui).get(f"/postmortems/?{nonsense}").status_code in (200, 400)

    def test_the_digest_tells_each_of_what_they_may_see_once(
        self, published: Postmortem, mara: User, rui: User
    ) -> None:
        published.incident.restrict([mara], by=mara)
        User.objects.filter(email="jo@example.com").update(digest=False)
        monday = timezone.localdate() + timedelta(days=7 - timezone.localdate().weekday())
        assert reading.send_digest(monday) == 1
        reading.send_digest(monday)
        assert list(
            Notification.objects.filter(subject__contains="published last week").values_list("person__email", flat=True)
        ) == [mara.email]
        notify()
        assert published.incident.title in mail.outbox[-1].body

    def test_a_year_later_its_owner_is_asked_whether_it_still_holds(self, published: Postmortem, mara: User) -> None:
        day = timezone.localdate() + timedelta(days=365)
        assert reading.remember_anniversaries(day) == 1
        reading.remember_anniversaries(day + timedelta(days=1))
        assert Notification.objects.filter(person=mara, subject__contains="A year since").count() == 1

    def test_it_shows_up_again_when_something_like_it_happens(
        self, published: Postmortem, mara: User, as_person: As, support_assistant: System
    ) -> None:
        again = Incident.objects.declare(title="Answers cite the retired policy", by=mara, system=support_assistant)
        again.classify("", "retrieval.stale_index", by=mara)
        page = as_person(mara).get(f"{again.get_absolute_url()}similar/").content.decode()
        assert published.get_absolute_url() in page

    def test_public_incidents_of_the_kind_are_offered_and_counted_nowhere(
        self, postmortem: Postmortem, mara: User, as_person: As
    ) -> None:
        assert len(library()) > 30
        assert all(row.category == "retrieval" for row in related([postmortem.incident]))
        assert (
            related([postmortem.incident])[0].name
            in as_person(mara).get(postmortem.get_absolute_url()).content.decode()
        )
        assert as_person(mara).get("/postmortems/public/?category=drift").status_code == 200
        assert Incident.objects.count() == 1


class TestSharing:
    def test_as_files(self, published: Postmortem, mara: User, as_person: As) -> None:
        FollowUp.objects.add(published.incident, title="Alert on index age", by=mara, owner=mara)
        text = export.as_markdown(published)
        assert "\n---\n\n# Postmortem of INC-1: Answers cite" in text
        assert "- Silence: unknown _(from clocks)_" in text
        assert "- [ ] P2 Alert on index age (Mara Okafor, Open)" in text
        path = published.get_absolute_url()
        data = json.loads(as_person(mara).get(f"{path}json/").content)
        assert (data["id"], len(data["factors"]), data["trigger"]["kind"]) == ("1", 2, "none")
        assert "It hid the fault." in as_person(mara).get(f"{path}print/").content.decode()

    def test_as_a_pdf_where_the_machine_can_draw_one(
        self, published: Postmortem, mara: User, as_person: As, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pdf, "draw", lambda html, *styles: b"%PDF-" + html.encode())
        answer = as_person(mara).get(f"{published.get_absolute_url()}pdf/")
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
        assert answer.content.startswith(b"%PDF-")
        assert "It hid the fault." in answer.content.decode()

    def test_as_the_page_to_print_where_it_cannot(
        self, published: Postmortem, mara: User, as_person: As, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: str) -> bytes:
            raise pdf.NoPdf("This machine draws none.")

        monkeypatch.setattr(pdf, "draw", refuse)
        answer = as_person(mara).get(f"{published.get_absolute_url()}pdf/", follow=True)
        assert answer.redirect_chain == [(f"{published.get_absolute_url()}print/", 302)]
        assert "It hid the fault." in answer.content.decode()

    def test_a_link_ends_by_itself_by_hand_and_with_what_it_shows(
        self, published: Postmortem, jo: User, mara: User, as_person: As, client: Client
    ) -> None:
        path = f"{published.get_absolute_url()}share/"
        lead = as_person(jo)
        lead.post(f"{path}new/", {"what": "whole", "days": "14"})
        address = lead.session["share_link"].partition("testserver")[2]
        shown = client.get(address)
        assert shown.status_code == 200
        assert "It hid the fault." in shown.content.decode()
        assert "Mara Okafor" not in shown.content.decode()
        assert shown["X-Robots-Tag"].startswith("noindex")
        with time_machine.travel(timezone.now() + timedelta(days=15)):
            assert client.get(address).status_code == 404
        published.incident.restrict([mara], by=mara)
        assert client.get(address).status_code == 404, "what became private is shared no longer"
        published.incident.open_up(by=mara)
        assert client.get(address).status_code == 200
        ShareLink.objects.get().revoke(by=jo)
        assert client.get(address).status_code == 404

    def test_a_link_shows_nobody_by_name_and_leads_nowhere_inside(
        self, published: Postmortem, jo: User, mara: User, client: Client
    ) -> None:
        text = "Mara saw it, @jo too; see INC-1, [here](/alerts/) and [there](https://example.org/). mara@example.com\n"
        published.sections.filter(key="summary").update(text=text)
        Amendment.write(published, "Mara Okafor asked @mara about INC-1.", key="impact", by=mara)
        FollowUp.objects.add(published.incident, title="Ask Mara Okafor", by=mara)
        _, secret = ShareLink.objects.make(published, external=False, days=3, by=jo)
        shown = client.get(f"/shared/{secret}/").content.decode()
        assert "a person saw it, a person too; see INC-1" in shown
        for inside in ("Mara", "Okafor", "@", 'href="/incidents/', 'href="/alerts/'):
            assert inside not in shown
        assert 'href="https://example.org/"' in shown
        ExternalVersion.write(published, "Mara Okafor and @mara of INC-1.", by=mara)
        ExternalVersion.objects.get().approve(by=jo)
        _, secret = ShareLink.objects.make(published, external=True, days=3, by=jo)
        shown = client.get(f"/shared/{secret}/").content.decode()
        assert "Mara Okafor and a person of INC-1." in shown, "what was approved, without handles and links"

    def test_a_responder_shares_nothing(self, published: Postmortem, mara: User, as_person: As) -> None:
        as_person(mara).post(f"{published.get_absolute_url()}share/new/", {"what": "whole", "days": "14"})
        assert not ShareLink.objects.exists()

    def test_words_for_the_outside_are_approved_by_a_second_person(
        self, published: Postmortem, jo: User, mara: User, as_person: As, client: Client
    ) -> None:
        published.incident.restrict([mara, jo], by=mara)
        with pytest.raises(Refused, match="private"):
            ShareLink.objects.make(published, external=False, days=3, by=jo)
        mine = ExternalVersion.write(published, "Some answers were old.", by=jo)
        with pytest.raises(Refused, match="Someone other"):
            mine.approve(by=jo)
        external = ExternalVersion.write(published, "Some answers were wrong.", by=mara)
        with pytest.raises(Refused, match="not been approved"):
            ShareLink.objects.make(published, external=True, days=3, by=jo)
        lead, path = as_person(jo), published.get_absolute_url()
        lead.post(f"{path}external/approve/", {"text_digest": "of other words"})
        external.refresh_from_db()
        assert not external.is_approved
        external.approve(by=jo)
        _, secret = ShareLink.objects.make(published, external=True, days=3, by=jo)
        shown = client.get(f"/shared/{secret}/").content.decode()
        assert "Some answers were wrong." in shown
        assert published.incident.title not in shown
        ExternalVersion.write(published, "Changed.", by=mara)
        assert client.get(f"/shared/{secret}/").status_code == 404, "an approval is for the words that were approved"

    def test_the_meeting_asks_one_question_at_a_time_and_parks_fixes(
        self, postmortem: Postmortem, mara: User, as_person: As
    ) -> None:
        client, path = as_person(mara), postmortem.get_absolute_url()
        assert "What did users get" in client.get(f"{path}meeting/").content.decode()
        client.post(f"{path}sections/summary/note/", {"text": "Answers were old.", "step": "1"})
        client.post(f"{path}sections/summary/note/", {"text": "For a day.", "step": "1"})
        assert postmortem.sections.get(key="summary").text == "Answers were old.\n\nFor a day."
        client.post(f"{path}fixes/", {"text": "Alert on index age", "step": "1"})
        fix = ParkedFix.objects.get()
        for _ in range(2):
            client.post(f"{path}fixes/{fix.pk}/", {"take": "1"})
        assert FollowUp.objects.get().title == "Alert on index age"
        client.post(f"{path}fixes/", {"text": "Practise the rollback", "step": "3"})
        page = client.get(f"{path}meeting/?step=3").text
        assert "2 fixes parked so far" in page
        another = ParkedFix.objects.latest("pk")
        whole = {"take": "1", "step": "3", "owner": mara.pk, "due_on": "2199-01-01", "priority": "0"}
        client.post(f"{path}fixes/{another.pk}/", whole)
        assert FollowUp.objects.count() == 1, "a P0 says how one will know"
        answer = client.post(f"{path}fixes/{another.pk}/", whole | {"check_text": "The drill passes"})
        assert answer["Location"].endswith("meeting/?step=3"), "one stays where one is"
        made = FollowUp.objects.latest("pk")
        assert (made.title, made.owner, made.priority, made.check_text) == (
            "Practise the rollback",
            mara,
            0,
            "The drill passes",
        )
        for step in ("99", "0", "x", "%00"):
            assert client.get(f"{path}meeting/?step={step}").status_code in (200, 400)
