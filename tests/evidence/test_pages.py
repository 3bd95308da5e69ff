"""The pages of samples: pasted, uploaded after a preview, judged one after the other, redacted, frozen."""

from collections.abc import Callable
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from incidents.evidence.samples import Sample
from incidents.people.models import User
from incidents.response.incident import Incident

As = Callable[[User], Client]


def test_a_pasted_sample_leads_to_what_must_not_leave(incident: Incident, mara: User, as_person: As) -> None:
    typed = {"input": "I am ann@example.com", "output": "Hi", "context": "One\n---\nTwo", "verdict": "wrong"}
    answer = as_person(mara).post(f"/incidents/{incident.number}/evidence/new/", typed, follow=True)
    sample = Sample.objects.get()
    assert [passage["text"] for passage in sample.context] == ["One", "Two"]
    assert (sample.verdict, sample.judged_by, sample.may_leave) == ("wrong", mara, False)
    assert "I am [email]" in answer.content.decode()


def test_a_file_is_shown_before_anything_is_kept(incident: Incident, mara: User, as_person: As) -> None:
    lines = b'{"input": "I am ann@example.com", "output": "Hi"}\nnonsense\n{"input": "<b>x</b>", "output": "y"}\n'
    client, base = as_person(mara), f"/incidents/{incident.number}/evidence/"
    answer = client.post(f"{base}upload/", {"file": SimpleUploadedFile("a.jsonl", lines), "drawn": "on"})
    page = answer.content.decode()
    assert "2 samples" in page
    assert "line 2" in page
    assert "Email address: 1" in page
    assert "<b>x</b>" not in page
    assert not Sample.objects.exists()
    content = answer.context["content"]
    client.post(f"{base}keep/", {"content": content, "redact": "on", "drawn": "on"})
    first, second = Sample.objects.order_by("pk")
    assert (first.input, second.input) == ("I am [email]", "<b>x</b>")
    assert first.drawn
    assert not first.may_leave


def test_a_file_that_is_too_large_is_refused(incident: Incident, mara: User, as_person: As) -> None:
    file = SimpleUploadedFile("a.csv", b"x" * (1024 * 1024 + 1))
    answer = as_person(mara).post(f"/incidents/{incident.number}/evidence/upload/", {"file": file})
    assert answer.status_code == 422
    assert "larger than 1 MiB" in answer.content.decode()


def test_what_a_tampered_preview_sends_keeps_nothing(incident: Incident, mara: User, as_person: As) -> None:
    for content in ("", "%%%", "bm9uc2Vuc2U="):
        as_person(mara).post(f"/incidents/{incident.number}/evidence/keep/", {"content": content})
    assert not Sample.objects.exists()


def test_judging_goes_on_to_the_next_that_nobody_judged(
    incident: Incident, mara: User, draw: Callable[..., list[Sample]], as_person: As
) -> None:
    first, second, third = draw(unjudged=3)
    second.judge("right", by=mara)
    address = f"/incidents/{incident.number}/evidence/{first.pk}/judge/"
    answer = as_person(mara).post(address, {"verdict": "wrong", "was": "", "expected": "12 euros", "must_not": ""})
    assert answer["Location"].endswith(f"/evidence/{third.pk}/")
    first.refresh_from_db()
    assert (first.verdict, first.expected) == ("wrong", "12 euros")


def test_what_an_ai_said_runs_nowhere(sample: Sample, mara: User, as_person: As) -> None:
    Sample.objects.filter(pk=sample.pk).update(output="<script>alert(1)</script>", input="<img src=x>")
    for path in ("", f"{sample.pk}/", f"{sample.pk}/redact/"):
        page = as_person(mara).get(f"/incidents/{sample.incident.number}/evidence/{path}").content.decode()
        assert "<script>alert(1)" not in page
        assert "<img src=x>" not in page
        assert "&lt;script&gt;alert(1)" in page


def test_redacting_replaces_the_texts_and_says_that_they_may_leave(sample: Sample, mara: User, as_person: As) -> None:
    address = f"/incidents/{sample.incident.number}/evidence/{sample.pk}/redact/"
    typed: dict[str, Any] = {"digest": sample.digest, "input": "[name] asks", "output": "9", "context_0": "x"}
    as_person(mara).post(address, typed | {"then": "confirm"})
    sample.refresh_from_db()
    assert (sample.input, sample.output, sample.context[0]["text"]) == ("[name] asks", "9", "x")
    assert (sample.context[0]["id"], sample.may_leave) == ("pricing-2024", True)
    assert as_person(mara).post(address, typed).status_code == 409


def test_a_stranger_reads_and_changes_nothing(sample: Sample, rui: User, as_person: As) -> None:
    base = f"/incidents/{sample.incident.number}/evidence/"
    assert as_person(rui).get(f"{base}{sample.pk}/").status_code == 200
    for path in ("freeze/", f"{sample.pk}/confirm/", f"{sample.pk}/remove/", f"{sample.pk}/judge/"):
        as_person(rui).post(base + path, {"digest": sample.digest, "verdict": "right"})
    sample.refresh_from_db()
    assert (sample.verdict, sample.may_leave, sample.is_frozen) == ("", False, False)


def test_the_incident_shows_the_first_and_how_many(sample: Sample, mara: User, as_person: As) -> None:
    page = as_person(mara).get(f"/incidents/{sample.incident.number}/").content.decode()
    assert "What the AI said" in page
    assert "What does the basic plan cost?" in page
    assert "0 wrong, 1 not judged" in page


class TestApi:
    def test_samples_are_added_once_and_read(
        self, incident: Incident, mara: User, client: Client, key_of: Callable[..., Any]
    ) -> None:
        path, key = f"/api/v1/incidents/{incident.number}/samples/", key_of(mara)
        body: dict[str, Any] = {
            "drawn": True,
            "samples": [
                {"input": "Hi", "output": "Hello", "reference": "t/1", "context": [{"text": "a", "score": 0.5}]},
                {"input": "Bye", "output": "", "tool_calls": [{"name": "hang_up"}]},
            ],
        }
        answer = client.post(path, body, content_type="application/json", headers=key)
        assert answer.status_code == 201
        assert [one["source"] for one in answer.json()] == ["api", "api"]
        again = client.post(path, body | {"samples": body["samples"][:1]}, content_type="application/json", headers=key)
        assert again.json() == []
        rows: Any = client.get(path, headers=key).json()["results"]
        assert [row["input"] for row in rows] == ["Bye", "Hi"]
        assert rows[1]["context"] == [{"id": "", "text": "a", "score": 0.5}]
        assert rows[1]["may_leave"] is False

    def test_a_verdict_is_given_and_a_wrong_one_refused(
        self, sample: Sample, mara: User, client: Client, key_of: Callable[..., Any]
    ) -> None:
        path = f"/api/v1/incidents/{sample.incident.number}/samples/{sample.pk}/"
        send: dict[str, Any] = {"content_type": "application/json", "headers": key_of(mara)}
        answer = client.patch(path, {"verdict": "wrong", "expected": "12 euros"}, **send)
        assert (answer.status_code, answer.json()["judged_by"]) == (200, "mara@example.com")
        wrong = client.patch(path, {"verdict": "awful"}, **send)
        assert (wrong.status_code, wrong["Content-Type"]) == (400, "application/problem+json")
        assert client.patch(path, {"redacted_at": None}, **send).status_code == 400

    def test_of_what_cannot_be_stored_nothing_is(
        self, incident: Incident, mara: User, client: Client, key_of: Callable[..., Any]
    ) -> None:
        path = f"/api/v1/incidents/{incident.number}/samples/"
        bodies: list[dict[str, Any]] = [
            {"samples": []},
            {"samples": [{"input": "a"}, {"input": ""}]},
            {"samples": "x"},
            {},
        ]
        for body in bodies:
            answer = client.post(path, body, content_type="application/json", headers=key_of(mara))
            assert answer.status_code == 400
        assert not Sample.objects.exists()
