"""The API of samples: an evaluation job or a script sends what the AI said, and reads what people made of it."""

from math import isfinite
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from incidents.api.base import Scoped, validated
from incidents.api.fields import PersonField, Slug
from incidents.evidence.context import PARTS, AiContext, context_of
from incidents.evidence.exchange import (
    LONGEST_ARGUMENTS,
    LONGEST_NAME,
    LONGEST_PASSAGE,
    LONGEST_TEXT,
    LONGEST_WISH,
    MOST_CALLS,
    MOST_PASSAGES,
    Exchange,
    calls_from,
    passages_from,
)
from incidents.evidence.samples import Sample
from incidents.response.permissions import get_incident, get_incident_to_change
from incidents.web.request import visible_or_404
from incidents.years import check_year

MOST_AT_ONCE = 200
_HIGHEST_SCORE = 10**9


class ScoreField(serializers.FloatField):
    """A finite number, as the retriever gives it."""

    def to_internal_value(self, data: Any) -> float:
        score = super().to_internal_value(data)
        if not isfinite(score):
            raise serializers.ValidationError("Enter a finite number.")
        return score


class PassageSerializer(serializers.Serializer[Any]):
    id = serializers.CharField(max_length=LONGEST_NAME, allow_blank=True, default="")
    text = serializers.CharField(max_length=LONGEST_PASSAGE, allow_blank=True, trim_whitespace=False)
    score = ScoreField(min_value=-_HIGHEST_SCORE, max_value=_HIGHEST_SCORE, allow_null=True, default=None)


class ToolCallSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=LONGEST_NAME)
    arguments = serializers.CharField(
        max_length=LONGEST_ARGUMENTS, allow_blank=True, default="", help_text="As text; JSON stays JSON in it."
    )
    result = serializers.CharField(max_length=LONGEST_ARGUMENTS, allow_blank=True, default="")


# A field named `context` is taken off the class by its metaclass, so it hides nothing of the library's.
class SampleSerializer(serializers.ModelSerializer[Sample]):
    incident = Slug(slug_field="number", read_only=True)
    system = Slug(slug_field="slug", read_only=True)
    context = serializers.ListField(child=PassageSerializer(), read_only=True)  # type: ignore[assignment]  # as above
    tool_calls = serializers.ListField(child=ToolCallSerializer(), read_only=True)
    judged_by = PersonField(read_only=True)
    added_by = PersonField(read_only=True)
    redacted_by = PersonField(read_only=True)
    may_leave = serializers.BooleanField(read_only=True, help_text="Whether a person confirmed that it is redacted.")
    url = serializers.CharField(source="get_absolute_url", read_only=True)

    class Meta:
        model = Sample
        fields = tuple(
            """
            id incident system input context output tool_calls expected must_not verdict judged_by judged_at source
            reference occurred_at drawn added_at added_by may_leave redacted_at redacted_by frozen_at url
            """.split()
        )
        read_only_fields = fields


class SampleWriteSerializer(serializers.Serializer[Any]):
    input = serializers.CharField(max_length=LONGEST_TEXT, allow_blank=True, default="", trim_whitespace=False)
    output = serializers.CharField(max_length=LONGEST_TEXT, allow_blank=True, default="", trim_whitespace=False)
    context = serializers.ListField(  # type: ignore[assignment]  # as above
        child=PassageSerializer(), default=list, max_length=MOST_PASSAGES
    )
    tool_calls = serializers.ListField(child=ToolCallSerializer(), default=list, max_length=MOST_CALLS)
    expected = serializers.CharField(max_length=LONGEST_WISH, allow_blank=True, default="")
    must_not = serializers.CharField(max_length=LONGEST_WISH, allow_blank=True, default="")
    reference = serializers.CharField(
        max_length=LONGEST_NAME,
        allow_blank=True,
        default="",
        help_text="Your own id of it, such as trace/span: what is here already is not added again.",
    )
    occurred_at = serializers.DateTimeField(allow_null=True, default=None, validators=[check_year])

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        if problem := _exchange(sent).problem():
            raise serializers.ValidationError(problem)
        return sent


class SamplesWriteSerializer(serializers.Serializer[Any]):
    samples = serializers.ListField(child=SampleWriteSerializer(), min_length=1, max_length=MOST_AT_ONCE)
    drawn = serializers.BooleanField(
        default=False, help_text="Chance chose them: they count for the rate of wrong outputs."
    )


class SampleJudgeSerializer(serializers.Serializer[Any]):
    verdict = serializers.ChoiceField(choices=Sample.Verdict.choices, allow_blank=True, required=False)
    expected = serializers.CharField(max_length=LONGEST_WISH, allow_blank=True, required=False)
    must_not = serializers.CharField(max_length=LONGEST_WISH, allow_blank=True, required=False)


def _exchange(sent: dict[str, Any]) -> Exchange:
    lists = {"context": passages_from(sent["context"]), "tool_calls": calls_from(sent["tool_calls"])}
    return Exchange(**(sent | lists))


_EXAMPLE = OpenApiExample(
    "Two drawn outputs",
    request_only=True,
    value={
        "drawn": True,
        "samples": [
            {
                "input": "What does the basic plan cost?",
                "output": "It costs 9 euros a month.",
                "context": [{"id": "pricing-2024", "text": "The basic plan costs 9 euros.", "score": 0.83}],
                "reference": "5b8efff798038103d269b633813fc60c/eee19b7ec3c1b174",
            },
            {"input": "Can I cancel at any time?", "output": "Yes, to the end of each month."},
        ],
    },
)


@extend_schema(tags=["evidence"])
class SampleViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Sample], Scoped):
    """What the AI said in one incident."""

    queryset = Sample.objects.none()
    serializer_class = SampleSerializer
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> QuerySet[Sample]:
        if self.is_schema:
            return self.queryset
        incident = get_incident(self.person, int(self.kwargs["number"]))
        rows = Sample.objects.visible_to(self.person).filter(incident=incident)
        return rows.select_related("incident", "system", "judged_by", "added_by", "redacted_by")

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The samples of an incident, the newest first."""
        return super().list(request, *args, **kwargs)

    @extend_schema(request=SamplesWriteSerializer, responses={201: SampleSerializer(many=True)}, examples=[_EXAMPLE])
    def create(self, request: Request, number: str) -> Response:
        """Add samples, all or none. Answers with those that are new: a `reference` that is here already is left out."""
        incident = get_incident_to_change(self.person, int(number), to="add evidence")
        sent = validated(SamplesWriteSerializer(data=request.data))
        exchanges = [_exchange(one) for one in sent["samples"]]
        rows = Sample.objects.add(incident, exchanges, by=self.person, source="api", drawn=sent["drawn"])
        return Response(SampleSerializer(rows, many=True).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=SampleJudgeSerializer, responses=SampleSerializer)
    def partial_update(self, request: Request, number: str, pk: str) -> Response:
        """Say whether the output was right, and what was expected. That it may leave, a person says on its page."""
        get_incident_to_change(self.person, int(number), to="judge samples")
        sample: Sample = visible_or_404(self.get_queryset(), pk=int(pk))
        sent = validated(SampleJudgeSerializer(data=request.data))
        sample.judge(sent.pop("verdict", sample.verdict), by=self.person, **sent)
        return Response(SampleSerializer(sample).data)


class InForceSerializer(serializers.Serializer[Any]):
    change = serializers.IntegerField(read_only=True, help_text="The id of the change that brought it.")
    version = serializers.CharField(read_only=True, help_text="Its version, or else its title.")
    url = serializers.CharField(read_only=True)
    since = serializers.DateTimeField(read_only=True)


class PartSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=list(PARTS.items()), read_only=True)
    system = serializers.CharField(read_only=True)
    is_own = serializers.BooleanField(read_only=True, help_text="False for what the system depends on directly.")
    at_onset = InForceSerializer(read_only=True, allow_null=True)
    at_detection = InForceSerializer(read_only=True, allow_null=True)
    differs = serializers.BooleanField(read_only=True)


class AiContextSerializer(serializers.Serializer[Any]):
    onset = serializers.DateTimeField(read_only=True, allow_null=True)
    detection = serializers.DateTimeField(read_only=True, allow_null=True)
    parts = PartSerializer(many=True, read_only=True)


@extend_schema(tags=["evidence"])
class AiContextView(Scoped):
    """Which versions were in force when the impact started and when it was detected; null is unknown."""

    @extend_schema(responses=AiContextSerializer)
    def get(self, request: Request, number: str) -> Response:
        incident = get_incident(self.person, int(number))
        found = context_of(incident) or AiContext(incident.impact_started_at, incident.detected_at, [])
        return Response(AiContextSerializer(found).data)
