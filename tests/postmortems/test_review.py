"""A postmortem says what it still needs, and someone who did not respond approves it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from incidents.errors import Refused
from incidents.followups.models import FollowUp
from incidents.notifications.messages import Notification
from incidents.people.models import User
from incidents.postmortems import export, readiness, reviews
from incidents.postmortems.document import Postmortem
from incidents.postmortems.factors import Factor, FactorKind
from incidents.postmortems.guide import Policy
from incidents.postmortems.reviews import Comment, Review
from incidents.response.incident import Incident
from incidents.systems.models import Change, System
from tests.postmortems.conftest import ALL, fill

As = Callable[[User], Client]


class TestJudging:
    def test_it_names_what_is_missing_by_its_depth(self, postmortem: Postmortem, mara: User) -> None:
        told = " ".join(map(str, readiness.missing(postmortem)))
        for words in (
            "“Summary” is empty",
            "who noticed it first",
            "the impact as a number",
            "when the output went wrong",
            "Choose a trigger",
            "2 more contributing factors",
        ):
            assert words in told
        with pytest.raises(Refused, match="Summary"):
            postmortem.send_to_review(by=mara, missing=[str(one) for one in readiness.missing(postmortem)])
        postmortem.set_depth("brief", by=mara)
        assert "Add 1 more contributing factor." in map(str, readiness.missing(postmortem))
        postmortem.set_depth("standard", by=mara)
        fill(postmortem, mara)

    def test_urgent_follow_ups_need_owner_date_and_check(self, postmortem: Postmortem, mara: User) -> None:
        fill(postmortem, mara)
        row = FollowUp.objects.add(postmortem.incident, title="Alert on index age", by=mara, priority=0)
        assert "an owner and a due date and a way to know that it worked" in str(readiness.missing(postmortem)[0])
        row.drop(by=mara, reason="Another covers it.")
        assert readiness.missing(postmortem) == []

    def test_a_factor_is_named_once_and_needs_evidence(self, postmortem: Postmortem, mara: User) -> None:
        fill(postmortem, mara)
        kind = FactorKind.objects.all()[0]
        with pytest.raises(Refused, match="already"):
            Factor.objects.add(postmortem, kind, text="Again", evidence="", by=mara)
        postmortem.factors.get(kind=kind).rewrite(text="It hid it.", evidence="")
        assert "has no evidence" in str(readiness.missing(postmortem)[0])

    def test_the_trigger_is_one_change_or_said_to_be_none(
        self, postmortem: Postmortem, mara: User, as_person: As, support_assistant: System
    ) -> None:
        change = Change.objects.create(
            system=support_assistant, kind="index", title="Rebuild", happened_at=timezone.now() - timedelta(hours=1)
        )
        client, path = as_person(mara), f"{postmortem.get_absolute_url()}trigger/"
        client.post(path, {"choice": f"change-{change.pk}", "text": "the nightly one"})
        postmortem.refresh_from_db()
        assert (postmortem.triggered_by, postmortem.trigger) == ("change", change)
        assert export.trigger_of(postmortem).endswith("the nightly one")
        client.post(path, {"choice": "none"})
        postmortem.refresh_from_db()
        assert (postmortem.triggered_by, postmortem.trigger) == ("none", None)
        client.post(path, {"choice": "change-999999"})
        client.post(path, {"choice": "other", "text": " "})
        postmortem.refresh_from_db()
        assert postmortem.triggered_by == "none"


class TestReview:
    def test_somebody_who_was_no_responder_approves_it_and_a_lead_publishes(
        self, postmortem: Postmortem, mara: User, jo: User, rui: User, lee: User, as_person: As
    ) -> None:
        postmortem.incident.add_note("I looked at the index.", by=jo)  # before it was resolved in truth; see below
        fill(postmortem, mara)
        client = as_person(mara)
        path = postmortem.get_absolute_url()
        client.post(f"{path}review/")
        client.post(f"{path}ask/", {"person": rui.pk})
        assert Notification.objects.filter(person=rui, subject__contains="review").exists()
        assert as_person(mara).post(f"{path}decide/", {"verdict": "approved", "checks": ALL}).status_code == 302
        postmortem.refresh_from_db()
        assert postmortem.state == "in_review", "whoever owns it cannot approve it"
        as_person(rui).post(f"{path}decide/", {"verdict": "approved", "checks": ALL[:-1]})
        assert not Review.objects.filter(verdict="approved").exists(), "the checklist is ticked whole"
        as_person(rui).post(f"{path}decide/", {"verdict": "approved", "checks": ALL})
        postmortem.refresh_from_db()
        assert postmortem.state == "approved"
        as_person(mara).post(f"{path}publish/")
        postmortem.refresh_from_db()
        assert postmortem.state == "approved", "a responder does not publish"
        as_person(jo).post(f"{path}publish/")
        postmortem.refresh_from_db()
        assert (postmortem.state, postmortem.published_by) == ("published", jo)

    def test_the_yes_of_a_responder_is_not_enough(self, incident: Incident, mara: User, jo: User, rui: User) -> None:
        incident.add_note("The index is old.", by=jo)
        incident.resolve(by=mara)
        postmortem = Postmortem.objects.begin(incident, by=mara)
        fill(postmortem, mara)
        postmortem.send_to_review(by=mara, missing=[])
        reviews.decide(postmortem, by=jo, verdict="approved", checks=ALL)
        assert postmortem.state == "in_review"
        assert reviews.lacking(postmortem) == ["An approval from someone who did not respond."]
        reviews.decide(postmortem, by=rui, verdict="approved", checks=ALL)
        assert postmortem.state == "approved"

    def test_asked_changes_hold_it_up_and_the_policy_says_how_many_agree(
        self, postmortem: Postmortem, mara: User, jo: User, rui: User
    ) -> None:
        Policy.objects.filter(severity="sev2").update(reviewers=2)
        fill(postmortem, mara)
        postmortem.send_to_review(by=mara, missing=[])
        with pytest.raises(Refused, match="what should change"):
            reviews.decide(postmortem, by=rui, verdict="changes", checks=[])
        reviews.decide(postmortem, by=rui, verdict="changes", checks=[], note="Who was affected?")
        reviews.decide(postmortem, by=jo, verdict="approved", checks=ALL)
        assert reviews.lacking(postmortem)[-1] == "Rui Costa requested changes."
        reviews.decide(postmortem, by=rui, verdict="approved", checks=ALL)
        assert postmortem.state == "approved"

    def test_an_objection_never_reads_as_the_text_of_an_approval(
        self, postmortem: Postmortem, jo: User, mara: User, rui: User, as_person: As
    ) -> None:
        postmortem.assign(mara, by=mara)
        fill(postmortem, mara)
        postmortem.send_to_review(by=mara, missing=[])
        reviews.decide(postmortem, by=rui, verdict="changes", checks=[], note="Say how many customers were told.")
        client = as_person(rui)
        page = client.get(postmortem.get_absolute_url()).text
        form = page.partition('name="note"')[2].partition("</textarea>")[0]
        assert "customers" not in form
        client.post(f"{postmortem.get_absolute_url()}decide/", {"verdict": "approved", "checks": ALL, "note": ""})
        said = [(event.detail["verdict"], event.detail.get("reason", "")) for event in reviews.verdicts(postmortem)]
        assert said == [("changes", "Say how many customers were told."), ("approved", "")]
        shown = (
            client.get(postmortem.get_absolute_url()).text.partition('aria-label="Verdicts"')[2].partition("</ol>")[0]
        )
        assert shown.index("requested changes") < shown.index("customers were told") < shown.index("approved")

    def test_its_owner_and_its_other_reviewers_are_told_of_verdicts_and_comments(
        self, postmortem: Postmortem, jo: User, mara: User, rui: User
    ) -> None:
        postmortem.assign(mara, by=mara)
        fill(postmortem, mara)
        postmortem.send_to_review(by=mara, missing=[])
        for reviewer in (rui, jo):
            Review.objects.ask(postmortem, reviewer, by=mara)
        Notification.objects.all().delete()
        reviews.decide(postmortem, by=rui, verdict="changes", checks=[], note="Say more.")
        told = Notification.objects.filter(subject__contains="requested changes")
        assert {notice.person for notice in told} == {mara, jo}
        Comment.objects.write(postmortem.sections.all()[0], "Since when?", by=mara)
        told = Notification.objects.filter(subject__contains="commented")
        assert {notice.person for notice in told} == {rui, jo}

    def test_what_is_sent_back_is_approved_anew(self, published: Postmortem, jo: User, mara: User, rui: User) -> None:
        published.reopen(by=jo, reason="The number was wrong.")
        assert published.state == "draft"
        assert not published.reviews.exclude(verdict="").exists()
        published.send_to_review(by=mara, missing=[])
        reviews.decide(published, by=rui, verdict="approved", checks=ALL)
        published.send_back(by=jo, reason="One more thing.")
        assert published.state == "draft"

    def test_whoever_is_mentioned_in_a_comment_is_told(self, postmortem: Postmortem, mara: User, sam: User) -> None:
        section = postmortem.sections.all()[0]
        Comment.objects.write(section, "@sam saw the same in March.", by=mara)
        assert list(Notification.objects.filter(topic="postmortem.mention").values_list("person__name", flat=True)) == [
            "Sam Outsider"
        ]

    def test_open_comments_hold_up_publication(self, postmortem: Postmortem, mara: User, jo: User, rui: User) -> None:
        section = postmortem.sections.get(key="summary")
        remark = Comment.objects.write(section, "How do we know?", by=rui)
        Comment.objects.write(section, "From the logs.", by=mara, parent=remark)
        fill(postmortem, mara)
        postmortem.send_to_review(by=mara, missing=[])
        reviews.decide(postmortem, by=rui, verdict="approved", checks=ALL)
        with pytest.raises(Refused, match="1 comment is still open"):
            postmortem.publish(by=jo, facts={})
        remark.resolve(by=mara)
        postmortem.publish(by=jo, facts={})

    def test_a_suggestion_is_taken_where_its_words_still_stand(
        self, postmortem: Postmortem, mara: User, rui: User, as_person: As
    ) -> None:
        section = postmortem.sections.get(key="summary")
        section.write("It took three hours.", by=mara, base="")
        path = f"{postmortem.get_absolute_url()}sections/summary/comment/"
        as_person(rui).post(path, {"quote": "three", "suggest": "1", "instead": "five"})
        remark = Comment.objects.get()
        as_person(mara).post(f"{postmortem.get_absolute_url()}comments/{remark.pk}/", {"accept": "1"})
        section.refresh_from_db()
        assert section.text == "It took five hours."
        late = Comment.objects.write(section, "", by=rui, quote="five", instead="six")
        section.write("It took long.", by=mara, base=section.text)
        with pytest.raises(Refused, match="changed meanwhile"):
            late.accept(by=mara)

    def test_not_required_is_legal_with_a_reason(self, postmortem: Postmortem, jo: User) -> None:
        with pytest.raises(Refused):
            postmortem.excuse(by=jo, reason=" ")
        postmortem.excuse(by=jo, reason="The same cause as INC-1.")
        assert postmortem.state == "not_required"
