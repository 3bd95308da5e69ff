"""The API of the log of what agents did: their runtime appends to it, and nobody changes it."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from incidents.api.base import Scoped, validated
from incidents.api.fields import PersonField, Slug
from incidents.api.pagination import Cursor
from incidents.evidence.actions import AgentAction
from incidents.evidence.acts import LONGEST_ACTOR, LONGEST_KEY, LONGEST_TARGET, AgentAct
from incidents.response.permissions import get_incident, get_incident_to_change
from incidents.years import check_year

MOST_AT_ONCE = 1_000


class AgentActionSerializer(serializers.ModelSerializer[AgentAction]):
    incident = Slug(slug_field="number", read_only=True)
    added_by = PersonField(read_only=True)

    class Meta:
        model = AgentAction
        fields = tuple(
            """
            id incident key agent on_behalf_of tool target arguments_digest approval approved_by result reversible denied
            at source added_at added_by
            """.split()
        )
        read_only_fields = fields


class ActSerializer(serializers.Serializer[Any]):
    key = serializers.CharField(max_length=LONGEST_KEY, help_text="Your own id of the act: sent again, it stays one.")
    agent = serializers.CharField(max_length=LONGEST_ACTOR, allow_blank=True, default="")
    on_behalf_of = serializers.CharField(max_length=LONGEST_ACTOR, allow_blank=True, default="")
    tool = serializers.CharField(max_length=LONGEST_ACTOR)
    target = serializers.CharField(max_length=LONGEST_TARGET, allow_blank=True, default="")
    arguments_digest = serializers.CharField(
        max_length=64, allow_blank=True, default="", help_text="SHA-256 of the arguments, in hexadecimal digits."
    )
    approval = serializers.ChoiceField(choices=AgentAction.Approval.choices, allow_blank=True, default="")
    approved_by = serializers.CharField(max_length=LONGEST_ACTOR, allow_blank=True, default="")
    result = serializers.ChoiceField(choices=AgentAction.Result.choices, allow_blank=True, default="")
    reversible = serializers.BooleanField(allow_null=True, default=None, help_text="null: unknown.")
    denied = serializers.BooleanField(default=False)
    at = serializers.DateTimeField(validators=[check_year])

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        if problem := AgentAct(**sent).problem():
            raise serializers.ValidationError(problem)
        return sent


class ActsSerializer(serializers.Serializer[Any]):
    actions = serializers.ListField(child=ActSerializer(), min_length=1, max_length=MOST_AT_ONCE)


class AppendedSerializer(serializers.Serializer[Any]):
    added = serializers.IntegerField(read_only=True, help_text="How many are new; the others were here already.")


class ByTime(Cursor):
    ordering: Any = ("-at", "-pk")


_EXAMPLE = OpenApiExample(
    "A refund that nobody approved",
    request_only=True,
    value={
        "actions": [
            {
                "key": "run-812/step-4",
                "agent": "refund-agent",
                "on_behalf_of": "customer 4711",
                "tool": "refund",
                "target": "order 10023",
                "arguments_digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                "approval": "missing",
                "result": "succeeded",
                "reversible": False,
                "at": "2026-03-01T14:05:00Z",
            }
        ]
    },
)


@extend_schema(tags=["evidence"])
class AgentActionViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[AgentAction], Scoped):
    """What agents did in one incident."""

    queryset = AgentAction.objects.none()
    serializer_class = AgentActionSerializer
    pagination_class = ByTime

    def get_queryset(self) -> QuerySet[AgentAction]:
        if self.is_schema:
            return self.queryset
        incident = get_incident(self.person, int(self.kwargs["number"]))
        rows = AgentAction.objects.visible_to(self.person).filter(incident=incident)
        return rows.select_related("incident", "added_by")

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The log, the newest first."""
        return super().list(request, *args, **kwargs)

    @extend_schema(request=ActsSerializer, responses={201: AppendedSerializer}, examples=[_EXAMPLE])
    def create(self, request: Request, number: str) -> Response:
        """Append acts, all or none. One whose `key` is here already is left as it is, so that a retry doubles nothing."""
        incident = get_incident_to_change(self.person, int(number), to="add evidence")
        sent = validated(ActsSerializer(data=request.data))
        acts = [AgentAct(**one) for one in sent["actions"]]
        added = AgentAction.objects.append(incident, acts, by=self.person, source="api")
        return Response({"added": added}, status=status.HTTP_201_CREATED)
