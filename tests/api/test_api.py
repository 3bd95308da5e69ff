"""The REST API, as scripts use it."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from incidents.alerts.drain import drain
from incidents.alerts.models import Source
from incidents.alerts.policies import RulesVersion
from incidents.followups.models import FollowUp
from incidents.people.models import ApiKey, User
from incidents.postmortems.document import Postmortem
from incidents.postmortems.factors import Factor, FactorKind
from incidents.postmortems.reviews import CHECKS
from incidents.response.incident import Incident
from incidents.systems.models import Change, System

Key = Callable[..., dict[str, str]]
JSON = "application/json"


class TestKeys:
    @pytest.mark.parametrize(
        "header", [{}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Bearer flk_" + "0" * 64}]
    )
    def test_without_a_usable_key_it_is_401_as_problem_json(
        self, client: Client, header: dict[str, str], db: None
    ) -> None:
        answer = client.get("/api/v1/incidents/", headers=header)
        assert answer.status_code == 401
        assert answer["Content-Type"] == "application/problem+json"
        assert answer["WWW-Authenticate"].startswith("Bearer")

    def test_a_reading_key_may_not_write(self, client: Client, mara: User, key_of: Key, incident: Incident) -> None:
        header = key_of(mara, "read")
        assert client.get(f"/api/v1/incidents/{incident.number}/", headers=header).status_code == 200
        answer = client.post("/api/v1/incidents/", {"title": "x"}, content_type=JSON, headers=header)
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")

    def test_a_revoked_key_and_one_of_somebody_who_left_are_refused(
        self, client: Client, mara: User, key_of: Key
    ) -> None:
        header = key_of(mara)
        User.objects.filter(pk=mara.pk).update(is_active=False)
        assert client.get("/api/v1/incidents/", headers=header).status_code == 401
        User.objects.filter(pk=mara.pk).update(is_active=True)
        ApiKey.objects.get().revoke()
        assert client.get("/api/v1/incidents/", headers=header).status_code == 401

    def test_the_session_of_a_browser_does_not_open_the_api(
        self, as_person: Callable[[User], Client], mara: User
    ) -> None:
        assert as_person(mara).get("/api/v1/incidents/").status_code == 401


class TestIncidents:
    def test_one_goes_from_declared_to_closed_by_its_verbs(
        self, client: Client, mara: User, key_of: Key, support_assistant: System
    ) -> None:
        header = key_of(mara)

        def post(path: str, **body: Any) -> Any:
            return client.post(f"/api/v1/incidents/{path}", body, content_type=JSON, headers=header)

        made = post("", title="Answers are stale", system="support-assistant", severity="sev2")
        assert made.status_code == 201, made.content
        number = made.json()["number"]
        assert post(f"{number}/classify/", failure_mode="retrieval.stale_index").json()["category"] == "retrieval"
        assert (
            post(f"{number}/clock/", clock="impact_started_at", at="2026-01-02T03:04:05Z").json()["silence_seconds"] > 0
        )
        assert post(f"{number}/note/", text="The index is **old**.").status_code == 201
        assert post(f"{number}/contain/", action="rollback_index", note="v12").json()["status"] == "contained"
        assert post(f"{number}/resolve/").json()["status"] == "resolved"
        assert post(f"{number}/close/").json()["status"] == "closed"
        refused = post(f"{number}/resolve/")
        assert (refused.status_code, refused.json()["code"]) == (409, "wrong_status")
        kinds = [event["kind"] for event in client.get(f"/api/v1/incidents/{number}/events/", headers=header).json()]
        assert kinds == ["opened", "classified", "clock", "note", "containment", "status", "status"]

    def test_lists_are_pages_that_can_be_ordered_and_filtered(
        self, client: Client, mara: User, key_of: Key, support_assistant: System
    ) -> None:
        for n in range(3):
            Incident.objects.declare(title=f"Number {n}", by=mara, system=support_assistant)
        header = key_of(mara, "read")
        page = client.get("/api/v1/incidents/?ordering=-number&page_size=2", headers=header).json()
        assert set(page) == {"next", "previous", "results"}
        assert [row["number"] for row in page["results"]] == [3, 2]
        assert [row["number"] for row in client.get(page["next"], headers=header).json()["results"]] == [1]
        assert client.get("/api/v1/incidents/?status=resolved", headers=header).json()["results"] == []

    @pytest.mark.parametrize(
        "query",
        ["ordering=password", "cursor=zzz", "status=nonsense", "system=nobody", "since=notadate", "category=%00"],
    )
    def test_a_wrong_filter_is_a_problem_and_never_a_500(
        self, client: Client, mara: User, key_of: Key, query: str
    ) -> None:
        answer = client.get(f"/api/v1/incidents/?{query}", headers=key_of(mara, "read"))
        assert answer.status_code in (400, 404), answer.content
        assert answer["Content-Type"] == "application/problem+json"

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"title": ""}, "title"),
            ({"title": "x" * 201}, "title"),
            ({"title": "x", "severity": "SEV9"}, "severity"),
            ({"title": "x", "system": "nobody"}, "system"),
            ({}, "title"),
        ],
    )
    def test_wrong_input_names_the_field(self, client: Client, mara: User, key_of: Key, body: Any, field: str) -> None:
        answer = client.post("/api/v1/incidents/", body, content_type=JSON, headers=key_of(mara))
        assert answer.status_code == 400
        assert field in answer.json()["errors"]

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"[",
            b"[]",
            b"null",
            b'"x"',
            b"\xff",
            b'{"title": "a\\u0000b"}',
            b'{"title": "\\ud800"}',
            b'{"title": NaN}',
            b'{"a":' * 5000 + b"1" + b"}" * 5000,
            b'{"title": {}}',
            b'{"title": ["x"]}',
        ],
    )
    def test_a_malformed_body_is_400(self, client: Client, mara: User, key_of: Key, body: bytes) -> None:
        answer = client.post("/api/v1/incidents/", body, content_type=JSON, headers=key_of(mara))
        assert answer.status_code == 400, answer.content
        assert not Incident.objects.exists()

    @pytest.mark.parametrize("number", ["abc", "-1", "1e5", "9" * 23, "%00", "٣"])
    def test_a_strange_number_is_404(self, client: Client, mara: User, key_of: Key, number: str) -> None:
        assert client.get(f"/api/v1/incidents/{number}/", headers=key_of(mara)).status_code == 404

    def test_somebody_of_another_team_may_read_and_not_change(
        self, client: Client, rui: User, key_of: Key, incident: Incident
    ) -> None:
        header = key_of(rui)
        assert client.get(f"/api/v1/incidents/{incident.number}/", headers=header).status_code == 200
        answer = client.post(f"/api/v1/incidents/{incident.number}/resolve/", {}, content_type=JSON, headers=header)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")

    def test_a_private_one_is_404_for_everybody_it_does_not_name(
        self, client: Client, mara: User, jo: User, ada: User, key_of: Key, incident: Incident
    ) -> None:
        incident.restrict([], by=mara)
        path = f"/api/v1/incidents/{incident.number}/"
        assert client.get(path, headers=key_of(mara)).status_code == 200
        for stranger in (jo, ada):
            assert client.get(path, headers=key_of(stranger)).status_code == 404
            assert client.get("/api/v1/incidents/", headers=key_of(stranger)).json()["results"] == []


class TestTheRest:
    def test_a_delivery_shows_its_alerts_and_trace(
        self,
        client: Client,
        mara: User,
        key_of: Key,
        evaluations: tuple[Source, str],
        post: Any,
        support_assistant: System,
    ) -> None:
        answer = post(
            evaluations[1], {"title": "Groundedness low", "metric": "groundedness", "system": "support-assistant"}
        )
        drain()
        header = key_of(mara, "read")
        shown = client.get(answer.json()["status_url"], headers=header).json()
        assert (shown["status"], shown["claim_count"], shown["error"], len(shown["alerts"])) == ("processed", 1, "", 1)
        assert shown["trace"][0]["incident"] == 1
        assert "Opened INC-1" in shown["trace"][0]["routed_because"]
        listed = client.get("/api/v1/alerts/?source=nightly-evaluations", headers=header).json()["results"]
        assert [alert["id"] for alert in listed] == shown["alerts"]

    def test_a_key_of_scope_ingest_sends_deliveries_and_reads_nothing(
        self, client: Client, mara: User, key_of: Key, evaluations: tuple[Source, str]
    ) -> None:
        header = key_of(mara, "ingest")
        path = f"/api/v1/sources/{evaluations[0].slug}/deliveries/"
        assert client.post(path, b'{"title": "x"}', content_type=JSON, headers=header).status_code == 200
        assert client.get("/api/v1/alerts/", headers=header).status_code == 403
        assert drain() == 1

    def test_systems_sources_and_changes_can_be_made(self, client: Client, jo: User, key_of: Key) -> None:
        header = key_of(jo)

        def post(path: str, **body: Any) -> Any:
            return client.post(f"/api/v1/{path}/", body, content_type=JSON, headers=header)

        assert post("systems", slug="bot", name="Bot", kind="agent", tier=1, team="assistants").status_code == 201
        assert post("systems", slug="bot2", name="bot", kind="agent", tier=1, team="assistants").status_code == 400
        source = post("sources", name="Evals", kind="generic", team="assistants", system="bot").json()
        assert len(source["token"]) == 32
        assert source["url"].endswith(f"/ingest/{source['token']}")
        assert post("changes", system="bot", kind="prompt", title="Shorter prompt").status_code == 201
        assert (
            client.get("/api/v1/changes/?system=bot", headers=header).json()["results"][0]["title"] == "Shorter prompt"
        )

    def test_a_postmortem_is_written_reviewed_and_published(
        self, client: Client, jo: User, mara: User, rui: User, key_of: Key, incident: Incident
    ) -> None:
        incident.assign_lead(jo, by=jo)
        incident.say_who_noticed("user", by=jo)
        incident.resolve(by=mara)
        postmortem = Postmortem.objects.begin(incident)
        postmortem.set_trigger("none", by=jo)
        for kind in FactorKind.objects.all()[:2]:
            Factor.objects.add(postmortem, kind, text="It hid the fault.", evidence="/systems/", by=jo)
        header, path = key_of(jo), f"/api/v1/postmortems/{incident.number}/"

        def post(what: str, **body: Any) -> Any:
            return client.post(f"{path}{what}/", body, content_type=JSON, headers=header)

        assert post("review").status_code == 400
        for key in ("summary", "impact", "silence", "factors"):
            assert post("section", key=key, text="Known.", base="").status_code == 200
        assert post("section", key="summary", text="Other.", base="").status_code == 409
        assert post("section", key="summary", text="Known.\n\nMore.", base="Known.").status_code == 200
        assert post("review").json()["state"] == "in_review"
        assert post("decide", verdict="approved", checks=[]).status_code == 403, "its owner"
        assert post("publish").status_code == 409
        checks = [key for key, _ in CHECKS]
        decided = client.post(
            f"{path}decide/", {"verdict": "approved", "checks": checks}, content_type=JSON, headers=key_of(rui)
        )
        assert decided.json()["state"] == "approved"
        assert post("publish").json()["state"] == "published"
        document = client.get(f"{path}document/", headers=header).json()
        assert next(section["text"] for section in document["sections"]) == "Known.\n\nMore."
        assert len(document["factors"]) == 2

    def test_a_follow_up_is_added_and_done(self, client: Client, mara: User, key_of: Key, incident: Incident) -> None:
        header = key_of(mara)
        body = {"title": "Alert on index age", "kind": "detect", "owner": "mara@example.com", "due_on": "2026-12-24"}
        made = client.post(f"/api/v1/incidents/{incident.number}/follow-ups/", body, content_type=JSON, headers=header)
        assert made.status_code == 201, made.content
        done = client.post(
            f"/api/v1/follow-ups/{made.json()['id']}/complete/",
            {"note": "Fires in the drill."},
            content_type=JSON,
            headers=header,
        )
        assert (done.json()["state"], done.json()["outcome"]) == ("done", "Fires in the drill.")

    def test_what_is_urgent_says_how_one_will_know_that_it_worked(
        self, client: Client, mara: User, key_of: Key, incident: Incident
    ) -> None:
        header = key_of(mara)

        def ask(method: str, path: str, **body: Any) -> Any:
            return getattr(client, method)(f"/api/v1/{path}", body, content_type=JSON, headers=header)

        add = f"incidents/{incident.number}/follow-ups/"
        for body in ({"priority": 0}, {"priority": 1, "check_text": " "}):
            refused = ask("post", add, title="Alert on index age", **body)
            assert refused.status_code == 400, body
            assert list(refused.json()["errors"]) == ["check_text"]
        made = ask("post", add, title="Alert on index age", priority=1, check_text="It fires in the drill.")
        assert made.status_code == 201
        assert ask("patch", f"follow-ups/{made.json()['id']}/", check_text="").status_code == 400
        later = f"follow-ups/{ask('post', add, title='Rebuild nightly').json()['id']}/"
        raised = ask("patch", later, priority=0)
        assert (raised.status_code, list(raised.json()["errors"])) == (400, ["check_text"])
        assert ask("patch", later, priority=0, check_text="The nightly evaluation.").status_code == 200
        assert ask("patch", later, priority=3, check_text="").status_code == 200

    def test_an_urgent_one_from_before_that_was_asked_can_still_be_given_to_somebody(
        self, client: Client, mara: User, jo: User, key_of: Key, incident: Incident
    ) -> None:
        older = FollowUp.objects.add(incident, title="Alert on index age", by=mara, priority=0)
        answer = client.patch(
            f"/api/v1/follow-ups/{older.pk}/", {"owner": jo.email}, content_type=JSON, headers=key_of(mara)
        )
        assert answer.status_code == 200, answer.content

    @pytest.mark.parametrize(
        "path", ["alerts/?source=%00", "changes/?system=%00", "alerts/?status=x", "deliveries/?cursor=%00"]
    )
    def test_nul_and_nonsense_in_a_filter_are_400(self, client: Client, mara: User, key_of: Key, path: str) -> None:
        assert client.get(f"/api/v1/{path}", headers=key_of(mara, "read")).status_code == 400

    def test_an_unknown_address_is_404_as_problem_json(self, client: Client, db: None) -> None:
        answer = client.get("/api/v1/nonsense/")
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")

    def test_the_schema_is_valid_and_complete(self, tmp_path: Any, db: None, client: Client) -> None:
        call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yml"))
        assert client.get("/api/v1/schema/").status_code == 200
        assert client.get("/api/v1/docs/").status_code == 200


def test_a_deployment_silences_its_maintenance_and_ends_it(client: Client, mara: User, lee: User, key_of: Any) -> None:
    header = key_of(mara)
    later = (timezone.now() + timedelta(hours=1)).isoformat()
    wanted = {"matchers": "system=home-feed", "ends_at": later, "reason": "Deploying ranker 8", "is_maintenance": True}
    made = client.post("/api/v1/silences/", wanted, content_type=JSON, headers=header)
    assert made.status_code == 201
    assert made.json()["author"] == "mara@example.com"
    assert len(client.get("/api/v1/silences/?in_force=true", headers=header).json()["results"]) == 1
    ended = client.post(f"/api/v1/silences/{made.json()['id']}/end/", headers=header)
    assert ended.status_code == 200
    assert client.get("/api/v1/silences/?in_force=true", headers=header).json()["results"] == []
    assert client.post("/api/v1/silences/", wanted, content_type=JSON, headers=key_of(lee)).status_code == 403
    wrong = client.post("/api/v1/silences/", wanted | {"matchers": "a~b"}, content_type=JSON, headers=header)
    assert (wrong.status_code, wrong.json()["code"]) == (400, "invalid")


def test_alerts_are_searched_linked_and_classified(
    client: Client, mara: User, incident: Incident, evaluations: Any, post: Any, key_of: Any
) -> None:
    header = key_of(mara)
    post(evaluations[1], {"title": "Odd", "metric": "oddness", "severity": "info", "labels": {"team": "search"}})
    drain()
    (found,) = client.get("/api/v1/alerts/?q=team%3Dsearch", headers=header).json()["results"]
    assert found["held"] == "recorded"
    path = f"/api/v1/alerts/{found['id']}/"
    linked = client.post(path + "link/", {"into": incident.number}, content_type=JSON, headers=header).json()
    assert linked["incident"] == incident.number
    given = {"failure_mode": "retrieval.stale_index", "remember": True}
    classified = client.post(path + "classify/", given, content_type=JSON, headers=header).json()
    assert classified["category"] == "retrieval"


def test_the_published_rules_can_be_read(client: Client, ada: User, mara: User, key_of: Any) -> None:
    draft = RulesVersion.objects.begin_draft(by=ada)
    draft.rewrite([{"name": "Noise", "matchers": "severity=low", "act": "drop"}], by=ada)
    draft.publish(by=ada, note="Less noise")
    RulesVersion.objects.begin_draft(by=ada)
    (version,) = client.get("/api/v1/rules/", headers=key_of(mara)).json()["results"]
    assert (version["number"], version["note"]) == (1, "Less noise")
    assert client.get("/api/v1/rules/1/", headers=key_of(mara)).json()["rules"][0]["act"] == "drop"


class TestRunningAnIncident:
    def test_a_script_plans_contains_tells_and_assesses(
        self, incident: Incident, mara: User, key_of: Callable[..., Any], client: Client
    ) -> None:
        header, at = key_of(mara), f"/api/v1/incidents/{incident.number}/"

        def post(verb: str, **given: Any) -> Any:
            return client.post(f"{at}{verb}/", json.dumps(given), content_type="application/json", headers=header)

        assert post("contain", action="human_review", planned=True).json()["status"] == "investigating"
        assert post("contain", action="rollback_index").json()["status"] == "contained"
        rows = client.get(f"{at}containments/", headers=header).json()
        assert [(row["action"], row["state"]) for row in rows] == [
            ("human_review", "planned"),
            ("rollback_index", "done"),
        ]
        assert post("updates", text="Answers were stale.").status_code == 201
        assert post("exposure", of="outputs", estimate=12400, low=11000, how="Query log").json()[0]["estimate"] == 12400
        refused = post("exposure", of="users", estimate=5)
        assert refused.status_code == 400
        assert "say how you know" in refused.json()["detail"]
        other = Incident.objects.declare(title="In March", by=mara)
        assert post("link", kind="repeat_of", other=other.number).status_code == 204
        assert post("link", kind="repeat_of", other=999).status_code == 404

    def test_a_deploy_job_tells_of_a_change_with_or_without_the_last_slash(
        self, incident: Incident, mara: User, key_of: Callable[..., Any], client: Client
    ) -> None:
        change = {"system": "support-assistant", "kind": "prompt", "title": "Prompt v42"}
        for path in ("/api/v1/changes", "/api/v1/changes/"):
            sent = client.post(path, json.dumps(change), content_type="application/json", headers=key_of(mara))
            assert sent.status_code == 201
        assert Change.objects.count() == 2


class TestWhatTheApiDoesNotKnow:
    """A filter that is misspelt answered with everything, and a program then worked on the wrong rows."""

    @pytest.mark.parametrize(
        "path",
        [
            "incidents/?statuz=open",
            "incidents/?updated_since=2026-01-01",
            "follow-ups/?incident=59",
            "alerts/?page=2",
            "silences/?in_force=perhaps",
            "changes/?system=a&system=b",
            "incidents/?severity=",
            "incidents/?page_size=0",
            "incidents/?page_size=201",
            "incidents/?page_size=ten",
            "incidents/?cursor=zzz",
            "reports/trends/?month=3",
        ],
    )
    def test_a_parameter_is_refused_by_name(
        self, mara: User, key_of: Callable[..., dict[str, str]], client: Client, path: str
    ) -> None:
        answer = client.get(f"/api/v1/{path}", headers=key_of(mara))
        assert answer.status_code == 400
        assert list(answer.json()["errors"]) == [path.partition("?")[2].partition("=")[0]]

    def test_so_is_a_field(self, mara: User, key_of: Callable[..., dict[str, str]], client: Client) -> None:
        answer = client.post(
            "/api/v1/incidents/",
            {"titel": "Answers cite old policies", "title": "x"},
            content_type="application/json",
            headers=key_of(mara),
        )
        assert (answer.status_code, list(answer.json()["errors"])) == (400, ["titel"])
        assert not Incident.objects.exists()
