"""The API of incidents: the same rows, verbs and rules as the pages, for scripts."""

from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from incidents import taxonomy
from incidents.api.base import Scoped, validated
from incidents.api.fields import OptionalNoteSerializer, PersonField, ReasonSerializer, Slug
from incidents.api.pagination import Cursor
from incidents.people.models import Role, User
from incidents.people.permissions import require_role
from incidents.response.containments import Containment
from incidents.response.events import Event
from incidents.response.filters import IncidentFilter
from incidents.response.impact import MOST, Exposure, expose
from incidents.response.incident import Incident
from incidents.response.links import Link
from incidents.response.permissions import get_incident_to_change, visible_merge
from incidents.response.quantities import CURRENCIES, MOST_DECIMALS
from incidents.response.story import visible
from incidents.response.updates import Update
from incidents.response.vocabulary import CLOCKS, LONGEST_CHANNEL, LONGEST_URL, IncidentKind, Severity
from incidents.systems.models import System
from incidents.web.request import visible_or_404
from incidents.years import check_year


class IncidentSerializer(serializers.ModelSerializer[Incident]):
    system = Slug(slug_field="slug", read_only=True)
    team = Slug(slug_field="slug", read_only=True)
    lead = PersonField(read_only=True)
    merged_into = serializers.SerializerMethodField(help_text="Its number, where you may see that one.")
    silence_seconds = serializers.SerializerMethodField(help_text="Impact started to detected; null while unknown.")
    url = serializers.CharField(source="get_absolute_url", read_only=True)

    class Meta:
        model = Incident
        fields = tuple(
            f"""
            number title summary status severity category failure_mode classified_because system team lead noticed_by
            call_url channel_name channel_url private kind merged_into {" ".join(CLOCKS)} impact_started_until impact_method silence_seconds last_update_at
            changed_at url
            """.split()
        )
        read_only_fields = fields

    def get_merged_into(self, incident: Incident) -> int | None:
        into = visible_merge(incident, self.context["request"].user)
        return into.number if into else None

    def get_silence_seconds(self, incident: Incident) -> float | None:
        return incident.silence.total_seconds() if incident.silence is not None else None


class DeclareSerializer(serializers.Serializer[Any]):
    title = serializers.CharField(max_length=200)
    system = Slug(slug_field="slug", queryset=System.objects.all(), required=False, allow_null=True)
    severity = serializers.ChoiceField(choices=Severity.choices, default=Severity.UNKNOWN)
    summary = serializers.CharField(max_length=20_000, required=False, allow_blank=True, default="")
    private = serializers.BooleanField(default=False)
    kind = serializers.ChoiceField(choices=IncidentKind.choices, default=IncidentKind.REAL)


class EventSerializer(serializers.ModelSerializer[Event]):
    by = PersonField(read_only=True)
    note = serializers.CharField(source="note.text", read_only=True, default=None, allow_null=True)

    class Meta:
        model = Event
        fields = ("id", "kind", "at", "by", "note", "detail")
        read_only_fields = fields


class NoteSerializer(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=20_000)


class ContainSerializer(serializers.Serializer[Any]):
    action = serializers.ChoiceField(choices=[(action.code, action.name) for action in taxonomy.all_containments()])
    note = serializers.CharField(max_length=2000, allow_blank=True, default="")
    planned = serializers.BooleanField(default=False, help_text="Only planned, not done yet.")
    remove_by = serializers.DateTimeField(required=False, allow_null=True, default=None, validators=[check_year])


class ContainmentSerializer(serializers.ModelSerializer[Containment]):
    by = PersonField(read_only=True)

    class Meta:
        model = Containment
        fields = tuple(
            """
            id action state note by planned_at done_at verified_at worked result remove_by removed_at
            """.split()
        )
        read_only_fields = fields


class UpdateWriteSerializer(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=5000)
    impact = serializers.CharField(max_length=1000, allow_blank=True, default="")
    next_at = serializers.DateTimeField(required=False, allow_null=True, default=None, validators=[check_year])


class UpdateSerializer(serializers.ModelSerializer[Update]):
    by = PersonField(read_only=True)

    class Meta:
        model = Update
        fields = ("id", "text", "impact", "status", "severity", "by", "at", "next_at")
        read_only_fields = fields


_AMOUNT = {"oneOf": [{"type": "integer"}, {"type": "string", "format": "decimal"}], "nullable": True}


@extend_schema_field(_AMOUNT)
class AmountField(serializers.DecimalField):
    """An amount: a whole number, or a decimal as text, so that no cent is lost on the way."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            max_digits=19, decimal_places=MOST_DECIMALS, min_value=0, max_value=MOST, allow_null=True, **options
        )


class ExposureSerializer(serializers.Serializer[Any]):
    of = serializers.ChoiceField(choices=Exposure.Of.choices)
    currency = serializers.ChoiceField(
        choices=[("", ""), *((code, code) for code in CURRENCIES)], default="", help_text="ISO 4217, of money alone."
    )
    estimate = AmountField()
    low = AmountField(default=None)
    high = AmountField(default=None)
    how = serializers.CharField(max_length=300, allow_blank=True, default="", help_text="Needed with an estimate.")
    evidence = serializers.CharField(max_length=300, allow_blank=True, default="")
    corrected = AmountField(default=None)

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        if (sent["of"] == Exposure.Of.MONEY) != bool(sent["currency"]):
            raise serializers.ValidationError({"currency": ["Money has a currency, and nothing else has."]})
        return sent

    def to_representation(self, exposure: Exposure) -> dict[str, Any]:
        words = {name: getattr(exposure, name) for name in ("of", "currency", "how", "evidence")}
        return words | {name: _as_sent(amount) for name, amount in exposure.amounts().items()}


def _as_sent(amount: Decimal | None) -> int | str | None:
    if amount is None:
        return None
    return str(amount) if amount.as_tuple().exponent else int(amount)


class LinkWriteSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=Link.Kind.choices)
    other = serializers.IntegerField(min_value=1, max_value=999_999_999)


class SeveritySerializer(serializers.Serializer[Any]):
    severity = serializers.ChoiceField(choices=Severity.choices)
    reason = serializers.CharField(max_length=500, allow_blank=True, default="")


class CallSerializer(serializers.Serializer[Any]):
    url = serializers.URLField(max_length=LONGEST_URL, allow_blank=True, help_text="http or https; empty for none.")


class ChannelSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=LONGEST_CHANNEL, allow_blank=True, default="", help_text="Such as #inc-57.")
    url = serializers.URLField(max_length=LONGEST_URL, allow_blank=True, default="", help_text="http or https.")


class LeadSerializer(serializers.Serializer[Any]):
    lead = PersonField(queryset=User.objects.all(), allow_null=True)


class ClassifySerializer(serializers.Serializer[Any]):
    category = serializers.ChoiceField(choices=taxonomy.category_choices(), allow_blank=True, default="")
    failure_mode = serializers.CharField(max_length=64, allow_blank=True, default="")
    reason = serializers.CharField(max_length=400, allow_blank=True, default="")


class ClockSerializer(serializers.Serializer[Any]):
    clock = serializers.ChoiceField(choices=list(CLOCKS.items()))
    at = serializers.DateTimeField(allow_null=True, validators=[check_year])
    reason = serializers.CharField(max_length=500, allow_blank=True, default="")
    confirm_old = serializers.BooleanField(
        default=False, help_text="Needed for an impact that started more than five years ago: its year is right."
    )


class IncidentCursor(Cursor):
    """Newest first; `?ordering=number` or `declared_at` the other way round."""

    ordering = "-number"
    allowed = ("number", "-number", "declared_at", "-declared_at", "changed_at", "-changed_at")

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: Any) -> tuple[str, ...]:
        wanted = request.query_params.get("ordering", self.ordering)
        if wanted not in self.allowed:
            raise serializers.ValidationError({"ordering": [f"Choose one of {', '.join(self.allowed)}."]})
        return (wanted, "-pk") if wanted.lstrip("-") != "number" else (wanted,)


_ordering = OpenApiParameter("ordering", OpenApiTypes.STR, enum=list(IncidentCursor.allowed))


@extend_schema(tags=["incidents"])
class IncidentViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Incident], Scoped):
    queryset = Incident.objects.none()
    serializer_class = IncidentSerializer
    filterset_class = IncidentFilter
    pagination_class = IncidentCursor
    parameters = ("ordering",)
    lookup_field = "number"
    lookup_value_regex = "[0-9]{1,9}"

    def get_queryset(self) -> QuerySet[Incident]:
        if self.is_schema:
            return self.queryset
        return Incident.objects.visible_to(self.person).select_related("system", "team", "lead", "merged_into")

    @extend_schema(parameters=[_ordering])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(request=DeclareSerializer, responses={201: IncidentSerializer})
    def create(self, request: Request) -> Response:
        """Declare an incident."""
        require_role(self.person, Role.RESPONDER, team=None, to="open incidents")
        fields = validated(DeclareSerializer(data=request.data))
        incident = Incident.objects.declare(by=self.person, **fields)
        return Response(self.get_serializer(incident).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses=EventSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[])
    def events(self, request: Request, number: str) -> Response:
        """What happened to it, oldest first."""
        events = visible(self.get_object(), user=self.person).select_related("by", "note")
        return Response(EventSerializer(events, many=True).data)

    def _answer(self, incident: Incident) -> Response:
        incident.refresh_from_db()
        return Response(self.get_serializer(incident).data)

    @extend_schema(request=None, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, number: str) -> Response:
        incident = get_incident_to_change(self.person, int(number), to="acknowledge it")
        incident.acknowledge(by=self.person, via="the API")
        return self._answer(incident)

    @extend_schema(request=ReasonSerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def decline(self, request: Request, number: str) -> Response:
        incident = get_incident_to_change(self.person, int(number), to="decline it")
        incident.decline(by=self.person, **validated(ReasonSerializer(data=request.data)))
        return self._answer(incident)

    @extend_schema(request=ContainSerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def contain(self, request: Request, number: str) -> Response:
        incident = get_incident_to_change(self.person, int(number), to="contain it")
        fields = validated(ContainSerializer(data=request.data))
        act = incident.plan_containment if fields.pop("planned") else incident.contain
        act(by=self.person, **fields)
        return self._answer(incident)

    @extend_schema(responses=ContainmentSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[])
    def containments(self, request: Request, number: str) -> Response:
        """What was planned and done to limit the harm."""
        return Response(ContainmentSerializer(self.get_object().containments.select_related("by"), many=True).data)

    @extend_schema(request=UpdateWriteSerializer, responses={201: UpdateSerializer})
    @action(detail=True, methods=["post"])
    def updates(self, request: Request, number: str) -> Response:
        """Post a status update; everybody who follows the incident, its system or its team is mailed."""
        incident = get_incident_to_change(self.person, int(number), to="post updates")
        update = Update.objects.post(incident, by=self.person, **validated(UpdateWriteSerializer(data=request.data)))
        return Response(UpdateSerializer(update).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses=ExposureSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[])
    def exposure(self, request: Request, number: str) -> Response:
        """How many outputs, decisions, actions or users were wrong or at risk, and how much money, work or tokens it took."""
        return Response(ExposureSerializer(self.get_object().exposures.all(), many=True).data)

    @extend_schema(request=ExposureSerializer, responses=ExposureSerializer(many=True))
    @exposure.mapping.post
    def expose(self, request: Request, number: str) -> Response:
        """Say how much was wrong or at risk; null makes it unknown again. Each currency is an entry of its own."""
        incident = get_incident_to_change(self.person, int(number), to="assess its impact")
        fields = validated(ExposureSerializer(data=request.data))
        of, currency = fields.pop("of"), fields.pop("currency")
        expose(incident, currency or of, by=self.person, **fields)
        return Response(ExposureSerializer(incident.exposures.all(), many=True).data)

    @extend_schema(request=LinkWriteSerializer, responses={204: None})
    @action(detail=True, methods=["post"])
    def link(self, request: Request, number: str) -> Response:
        """Link another incident: related, duplicate, caused_by or repeat_of."""
        incident = get_incident_to_change(self.person, int(number), to="link it")
        fields = validated(LinkWriteSerializer(data=request.data))
        other = visible_or_404(self.get_queryset(), number=fields["other"])
        Link.objects.link(incident, other, fields["kind"], by=self.person)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=OptionalNoteSerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def resolve(self, request: Request, number: str) -> Response:
        incident = get_incident_to_change(self.person, int(number), to="resolve it")
        incident.resolve(by=self.person, **validated(OptionalNoteSerializer(data=request.data)))
        return self._answer(incident)

    @extend_schema(request=ReasonSerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, number: str) -> Response:
        incident = get_incident_to_change(self.person, int(number), to="reopen it")
        incident.reopen(by=self.person, **validated(ReasonSerializer(data=request.data)))
        return self._answer(incident)

    @extend_schema(request=None, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, number: str) -> Response:
        incident = get_incident_to_change(self.person, int(number), to="close it")
        incident.close(by=self.person)
        return self._answer(incident)

    @extend_schema(request=SeveritySerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def severity(self, request: Request, number: str) -> Response:
        incident = get_incident_to_change(self.person, int(number), to="change its severity")
        incident.set_severity(by=self.person, **validated(SeveritySerializer(data=request.data)))
        return self._answer(incident)

    @extend_schema(request=LeadSerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def lead(self, request: Request, number: str) -> Response:
        incident = get_incident_to_change(self.person, int(number), to="assign its lead")
        incident.assign_lead(validated(LeadSerializer(data=request.data))["lead"], by=self.person)
        return self._answer(incident)

    @extend_schema(request=CallSerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def call(self, request: Request, number: str) -> Response:
        """Say where the call is that people work on it in."""
        incident = get_incident_to_change(self.person, int(number), to="change its call")
        incident.set_call(validated(CallSerializer(data=request.data))["url"], by=self.person)
        return self._answer(incident)

    @extend_schema(request=ChannelSerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def channel(self, request: Request, number: str) -> Response:
        """Say in which channel of a chat people write about it: its name, its address or both; what is left out is emptied."""
        incident = get_incident_to_change(self.person, int(number), to="change its channel")
        incident.set_channel(**validated(ChannelSerializer(data=request.data)), by=self.person)
        return self._answer(incident)

    @extend_schema(request=ClassifySerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def classify(self, request: Request, number: str) -> Response:
        incident = get_incident_to_change(self.person, int(number), to="classify it")
        fields = validated(ClassifySerializer(data=request.data))
        incident.classify(fields["category"], fields["failure_mode"], by=self.person, reason=fields["reason"])
        return self._answer(incident)

    @extend_schema(request=NoteSerializer, responses={201: EventSerializer})
    @action(detail=True, methods=["post"])
    def note(self, request: Request, number: str) -> Response:
        incident = get_incident_to_change(self.person, int(number), to="write here")
        note = incident.add_note(validated(NoteSerializer(data=request.data))["text"], by=self.person)
        return Response(EventSerializer(note.event).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=ClockSerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def clock(self, request: Request, number: str) -> Response:
        """Correct one of the six clocks; null says that nobody knows."""
        incident = get_incident_to_change(self.person, int(number), to="correct its clocks")
        fields = validated(ClockSerializer(data=request.data))
        incident.set_clock(by=self.person, **fields)
        return self._answer(incident)
