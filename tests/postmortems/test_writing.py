"""Several people write at once, and no text is lost."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from incidents.notifications.messages import Notification
from incidents.people.models import User
from incidents.postmortems.document import Postmortem
from incidents.postmortems.reviews import Comment
from incidents.postmortems.sections import Clash, Draft, Revision, Section
from incidents.response.incident import Incident

As = Callable[[User], Client]


class TestWriting:
    def test_what_two_write_in_different_lines_is_put_together(
        self, postmortem: Postmortem, mara: User, jo: User
    ) -> None:
        section = postmortem.sections.get(key="summary")
        section.write("One.\n\nTwo.", by=mara, base="")
        assert section.write("One, by Mara.\n\nTwo.", by=mara, base="One.\n\nTwo.") is False
        assert section.write("One.\n\nTwo, by Jo.", by=jo, base="One.\n\nTwo.") is True
        assert section.text == "One, by Mara.\n\nTwo, by Jo."
        assert section.edited_by == jo

    def test_the_same_line_is_kept_in_both_versions_until_somebody_settles_it(
        self, postmortem: Postmortem, mara: User, jo: User
    ) -> None:
        hers, his = (postmortem.sections.get(key="summary") for _ in range(2))
        hers.write("From Mara", by=mara, base="")
        with pytest.raises(Clash) as clash:
            his.write("From Jo", by=jo, base="")
        assert clash.value.merge.text == "From Mara\nFrom Jo"
        assert Draft.objects.get(person=jo).text == "From Jo"
        his.write("From Mara and Jo", by=jo, base="From Mara")
        assert not Draft.objects.exists()

    def test_two_who_save_at_the_same_instant_both_stay(self, transactional_db: None, mara: User, jo: User) -> None:
        incident = Incident.objects.declare(title="Recall fell", by=mara)
        incident.resolve(by=mara)
        section = Postmortem.objects.begin(incident).sections.get(key="summary")
        section.write("one\ntwo\nthree", by=mara, base="")
        gate_, base = threading.Barrier(2), "one\ntwo\nthree"

        def save(text: str, who: User) -> None:
            gate_.wait()
            Section.objects.get(pk=section.pk).write(text, by=who, base=base)
            connection.close()

        threads = [
            threading.Thread(target=save, args=("ONE\ntwo\nthree", mara)),
            threading.Thread(target=save, args=("one\ntwo\nTHREE", jo)),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        section.refresh_from_db()
        assert section.text == "ONE\ntwo\nTHREE"

    def test_typing_on_is_one_revision_and_taking_out_begins_another(self, postmortem: Postmortem, mara: User) -> None:
        section = postmortem.sections.get(key="summary")
        for text, base in (("The", ""), ("The index", "The"), ("The index was stale", "The index")):
            section.write(text, by=mara, base=base)
        section.write("Gone", by=mara, base="The index was stale")
        assert list(section.revisions.values_list("text", flat=True)) == ["The index was stale", "Gone"]

    def test_what_is_typed_while_it_is_published_is_kept_as_a_draft(
        self, published: Postmortem, mara: User, as_person: As
    ) -> None:
        path = f"{published.get_absolute_url()}sections/summary/"
        answer = as_person(mara).post(path, {"text": "Too late", "base": "Known."})
        assert answer.status_code == 409
        assert "Too late" in Draft.objects.get(person=mara).text

    def test_the_page_as_it_is_typed_is_answered_with_both(
        self, postmortem: Postmortem, mara: User, jo: User, as_person: As
    ) -> None:
        path, json_ = f"{postmortem.get_absolute_url()}sections/summary/", {"Accept": "application/json"}
        saved = as_person(mara).post(path, {"text": "From Mara should have", "base": ""}, headers=json_).json()
        assert (saved["text"], saved["merged"], saved["version"]) == ("From Mara should have", False, 1)
        assert "the better choice the easy one" in saved["findings"]
        clash = as_person(jo).post(path, {"text": "From <b>Jo</b>", "base": ""}, headers=json_)
        assert clash.status_code == 409
        assert "&lt;b&gt;" in clash.json()["clash"]
        assert "From <b>Jo</b>" not in clash.json()["clash"]

    def test_the_form_alone_shows_both_texts_and_lets_them_be_put_together(
        self, postmortem: Postmortem, mara: User, jo: User, as_person: As
    ) -> None:
        path = f"{postmortem.get_absolute_url()}sections/summary/"
        as_person(mara).post(path, {"text": "From Mara", "base": ""})
        clash = as_person(jo).post(path, {"text": "From Jo", "base": ""})
        assert clash.status_code == 409
        assert "From Mara\nFrom Jo" in clash.content.decode()
        assert "Two versions" in as_person(jo).get(postmortem.get_absolute_url()).content.decode(), (
            "also after a reload"
        )
        assert as_person(jo).post(path, {"text": "Both", "base": "From Mara"}).status_code == 302

    def test_a_text_that_is_too_long_is_kept_in_the_page(
        self, postmortem: Postmortem, mara: User, as_person: As
    ) -> None:
        path = f"{postmortem.get_absolute_url()}sections/summary/"
        answer = as_person(mara).post(path, {"text": "ä" * 100_001, "base": ""})
        assert answer.status_code == 422
        assert "ä" * 100_001 in answer.content.decode()

    def test_the_page_hears_what_others_did(self, postmortem: Postmortem, mara: User, jo: User, as_person: As) -> None:
        postmortem.sections.get(key="summary").write("From Mara", by=mara, base="")
        as_person(mara).get(f"{postmortem.get_absolute_url()}live/?at=summary&have=summary:1")
        told = as_person(jo).get(f"{postmortem.get_absolute_url()}live/?at=impact&have=summary:0,impact:0").json()
        assert [(section["key"], section["text"]) for section in told["sections"]] == [("summary", "From Mara")]
        assert told["people"] == [{"name": "Mara Okafor", "key": "summary"}]

    def test_whoever_is_named_is_told_once(self, postmortem: Postmortem, mara: User, jo: User, as_person: As) -> None:
        path = f"{postmortem.get_absolute_url()}sections/summary/"
        as_person(mara).post(path, {"text": "Ask @jo.", "base": ""})
        as_person(mara).post(path, {"text": "Ask @jo. And `@mara`.", "base": "Ask @jo."})
        assert [(notice.person, "mentioned you" in notice.subject) for notice in Notification.objects.all()] == [
            (jo, True)
        ]

    def test_the_names_of_incidents_are_told_to_who_may_see_them(
        self, postmortem: Postmortem, mara: User, jo: User, as_person: As, another: Callable[[str], Postmortem]
    ) -> None:
        secret = another("Salaries in answers").incident
        secret.restrict([mara], by=mara)
        path = postmortem.get_absolute_url()
        as_person(mara).post(f"{path}sections/summary/", {"text": f"Like {secret}.", "base": ""})
        for person, seen in ((mara, True), (jo, False)):
            shown = as_person(person).post(f"{path}preview/", {"text": f"Like {secret}."}).content.decode()
            assert (secret.title in shown) is seen

    def test_a_pasted_picture_is_kept_with_the_incident(
        self, postmortem: Postmortem, mara: User, as_person: As
    ) -> None:
        from io import BytesIO

        from django.core.files.uploadedfile import SimpleUploadedFile
        from PIL import Image

        drawn = BytesIO()
        Image.new("RGB", (4, 4)).save(drawn, "PNG")
        client, path = as_person(mara), f"{postmortem.get_absolute_url()}files/"
        told = client.post(path, {"file": SimpleUploadedFile("drift.png", drawn.getvalue())}).json()["markdown"]
        assert told.startswith("![drift.png](/incidents/")
        shown = client.post(f"{postmortem.get_absolute_url()}preview/", {"text": told}).content.decode()
        assert "<img" in shown
        refused = client.post(path, {"file": SimpleUploadedFile("x.png", b"<script>")})
        assert (refused.status_code, "not a readable picture" in refused.json()["error"]) == (422, True)

    def test_a_stranger_reads_and_comments_and_does_not_write(
        self, postmortem: Postmortem, rui: User, as_person: As
    ) -> None:
        path = postmortem.get_absolute_url()
        assert as_person(rui).post(f"{path}sections/summary/", {"text": "x", "base": ""}).status_code == 403
        as_person(rui).post(f"{path}sections/summary/comment/", {"text": "How do we know?"})
        assert Comment.objects.get().by == rui


class NothingTypedIsLost(TestCase):
    """Whatever three people save in whatever order, each of their lines is in the text, a revision or a draft."""

    @classmethod
    def setUpTestData(cls) -> None:
        people = [User.objects.create_user(f"p{n}@example.com", name=f"P {n}") for n in range(3)]
        incident = Incident.objects.declare(title="Recall fell", by=people[0])
        incident.resolve(by=people[0])
        section = Postmortem.objects.begin(incident).sections.get(key="summary")
        section.write("l0\nl1\nl2\nl3\nl4\nl5", by=people[0], base="")

    @settings(max_examples=120, deadline=None)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from([0, 1, 2]), st.integers(0, 6), st.sampled_from(["change", "add", "drop"]), st.booleans()
            ),
            max_size=12,
        )
    )
    def test_over_any_order_of_saves(self, steps: list[tuple[int, int, str, bool]]) -> None:
        people, section = list(User.objects.order_by("pk")), Section.objects.get(key="summary")
        seen = [section.text] * 3
        typed: set[str] = set()
        for number, (who, line, how, reads) in enumerate(steps):
            lines, base = seen[who].split("\n"), seen[who]
            at = min(line, len(lines) - 1)
            word = f"w{number}"
            if how == "change":
                lines[at] = word
            elif how == "add":
                lines.insert(at, word)
            elif len(lines) > 1:
                lines.pop(at)
            if how != "drop":
                typed.add(word)
            try:
                section.write("\n".join(lines), by=people[who], base=base)
            except Clash as clash:  # settled as the page offers it: both, one after the other
                section.write(clash.merge.text, by=people[who], base=clash.section.text)
            section.refresh_from_db()
            seen[who] = section.text
            if reads:
                seen = [section.text] * 3
        kept = "\n".join(
            [
                section.text,
                *Revision.objects.values_list("text", flat=True),
                *Draft.objects.values_list("text", flat=True),
            ]
        )
        assert not {word for word in typed if word not in kept.split("\n")}
