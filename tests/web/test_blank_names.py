"""A name or title of which nothing can be read is no name: wherever people or monitors give one."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from incidents.alerts.models import Alert, Source
from incidents.errors import Refused
from incidents.followups.models import FollowUp
from incidents.people.models import ApiKey, Team, User
from incidents.response.incident import Incident
from incidents.response.saved_views import SavedView
from incidents.response.tasks import Task
from incidents.systems.models import Change, System
from incidents.texts import is_blank, one_line

UNSEEN = ["\u200b", "\u200b\u200d\ufeff", "\u3164", "\u2800", "\u00ad", "\u034f", "\u202e \u2066", "\ufffd", "\x7f"]


@pytest.mark.parametrize("text", ["", "  ", *UNSEEN])
def test_what_cannot_be_read_is_blank(text: str) -> None:
    assert is_blank(text)
    assert one_line(f" {text} ") == ""


@pytest.mark.parametrize("text", ["x", "日本語", "👩‍🚀", "é", "a\u200bb", "नमस्ते", "…"])
def test_what_can_be_read_stays_as_it_is(text: str) -> None:
    assert one_line(f"\t{text} ") == text


@pytest.mark.parametrize("unseen", UNSEEN)
def test_verbs_refuse_it(incident: Incident, mara: User, assistants: Team, unseen: str) -> None:
    for attempt in (
        lambda: Incident.objects.declare(title=unseen, by=mara),
        lambda: incident.describe(title=unseen, summary="", by=mara),
        lambda: Task.objects.add(incident, title=unseen, by=mara),
        lambda: FollowUp.objects.add(incident, title=unseen, by=mara),
        lambda: SavedView.objects.store(mara, name=unseen, query="status=all"),
        lambda: Source.objects.connect(kind="generic", name=unseen, team=assistants),
        lambda: incident.add_note(unseen, by=mara),
    ):
        with pytest.raises(Refused):
            attempt()


def test_fields_of_models_refuse_it(support_assistant: System, assistants: Team, mara: User) -> None:
    for row, field in ((support_assistant, "name"), (assistants, "name"), (mara, "name"), (Change(), "title")):
        setattr(row, field, "\u200b")
        with pytest.raises(ValidationError) as refused:
            row.full_clean()
        assert field in refused.value.message_dict


@pytest.mark.parametrize("raw", [b"%E2%80%8B", b"%ff%fe", b"%ED%A0%80"])
def test_pages_refuse_it_and_bad_utf8_is_no_word(
    incident: Incident, mara: User, jo: User, as_person: Callable[[User], Client], raw: bytes
) -> None:
    client = as_person(jo)
    form = "application/x-www-form-urlencoded"
    before = Incident.objects.count()
    slug = incident.system.slug if incident.system else ""
    for path, field in (
        ("/incidents/new/", b"title"),
        (f"{incident.get_absolute_url()}describe/", b"title"),
        (f"{incident.get_absolute_url()}tasks/", b"title"),
        (f"{incident.get_absolute_url()}follow-ups/new/", b"title"),
        (f"/systems/{slug}/changes/new/", b"title"),
        ("/incidents/views/", b"name"),
        ("/sources/new/generic/", b"name"),
        ("/account/keys/", b"name"),
    ):
        body = field + b"=" + raw + b"&severity=sev2&kind=model&happened_at=2026-01-01T00:00&scopes=read&query=a%3Db"
        assert client.post(path, body, content_type=form).status_code in (302, 400, 409, 422), path
    assert Incident.objects.count() == before
    assert not ApiKey.objects.exists()
    assert not Change.objects.exists()
    assert not SavedView.objects.exists()
    assert not Task.objects.exists()
    assert not FollowUp.objects.exists()
    incident.refresh_from_db()
    assert not is_blank(incident.title)


def test_the_api_refuses_it(incident: Incident, mara: User, key_of: Callable[..., Any]) -> None:
    client, key = Client(), key_of(mara)
    for path, data in (
        ("/api/v1/incidents/", {"title": "\u200b"}),
        (f"/api/v1/incidents/{incident.number}/follow-ups/", {"title": "\u2800"}),
        (f"/api/v1/incidents/{incident.number}/note/", {"text": "\u200b"}),
    ):
        answer = client.post(path, data, content_type="application/json", headers=key)
        assert answer.status_code == 400, (path, answer.text)


def test_an_alert_without_a_title_to_read_is_called_by_its_name(
    evaluations: tuple[Source, str], post: Callable[..., Any], tell: Callable[..., Alert]
) -> None:
    assert tell("\u200b\u200b", labels={"alertname": "StaleIndex"}).title == "StaleIndex"
    assert tell("\u3164", key="other", metric="").title == "(no title)"
