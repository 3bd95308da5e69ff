"""Files that belong to an incident."""

import io
import json
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from incidents.people.models import User
from incidents.response.attachments import Attachment
from incidents.response.incident import Incident

Page = Callable[[User], Client]


def picture(kind: str = "PNG", size: tuple[int, int] = (8, 8)) -> bytes:
    drawn = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    Image.new("RGB", size, "red").save(drawn, kind, **({"exif": exif} if kind == "JPEG" else {}))
    return drawn.getvalue()


class TestFiles:
    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("graph.png", picture()),
            ("photo.jpeg", picture("JPEG")),
            ("scores.csv", b"score,label\n0.4,1\n"),
            ("look.ipynb", json.dumps({"nbformat": 4, "cells": []}).encode()),
            ("report.pdf", b"%PDF-1.7 ..."),
        ],
    )
    def test_what_belongs_to_the_work_is_kept(
        self, name: str, content: bytes, incident: Incident, mara: User, as_person: Page
    ) -> None:
        client = as_person(mara)
        client.post(f"/incidents/{incident.number}/files/", {"file": SimpleUploadedFile(name, content)})
        kept = Attachment.objects.get()
        answer = client.get(f"/incidents/{incident.number}/files/{kept.pk}/")
        assert answer["Content-Disposition"].startswith("inline" if kept.is_picture else "attachment")
        assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert b"taken at home" not in answer.content, "where a photo was taken is nobody’s business"

    @pytest.mark.parametrize(
        ("name", "content", "because"),
        [
            ("page.html", b"<script>alert(1)</script>", "only"),
            ("evil.svg", b"<svg onload=alert(1)>", "only"),
            ("not.png", b"<script>alert(1)</script>", "not a readable picture"),
            ("not.csv", b"\x00\x01\xff", "not what its name says"),
            ("not.ipynb", b"{}", "not what its name says"),
            ("empty.csv", b"", "empty"),
            ("huge.png", picture(size=(6000, 6000)), "million pixels"),
        ],
    )
    def test_what_is_not_what_it_says_is_refused_with_the_reason(
        self, name: str, content: bytes, because: str, incident: Incident, mara: User, as_person: Page
    ) -> None:
        page = as_person(mara).post(
            f"/incidents/{incident.number}/files/",
            {"file": SimpleUploadedFile(name, content)},
            follow=True,
            headers={"referer": f"http://testserver/incidents/{incident.number}/"},
        )
        assert because in page.content.decode()
        assert not Attachment.objects.exists()

    def test_the_files_of_a_private_incident_are_hidden_with_it(
        self, incident: Incident, mara: User, rui: User, as_person: Page
    ) -> None:
        kept = Attachment.objects.attach(incident, SimpleUploadedFile("a.csv", b"a,b"), by=mara)
        incident.restrict([], by=mara)
        assert as_person(rui).get(f"/incidents/{incident.number}/files/{kept.pk}/").status_code == 404
        kept.remove(by=mara)
        assert incident.events.order_by("-pk")[0].detail["removed"] is True

    @pytest.mark.parametrize(
        "name", ["../../etc/passwd.csv", "a\r\nSet-Cookie: x=1.csv", "  .csv", "名前.csv", "x" * 300 + ".csv"]
    )
    def test_no_name_does_harm(self, name: str, incident: Incident, mara: User, as_person: Page) -> None:
        kept = Attachment.objects.attach(incident, SimpleUploadedFile(name, b"a,b"), by=mara)
        assert "/" not in kept.name
        assert as_person(mara).get(f"/incidents/{incident.number}/files/{kept.pk}/").status_code == 200
