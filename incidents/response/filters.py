"""The filters of incident lists: the same in the address of a page and of the API.

Whatever a report counts can be listed here: each of its numbers links to exactly its incidents.
"""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import django_filters as filters
from django import forms
from django.db.models import CharField, DateTimeField, Exists, F, Func, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce, ExtractHour, ExtractIsoWeekDay
from django.utils import timezone

from incidents import taxonomy
from incidents.people.models import Team, User
from incidents.response.containments import Containment
from incidents.response.events import Event
from incidents.response.impact import Exposure, Harm
from incidents.response.incident import Incident
from incidents.response.links import Link
from incidents.response.vocabulary import CLOCKS, COUNTED, OPEN, PHASES, IncidentKind, NoticedBy, Severity, Status
from incidents.systems.models import System

SHOWN = [
    ("open", "Open"), ("counted", "All counted"), ("accepted", "Accepted"), ("triaged", "Accepted or declined"), ("all", "All"),
    *Status.choices,
]  # fmt: skip
ACCEPTED = [status for status in COUNTED if status != Status.TRIAGE]


_US = [NoticedBy.MONITOR, NoticedBy.EVALUATION]
HOURS = [("business", "In business hours"), ("off", "In off-hours"), ("sleep", "In hours of sleep")]
MISSING = {
    "impact_started_at": Q(impact_started_at=None),
    "noticed_by": Q(noticed_by=NoticedBy.UNKNOWN),
    "category": Q(category=""),
    "order": Q(impact_started_at__gt=F("detected_at")) | Q(detected_at__gt=F("acknowledged_at"))
    | Q(acknowledged_at__gt=F("contained_at")) | Q(contained_at__gt=F("resolved_at")),
}  # fmt: skip


def hours_of(moment: datetime, zone: ZoneInfo) -> str:
    """Whose time a call takes, in the time zone of who is called: business is Monday to Friday from 8 to 18, sleep 22 to 8."""
    local = moment.astimezone(zone)
    if local.hour >= 22 or local.hour < 8:
        return "sleep"
    return "business" if local.hour < 18 and local.weekday() < 5 else "off"


def _categories() -> list[tuple[str, str]]:
    return [*taxonomy.category_choices(), ("none", "Unclassified")]


class IncidentFilter(filters.FilterSet):
    status = filters.ChoiceFilter(choices=SHOWN, method="by_status", empty_label=None)
    severity = filters.ChoiceFilter(choices=Severity.choices, empty_label="Any severity")
    category = filters.ChoiceFilter(choices=_categories, method="by_category", empty_label="Any category")
    failure_mode = filters.CharFilter(max_length=64, method="by_failure_mode", widget=forms.HiddenInput)
    system = filters.ModelChoiceFilter(
        queryset=System.objects.order_by("name"), to_field_name="slug", empty_label="Any system", null_label="No system",
        null_value="none",
    )  # fmt: skip
    team = filters.ModelChoiceFilter(
        queryset=Team.objects.all(),
        to_field_name="slug",
        empty_label="Any team",
        null_label="No team",
        null_value="none",
    )
    kind = filters.ChoiceFilter(choices=IncidentKind.choices, widget=forms.HiddenInput)
    lead = filters.CharFilter(method="by_lead", widget=forms.HiddenInput)
    noticed_by = filters.ChoiceFilter(
        choices=[
            *NoticedBy.choices[1:],
            ("us", "A monitor or an evaluation"),
            ("others", "Somebody else"),
            ("anybody", "Anybody, known"),
        ],
        method="by_who_noticed",
        widget=forms.HiddenInput,
    )
    since = filters.DateFilter(method="declared_since", widget=forms.HiddenInput)
    until = filters.DateFilter(method="declared_until", widget=forms.HiddenInput)
    known = filters.ChoiceFilter(
        choices=[*CLOCKS.items(), ("silence", "Silence")], method="with_known", widget=forms.HiddenInput
    )
    phase = filters.ChoiceFilter(choices=[(code, code) for code in PHASES], method="in_phase", widget=forms.HiddenInput)
    at_least = filters.NumberFilter(min_value=0, max_value=10**9, method="_with_phase", widget=forms.HiddenInput)
    below = filters.NumberFilter(min_value=0, max_value=10**9, method="_with_phase", widget=forms.HiddenInput)
    running = filters.ChoiceFilter(
        choices=[(code, code) for code in PHASES], method="still_in_phase", widget=forms.HiddenInput
    )
    missing = filters.ChoiceFilter(
        choices=[(code, code) for code in MISSING], method="with_missing", widget=forms.HiddenInput
    )
    repeat = filters.BooleanFilter(method="that_repeat", widget=forms.HiddenInput)
    edited = filters.BooleanFilter(method="edited_afterwards", widget=forms.HiddenInput)
    exposed = filters.ChoiceFilter(
        choices=[*Exposure.Of.choices, ("any", "Anything")], method="with_exposure", widget=forms.HiddenInput
    )
    harm = filters.ChoiceFilter(
        choices=[*Harm.choices[1:], ("none_came", "No harm came")], method="by_harm", widget=forms.HiddenInput
    )
    containment = filters.CharFilter(max_length=40, method="by_containment", widget=forms.HiddenInput)
    worked = filters.ChoiceFilter(
        choices=[("yes", "yes"), ("no", "no"), ("unchecked", "unchecked")], method="_with_containment",
        widget=forms.HiddenInput,
    )  # fmt: skip
    without = filters.CharFilter(max_length=500, method="but_for", widget=forms.HiddenInput)
    hours = filters.ChoiceFilter(choices=HOURS, method="in_hours", widget=forms.HiddenInput)
    opened_by = filters.ChoiceFilter(choices=[("alert", "An alert")], method="by_opener", widget=forms.HiddenInput)
    q = filters.CharFilter(method="search", max_length=200, widget=forms.TextInput(attrs={"type": "search"}))

    class Meta:
        model = Incident
        fields: list[str] = []

    def by_status(self, rows: QuerySet[Incident], _name: str, value: str) -> QuerySet[Incident]:
        match value:
            case "open":
                return rows.filter(status__in=OPEN)
            case "counted":
                return rows.filter(status__in=COUNTED)
            case "accepted":
                return rows.filter(status__in=ACCEPTED)
            case "triaged":
                return rows.filter(status__in=[*ACCEPTED, Status.DECLINED])
            case "all":
                return rows
        return rows.filter(status=value)

    def by_category(self, rows: QuerySet[Incident], _name: str, value: str) -> QuerySet[Incident]:
        return rows.filter(category="" if value == "none" else value)

    def by_failure_mode(self, rows: QuerySet[Incident], _name: str, value: str) -> QuerySet[Incident]:
        return rows.filter(failure_mode="" if value == "none" else value)

    def by_lead(self, rows: QuerySet[Incident], _name: str, value: str) -> QuerySet[Incident]:
        if value == "me" and isinstance(self.request.user, User):
            return rows.filter(lead=self.request.user)
        return rows.filter(lead__email__iexact=value)

    def by_who_noticed(self, rows: QuerySet[Incident], _name: str, value: str) -> QuerySet[Incident]:
        match value:
            case "us":
                return rows.filter(noticed_by__in=_US)
            case "others":
                return rows.exclude(noticed_by__in=[*_US, NoticedBy.UNKNOWN])
            case "anybody":
                return rows.exclude(noticed_by=NoticedBy.UNKNOWN)
        return rows.filter(noticed_by=value)

    def declared_since(self, rows: QuerySet[Incident], _name: str, value: Any) -> QuerySet[Incident]:
        return rows.filter(declared_at__gte=_midnight(value))

    def declared_until(self, rows: QuerySet[Incident], _name: str, value: Any) -> QuerySet[Incident]:
        """Up to, and not including, this day: so that two periods that meet share nothing."""
        return rows.filter(declared_at__lt=_midnight(value))

    def in_phase(self, rows: QuerySet[Incident], _name: str, value: str) -> QuerySet[Incident]:
        """Of which both clocks of a phase are known and in order, with how long it took from `at_least` up to `below` seconds."""
        start, end = PHASES[value]
        rows = rows.filter(**{f"{start}__isnull": False, f"{end}__gte": F(start)})
        if (least := self.form.cleaned_data.get("at_least")) is not None:
            rows = rows.filter(**{f"{end}__gte": F(start) + timedelta(seconds=float(least))})
        if (below := self.form.cleaned_data.get("below")) is not None:
            rows = rows.filter(**{f"{end}__lt": F(start) + timedelta(seconds=float(below))})
        return rows

    def _with_phase(self, rows: QuerySet[Incident], _name: str, _value: object) -> QuerySet[Incident]:
        return rows  # in_phase reads it

    def still_in_phase(self, rows: QuerySet[Incident], _name: str, value: str) -> QuerySet[Incident]:
        start, end = PHASES[value]
        return rows.filter(**{f"{start}__isnull": False, f"{end}__isnull": True, "status__in": OPEN})

    def with_missing(self, rows: QuerySet[Incident], _name: str, value: str) -> QuerySet[Incident]:
        return rows.filter(MISSING[value])

    def that_repeat(self, rows: QuerySet[Incident], _name: str, value: bool) -> QuerySet[Incident]:
        link = Link.objects.filter(incident=OuterRef("pk"), kind=Link.Kind.REPEAT_OF)
        return rows.filter(Exists(link) if value else ~Exists(link))

    def edited_afterwards(self, rows: QuerySet[Incident], _name: str, value: bool) -> QuerySet[Incident]:
        """Of which a clock was corrected after the incident was resolved."""
        later = Event.objects.filter(incident=OuterRef("pk"), kind=Event.Kind.CLOCK, at__gt=OuterRef("resolved_at"))
        return rows.filter(Exists(later) if value else ~Exists(later))

    def with_exposure(self, rows: QuerySet[Incident], _name: str, value: str) -> QuerySet[Incident]:
        said = Exposure.objects.filter(incident=OuterRef("pk"))
        return rows.filter(Exists(said if value == "any" else said.filter(of=value)))

    def by_harm(self, rows: QuerySet[Incident], _name: str, value: str) -> QuerySet[Incident]:
        return rows.filter(impact__harm__in=[Harm.NEAR_MISS, Harm.ISSUE] if value == "none_came" else [value])

    def by_containment(self, rows: QuerySet[Incident], _name: str, value: str) -> QuerySet[Incident]:
        """In which a containment was carried out, and perhaps whether it `worked`; “overdue” is one that should be removed by now."""
        done = Containment.objects.filter(incident=OuterRef("pk"), done_at__isnull=False)
        done = done.overdue() if value == "overdue" else done.filter(action=value)
        if said := self.form.cleaned_data.get("worked"):
            done = done.filter(worked={"yes": True, "no": False}.get(said))
        return rows.filter(Exists(done))

    def _with_containment(self, rows: QuerySet[Incident], _name: str, _value: object) -> QuerySet[Incident]:
        return rows  # by_containment reads it

    def in_hours(self, rows: QuerySet[Incident], _name: str, value: str) -> QuerySet[Incident]:
        """Declared in such hours where the lead lives; see hours_of()."""
        zone = Coalesce(F("lead__time_zone"), Value("UTC"), output_field=CharField())
        local = Func(zone, F("declared_at"), function="timezone", output_field=DateTimeField())
        rows = rows.annotate(hour=ExtractHour(local, tzinfo=UTC), day=ExtractIsoWeekDay(local, tzinfo=UTC))
        asleep = Q(hour__gte=22) | Q(hour__lt=8)
        working = ~asleep & Q(hour__lt=18, day__lt=6)
        return rows.filter({"sleep": asleep, "business": working}.get(value, ~asleep & ~working))

    def but_for(self, rows: QuerySet[Incident], _name: str, value: str) -> QuerySet[Incident]:
        """Without those of some codes of one kind, such as system:home-feed,support-assistant; what is no kind leaves out nothing."""
        kind, _, codes = value.partition(":")
        fields = {"system": "system__slug", "team": "team__slug"} | {
            name: name for name in ("category", "failure_mode", "severity", "noticed_by")
        }
        named = ["" if code == "none" else code for code in codes.split(",")]
        if kind not in fields:
            return rows
        if kind in ("system", "team") and "" in named:
            rows = rows.filter(**{f"{kind}__isnull": False})
        return rows.exclude(**{f"{fields[kind]}__in": named})

    def by_opener(self, rows: QuerySet[Incident], _name: str, _value: str) -> QuerySet[Incident]:
        return rows.filter(opened_by=None)

    def with_known(self, rows: QuerySet[Incident], _name: str, value: str) -> QuerySet[Incident]:
        if value == "silence":
            return rows.filter(impact_started_at__isnull=False, detected_at__isnull=False)
        return rows.filter(**{f"{value}__isnull": False})

    def search(self, rows: QuerySet[Incident], _name: str, value: str) -> QuerySet[Incident]:
        """By number, or by the words of title, summary and system; the last word may be unfinished."""
        found = Incident.objects.matching(value).values("pk")
        number = value.strip().upper().removeprefix("INC-").removeprefix("#")
        if number.isascii() and number.isdigit() and len(number) <= 9:
            return rows.filter(Q(number=int(number)) | Q(pk__in=found))
        return rows.filter(pk__in=found)


def _midnight(day: Any) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min), timezone.get_default_timezone())
