"""The filters of incident lists: the same in the address of a page and of the API."""

from datetime import datetime, time
from typing import Any

import django_filters as filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone

from incidents import taxonomy
from incidents.people.models import Team, User
from incidents.response.models import CLOCKS, COUNTED, OPEN, Incident, Kind, NoticedBy, Severity, Status
from incidents.systems.models import System

SHOWN = [("open", "Open"), ("counted", "All counted"), ("all", "All"), *Status.choices]


def _categories() -> list[tuple[str, str]]:
    return [*taxonomy.category_choices(), ("none", "Unclassified")]


class IncidentFilter(filters.FilterSet):
    status = filters.ChoiceFilter(choices=SHOWN, method="by_status", empty_label=None)
    severity = filters.ChoiceFilter(choices=Severity.choices, empty_label="Any severity")
    category = filters.ChoiceFilter(choices=_categories, method="by_category", empty_label="Any category")
    failure_mode = filters.CharFilter(max_length=64, widget=forms.HiddenInput)
    system = filters.ModelChoiceFilter(
        queryset=System.objects.order_by("name"), to_field_name="slug", empty_label="Any system"
    )
    team = filters.ModelChoiceFilter(queryset=Team.objects.all(), to_field_name="slug", empty_label="Any team")
    kind = filters.ChoiceFilter(choices=Kind.choices, widget=forms.HiddenInput)
    lead = filters.CharFilter(method="by_lead", widget=forms.HiddenInput)
    noticed_by = filters.ChoiceFilter(
        choices=[*NoticedBy.choices[1:], ("us", "A monitor or an evaluation"), ("anybody", "Anybody, known")],
        method="by_who_noticed",
        widget=forms.HiddenInput,
    )
    since = filters.DateFilter(method="declared_since", widget=forms.HiddenInput)
    until = filters.DateFilter(method="declared_until", widget=forms.HiddenInput)
    known = filters.ChoiceFilter(
        choices=[*CLOCKS.items(), ("silence", "Silence")], method="with_known", widget=forms.HiddenInput
    )
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
            case "all":
                return rows
        return rows.filter(status=value)

    def by_category(self, rows: QuerySet[Incident], _name: str, value: str) -> QuerySet[Incident]:
        return rows.filter(category="" if value == "none" else value)

    def by_lead(self, rows: QuerySet[Incident], _name: str, value: str) -> QuerySet[Incident]:
        if value == "me" and isinstance(self.request.user, User):
            return rows.filter(lead=self.request.user)
        return rows.filter(lead__email__iexact=value)

    def by_who_noticed(self, rows: QuerySet[Incident], _name: str, value: str) -> QuerySet[Incident]:
        match value:
            case "us":
                return rows.filter(noticed_by__in=[NoticedBy.MONITOR, NoticedBy.EVALUATION])
            case "anybody":
                return rows.exclude(noticed_by=NoticedBy.UNKNOWN)
        return rows.filter(noticed_by=value)

    def declared_since(self, rows: QuerySet[Incident], _name: str, value: Any) -> QuerySet[Incident]:
        return rows.filter(declared_at__gte=_midnight(value))

    def declared_until(self, rows: QuerySet[Incident], _name: str, value: Any) -> QuerySet[Incident]:
        """Up to, and not including, this day: so that two periods that meet share nothing."""
        return rows.filter(declared_at__lt=_midnight(value))

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
