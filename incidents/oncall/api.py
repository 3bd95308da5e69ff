"""The API of who is on call."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from incidents.api.base import Scoped, validated
from incidents.api.fields import PersonField, Slug
from incidents.oncall.cover import Cover, covers
from incidents.oncall.overrides import Override
from incidents.oncall.permissions import require_override, require_remove
from incidents.oncall.pointer import OnCallKind
from incidents.oncall.schedule import Standing, standings
from incidents.oncall.shifts import Because, Duty, Span
from incidents.people.models import Team, User
from incidents.systems.models import System
from incidents.web.request import visible_or_404
from incidents.years import check_year

LONGEST = timedelta(days=92)
USUAL = timedelta(days=28)
_TEAM = OpenApiParameter("team", OpenApiTypes.STR, OpenApiParameter.PATH, description="The slug of a team.")


class OnCallAskedSerializer(serializers.Serializer[Any]):
    """Of which teams, and at which moment; now, and of all, unless it is said."""

    at = serializers.DateTimeField(required=False, validators=[check_year])
    team = Slug(slug_field="slug", queryset=Team.objects.all(), required=False)
    system = Slug(slug_field="slug", queryset=System.objects.all(), required=False)


class OnCallSerializer(serializers.Serializer[Standing]):
    """Who is on call for a team; `until` is null where nothing changes in the next five weeks, `next` is who comes then."""

    team = serializers.SlugField(source="team.slug", read_only=True)
    by = serializers.ChoiceField(choices=OnCallKind.choices, source="kind", read_only=True)
    people = PersonField(many=True, read_only=True)
    until = serializers.DateTimeField(read_only=True, allow_null=True)
    next = PersonField(source="next_people", many=True, read_only=True)


class OnCallAnswerSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField(read_only=True)
    results = OnCallSerializer(many=True, read_only=True)


class ShiftsAskedSerializer(serializers.Serializer[Any]):
    """From when until when: four weeks from now unless it is said, 92 days at most."""

    since = serializers.DateTimeField(required=False, validators=[check_year])
    until = serializers.DateTimeField(required=False, validators=[check_year])

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        since = attrs.setdefault("since", timezone.now())
        until = attrs.setdefault("until", since + USUAL)
        if not since < until <= since + LONGEST:
            message = f"The end must be after the start, and at most {LONGEST.days} days after it."
            raise serializers.ValidationError({"until": message})
        return attrs


class ShiftSerializer(serializers.Serializer[Duty]):
    person = serializers.EmailField(read_only=True)
    start = serializers.DateTimeField(read_only=True)
    end = serializers.DateTimeField(read_only=True)
    because = serializers.ChoiceField(choices=[(why.value, why.value) for why in Because], read_only=True)
    override = serializers.IntegerField(read_only=True, allow_null=True)


class SpanSerializer(serializers.Serializer[Span]):
    start = serializers.DateTimeField(read_only=True)
    end = serializers.DateTimeField(read_only=True)


class DoubleCoverSerializer(SpanSerializer):
    people = serializers.ListField(child=serializers.EmailField(), read_only=True)


class ShiftsSerializer(serializers.Serializer[Any]):
    """Shifts are whole, so the first may begin before and the last end after what was asked for."""

    shifts = ShiftSerializer(many=True, read_only=True)
    gaps = SpanSerializer(many=True, read_only=True)
    double_cover = DoubleCoverSerializer(many=True, read_only=True)


class OverrideSerializer(serializers.ModelSerializer[Override]):
    person = PersonField(queryset=User.objects.all())
    starts_at = serializers.DateTimeField(validators=[check_year])
    ends_at = serializers.DateTimeField(validators=[check_year])
    by = PersonField(read_only=True)

    class Meta:
        model = Override
        fields = ("id", "person", "starts_at", "ends_at", "replaces", "note", "by", "made_at")
        read_only_fields = ("id", "by", "made_at")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["ends_at"] <= attrs["starts_at"]:
            raise serializers.ValidationError({"ends_at": "The end must be after the start."})
        return attrs


@extend_schema(tags=["on call"])
class OnCallView(Scoped):
    """Who is on call: for all teams, one team, or the team of one system; now, or at a moment."""

    parameters = tuple(OnCallAskedSerializer().fields)

    @extend_schema(parameters=[OnCallAskedSerializer], responses=OnCallAnswerSerializer, operation_id="on_call")
    def get(self, request: Request) -> Response:
        asked = validated(OnCallAskedSerializer(data=request.query_params.dict()))
        at: datetime = asked.get("at") or timezone.now()
        rows = standings(_teams(asked, self.person), at)
        return Response(OnCallAnswerSerializer({"at": at, "results": rows}).data)


def _teams(asked: dict[str, Any], person: User) -> QuerySet[Team]:
    teams = Team.objects.order_by(Lower("name"))
    if "team" in asked:
        teams = teams.filter(pk=asked["team"].pk)
    if "system" in asked:
        teams = teams.filter(systems__in=System.objects.visible_to(person).filter(pk=asked["system"].pk))
    return teams


@extend_schema(tags=["on call"])
class ShiftsView(Scoped):
    """The shifts of a team, when nobody is on call, and when several people are."""

    parameters = tuple(ShiftsAskedSerializer().fields)

    @extend_schema(parameters=[_TEAM, ShiftsAskedSerializer], responses=ShiftsSerializer, operation_id="on_call_shifts")
    def get(self, request: Request, team: str) -> Response:
        asked = validated(ShiftsAskedSerializer(data=request.query_params.dict()))
        row = _team(team)
        cover = covers([row], asked["since"], asked["until"])[row.pk]
        return Response(ShiftsSerializer(_as_data(cover)).data)


def _as_data(cover: Cover) -> dict[str, Any]:
    def email(person: int) -> str:
        return cover.people[person].email

    shifts = [
        {
            "person": email(duty.person),
            "start": duty.start,
            "end": duty.end,
            "because": duty.because.value,
            "override": duty.override,
        }
        for duty in cover.duties
    ]
    doubles = [
        {"start": span.start, "end": span.end, "people": [email(person) for person in span.people]}
        for span in cover.double_cover
    ]
    return {"shifts": shifts, "gaps": cover.gaps, "double_cover": doubles}


def _team(slug: str) -> Team:
    team: Team = visible_or_404(Team.objects.all(), slug=slug)
    return team


@extend_schema(tags=["on call"], parameters=[_TEAM])
class OverrideViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Override], Scoped):
    """Overrides of a team that are not over."""

    queryset = Override.objects.none()
    serializer_class = OverrideSerializer

    def get_queryset(self) -> QuerySet[Override]:
        if self.is_schema:
            return self.queryset
        rows = Override.objects.of(_team(self.kwargs["team"])).not_over()
        return rows.select_related("team", "person", "by")

    @extend_schema(responses={201: OverrideSerializer})
    def create(self, request: Request, team: str) -> Response:
        """Put somebody on call for a while: oneself, or as a lead of the team anybody who responds for it."""
        row = _team(team)
        fields = validated(OverrideSerializer(data=request.data))
        require_override(self.person, row, fields["person"])
        override = Override.objects.add(row, by=self.person, **fields)
        return Response(OverrideSerializer(override).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, team: str, pk: str) -> Response:
        """Remove one: what is ahead goes, and what has begun ends now. Both halves of a swap go together."""
        override: Override = visible_or_404(self.get_queryset(), pk=pk)
        require_remove(self.person, override)
        override.remove(by=self.person)
        return Response(status=status.HTTP_204_NO_CONTENT)
