"""The public page of a system."""

from collections.abc import Callable
from xml.etree import ElementTree

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone

from incidents.errors import Refused
from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.response.public_pages import PublicPage, PublicPost
from incidents.systems.models import System

Page = Callable[[User], Client]
ATOM = "{http://www.w3.org/2005/Atom}"


class TestPublicPage:
    @pytest.fixture
    def public(self, support_assistant: System) -> PublicPage:
        return PublicPage.objects.create(system=support_assistant, name="Help assistant", is_on=True)

    def test_nothing_is_read_that_a_second_person_did_not_approve(
        self, public: PublicPage, incident: Incident, mara: User, jo: User, client: Client, as_person: Page
    ) -> None:
        desk = "/systems/support-assistant/public/"
        assert "New post" in as_person(mara).get(desk).content.decode()
        as_person(mara).post(
            f"{desk}posts/", {"text": "Answers may be old.", "state": "problem", "incident": incident.number}
        )
        post = PublicPost.objects.get()
        assert "You wrote it: another lead approves it." not in as_person(jo).get(desk).text
        PublicPost.objects.update(written_by=jo)
        assert "You wrote it: another lead approves it." in as_person(jo).get(desk).text
        PublicPost.objects.update(written_by=mara)
        assert "Answers may be old." not in client.get("/public/support-assistant/").content.decode()
        as_person(mara).post(f"{desk}posts/{post.pk}/", {"decision": "approve"})
        assert not PublicPost.objects.published().exists(), "a responder does not approve"
        as_person(jo).post(f"{desk}posts/{post.pk}/", {"decision": "approve"})
        page = client.get("/public/support-assistant/").content.decode()
        assert "Answers may be old." in page
        assert "<h1>Help assistant</h1>" in page
        assert "There is a problem." in page
        assert "We are investigating a problem" in page
        assert incident.title not in page
        assert str(incident) not in page

    def test_nobody_approves_their_own_words(self, public: PublicPage, jo: User) -> None:
        post = PublicPost.objects.write(public, text="All is well.", state="solved", by=jo)
        with pytest.raises(Refused, match="Someone else"):
            post.approve(by=jo)
        with pytest.raises(DatabaseError), transaction.atomic():
            PublicPost.objects.update(approved_by=jo, approved_at=timezone.now())

    def test_a_page_that_is_off_is_not_there(self, public: PublicPage, client: Client) -> None:
        PublicPage.objects.update(is_on=False)
        assert client.get("/public/support-assistant/").status_code == 404

    def test_a_reader_of_feeds_gets_what_stands_on_the_page_and_nothing_else(
        self, public: PublicPage, incident: Incident, mara: User, jo: User, client: Client
    ) -> None:
        address = "/public/support-assistant/"
        approved = PublicPost.objects.write(public, text="Answers **may** be old.", state="problem", by=mara)
        approved.approve(by=jo)
        withdrawn = PublicPost.objects.write(public, text="Sent by mistake", state="news", by=mara)
        withdrawn.approve(by=jo)
        withdrawn.withdraw(by=jo)
        PublicPost.objects.write(public, text="Not yet approved", state="solved", by=mara, incident=incident)
        page = client.get(address).content.decode()
        assert (
            f'<link rel="alternate" type="application/atom+xml" title="Help assistant: status" href="{address}feed/">'
            in page
        )
        answer = client.get(f"{address}feed/")
        assert answer["Content-Type"].startswith("application/atom+xml")
        feed = ElementTree.fromstring(answer.content)
        (entry,) = feed.findall(f"{ATOM}entry")
        assert feed.findtext(f"{ATOM}title") == "Help assistant: status"
        assert entry.findtext(f"{ATOM}title") == "We are investigating a problem"
        assert "<strong>may</strong>" in entry.findtext(f"{ATOM}summary", "")
        assert entry.find(f"{ATOM}link").attrib["href"] == f"http://testserver{address}#post-{approved.pk}"  # type: ignore[union-attr]
        for hidden in ("Sent by mistake", "Not yet approved", incident.title, str(incident), "Mara", "Jo"):
            assert hidden not in answer.content.decode()
        PublicPage.objects.update(is_on=False)
        assert client.get(f"{address}feed/").status_code == 404

    def test_whatever_was_approved_the_feed_can_be_read(
        self, public: PublicPage, mara: User, jo: User, client: Client
    ) -> None:
        PublicPage.objects.update(name="Help \x1b]]> & <b>", intro="\x0b\ufffe")
        text = "Bell \x07, form feed \x0c, ]]>, &nbsp; <script>alert(1)</script> \U0001f600"
        PublicPost.objects.write(public, text=text, state="problem", by=mara).approve(by=jo)
        feed = ElementTree.fromstring(client.get("/public/support-assistant/feed/").content)
        assert feed.findtext(f"{ATOM}title") == "Help ]]> & <b>: status"
        assert "<script" not in feed.findtext(f"{ATOM}entry/{ATOM}summary", "")

    def test_its_times_are_the_same_for_whoever_reads_it(
        self, public: PublicPage, mara: User, jo: User, as_person: Page
    ) -> None:
        User.objects.filter(pk=jo.pk).update(time_zone="Asia/Kolkata")
        post = PublicPost.objects.write(public, text="All is well.", state="solved", by=mara)
        post.approve(by=jo)
        page = as_person(jo).get("/public/support-assistant/").content.decode()
        assert f"{post.approved_at:%H:%M} UTC" in page
        assert "As of <time" in page
