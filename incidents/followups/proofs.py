"""How one will know that a follow-up worked: chosen when it is made, and judged by what happened since."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from django.db import models, transaction
from django.utils import timezone

from incidents import taxonomy
from incidents.alerts.models import Alert
from incidents.errors import Refused
from incidents.evaluations.cases import EvaluationCase
from incidents.evaluations.runs import CaseResult
from incidents.followups.expectation import Quiet
from incidents.people.models import User
from incidents.response.events import Event
from incidents.response.incident import Incident
from incidents.response.vocabulary import IncidentKind
from incidents.texts import one_line

if TYPE_CHECKING:
    from incidents.followups.models import FollowUp

BASELINE = timedelta(days=365)  # over how long before it was done the old rate is counted, where that is known
LEAST_DAYS, MOST_DAYS = 7, 730
USUAL_RUNS, MOST_RUNS = 3, 50  # later runs of a case in a row


class ProofKind(models.TextChoices):
    """What can show that it works. Another kind is a line here and a function in JUDGES."""

    QUIET = "quiet", "The failure stays away"
    DRILL = "drill", "A drill works"
    CASE = "case", "An evaluation case passes"
    LOOK = "look", "Somebody looks on a day"


@dataclass(frozen=True, slots=True)
class ProofStanding:
    """Where a proof stands: in a sentence, and whether it has shown that it holds (True), that it does not (False)."""

    sentence: str
    holds: bool | None = None


class ProofQuerySet(models.QuerySet["Proof"]):
    def plan(self, follow_up: "FollowUp", *, by: User, kind: str, **fields: Any) -> "Proof":
        """Say how one will know. `fields` are those of the kind: days and alert_name; case and runs; person and look_on.

        Raises Refused.
        """
        wanted = Proof(follow_up=follow_up, kind=ProofKind(kind), by=by, **_of_kind(kind, fields))
        if error := wanted.error():
            raise Refused(error)
        if wanted.case and wanted.case.system_id != follow_up.incident.system_id:
            raise Refused(f"{wanted.case.key} is a case of another system.")
        if follow_up.state in (follow_up.State.VERIFIED, follow_up.State.WONT_DO):
            raise Refused(f"It is {follow_up.get_state_display().lower()}. Reopen it first.")
        names = ("kind", "by", "days", "alert_name", "case", "runs", "person", "look_on")
        values = {name: getattr(wanted, name) for name in names}
        with transaction.atomic():
            before = self.filter(follow_up=follow_up).first()
            proof, _ = self.update_or_create(follow_up=follow_up, defaults=values | {"at": timezone.now()})
            if before is None or before.plan != proof.plan:
                facts: dict[str, Any] = {"id": follow_up.pk, "title": follow_up.title, "proof": proof.plan}
                follow_up.incident.record(Event.Kind.FOLLOW_UP, by=by, **facts)
        return proof

    def waiting(self) -> "models.QuerySet[Proof]":
        """Keep those of what is done and neither shown to hold nor not to."""
        return self.filter(follow_up__state="done")


def _of_kind(kind: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Of what was given, what the kind takes."""
    return {name: fields[name] for name in _TAKEN.get(ProofKind(kind), ()) if fields.get(name)}


_TAKEN = {
    ProofKind.QUIET: ("days", "alert_name"),
    ProofKind.CASE: ("case", "runs"),
    ProofKind.LOOK: ("person", "look_on"),
}


class Proof(models.Model):
    """How one will know that a follow-up worked."""

    Kind = ProofKind

    follow_up = models.OneToOneField("incidents.FollowUp", on_delete=models.CASCADE, related_name="proof")
    kind = models.CharField(max_length=12, choices=ProofKind)
    days = models.PositiveSmallIntegerField(null=True, blank=True)
    # As the monitor calls its rule, in its normal form; empty: incidents of the same failure mode.
    alert_name = models.CharField(max_length=200, blank=True, default="")
    case = models.ForeignKey(EvaluationCase, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    runs = models.PositiveSmallIntegerField(null=True, blank=True)
    person = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    look_on = models.DateField(null=True, blank=True)
    drill = models.ForeignKey(Incident, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    objects = ProofQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=ProofKind.values), name="proof_kind_is_known"),
            models.CheckConstraint(
                condition=~models.Q(kind="quiet") | models.Q(days__gte=LEAST_DAYS, days__lte=MOST_DAYS),
                name="a_quiet_proof_has_a_window",
            ),
            models.CheckConstraint(
                condition=~models.Q(kind="case") | models.Q(runs__gte=1, runs__lte=MOST_RUNS),
                name="a_proof_by_a_case_counts_runs",
            ),
            models.CheckConstraint(
                condition=~models.Q(kind="look") | models.Q(look_on__isnull=False), name="a_look_has_a_day"
            ),
        ]

    def __str__(self) -> str:
        return self.plan

    @property
    def plan(self) -> str:
        """Say how one will know, in a sentence."""
        if self.kind == ProofKind.DRILL:
            return "A drill works: a test incident in which it did what it should."
        if self.kind == ProofKind.CASE:
            return f"{_named(self.case)} passes in {self.runs or USUAL_RUNS} runs in a row after it is done."
        if self.kind == ProofKind.LOOK:
            return f"{self.person or 'Somebody'} looks on {self.look_on:%Y-%m-%d}."
        what = f"“{self.alert_name}” does not fire" if self.alert_name else "The failure stays away"
        return f"{what} for {self.days} days after it is done."

    def error(self) -> str:
        """What is missing for its kind; "" where nothing is."""
        if self.kind == ProofKind.QUIET and not (self.days and LEAST_DAYS <= self.days <= MOST_DAYS):
            return f"Say for how many days it must stay quiet: from {LEAST_DAYS} to {MOST_DAYS}."
        if self.kind == ProofKind.CASE:
            self.runs = self.runs or USUAL_RUNS
            if self.case is None:
                return "Choose the evaluation case that must pass."
            if not 1 <= self.runs <= MOST_RUNS:
                return f"Say in how many runs it must pass: from 1 to {MOST_RUNS}."
        if self.kind == ProofKind.LOOK and not (self.person and self.look_on):
            return "Say who looks, and on which day."
        self.alert_name = taxonomy.normalise(self.alert_name).strip("_")[:200]
        return ""

    def standing(self, at: datetime | None = None) -> ProofStanding:
        """Where it stands now (or at a moment)."""
        return JUDGES[ProofKind(self.kind)](self, at or timezone.now())


def _quiet(proof: Proof, at: datetime) -> ProofStanding:
    follow_up = proof.follow_up
    done, days, incident = follow_up.finished_at, proof.days or LEAST_DAYS, follow_up.incident
    if incident.system_id is None or not (proof.alert_name or incident.failure_mode):
        missing = "system" if incident.system_id is None else "failure mode"
        return ProofStanding(f"It cannot be judged: {incident} has no {missing}.")
    if done is None:
        return ProofStanding(
            f"It is judged once it is done: {days} quiet days, if the old rate makes those say something."
        )
    quiet = _counted(proof, done, at)
    before = f"{quiet.before} in the {quiet.days_before:.0f} days before"
    if quiet.seen:
        return ProofStanding(f"It came back {_times(quiet.seen)} since it was done ({before}).", holds=False)
    standing = f"Quiet for {int(quiet.days)} of {days} days. {quiet} ({before})."
    if quiet.days < days or not quiet.is_evidence:
        needed = quiet.days_needed
        if needed is None:
            return ProofStanding(f"{standing} It never came back before, so that no quiet time shows anything.")
        least = max(float(days), needed)
        return ProofStanding(f"{standing} {_left(least - quiet.days)}")
    return ProofStanding(standing, holds=True)


def _left(days: float) -> str:
    return f"It would be after {int(days) + 1} more quiet days."


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _counted(proof: Proof, done: datetime, at: datetime) -> Quiet:
    """How often it happened before and since. Exposures are exact: from when the system was known, a year at most, or from
    the incident itself where that is earlier, up to when it was done; and from then on up to now. Private ones do not count."""
    incident = proof.follow_up.incident
    known_since = incident.system.created_at if incident.system else incident.declared_at
    since = min(max(known_since, done - BASELINE), incident.declared_at, done - timedelta(days=1))
    visible = models.Q(private=False) | models.Q(pk=incident.pk)
    if proof.alert_name:
        open_to_all = models.Q(incident=None) | models.Q(incident__private=False) | models.Q(incident=incident)
        rows: models.QuerySet[Any] = Alert.objects.filter(
            open_to_all, system=incident.system, telling_name=proof.alert_name
        )
        moment = "first_received_at"
    else:
        counted = Incident.objects.counted().filter(visible, system=incident.system)
        rows, moment = counted.filter(failure_mode=incident.failure_mode), "declared_at"
    before = models.Q(**{f"{moment}__gte": since, f"{moment}__lt": done})
    after = models.Q(**{f"{moment}__gte": done, f"{moment}__lt": at})
    counts = rows.order_by().aggregate(before=models.Count("pk", filter=before), seen=models.Count("pk", filter=after))
    day = timedelta(days=1)
    return Quiet(counts["before"], (done - since) / day, counts["seen"], max(at - done, timedelta()) / day)


def _case(proof: Proof, at: datetime) -> ProofStanding:
    """Runs count by when they ran, and only those of the version that the case has now. One that failed begins the row anew."""
    case, wanted, done = proof.case, proof.runs or USUAL_RUNS, proof.follow_up.finished_at
    if case is None or case.retired_at:
        return ProofStanding(f"{_named(case)} is run no more. Choose another.")
    if done is None:
        return ProofStanding(f"Counted once it is done: {case.key} must pass in {wanted} runs in a row.")
    if case.regressed_at and done < case.regressed_at <= at:
        return ProofStanding(f"{case.key} got worse on {case.regressed_at:%Y-%m-%d}.", holds=False)
    later = CaseResult.objects.of_current(case).filter(run__ran_at__gt=done, run__ran_at__lte=at).newest_first()
    passed = len(list(takewhile(lambda result: result.is_passed, later[:wanted])))
    if passed >= wanted:
        runs = "the newest run" if wanted == 1 else f"each of the newest {wanted} runs"
        return ProofStanding(f"{case.key} passed in {runs} since it was done.", holds=True)
    return ProofStanding(f"{case.key} passed in {passed} of the {wanted} runs in a row that show it.")


def _named(case: EvaluationCase | None) -> str:
    return case.key if case else "The case"


def _drill(proof: Proof, at: datetime) -> ProofStanding:
    if proof.drill is None:
        return ProofStanding("No drill has shown it yet. Open a test incident, try it, and say here how it went.")
    return ProofStanding(f"Tried in {proof.drill}.")


def _look(proof: Proof, at: datetime) -> ProofStanding:
    person, day = proof.person or "Nobody", proof.look_on
    if day and at.date() < day:
        return ProofStanding(f"{person} looks on {day:%Y-%m-%d}.")
    return ProofStanding(f"{person} has not said yet what they saw; the day was {day:%Y-%m-%d}.")


# A kind of proof, and what says where it stands.
JUDGES: dict[ProofKind, Callable[[Proof, datetime], ProofStanding]] = {
    ProofKind.QUIET: _quiet,
    ProofKind.CASE: _case,
    ProofKind.DRILL: _drill,
    ProofKind.LOOK: _look,
}


def judge_due(at: datetime | None = None) -> int:
    """Verify what stayed quiet long enough or whose case passes, and say of the contrary that it did not hold; returns of
    how many.

    May run as often as it likes: what has been judged waits no more.
    """
    judged = 0
    rows = Proof.objects.waiting().filter(kind__in=[ProofKind.QUIET, ProofKind.CASE])
    for proof in (
        rows.select_related("follow_up__incident__system", "follow_up__owner", "case").order_by("pk").iterator(200)
    ):
        standing = proof.standing(at)
        if standing.holds is None:
            continue
        act = proof.follow_up.verify if standing.holds else proof.follow_up.fail
        act(by=None, because=standing.sentence)
        judged += 1
    return judged


def look(follow_up: "FollowUp", *, by: User, holds: bool, note: str) -> None:
    """Say what one saw: that it holds, or not. Proof is the look of whoever was named, on the day or later; where nothing
    was agreed, that of somebody who does not own it. Raises Refused."""
    note = one_line(note)
    if not note:
        raise Refused("Say what you saw.")
    if not holds:
        follow_up.fail(by=by, because=f"{by} looked: {note}")
        return
    proof, today = Proof.objects.filter(follow_up=follow_up).select_related("person").first(), timezone.localdate()
    if proof is None and follow_up.owner_id == by.pk:
        raise Refused("Somebody else looks whether your own work holds, or say first what will show it.")
    if proof and proof.kind != ProofKind.LOOK:
        raise Refused(f"What shows it was agreed: {proof.plan} Change that first, if it was the wrong thing.")
    if proof and proof.person_id not in (by.pk, None):
        raise Refused(f"{proof.person} was named to look. Change that first, if somebody else should.")
    if proof and proof.look_on and today < proof.look_on:
        raise Refused(f"It is to be looked at on {proof.look_on:%Y-%m-%d}; before, it shows nothing.")
    with transaction.atomic():
        if proof is None:
            Proof.objects.create(follow_up=follow_up, kind=ProofKind.LOOK, person=by, look_on=today, by=by)
        follow_up.verify(by=by, because=f"{by} looked on {today:%Y-%m-%d}: {note}")


def drilled(follow_up: "FollowUp", drill: Incident, *, by: User, worked: bool, note: str) -> None:
    """Say how a drill went: a test incident in which it was tried. Raises Refused where that is none, or from before."""
    note = one_line(note)
    if not note:
        raise Refused("Say how the drill went.")
    if drill.kind != IncidentKind.TEST or drill.private:
        raise Refused(f"{drill} is no test that everybody may see. A drill is an incident of the kind “test”.")
    if drill.declared_at < follow_up.created_at:
        raise Refused(f"{drill} is from before this follow-up, so it shows nothing of it.")
    proof = Proof.objects.filter(follow_up=follow_up).first()
    if proof and proof.kind != ProofKind.DRILL:
        raise Refused(f"What shows it was agreed: {proof.plan} Change that first, if it was the wrong thing.")
    with transaction.atomic():
        Proof.objects.update_or_create(
            follow_up=follow_up, defaults={"kind": ProofKind.DRILL, "drill": drill, "by": proof.by if proof else by}
        )
        act = follow_up.verify if worked else follow_up.fail
        act(by=by, because=f"Drill {drill} {'worked' if worked else 'did not work'}: {note}")
