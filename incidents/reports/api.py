"""Reports in the API: the numbers of the page."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from incidents import taxonomy
from incidents.api.base import Scoped, validated
from incidents.people.models import Team
from incidents.reports.cache import report
from incidents.reports.export import as_data
from incidents.reports.scope import BY, COMPARISONS, LONGEST, PERIODS, Asked, read
from incidents.response.vocabulary import IncidentKind, Severity
from incidents.systems.models import System
from incidents.years import check_year


class ReportAskedSerializer(serializers.Serializer[Any]):
    """What a report is asked for. Without a period the last 12 months; `since` and `until` (inclusive) name one’s own."""

    months = serializers.ChoiceField(choices=list(PERIODS.items()), required=False)
    since = serializers.DateField(required=False, validators=[check_year])
    until = serializers.DateField(required=False, validators=[check_year])
    compare = serializers.ChoiceField(choices=list(COMPARISONS.items()), required=False)
    by = serializers.ChoiceField(choices=list(BY.items()), required=False)
    team = serializers.SlugRelatedField(slug_field="slug", queryset=Team.objects.all(), required=False)
    system = serializers.SlugRelatedField(slug_field="slug", queryset=System.objects.all(), required=False)
    category = serializers.ChoiceField(choices=[*taxonomy.category_choices(), ("none", "Unclassified")], required=False)
    severity = serializers.ChoiceField(choices=Severity.choices, required=False)
    kind = serializers.ChoiceField(choices=IncidentKind.choices, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        since, until = attrs.get("since"), attrs.get("until")
        if (since is None) != (until is None):
            raise serializers.ValidationError({"until" if since else "since": "A period needs a first and a last day."})
        if since and until and not since <= until <= since + timedelta(days=LONGEST):
            raise serializers.ValidationError(
                {"until": "The last day must not be before the first, nor more than ten years after it."}
            )
        return attrs


def asked_of(fields: dict[str, Any]) -> Asked:
    """What the validated fields of a ReportAskedSerializer ask for."""
    query = {name: value.slug if isinstance(value, Team | System) else str(value) for name, value in fields.items()}
    return read(query | ({"months": "own"} if "since" in query else {}), today=timezone.now().date())


class TrendsView(Scoped):
    """The report that the page shows, with the same numbers: each with its n, its interval and the address of its rows."""

    parameters = tuple(ReportAskedSerializer().fields)

    @extend_schema(parameters=[ReportAskedSerializer], responses={200: dict})
    def get(self, request: Request) -> Response:
        asked = asked_of(validated(ReportAskedSerializer(data=request.query_params.dict())))
        return Response({"asked": asked.parameters() | {"months": asked.months}} | as_data(*report(self.person, asked)))
