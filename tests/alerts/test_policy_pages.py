"""The pages by which people decide about alerts: the inbox, rules, silences, corrections, watches, dead letters."""

import hashlib
import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from incidents.alerts.drain import drain
from incidents.alerts.models import Alert, Delivery, Source
from incidents.alerts.policies import Correction, RulesVersion, Silence, Watch
from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.systems.models import System

pytestmark = pytest.mark.django_db

Page = Callable[[User], Client]


def page_of(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


class TestInbox:
    @pytest.mark.parametrize(
        "words",
        [
            "RECALL fell",
            "team=search",
            'team="search"',
            "system=support-assistant",
            "INC-1",
            "metric=recall@10",
            "nightly",
        ],
    )
    def test_an_alert_is_found_by_anything(
        self, words: str, tell: Callable[..., Alert], support_assistant: System, mara: User, as_person: Page
    ) -> None:
        tell("Recall fell", system="support-assistant", labels={"team": "search"})
        tell("Something else", metric="unheard_of", system="nobody", severity="info")
        page = as_person(mara).get("/alerts/", {"show": "all", "q": words}).content.decode()
        assert "Recall fell" in page
        if words not in ("nightly", "metric=recall@10"):
            assert "Something else" not in page

    def test_it_is_found_by_fingerprint_and_by_delivery(
        self, tell: Callable[..., Alert], mara: User, as_person: Page
    ) -> None:
        alert = tell("Recall fell")
        for words in (alert.fingerprint[:16], str(Delivery.objects.get().pk)):
            assert "Recall fell" in page_of(as_person(mara), f"/alerts/?show=all&q={words}")

    def test_each_view_shows_its_own(self, tell: Callable[..., Alert], mara: User, as_person: Page) -> None:
        silent = tell("Silenced one", system="x")
        Alert.objects.filter(pk=silent.pk).update(incident=None, held="silenced")
        noisy = tell("Noisy one", system="y")
        Alert.objects.filter(pk=noisy.pk).update(occurrences=50, flaps=2)
        tell("Strange one", metric="zzz", system="z")
        expected = {
            "held": "Silenced one",
            "noisy": "Noisy one",
            "flapping": "Noisy one",
            "unclassified": "Strange one",
        }
        titles = {"Silenced one", "Noisy one", "Strange one"}
        for view, title in expected.items():
            page = page_of(as_person(mara), f"/alerts/?show={view}")
            assert {found for found in titles if found in page} == {title}, view

    def test_how_bad_each_is_is_said_and_narrows_the_list(
        self, tell: Callable[..., Alert], mara: User, as_person: Page
    ) -> None:
        tell("Everything is wrong", severity="critical")
        tell("A little is wrong", severity="low")
        page = page_of(as_person(mara), "/alerts/")
        assert page.index("A little is wrong") < page.index("Everything is wrong"), "the newest first"
        assert re.findall(r'class="sev sev--\w"[^>]*>(\w+)<', page) == ["Low", "Critical"]
        narrowed = page_of(as_person(mara), "/alerts/?severity=critical")
        assert "Everything is wrong" in narrowed
        assert "A little is wrong" not in narrowed
        assert "Filter (1)" in narrowed
        assert "No alert in this view matches this filter." in page_of(as_person(mara), "/alerts/?severity=info")

    def test_a_severity_that_a_rule_set_says_what_its_monitor_said(
        self, tell: Callable[..., Alert], ada: User, mara: User, as_person: Page
    ) -> None:
        draft = RulesVersion.objects.begin_draft(by=ada)
        draft.rewrite([{"name": "Staging", "matchers": "environment=staging", "set_severity": "low"}], by=ada)
        draft.publish(by=ada)
        alert = tell("Recall fell", environment="staging", severity="critical")
        for path in ("/alerts/?show=all", alert.get_absolute_url()):
            assert "monitor says critical; a rule set it" in page_of(as_person(mara), path)

    def test_several_become_one_incident(self, tell: Callable[..., Alert], mara: User, as_person: Page) -> None:
        alerts = [tell(f"Only noted {n}", severity="info") for n in range(3)]
        as_person(mara).post("/alerts/many/", {"do": "open", "alert": [alert.pk for alert in alerts]})
        (incident,) = Incident.objects.all()
        assert incident.alerts.count() == 3

    def test_several_are_linked_and_classified_with_what_was_said_remembered(
        self, tell: Callable[..., Alert], incident: Incident, mara: User, as_person: Page
    ) -> None:
        alerts = [tell(f"Odd {n}", metric="oddness", severity="info") for n in range(2)]
        chosen = [alert.pk for alert in alerts]
        client = as_person(mara)
        client.post("/alerts/many/", {"do": "link", "alert": chosen, "into": str(incident)})
        client.post("/alerts/many/", {"do": "classify", "alert": chosen, "failure": "drift", "remember": "on"})
        assert incident.alerts.count() == 2
        later = tell("Odd again", metric="oddness")
        assert later.category == "drift"
        assert "Mara Okafor classified “oddness”" in later.classified_because

    def test_what_cannot_be_done_is_said_and_changes_nothing(
        self, tell: Callable[..., Alert], mara: User, rui: User, as_person: Page
    ) -> None:
        alert = tell("Only noted", severity="info")
        for person, given, said in (
            (mara, {"do": "open"}, "Select some alerts first."),
            (mara, {"do": "link", "alert": alert.pk, "into": "twelve"}, "Enter a number, such as INC-12."),
            (rui, {"do": "open", "alert": alert.pk}, "Only a responder of Assistants may change these alerts."),
        ):
            client = as_person(person)
            client.post("/alerts/many/", given)
            assert said in page_of(client, "/alerts/")
        assert not Incident.objects.exists()

    def test_choosing_several_leads_to_a_silence_of_what_they_share(
        self, tell: Callable[..., Alert], mara: User, as_person: Page
    ) -> None:
        alerts = [tell(f"Recall {n}", system="home-feed") for n in range(2)]
        answer = as_person(mara).post(
            "/alerts/many/", {"do": "silence", "alert": [alert.pk for alert in alerts]}, follow=True
        )
        page = answer.content.decode()
        assert "source=&quot;nightly-evaluations&quot;" in page
        assert "metric=&quot;recall@10&quot;" in page
        assert "2 firing alerts" in page


class TestUpstream:
    def test_an_open_incident_upstream_is_offered_and_taken(
        self, tell: Callable[..., Alert], policy_index: System, support_assistant: System, mara: User, as_person: Page
    ) -> None:
        upstream = Incident.objects.declare(title="The index is stale", by=mara, system=policy_index)
        alert = tell("Answers cite the old policy", system="support-assistant", severity="high")
        assert alert.incident != upstream
        client = as_person(mara)
        assert f"Link to {upstream}" in page_of(client, alert.get_absolute_url())
        assert "Open upstream" in page_of(client, alert.incident.get_absolute_url())  # type: ignore[union-attr]
        client.post(f"/alerts/{alert.pk}/link/", {"into": str(upstream)})
        alert.refresh_from_db()
        assert alert.incident == upstream

    def test_a_private_one_is_not(
        self,
        tell: Callable[..., Alert],
        policy_index: System,
        support_assistant: System,
        mara: User,
        jo: User,
        as_person: Page,
    ) -> None:
        Incident.objects.declare(title="The index is stale", by=mara, system=policy_index, private=True)
        alert = tell("Answers cite the old policy", system="support-assistant", severity="high")
        assert "Open upstream" not in page_of(as_person(jo), alert.get_absolute_url())


class TestRules:
    def write(self, client: Client, **row: Any) -> Any:
        draft = RulesVersion.objects.draft()
        assert draft
        return client.post("/rules/draft/new/", {"seen": draft.changed_at.isoformat(), "name": "Mine", **row})

    def test_a_lead_drafts_tries_publishes_and_takes_back(
        self, tell: Callable[..., Alert], jo: User, as_person: Page
    ) -> None:
        tell("Recall fell", environment="staging")
        client = as_person(jo)
        client.post("/rules/draft/begin/")
        assert self.write(client, matchers="environment=staging", act="drop").status_code == 302
        tried = page_of(client, "/rules/draft/?simulate=1")
        assert "would have opened 0 incidents and joined 0 alerts" in tried
        assert "Recall fell" in tried
        assert "matches nothing" not in tried
        assert self.write(client, matchers="environment=stagign", act="drop", name="Misspelt").status_code == 302
        assert "matches nothing" in page_of(client, "/rules/draft/?simulate=1")
        draft = RulesVersion.objects.draft()
        assert draft
        client.post("/rules/draft/publish/", {"seen": draft.changed_at.isoformat(), "note": "No staging"})
        tell("Recall fell again", environment="staging")
        assert Alert.objects.count() == 1
        page = page_of(client, "/rules/")
        assert "No staging" in page
        assert re.search(r'<td class="num" data-label="Dropped in 30 days">1</td>\s*</tr>', page), (
            "the counter of what it dropped"
        )
        client.post("/rules/1/again/")
        current = RulesVersion.objects.current()
        assert current
        assert current.number == 2

    def test_from_the_first_version_a_way_leads_back_to_no_rules(
        self, tell: Callable[..., Alert], jo: User, as_person: Page
    ) -> None:
        client = as_person(jo)
        client.post("/rules/draft/begin/")
        self.write(client, matchers="environment=staging", act="drop")
        draft = RulesVersion.objects.draft()
        assert draft
        client.post("/rules/draft/publish/", {"seen": draft.changed_at.isoformat(), "note": "No staging"})
        assert 'href="/rules/0/"' in page_of(client, "/rules/")
        assert 'action="/rules/0/again/"' in page_of(client, "/rules/0/")
        client.post("/rules/0/again/")
        current = RulesVersion.objects.current()
        assert current
        assert (current.number, current.rules, current.note) == (2, [], "As version 0 was.")
        tell("Recall fell", environment="staging")
        assert Alert.objects.filter(title="Recall fell").exists()
        assert client.get("/rules/7/").status_code == 404

    def test_what_holds_where_no_rule_decides_is_not_counted_as_a_rule(self, jo: User, as_person: Page) -> None:
        row = page_of(as_person(jo), "/rules/").split("No rule decided", 1)[0].rsplit("<tr", 1)[1]
        assert not re.search(r"\d", row)

    def test_who_was_slower_is_told_and_loses_no_text(self, jo: User, ada: User, as_person: Page) -> None:
        client, other = as_person(jo), as_person(ada)
        client.post("/rules/draft/begin/")
        seen = RulesVersion.objects.draft().changed_at.isoformat()  # type: ignore[union-attr]
        assert self.write(other, matchers="a=b", act="drop", name="Hers").status_code == 302
        answer = client.post("/rules/draft/new/", {"seen": seen, "name": "His", "matchers": "c=d", "act": "record"})
        assert answer.status_code == 422
        page = answer.content.decode()
        assert "Someone else changed or published the draft" in page
        assert "His" in page
        draft = RulesVersion.objects.draft()
        assert draft
        assert [row["name"] for row in draft.rules] == ["Hers"]
        assert self.write(client, matchers="c=d", act="record", name="His").status_code == 302

    def test_a_lead_makes_a_rule_of_an_alert(
        self, tell: Callable[..., Alert], jo: User, mara: User, as_person: Page
    ) -> None:
        alert = tell("Recall fell", system="home-feed")
        assert "Make a rule from this" not in page_of(as_person(mara), alert.get_absolute_url()), "she is no lead"
        client = as_person(jo)
        page = page_of(client, alert.get_absolute_url())
        assert "Make a rule from this" in page
        sent = {name: unescape(re.search(rf'name="{name}" value="([^"]*)"', page)[1]) for name in ("name", "matchers")}  # type: ignore[index]
        form = client.post("/rules/draft/begin/", sent, follow=True).content.decode()
        assert 'value="Recall fell"' in form
        assert "metric=&quot;recall@10&quot;" in form
        assert "<strong>1 firing alert</strong> now" in form, "what it would match is shown at once"
        assert self.write(client, **sent, act="record").status_code == 302
        draft = RulesVersion.objects.draft()
        assert draft
        assert [rule.name for rule in draft.read()] == ["Recall fell"]

    def test_what_a_rule_would_match_is_shown_while_it_is_typed(
        self, tell: Callable[..., Alert], jo: User, as_person: Page
    ) -> None:
        tell("Recall fell", environment="staging")
        client = as_person(jo)
        client.post("/rules/draft/begin/")
        typed = {"preview": "1", "matchers": "environment=staging"}
        answer = client.post("/rules/draft/new/", typed, headers={"HX-Request": "true"}).content.decode()
        assert "Recall fell" in answer
        assert "<form" not in answer, "only what changes"
        typed["matchers"] = "environment=~(("
        assert "no regular expression" in client.post("/rules/draft/new/", typed).content.decode()
        draft = RulesVersion.objects.draft()
        assert draft
        assert draft.rules == []

    def test_a_rule_that_cannot_be_used_is_said_where_it_was_typed(self, jo: User, as_person: Page) -> None:
        client = as_person(jo)
        client.post("/rules/draft/begin/")
        answer = self.write(client, matchers="title=~((", act="drop")
        assert answer.status_code == 422
        assert "field__error" in answer.content.decode()
        assert self.write(client, act="wait").status_code == 422

    def test_rules_are_moved_and_taken_out(self, jo: User, as_person: Page) -> None:
        client = as_person(jo)
        client.post("/rules/draft/begin/")
        for name in "ABC":
            self.write(client, name=name, act="record")
        for position, to in ((3, "up"), (1, "out")):
            draft = RulesVersion.objects.draft()
            assert draft
            client.post(f"/rules/draft/{position}/arrange/", {"to": to, "seen": draft.changed_at.isoformat()})
        draft = RulesVersion.objects.draft()
        assert draft
        assert [row["name"] for row in draft.rules] == ["C", "B"]

    def test_only_leads_change_them(self, mara: User, as_person: Page) -> None:
        client = as_person(mara)
        client.post("/rules/draft/begin/")
        assert RulesVersion.objects.draft() is None
        assert client.get("/rules/draft/new/").status_code == 403


class TestSilences:
    def test_one_is_made_holds_and_ends(self, tell: Callable[..., Alert], mara: User, as_person: Page) -> None:
        client = as_person(mara)
        given = {"matchers": "metric=recall@10", "reason": "Reindexing", "length": "60"}
        answer = client.post("/silences/new/", given, follow=True)
        assert "Reindexing" in answer.content.decode()
        alert = tell("Recall fell")
        assert (alert.incident, alert.held) == (None, "silenced")
        silence = Silence.objects.get()
        assert "Recall fell" in page_of(client, silence.get_absolute_url())
        client.post(f"/silences/{silence.pk}/end/")
        silence.refresh_from_db()
        assert silence.is_over

    def test_wrong_input_is_said_and_kept(self, mara: User, as_person: Page) -> None:
        answer = as_person(mara).post("/silences/new/", {"matchers": "a~b", "reason": "Because of this", "length": ""})
        page = answer.content.decode()
        assert answer.status_code == 422
        assert "Because of this" in page
        assert "Choose an end." in page
        assert not Silence.objects.exists()

    def test_who_does_not_respond_may_not(self, lee: User, as_person: Page) -> None:
        assert as_person(lee).get("/silences/new/").status_code == 403


class TestCorrections:
    def test_what_was_said_of_an_alert_is_listed_with_its_source_and_undone(
        self, tell: Callable[..., Alert], evaluations: tuple[Source, str], mara: User, as_person: Page
    ) -> None:
        alert = tell("Odd", metric="oddness")
        client = as_person(mara)
        client.post(f"/alerts/{alert.pk}/classify/", {"failure": "drift", "remember": "on"})
        assert "oddness" in page_of(client, evaluations[0].get_absolute_url())
        correction = Correction.objects.get()
        client.post(f"/sources/{evaluations[0].slug}/corrections/{correction.pk}/undo/")
        assert tell("Odd again", metric="oddness").category == ""
        assert "undone by Mara Okafor" in page_of(client, evaluations[0].get_absolute_url())


class TestWatches:
    def test_a_lead_expects_to_hear_of_a_source_and_of_a_system(
        self, evaluations: tuple[Source, str], support_assistant: System, jo: User, as_person: Page
    ) -> None:
        client = as_person(jo)
        for path in (f"/sources/{evaluations[0].slug}/", f"/systems/{support_assistant.slug}/"):
            client.post(path + "watch/", {"every_minutes": "90", "severity": "high"})
            assert "at least every 90 min" in page_of(client, path)
            client.post(path + "watch/", {"stop": "1"})
            assert "at least every 90 min" not in page_of(client, path)
        assert not Watch.objects.exists()


class TestDeadLetters:
    def test_many_are_tried_again_after_a_fix(
        self, evaluations: tuple[Source, str], mara: User, as_person: Page
    ) -> None:
        source = evaluations[0]
        for n in range(3):
            Delivery.objects.create(
                source=source,
                body=b'{"title": "Recall fell", "key": "%d"}' % n,
                size=5,
                digest=str(n),
                status="dead",
                error="Was broken.",
            )
        client = as_person(mara)
        assert "Try 3 again" in page_of(client, "/deliveries/?show=dead")
        client.post("/deliveries/retry/", {"source": source.slug})
        drain()
        assert Alert.objects.count() == 3

    def test_the_same_poison_is_counted(self, evaluations: tuple[Source, str], mara: User, as_person: Page) -> None:
        for body in (b"poison", b"poison", b"poison", b"another"):
            Delivery.objects.create(
                source=evaluations[0], body=body, size=7, digest=hashlib.sha256(body).hexdigest(), status="dead"
            )
        client = as_person(mara)
        assert page_of(client, "/deliveries/?show=dead").count("one of 3 with the same body") == 3
        shown = page_of(client, Delivery.objects.order_by("pk")[0].get_absolute_url())
        assert "3 deliveries" in shown
        found = re.search(r"show=dead&amp;q=(\w+)", shown)
        assert found
        assert page_of(client, f"/deliveries/?show=dead&q={found[1]}").count("row--delivery") == 3

    def test_personal_data_is_wiped_by_a_lead_with_a_trace_left(
        self, tell: Callable[..., Alert], jo: User, mara: User, as_person: Page
    ) -> None:
        tell("Mail of jane@example.com leaked")
        delivery = Delivery.objects.get()
        as_person(mara).post(f"/deliveries/{delivery.pk}/wipe/", {"reason": "Asked for"})
        assert "jane@example.com" in page_of(as_person(mara), delivery.get_absolute_url())
        as_person(jo).post(f"/deliveries/{delivery.pk}/wipe/", {"reason": "Asked for by the person"})
        page = page_of(as_person(jo), delivery.get_absolute_url())
        assert "jane@example.com" not in page
        assert "Asked for by the person" in page


def test_a_delivery_says_which_rule_did_what(tell: Callable[..., Alert], ada: User, jo: User, as_person: Page) -> None:
    draft = RulesVersion.objects.begin_draft(by=ada)
    draft.rewrite([{"name": "Staging is noise", "matchers": "environment=staging", "act": "record"}], by=ada)
    draft.publish(by=ada)
    tell("Recall fell", environment="staging")
    assert "Rule “Staging is noise”: only record." in page_of(as_person(jo), Delivery.objects.get().get_absolute_url())


def test_a_maintenance_window_ahead_can_be_called_off(mara: User, as_person: Page) -> None:
    start = timezone.now() + timedelta(hours=2)
    made = Silence.make(
        text="a=b", starts_at=start, ends_at=start + timedelta(hours=1), reason="Upgrade", by=mara, maintenance=True
    )
    client = as_person(mara)
    assert "Cancel this silence" in page_of(client, made.get_absolute_url())
    client.post(f"/silences/{made.pk}/end/")
    assert not Silence.objects.exists()
