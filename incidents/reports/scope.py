"""What a report is about: a period, what it is compared with, and which incidents. All of it fits in an address.

Days are UTC: a report says the same to readers in every time zone.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from incidents import taxonomy
from incidents.followups.models import FollowUp
from incidents.followups.rows import FollowUpQuerySet
from incidents.people.models import Team, User
from incidents.postmortems.document import Postmortem, PostmortemQuerySet
from incidents.response.incident import Incident, IncidentQuerySet
from incidents.response.vocabulary import COUNTED, IncidentKind, Severity, Status
from incidents.systems.models import System

PERIODS = {months: f"{months} months" for months in ["3", "6", "12", "18", "24"]} | {
    "month": "Last month",
    "quarter": "Last quarter",
    "own": "Custom dates",
}
COMPARISONS = {"before": "the period before", "year": "a year earlier", "twelve": "the 12 months before"}
LONGEST = 3700  # days


@dataclass(frozen=True, slots=True)
class Period:
    """From a day up to, and not including, another."""

    since: date
    until: date

    @classmethod
    def last(cls, months: int, *, today: date) -> "Period":
        """This month up to today, and the whole months before it."""
        return cls(_months_after(today.replace(day=1), 1 - months), today + timedelta(days=1))

    @classmethod
    def finished(cls, months: int, *, today: date) -> "Period":
        """The last whole month, or the last whole quarter of the calendar."""
        end = today.replace(day=1)
        if months == 3:
            end = date(end.year, 3 * ((end.month - 1) // 3) + 1, 1)
        return cls(_months_after(end, -months), end)

    def compared(self, how: str) -> "Period":
        """What it is compared with: see COMPARISONS."""
        match how:
            case "year":
                return Period(_months_after(self.since, -12), _months_after(self.until, -12))
            case "twelve":
                return Period(_months_after(self.since, -12), self.since)
        if self.since.day == 1:  # whole months before whole months, even if the last of these is not over
            return Period(_months_after(self.since, -len(self.months())), self.since)
        return Period(self.since - (self.until - self.since), self.since)

    @property
    def days(self) -> int:
        return (self.until - self.since).days

    def bounds(self) -> tuple[datetime, datetime]:
        return midnight(self.since), midnight(self.until)

    def months(self) -> list["Period"]:
        """Its calendar months; the first and the last may be parts of one."""
        months, since = [], self.since
        while since < self.until:
            until = min(_months_after(since.replace(day=1), 1), self.until)
            months.append(Period(since, until))
            since = until
        return months

    @property
    def is_month(self) -> bool:
        return self.since.day == 1 and self.until == _months_after(self.since, 1)

    def __str__(self) -> str:
        last = self.until - timedelta(days=1)
        return f"{self.since:%-d %b %Y} to {last:%-d %b %Y}"


def _months_after(day: date, count: int) -> date:
    """The same day of another month, or the first of the next where that month is too short."""
    index = day.year * 12 + day.month - 1 + count
    first = date(index // 12, index % 12 + 1, 1)
    try:
        return first.replace(day=day.day)
    except ValueError:
        return _months_after(first, 1)


def midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


@dataclass(frozen=True, slots=True)
class ReportScope:
    """Which incidents are counted: real ones of everybody, unless asked otherwise. Empty means any."""

    team: str = ""
    system: str = ""
    category: str = ""
    severity: str = ""
    kind: str = IncidentKind.REAL.value

    @property
    def is_everything(self) -> bool:
        return self == ReportScope()

    def of(self, rows: IncidentQuerySet) -> IncidentQuerySet:
        """Keep what is counted: neither declined nor merged, of this kind, and what is asked for."""
        return self._narrow(rows.filter(status__in=COUNTED, kind=self.kind))

    def declined(self, rows: IncidentQuerySet) -> IncidentQuerySet:
        """Keep what triage said is no incident, among what is asked for."""
        return self._narrow(rows.filter(status=Status.DECLINED, kind=self.kind))

    def _narrow(self, rows: IncidentQuerySet) -> IncidentQuerySet:
        return rows.filter(**self._conditions())

    def follow_ups(self, user: User) -> FollowUpQuerySet:
        """Give the follow-ups that a report for this user counts."""
        if self.is_everything:
            return FollowUp.objects.exclude(incident__in=self._left_out(user))
        return FollowUp.objects.visible_to(user).filter(incident__kind=self.kind, **self._conditions("incident__"))

    def postmortems(self, user: User) -> PostmortemQuerySet:
        """Give the postmortems that a report for this user counts."""
        if self.is_everything:
            left_out = self._left_out(user)
            covering = Postmortem.also.through.objects.filter(incident__in=Incident.objects.hidden_from(user))
            rows = Postmortem.objects.exclude(incident__in=left_out)
            return rows.exclude(pk__in=list(covering.values_list("postmortem", flat=True)))
        return Postmortem.objects.visible_to(user).filter(incident__kind=self.kind, **self._conditions("incident__"))

    def _left_out(self, user: User) -> list[int]:
        """The incidents that are not counted in everything: hidden ones, tests, backfilled ones. They are few, so that
        leaving these out by number is much quicker than asking each row what its incident is."""
        hidden = Incident.objects.hidden_from(user).values_list("pk", flat=True)
        return [*hidden, *Incident.objects.exclude(kind=IncidentKind.REAL).values_list("pk", flat=True)]

    def _conditions(self, way: str = "") -> dict[str, Any]:
        named = {
            "team__slug": self.team,
            "system__slug": self.system,
            "category": self.category,
            "severity": self.severity,
        }
        return {f"{way}{name}": "" if value == "none" else value for name, value in named.items() if value}

    def parameters(self) -> dict[str, str]:
        return {
            name: value
            for name, value in asdict(self).items()
            if value and (name, value) != ("kind", IncidentKind.REAL)
        }

    @property
    def words(self) -> str:
        """Say it, such as “Assistants, drift”; “Everything” where nothing is left out."""
        kinds = {IncidentKind.TEST.value: "tests", IncidentKind.BACKFILLED.value: "backfilled"}
        parts = [
            _name(Team, self.team),
            _name(System, self.system),
            "" if not self.category else taxonomy.category("" if self.category == "none" else self.category).name,
            Severity(self.severity).label if self.severity else "",
            kinds.get(self.kind, ""),
        ]
        return ", ".join(word for word in parts if word) or "Everything"


def _name(model: type[Team] | type[System], slug: str) -> str:
    return str(model.objects.filter(slug=slug).values_list("name", flat=True).first() or slug) if slug else ""


@dataclass(frozen=True, slots=True)
class Asked:
    """Everything that an address can say of a report."""

    period: Period
    scope: ReportScope
    compare: str = "before"
    by: str = "severity"
    months: str = "12"  # which of PERIODS it was

    @property
    def earlier(self) -> Period:
        return self.period.compared(self.compare)

    def parameters(self) -> dict[str, str]:
        """What a report's own address says of it, for links, exports and snapshots: the days, not “last month”."""
        days = {"months": "own", "since": str(self.period.since), "until": str(self.period.until - timedelta(days=1))}
        return days | {"compare": self.compare, "by": self.by} | self.scope.parameters()

    def incidents(self, period: Period | None = None, /, **conditions: str) -> str:
        """The address of the list that shows exactly the incidents behind a number."""
        counted = {"status": "counted", "kind": self.scope.kind} | self._days(period) | self.scope.parameters()
        return address("incidents", **counted | conditions)

    def follow_ups(self, **conditions: str) -> str:
        return address("follow-ups", **{"show": "all"} | self._of_incidents() | conditions)

    def postmortems(self, **conditions: str) -> str:
        return address("postmortems", **{"show": "all"} | self._of_incidents() | conditions)

    def trust(self, **conditions: str) -> str:
        """The address of the scorecards of the systems that it is about."""
        about = {name: value for name, value in self.scope.parameters().items() if name in ("team", "system")}
        return address("trust", **about | conditions)

    def due(self) -> dict[str, str]:
        return {f"due_{name}": day for name, day in self._days(None).items()}

    def dated(self, what: str) -> dict[str, str]:
        """The period as the lists of follow-ups and postmortems take it, such as created_since and created_until."""
        return {f"{what}_{name}": day for name, day in self._days(None).items()}

    def of(self, scope: ReportScope) -> "Asked":
        return replace(self, scope=scope)

    def _days(self, period: Period | None) -> dict[str, str]:
        period = period or self.period
        return {"since": str(period.since), "until": str(period.until)}

    def _of_incidents(self) -> dict[str, str]:
        return {"kind": self.scope.kind} | self.scope.parameters()


def address(page: str, **query: str) -> str:
    """The address of a page by its name, with what it is asked for."""
    return f"{reverse(page)}?{urlencode(query)}"


BY = {
    "severity": "Severity",
    "category": "Category",
    "failure_mode": "Failure mode",
    "system": "System",
    "team": "Team",
    "noticed_by": "Who noticed",
}


def read(query: Mapping[str, str], *, today: date) -> Asked:
    """Read an address. What it does not know is left aside, so that every address answers."""
    months = query.get("months", "12")
    months = months if months in PERIODS else "12"
    period = _period(months, query, today)
    compare, by = query.get("compare", ""), query.get("by", "")
    scope = ReportScope(
        team=_slug(Team, query.get("team", "")),
        system=_slug(System, query.get("system", "")),
        category=_one_of([*dict(taxonomy.category_choices()), "none"], query.get("category", "")),
        severity=_one_of(Severity.values, query.get("severity", "")),
        kind=_one_of(IncidentKind.values, query.get("kind", "")) or IncidentKind.REAL.value,
    )
    return Asked(
        period=period,
        scope=scope,
        compare=compare if compare in COMPARISONS else "before",
        by=by if by in BY else "severity",
        months=months,
    )


def _period(months: str, query: Mapping[str, str], today: date) -> Period:
    match months:
        case "month":
            return Period.finished(1, today=today)
        case "quarter":
            return Period.finished(3, today=today)
        case "own":
            since, last = _day(query.get("since", "")), _day(query.get("until", ""))
            if since and last and since <= last and (last - since).days <= LONGEST:
                return Period(since, last + timedelta(days=1))
            return Period.last(12, today=today)
    return Period.last(int(months), today=today)


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2200 else None


def _slug(model: type[Team] | type[System], slug: str) -> str:
    return slug if slug and model.objects.filter(slug=slug[:50]).exists() else ""


def _one_of(known: list[str], value: str) -> str:
    return value if value in known else ""
