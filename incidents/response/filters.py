"""The filters of incident lists: the same in the address of a page and of the API.

Whatever a report counts can be listed here: each of its numbers links to exactly its incidents.
"""

from datetime import datetime, time, timedelta
from typing import Any

import django_filters as filters
from django import forms
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

from incidents import taxonomy
from incidents.people.models import Team, User
from incidents.response import measures
from incidents.response.containments import Containment
from incidents.response.incident import Incident
from incidents.response.vocabulary import COUNTED, OPEN, PHASES, IncidentKind, Severity, Status
from incidents.systems.models import System

STATUSES = [
    ("open", "Open"),
    ("counted", "All counted"),
    ("accepted", "Accepted"),
    ("triaged", "Accepted or declined"),
    ("all", "All"),
    *Status.choices,
]


def _categories() -> list[tuple[str, str]]:
    return [*taxonomy.category_choices(), ("none", "Unclassified")]


class MeasureFilter(filters.ChoiceFilter):
    """One parameter of the list that stands for measures (see measures.py)."""

    def __init__(self, parameter: str, *, method: str = "by_measure") -> None:
        super().__init__(choices=measures.choices(parameter), method=method, widget=forms.HiddenInput)


class IncidentFilter(filters.FilterSet):
    status = filters.ChoiceFilter(choices=STATUSES, method="by_status", empty_label=None)
    severity = filters.ChoiceFilter(choices=Severity.choices, empty_label="Any severity")
    category = filters.ChoiceFilter(choices=_categories, method="by_category", empty_label="Any category")
    failure_mode = filters.CharFilter(max_length=64, method="by_failure_mode", widget=forms.HiddenInput)
    system = filters.ModelChoiceFilter(
        queryset=System.objects.order_by("name"),
        to_field_name="slug",
        empty_label="Any system",
        null_label="No system",
        null_value="none",
    )
    team = filters.ModelChoiceFilter(
        queryset=Team.objects.all(),
        to_field_name="slug",
        empty_label="Any team",
        null_label="No team",
        null_value="none",
    )
    kind = filters.ChoiceFilter(choices=IncidentKind.choices, widget=forms.HiddenInput)
    lead = filters.CharFilter(method="by_lead", widget=forms.HiddenInput)
    noticed_by = MeasureFilter("noticed_by")
    since = filters.DateFilter(method="declared_since", widget=forms.HiddenInput)
    until = filters.DateFilter(method="declared_until", widget=forms.HiddenInput)
    known = MeasureFilter("known")
    phase = MeasureFilter("phase", method="in_phase")
    at_least = filters.NumberFilter(min_value=0, max_value=10**9, method="_with_phase", widget=forms.HiddenInput)
    below = filters.NumberFilter(min_value=0, max_value=10**9, method="_with_phase", widget=forms.HiddenInput)
    running = MeasureFilter("running")
    missing = MeasureFilter("missing")
    repeat = filters.BooleanFilter(method="by_measure", widget=forms.HiddenInput)
    edited = filters.BooleanFilter(method="by_measure", widget=forms.HiddenInput)
    exposed = MeasureFilter("exposed")
    harm = MeasureFilter("harm")
    containment = filters.CharFilter(max_length=40, method="by_containment", widget=forms.HiddenInput)
    worked = filters.ChoiceFilter(
        choices=[(code, code) for code in measures.WORKED], method="_with_containment", widget=forms.HiddenInput
    )
    without = filters.CharFilter(max_length=500, method="but_for", widget=forms.HiddenInput)
    hours = MeasureFilter("hours")
    opened_by = filters.ChoiceFilter(choices=[("alert", "An alert")], method="by_opener", widget=forms.HiddenInput)
    q = filters.CharFilter(method="search", max_length=200, widget=forms.TextInput(attrs={"type": "search"}))

    class Meta:
        model = Incident
        fields: list[str] = []

    def by_status(self, incidents: QuerySet[Incident], _name: str, value: str) -> QuerySet[Incident]:
        match value:
            case "open":
                return incidents.filter(status__in=OPEN)
            case "counted":
                return incidents.filter(status__in=COUNTED)
            case "accepted":
                return incidents.filter(status__in=measures.ACCEPTED)
            case "triaged":
                return incidents.filter(status__in=[*measures.ACCEPTED, Status.DECLINED])
            case "all":
                return incidents
        return incidents.filter(status=value)

    def by_category(self, incidents: QuerySet[Incident], _name: str, value: str) -> QuerySet[Incident]:
        return incidents.filter(category="" if value == "none" else value)

    def by_failure_mode(self, incidents: QuerySet[Incident], _name: str, value: str) -> QuerySet[Incident]:
        return incidents.filter(failure_mode="" if value == "none" else value)

    def by_lead(self, incidents: QuerySet[Incident], _name: str, value: str) -> QuerySet[Incident]:
        if value == "me" and isinstance(self.request.user, User):
            return incidents.filter(lead=self.request.user)
        return incidents.filter(lead__email__iexact=value)

    def by_measure(self, incidents: QuerySet[Incident], name: str, value: str | bool) -> QuerySet[Incident]:
        if isinstance(value, bool):
            wanted = measures.condition(name, "true")
            return incidents.filter(wanted if value else ~wanted)
        return incidents.filter(measures.condition(name, value))

    def declared_since(self, incidents: QuerySet[Incident], _name: str, value: Any) -> QuerySet[Incident]:
        return incidents.filter(declared_at__gte=_midnight(value))

    def declared_until(self, incidents: QuerySet[Incident], _name: str, value: Any) -> QuerySet[Incident]:
        """Up to, and not including, this day: so that two periods that meet share nothing."""
        return incidents.filter(declared_at__lt=_midnight(value))

    def in_phase(self, incidents: QuerySet[Incident], _name: str, value: str) -> QuerySet[Incident]:
        """Of which both clocks of a phase are known and in order, with how long it took from `at_least` up to `below` seconds."""
        start, end = PHASES[value]
        incidents = incidents.filter(measures.condition("phase", value))
        if (least := self.form.cleaned_data.get("at_least")) is not None:
            incidents = incidents.filter(**{f"{end}__gte": F(start) + timedelta(seconds=float(least))})
        if (below := self.form.cleaned_data.get("below")) is not None:
            incidents = incidents.filter(**{f"{end}__lt": F(start) + timedelta(seconds=float(below))})
        return incidents

    def _with_phase(self, incidents: QuerySet[Incident], _name: str, _value: object) -> QuerySet[Incident]:
        return incidents  # in_phase reads it

    def by_containment(self, incidents: QuerySet[Incident], _name: str, value: str) -> QuerySet[Incident]:
        """In which a containment was carried out, and perhaps whether it `worked`; “overdue” is one that should be removed by now."""
        worked = self.form.cleaned_data.get("worked", "")
        if value != "overdue":
            return incidents.filter(measures.used(value, worked))
        overdue = Containment.objects.filter(incident=OuterRef("pk")).overdue()
        return incidents.filter(Exists(overdue.filter(worked=measures.WORKED[worked]) if worked else overdue))

    def _with_containment(self, incidents: QuerySet[Incident], _name: str, _value: object) -> QuerySet[Incident]:
        return incidents  # by_containment reads it

    def but_for(self, incidents: QuerySet[Incident], _name: str, value: str) -> QuerySet[Incident]:
        """Without those of some codes of one kind, such as system:home-feed,support-assistant; what is no kind leaves out nothing."""
        kind, _, codes = value.partition(":")
        fields = {"system": "system__slug", "team": "team__slug"} | {
            name: name for name in ("category", "failure_mode", "severity", "noticed_by")
        }
        named = ["" if code == "none" else code for code in codes.split(",")]
        if kind not in fields:
            return incidents
        if kind in ("system", "team") and "" in named:
            incidents = incidents.filter(**{f"{kind}__isnull": False})
        return incidents.exclude(**{f"{fields[kind]}__in": named})

    @extend_schema_field(OpenApiTypes.STR)
    def by_opener(self, incidents: QuerySet[Incident], _name: str, _value: str) -> QuerySet[Incident]:
        return incidents.filter(opened_by=None)

    def search(self, incidents: QuerySet[Incident], _name: str, value: str) -> QuerySet[Incident]:
        """By number, or by the words of title, summary and system; the last word may be unfinished."""
        by_words = Incident.objects.matching(value).values("pk")
        number = value.strip().upper().removeprefix("INC-").removeprefix("#")
        if number.isascii() and number.isdigit() and len(number) <= 9:
            return incidents.filter(Q(number=int(number)) | Q(pk__in=by_words))
        return incidents.filter(pk__in=by_words)


def _midnight(day: Any) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min), timezone.get_default_timezone())
