"""The public page of a system."""

from collections.abc import Callable

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
