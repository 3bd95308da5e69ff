"""What is exported and imported again, here or in an organisation that knows none of it, reads the same."""

import io
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from incidents.followups.models import FollowUp
from incidents.people.models import User
from incidents.postmortems import export
from incidents.postmortems.carrying import carry
from incidents.postmortems.document import Postmortem
from incidents.postmortems.factors import Factor, FactorKind
from incidents.postmortems.facts import corrections
from incidents.postmortems.importing import ImportBatch, read
from incidents.postmortems.portable import Covered, Portable, Promise, load, mark_for, marked, parse, split, write
from incidents.postmortems.reviews import Amendment
from incidents.response.attachments import Attachment
from incidents.response.impact import expose
from incidents.systems.models import System

As = Callable[[User], Client]


def _picture() -> bytes:
    drawn = io.BytesIO()
    Image.new("RGB", (3, 2), "red").save(drawn, format="PNG")
    return drawn.getvalue()


def _exported(postmortem: Postmortem) -> bytes:
    return export.as_archive(carry(postmortem), "it")


def _imported(archive: bytes, by: User) -> Postmortem:
    batch = ImportBatch.keep([("it.zip", archive)], by=by, team=None)
    (made,) = batch.take(by=by, answers={"again-0": "1"})  # what it was exported from is here too
    return Postmortem.objects.get(pk=made.postmortem.pk)


def _alike(text: str) -> str:
    """A document without the numbers that incidents have in one place only."""
    return re.sub(r"(?m)^(-? *)(number|incident): \d+$", r"\1\2: N", re.sub(r"INC-\d+", "INC-N", text))


@pytest.fixture
def rich(published: Postmortem, mara: User, jo: User, support_assistant: System) -> Postmortem:
    """A published postmortem with everything that can be said in one."""
    incident = published.incident
    incident.set_clock("impact_started_at", incident.declared_at - timedelta(hours=3), method="person", by=mara)
    Postmortem.objects.filter(pk=published.pk).update(title="Old prices: quoted, “again”")
    picture = Attachment.objects.attach(incident, SimpleUploadedFile("my chart (1).png", _picture()), by=mara)
    text = f"As in INC-{incident.number} and INC-77.\n\n![recall]({incident.get_absolute_url()}files/{picture.pk}/)\n\n## Impact\n\n---\n- a: b _(from c)_"
    published.sections.filter(key="learning").update(text=text)
    own = FactorKind.objects.create(group="data", name="Something of our own")
    Factor.objects.create(postmortem=published, kind=own, text="* It: was\n  so #1", evidence="/alerts/5/", by=mara)
    FollowUp.objects.add(
        incident,
        title="Alert on index age",
        by=mara,
        owner=jo,
        due_on=date(2026, 12, 24),
        check_text="It fires",
        kind="detect",
        priority=1,
    )
    FollowUp.objects.add(incident, title="Rebuild nightly", by=mara).complete(by=mara, outcome="Seen\nthrice")
    Amendment.write(published, "It was 1,400 answers.", key="impact", by=jo)
    Amendment.write(published, "Two customers wrote.", key="", by=mara)
    published.refresh_from_db()
    return published


def test_an_export_imported_into_another_organisation_is_exported_the_same(rich: Postmortem) -> None:
    archive = _exported(rich)
    text = export.as_markdown(rich)
    Attachment.objects.all().delete()
    Factor.objects.all().delete()
    FactorKind.objects.filter(name="Something of our own").delete()
    FollowUp.objects.all().update(owner=None)
    User.objects.all().update(is_active=False)
    System.objects.all().update(slug="other", name="other")
    stranger = User.objects.create_user("kit@example.org", "faultline-demo", name="Kit Stranger")
    made = _imported(archive, stranger)
    assert made.pk != rich.pk
    assert _alike(export.as_markdown(made)) == _alike(text)
    with zipfile.ZipFile(io.BytesIO(_exported(made))) as files:
        assert files.read("files/1-my-chart-1-.png") == _picture()
    assert (made.owner, made.published_by, made.incident.lead, made.incident.system) == (None, None, None, None)
    assert made.published_at == rich.published_at
    assert corrections(made) == []


def test_where_people_systems_and_factors_are_known_they_are_taken(rich: Postmortem, jo: User, mara: User) -> None:
    made = _imported(_exported(rich), jo)
    assert (made.owner, made.published_by, made.incident.lead) == (mara, jo, mara)
    assert made.incident.system == rich.incident.system
    assert {factor.kind.pk for factor in made.factors.all()} == {factor.kind.pk for factor in rich.factors.all()}
    assert {row.owner for row in FollowUp.objects.filter(incident=made.incident)} == {jo, mara}, (
        "whoever did it owns it"
    )
    assert f"INC-{made.incident.number} and INC-77" in made.sections.get(key="learning").text
    assert _alike(export.as_markdown(made)) == _alike(export.as_markdown(rich))


def test_a_draft_stays_a_draft_and_keeps_its_lines(postmortem: Postmortem, jo: User) -> None:
    postmortem.sections.get(key="summary").write("Old answers.", by=jo, base="")
    made = _imported(_exported(postmortem), jo)
    assert made.state == "draft"
    assert _alike(export.as_markdown(made)) == _alike(export.as_markdown(postmortem))


def test_money_is_carried_to_the_cent(postmortem: Postmortem, mara: User, jo: User) -> None:
    for unit, estimate in (("EUR", Decimal("1200.50")), ("JPY", 4000), ("hours", Decimal("1.25"))):
        expose(
            postmortem.incident, unit, by=mara, estimate=estimate, low=1, how="Ledger: “a”", evidence="https://x.y/z"
        )
    made = _imported(_exported(postmortem), jo)
    text = export.as_markdown(made)
    assert "about 1,200.50 EUR (1 to ?); Ledger: “a” (https://x.y/z)" in text
    assert "about 4,000 JPY" in text
    assert _alike(text) == _alike(export.as_markdown(postmortem))


def test_what_somebody_wrote_beside_the_marks_is_told(rich: Postmortem) -> None:
    text = export.as_markdown(rich)
    assert read("it.md", text.encode()).remarks == []
    edited = text.replace("## Follow-ups\n", "## Follow-ups\n\n- [ ] P1 Added by hand (nobody)\n")
    assert any("Added by hand" in told for told in read("it.md", edited.encode()).remarks)


def test_what_was_private_stays_so(postmortem: Postmortem, mara: User, jo: User, rui: User) -> None:
    postmortem.incident.restrict([mara, jo], by=mara)
    postmortem.refresh_from_db()
    made = _imported(_exported(Postmortem.objects.get(pk=postmortem.pk)), jo)
    assert made.incident.private
    assert list(made.incident.people.all()) == [jo]
    assert made.owner is None, "who may not see it owns nothing of it"


def test_what_was_imported_says_so_and_claims_no_review(rich: Postmortem, jo: User, as_person: As) -> None:
    made = _imported(_exported(rich), jo)
    today = f"{timezone.now():%-d %B %Y}"
    page = " ".join(as_person(jo).get(made.get_absolute_url()).content.decode().split())
    assert f"Imported on {today} by Jo Lindqvist from “it.zip”" in page
    assert "Nobody has been asked yet" not in page
    library = " ".join(as_person(jo).get("/postmortems/?show=published").content.decode().split())
    assert library.count("imported") >= 1
    incident = " ".join(as_person(jo).get(made.incident.get_absolute_url()).content.decode().split())
    assert "Jo Lindqvist imported the incident" in incident
    assert "opened the incident" not in incident


_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), max_size=60)
_moments = st.datetimes(datetime(1991, 1, 1), datetime(2025, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
_promises = st.builds(
    Promise, title=_texts, incident=st.integers(1, 9), owner=_texts, description=_texts, created_at=_moments
)
_incidents = st.builds(
    Covered, number=st.integers(1, 9), title=_texts, clocks=st.dictionaries(st.sampled_from(["detected_at"]), _moments)
)
_documents = st.builds(
    Portable,
    title=_texts,
    owner=_texts,
    tags=st.lists(_texts.filter(bool), max_size=3),
    published_at=_moments,
    incidents=st.lists(_incidents, max_size=2),
    follow_ups=st.lists(_promises, max_size=3),
    sections=st.dictionaries(st.sampled_from(["summary", "impact", "own-part"]), _texts.filter(bool)),
)


@given(_documents)
@example(Portable(owner="\x85", title="a\n\u2028b: -", incidents=[]))
def test_any_document_is_read_back_as_it_was_written(document: Portable) -> None:
    mark = mark_for(document.sections)
    text = write(document, iter([marked(key, part, mark=mark) for key, part in document.sections.items()]), mark=mark)
    matter, body = split(text)
    read_back, told = parse(load(matter or ""), body)
    assert (read_back, told) == (document, [])
