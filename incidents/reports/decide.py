"""What a report asks its reader to decide: what is late, over its budget, not decided yet, or does not hold.

All of it is as it stands now, whatever the period; only what does not hold is told of the period. Of incidents it says
how many, never which: the lists behind the links show each reader their own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.db.models import Count, Max, Min
from django.urls import reverse
from django.utils import timezone

from incidents.followups.models import FollowUp
from incidents.people.models import User
from incidents.postmortems.document import Postmortem
from incidents.postmortems.reviews import Review
from incidents.reports.decisions import Decision
from incidents.reports.document import Trends
from incidents.reports.scope import Asked
from incidents.reports.trust import DAYS, over_budget
from incidents.response.containments import Containment
from incidents.response.events import Event
from incidents.response.incident import Incident
from incidents.web.durations import span

MOST = 6  # of a kind that are named; the rest is a number
OFTEN = 2  # incidents in which a containment did not work, from which on it is told


@dataclass(frozen=True, slots=True)
class Matter:
    """One thing to decide: how many, what leads to its rows, what is to be said of it, and since when (ISO 8601, UTC)."""

    n: int  # rows; of a budget, the percent of it that is used
    subject: str
    url: str
    text: str
    since: str = ""


@dataclass(frozen=True, slots=True)
class ToDecide:
    overdue: tuple[Matter, ...]
    over_budget: tuple[Matter, ...]
    undecided: tuple[Matter, ...]
    not_holding: tuple[Matter, ...]

    def and_of(self, counted: Trends) -> "ToDecide":
        """Add what trends know of it: containments that did not work."""
        return replace(self, not_holding=(*self.not_holding, *_did_not_work(counted)))


def decide(user: User, asked: Asked) -> ToDecide:
    """Gather what is to be decided, of what this user may see; in a number of queries that does not grow."""
    return ToDecide(
        overdue=tuple(_overdue(user, asked)),
        over_budget=tuple(_over_budget(user, asked)),
        undecided=tuple(_undecided(user, asked)),
        not_holding=tuple(_came_back(user, asked)),
    )


def _many(count: int, noun: str, plural: str = "") -> str:
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def _overdue(user: User, asked: Asked) -> Iterator[Matter]:
    """P0 and P1 follow-ups that should be done by now; a day is UTC, for whoever reads it."""
    today = timezone.now().date()
    late = asked.scope.follow_ups(user).open().filter(priority__lte=FollowUp.Priority.P1, due_on__lt=today)
    found = late.order_by().aggregate(n=Count("pk"), first=Min("due_on"))
    if found["n"]:
        yield Matter(
            found["n"],
            _many(found["n"], "P0 or P1 follow-up"),
            asked.follow_ups(show="open", priority="urgent", due_until=str(today)),
            f"overdue{', the longest' if found['n'] > 1 else ''} since {found['first']:%-d %b %Y}",
            str(found["first"]),
        )


def _over_budget(user: User, asked: Asked) -> Iterator[Matter]:
    """Systems over the budget that their objective allows, as their pages say it."""
    found = over_budget(user, team=asked.scope.team, system=asked.scope.system)
    for spent in found[:MOST]:
        least = "at least " if spent.at_least else ""
        yield Matter(
            spent.percent,
            spent.system.name,
            reverse("trust-system", args=[spent.system.slug]),
            f"{least}{spent.percent:,} % of its budget used: output was wrong for {least}{span(spent.wrong)} in "
            f"{DAYS} days, and its objective allows {span(spent.allowed)}",
        )
    if rest := len(found) - MOST if len(found) > MOST else 0:
        yield Matter(rest, _many(rest, "more system"), asked.trust(budget="exceeded"), "over budget")


def _undecided(user: User, asked: Asked) -> Iterator[Matter]:
    yield from _decisions(asked)
    yield from _reviews(user, asked)
    yield from _unplanned(user, asked)
    yield from _to_remove(user, asked)


def _decisions(asked: Asked) -> Iterator[Matter]:
    """What saved reports about the same ask for; all of them, where this one is about everything."""
    conditions = {f"report__asked__{name}": value for name, value in asked.scope.parameters().items()}
    waiting = list(Decision.objects.open().filter(**conditions))
    for decision in waiting[:MOST]:
        by = f", due on {decision.due_on:%-d %b %Y}" if decision.due_on else ""
        yield Matter(
            1,
            f"“{decision.text}”",
            f"{decision.report.get_absolute_url()}#decisions",
            f"asked on {decision.asked_at:%-d %b %Y} of {decision.owner or 'nobody yet'}{by}",
            decision.asked_at.date().isoformat(),
        )
    if rest := len(waiting) - MOST if len(waiting) > MOST else 0:
        yield Matter(rest, _many(rest, "more decision"), reverse("kept-reports"), "not taken yet")


def _reviews(user: User, asked: Asked) -> Iterator[Matter]:
    waiting = asked.scope.postmortems(user).filter(state=Postmortem.State.IN_REVIEW).order_by()
    if not (found := dict(waiting.values_list("incident").annotate(Count("pk")))):
        return
    sent = Event.objects.filter(incident__in=list(found), kind=Event.Kind.POSTMORTEM, detail__became="in_review")
    moments = list(sent.order_by().values("incident").annotate(sent=Max("at")).values_list("sent", flat=True))
    asked_at = Review.objects.filter(postmortem__in=waiting.values("pk")).aggregate(first=Min("asked_at"))["first"]
    n, since = sum(found.values()), min(moments, default=asked_at)
    words = "waits for its review" if n == 1 else "wait for their reviews"
    yield Matter(
        n,
        _many(n, "postmortem"),
        asked.postmortems(show="review"),
        words + (f"{', the longest' if n > 1 else ''} since {since:%-d %b %Y}" if since else ""),
        since.date().isoformat() if since else "",
    )


def _unplanned(user: User, asked: Asked) -> Iterator[Matter]:
    unplanned = asked.scope.follow_ups(user).unplanned().filter(priority__lte=FollowUp.Priority.P1)
    found = unplanned.order_by().aggregate(n=Count("pk"), first=Min("created_at"))
    if n := found["n"]:
        yield Matter(
            n,
            _many(n, "P0 or P1 follow-up"),
            asked.follow_ups(unplanned="yes", priority="urgent"),
            f"without an owner or a day{', the oldest' if n > 1 else ''} since {found['first']:%-d %b %Y}",
            found["first"].date().isoformat(),
        )


def _to_remove(user: User, asked: Asked) -> Iterator[Matter]:
    """What was meant to be taken back by now: keep it for good, or remove it."""
    incidents = asked.scope.of(Incident.objects.visible_to(user))
    late = Containment.objects.overdue().filter(incident__in=incidents.values("pk"))
    found = late.order_by().aggregate(n=Count("incident", distinct=True), first=Min("remove_by"))
    if n := found["n"]:
        yield Matter(
            n,
            _many(n, "incident"),
            asked.incidents(containment="overdue", since="", until=""),
            f"with a containment to keep or remove, past its day{', the oldest' if n > 1 else ''} since "
            f"{found['first']:%-d %b %Y}",
            found["first"].date().isoformat(),
        )


def _came_back(user: User, asked: Asked) -> Iterator[Matter]:
    """Follow-ups that were done, and yet a repeat of their incident was declared in the period."""
    n = asked.scope.follow_ups(user).came_back(user, *asked.period.bounds()).count()
    if n:
        words = "was done, and the failure came back" if n == 1 else "were done, and their failures came back"
        url = asked.follow_ups(**asked.dated("came_back"))
        yield Matter(n, _many(n, "follow-up"), url, f"{words} in the period")


def _did_not_work(counted: Trends) -> Iterator[Matter]:
    """Containments that did not limit the harm in several incidents of the period."""
    failed = ((used, n, url) for used in counted.used for words, n, url in used.said if words == "did not")
    often = sorted((row for row in failed if row[1] >= OFTEN), key=lambda row: (-row[1], row[0].label))
    for used, n, url in often[:MOST]:
        yield Matter(n, used.label, url, f"did not work in {n:,} of the {used.count:,} incidents it was used in")
