"""Every field that people and programs can fill in has bounds, and says so where they are passed.

The fields are found by looking, so that a new one without bounds fails here. What monitors send is bounded where it is cut
to size (tests/alerts), what an import holds in tests/postmortems, what forms ask of each other in their own tests.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.urls import get_resolver
from rest_framework import serializers

import incidents
from tests.tools import reported

Field = Any  # of a form or of a serializer, which have the bounds' names in common and no base
pytestmark = pytest.mark.django_db  # a unique name is looked for

TEXT = (forms.CharField, serializers.CharField)
NUMBER = (
    *(forms.IntegerField, forms.FloatField, forms.DecimalField),
    *(serializers.IntegerField, serializers.FloatField, serializers.DecimalField),
)
MOMENT = (forms.DateTimeField, serializers.DateTimeField)
DAY = (forms.DateField, serializers.DateField)
TIME = (forms.TimeField, serializers.TimeField)
CHOSEN = (
    *(forms.ChoiceField, forms.ModelChoiceField, forms.BooleanField, forms.FileField),
    *(serializers.ChoiceField, serializers.BooleanField, serializers.RelatedField, serializers.ManyRelatedField),
)
# A library's own fields, or what no request is read into.
NOT_OURS = {"incidents.admin"}
ONLY_ANSWERED = {
    "CaseResultSerializer",
    "EvaluationRunSerializer",
    "TraceSerializer",
    "SourceCreatedSerializer",
    "SecretSerializer",
    "WebhookCreatedSerializer",
    "ReplayedSerializer",
}


class Entry(NamedTuple):
    where: str
    name: str
    field: Field

    def __str__(self) -> str:
        return f"{self.where}.{self.name}"


def _below(base: type[Any]) -> Iterator[type[Any]]:
    for child in base.__subclasses__():
        yield child
        yield from _below(child)


def _entries() -> Iterator[Entry]:
    get_resolver().url_patterns  # noqa: B018 - loads all views, and so their forms
    for module in pkgutil.walk_packages(incidents.__path__, "incidents."):
        if ".migrations" not in module.name:
            importlib.import_module(module.name)
    for form in dict.fromkeys(_below(forms.BaseForm)):
        if form.__module__.startswith("incidents.") and form.__module__ not in NOT_OURS:
            for name, field in getattr(form, "base_fields", {}).items():
                yield Entry(form.__name__, name, field)
    for shape in dict.fromkeys(_below(serializers.Serializer)):
        if shape.__module__.startswith("incidents.") and shape.__name__ not in ONLY_ANSWERED:
            for name, written in shape().fields.items():
                if not written.read_only:
                    yield Entry(shape.__name__, name, written)


ENTRIES = sorted(_entries(), key=str)


def of(*kinds: tuple[type, ...], but: tuple[type, ...] = ()) -> pytest.MarkDecorator:
    """The fields of these kinds, a test each, named as form.field."""
    wanted = tuple(kind for group in kinds for kind in group)
    chosen = [entry for entry in ENTRIES if isinstance(entry.field, wanted) and not isinstance(entry.field, but)]
    return pytest.mark.parametrize("entry", chosen, ids=str)


def take(field: Field, value: Any) -> Any:
    """Fill it in. Raises ValidationError of either library."""
    return field.clean(value) if isinstance(field, forms.Field) else field.run_validation(value)


def refusal(field: Field, value: Any) -> str:
    with pytest.raises((ValidationError, serializers.ValidationError)) as refused:
        take(field, value)
    return str(refused.value)


def test_no_field_is_of_a_kind_that_this_table_does_not_know() -> None:
    known = (*TEXT, *NUMBER, *MOMENT, *DAY, *TIME, *CHOSEN, serializers.ListField)
    assert [str(entry) for entry in ENTRIES if not isinstance(entry.field, known)] == []
    count = len([entry for entry in ENTRIES if not isinstance(entry.field, CHOSEN)])
    reported.append(f"fields that enter, with bounds: {count} of {len(ENTRIES)}; the others are chosen from a list")
    assert count > 100


@of(TEXT, but=CHOSEN)
def test_a_text_ends_somewhere(entry: Entry) -> None:
    longest = entry.field.max_length
    assert longest is not None
    assert 1 <= longest <= 200_000
    said = refusal(entry.field, "x" * (longest + 1))
    assert str(longest) in said.replace(",", "")


@of(NUMBER)
def test_a_number_has_a_least_and_a_most(entry: Entry) -> None:
    least, most = entry.field.min_value, entry.field.max_value
    assert least is not None
    assert most is not None
    take(entry.field, least)
    take(entry.field, most)
    refusal(entry.field, least - 1)
    refusal(entry.field, most + 1)
    refusal(entry.field, "1e400")
    refusal(entry.field, "NaN")


def typed(field: Field, year: int) -> str:
    at = datetime(year, 6, 1, 12, tzinfo=UTC)
    return f"{at:%Y}".rjust(4, "0") + (f"{at:-%m-%dT%H:%M}" if isinstance(field, MOMENT) else f"{at:-%m-%d}")


@of(MOMENT, DAY)
def test_a_date_is_one_that_can_be_meant(entry: Entry) -> None:
    for year in (1, 26, 900, 1999, 2201, 9999):
        assert "between 2000 and 2200" in refusal(entry.field, typed(entry.field, year)), year
    for year in (2000, 2200):
        assert take(entry.field, typed(entry.field, year)).year == year
    for nonsense in ("0000-00-00", "10000-01-01", "2026-02-30", "yesterday", "2026-06-01T99:99", "-1"):
        refusal(entry.field, nonsense)


@of(TIME)
def test_a_time_of_day_is_one(entry: Entry) -> None:
    assert take(entry.field, "09:30").minute == 30
    for nonsense in ("24:00", "9:60", "noon", "-1", "1e400"):
        refusal(entry.field, nonsense)


@of((serializers.ListField,))
def test_a_list_ends_somewhere(entry: Entry) -> None:
    assert entry.field.max_length is not None
