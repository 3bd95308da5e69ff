"""Samples: kept as they were, judged, redacted, frozen."""

from dataclasses import replace

import pytest
from django.db import DatabaseError, transaction

from incidents.errors import Refused, WrongStatus
from incidents.evidence import samples
from incidents.evidence.exchange import MOST_PASSAGES, Exchange, Passage
from incidents.evidence.samples import Sample
from incidents.people.models import User
from incidents.response.events import Event
from incidents.response.incident import Incident
from tests.evidence.conftest import ASKED


def events(incident: Incident) -> list[str]:
    return [event.detail["did"] for event in incident.events.filter(kind=Event.Kind.EVIDENCE)]


def test_a_sample_is_of_the_system_of_its_incident_and_the_log_says_how_many_came(
    incident: Incident, mara: User
) -> None:
    rows = Sample.objects.add(incident, [ASKED, ASKED], by=mara, source="upload", drawn=True)
    assert [row.system for row in rows] == [incident.system] * 2
    assert rows[0].exchange == ASKED
    event = incident.events.get(kind=Event.Kind.EVIDENCE)
    assert (event.detail["count"], event.detail["drawn"]) == (2, True)


def test_the_log_holds_no_words_of_a_sample(sample: Sample, mara: User) -> None:
    sample.judge("wrong", by=mara, expected="It costs 12 euros.")
    sample.redact(replace(ASKED, input="[name] asks"), by=mara, digest=sample.digest)
    sample.remove(by=mara)
    details = str(list(sample.incident.events.values_list("detail", flat=True)))
    assert "euros" not in details
    assert events(sample.incident) == ["added", "judged", "redacted", "removed"]


def test_what_comes_twice_is_there_once(incident: Incident, mara: User) -> None:
    one = replace(ASKED, reference="trace-1/span-1")
    assert len(Sample.objects.add(incident, [one, one], by=mara, source="trace")) == 1
    assert Sample.objects.add(incident, [one], by=mara, source="trace") == []
    assert events(incident) == ["added"]


@pytest.mark.parametrize(
    "exchange",
    [
        Exchange(" ", "\n"),
        Exchange("x" * 20_001, "y"),
        Exchange("x", "y", reference="r" * 201),
        Exchange("x", "y", context=(Passage("text"),) * (MOST_PASSAGES + 1)),
        Exchange("x", "y", context=(Passage("t" * 10_001),)),
    ],
)
def test_what_cannot_be_stored_is_refused_and_nothing_of_the_rest_is_kept(
    incident: Incident, mara: User, exchange: Exchange
) -> None:
    with pytest.raises(Refused):
        Sample.objects.add(incident, [ASKED, exchange], by=mara, source="upload")
    assert not Sample.objects.exists()


def test_an_incident_holds_only_so_many(incident: Incident, mara: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "MOST_SAMPLES", 2)
    Sample.objects.add(incident, [ASKED], by=mara, source="pasted")
    with pytest.raises(Refused, match="at most 2"):
        Sample.objects.add(incident, [ASKED, ASKED], by=mara, source="pasted")


def test_judging_says_who_and_when_and_can_be_taken_back(sample: Sample, mara: User, jo: User) -> None:
    sample.judge("wrong", by=jo, expected="It costs 12 euros.", must_not="9 euros")
    assert (sample.judged_by, sample.expected, sample.must_not) == (jo, "It costs 12 euros.", "9 euros")
    assert Sample.objects.filter(judged_at__isnull=False).exists()
    sample.judge("", by=mara)
    assert Sample.objects.filter(verdict="", judged_by=None, judged_at=None).exists()


def test_of_two_who_judge_differently_the_second_is_told(sample: Sample, mara: User, jo: User) -> None:
    sample.judge("wrong", by=jo, was="")
    with pytest.raises(WrongStatus, match="Jo Lindqvist"):
        sample.judge("right", by=mara, was="")
    sample.refresh_from_db()
    assert sample.verdict == "wrong"


def test_only_what_a_person_confirmed_may_leave(sample: Sample, mara: User) -> None:
    assert not Sample.objects.may_leave().exists()
    sample.confirm_redaction(by=mara, digest=sample.digest)
    assert list(Sample.objects.may_leave()) == [sample]
    assert sample.redacted_by == mara


def test_new_words_take_the_confirmation_back(sample: Sample, mara: User) -> None:
    sample.confirm_redaction(by=mara, digest=sample.digest)
    sample.redact(replace(ASKED, input="I am Ann. What does it cost?"), by=mara, digest=sample.digest)
    assert not sample.may_leave
    sample.confirm_redaction(by=mara, digest=sample.digest)
    sample.judge("wrong", by=mara, expected="Tell Ann that it costs 12 euros.")
    assert not sample.may_leave


def test_a_judgement_without_new_words_leaves_the_confirmation(sample: Sample, mara: User) -> None:
    sample.confirm_redaction(by=mara, digest=sample.digest)
    sample.judge("wrong", by=mara, expected="")
    assert sample.may_leave


def test_nobody_confirms_what_they_have_not_read(sample: Sample, mara: User, jo: User) -> None:
    read = sample.digest
    sample.redact(replace(ASKED, output="Ask Ann."), by=mara, digest=read)
    with pytest.raises(WrongStatus, match="Read it again"):
        sample.confirm_redaction(by=jo, digest=read)
    with pytest.raises(WrongStatus):
        sample.redact(ASKED, by=jo, digest=read)


class TestFrozen:
    @pytest.fixture
    def frozen(self, sample: Sample, mara: User) -> Sample:
        assert Sample.objects.freeze(sample.incident, by=mara) == 1
        sample.refresh_from_db()
        return sample

    def test_its_verbs_refuse(self, frozen: Sample, mara: User) -> None:
        with pytest.raises(WrongStatus, match="frozen"):
            frozen.redact(replace(ASKED, output="[price]"), by=mara, digest=frozen.digest)
        with pytest.raises(WrongStatus, match="frozen"):
            frozen.remove(by=mara)
        assert Sample.objects.freeze(frozen.incident, by=mara) == 0

    @pytest.mark.parametrize(
        "change", [{"output": "x"}, {"context": []}, {"drawn": True}, {"frozen_at": None}, {"reference": "x"}]
    )
    def test_the_database_lets_nobody_change_it(self, frozen: Sample, change: dict[str, object]) -> None:
        with pytest.raises(DatabaseError), transaction.atomic():
            Sample.objects.filter(pk=frozen.pk).update(**change)

    def test_the_database_lets_nobody_delete_it(self, frozen: Sample) -> None:
        with pytest.raises(DatabaseError), transaction.atomic():
            frozen.delete()

    def test_it_can_still_be_judged_and_confirmed(self, frozen: Sample, mara: User) -> None:
        frozen.judge("wrong", by=mara, expected="It costs 12 euros.")
        frozen.confirm_redaction(by=mara, digest=frozen.digest)
        assert (frozen.verdict, frozen.may_leave) == ("wrong", True)


def test_a_sample_of_a_private_incident_is_nobody_elses(sample: Sample, mara: User, jo: User) -> None:
    assert Sample.objects.visible_to(jo).exists()
    sample.incident.restrict([], by=mara)
    assert not Sample.objects.visible_to(jo).exists()
    assert Sample.objects.visible_to(mara).exists()
