"""The API of sources, deliveries, alerts, silences and rules: the same rows and verbs as the pages, for scripts."""

from typing import Any, cast

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from incidents import taxonomy
from incidents.alerts import by_hand, inbox, merging
from incidents.alerts.deliveries import receive
from incidents.alerts.models import Alert, Delivery, Source, ingest_url
from incidents.alerts.nudge import nudge
from incidents.alerts.policies import RulesVersion, Silence
from incidents.alerts.sources import choices as source_kinds
from incidents.api.base import Scoped, validated
from incidents.api.fields import PersonField, Slug
from incidents.people.models import KeyScope, Role, Team
from incidents.people.permissions import require_role
from incidents.response.api import IncidentSerializer
from incidents.response.incident import Incident
from incidents.response.permissions import get_incident_to_change
from incidents.systems.models import System
from incidents.web.request import visible_or_404
from incidents.years import check_year


class SourceSerializer(serializers.ModelSerializer[Source]):
    team = Slug(slug_field="slug", read_only=True)
    system = Slug(slug_field="slug", read_only=True)

    class Meta:
        model = Source
        fields = ("slug", "name", "kind", "team", "system", "hint", "created_at", "retired_at")
        read_only_fields = fields


class SourceCreatedSerializer(SourceSerializer):
    token = serializers.CharField()
    url = serializers.CharField()

    class Meta(SourceSerializer.Meta):
        fields = (*SourceSerializer.Meta.fields, "token", "url")  # type: ignore[assignment]  # one longer tuple


class SourceWriteSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=80)
    kind = serializers.ChoiceField(choices=source_kinds())
    team = Slug(slug_field="slug", queryset=Team.objects.all())
    system = Slug(slug_field="slug", queryset=System.objects.all(), required=False, allow_null=True)


class AlertSerializer(serializers.ModelSerializer[Alert]):
    source = Slug(slug_field="slug", read_only=True)  # type: ignore[assignment]  # Field has an attribute of this name
    system = Slug(slug_field="slug", read_only=True)
    incident = Slug(slug_field="number", read_only=True)

    class Meta:
        model = Alert
        fields = tuple(
            """
            id source fingerprint status title description condition severity claimed_severity severity_raw system system_name category
            failure_mode confidence classified_because incident routed_because service environment labels annotations
            ai links flags value measured upstream_id starts_at ends_at expires_at first_received_at last_received_at
            occurrences flaps held silence correlation_key
            """.split()
        )
        read_only_fields = fields


class AlertLinkSerializer(serializers.Serializer[Any]):
    into = serializers.IntegerField(min_value=1, max_value=999_999_999, help_text="The number of the incident.")


class AlertClassifySerializer(serializers.Serializer[Any]):
    category = serializers.ChoiceField(choices=taxonomy.category_choices(), allow_blank=True, default="")
    failure_mode = serializers.CharField(max_length=64, allow_blank=True, default="")
    remember = serializers.BooleanField(
        default=False, help_text="Whether later alerts of that name from its source are that as well."
    )


class SilenceSerializer(serializers.ModelSerializer[Silence]):
    author = PersonField(read_only=True)
    matchers = serializers.CharField(max_length=2000)
    starts_at = serializers.DateTimeField(required=False, help_text="Now, unless it is given.", validators=[check_year])
    ends_at = serializers.DateTimeField(validators=[check_year])

    class Meta:
        model = Silence
        fields = ("id", "matchers", "starts_at", "ends_at", "reason", "is_maintenance", "author", "made_at")
        read_only_fields = ("id", "author", "made_at")


class RulesVersionSerializer(serializers.ModelSerializer[RulesVersion]):
    published_by = PersonField(read_only=True)

    class Meta:
        model = RulesVersion
        fields = ("number", "rules", "note", "published_by", "published_at")
        read_only_fields = fields


class TraceSerializer(serializers.Serializer[Any]):
    """What came of one claim of a delivery."""

    position = serializers.IntegerField()
    says = serializers.CharField()
    result = serializers.CharField()
    reason = serializers.CharField()
    rule = serializers.CharField(help_text="The rule that dropped it, if one did.")
    alert = serializers.IntegerField(source="alert_id", allow_null=True)
    classified_because = serializers.CharField(source="alert.classified_because", default="")
    incident = serializers.IntegerField(source="alert.incident.number", default=None, allow_null=True)
    routed_because = serializers.CharField(source="alert.routed_because", default="")


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    source = Slug(slug_field="slug", read_only=True)  # type: ignore[assignment]  # Field has an attribute of this name
    alerts = serializers.SerializerMethodField(help_text="The ids of the alerts it was about.")
    trace = TraceSerializer(source="outcomes", many=True, read_only=True)

    class Meta:
        model = Delivery
        fields = (
            "id",
            "source",
            "status",
            "received_at",
            "processed_at",
            "size",
            "digest",
            "claim_count",
            "alerts",
            "error",
            "trace",
        )
        read_only_fields = fields

    def get_alerts(self, delivery: Delivery) -> list[int]:
        return sorted({outcome.alert_id for outcome in delivery.outcomes.all() if outcome.alert_id})


class RawParser(BaseParser):
    """Any body, unread: a delivery is stored as it came."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        return stream.read(settings.INGEST_MAX_BYTES + 1)


@extend_schema(tags=["alerts"])
class SourceViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Source], Scoped):
    queryset = Source.objects.none()
    serializer_class = SourceSerializer
    lookup_field = "slug"

    def get_queryset(self) -> QuerySet[Source]:
        if self.is_schema:
            return self.queryset
        return Source.objects.visible_to(self.person).select_related("team", "system")

    @extend_schema(request=SourceWriteSerializer, responses={201: SourceCreatedSerializer})
    def create(self, request: Request) -> Response:
        """Connect a monitor. The token is in this answer and never again."""
        fields = validated(SourceWriteSerializer(data=request.data))
        require_role(self.person, Role.LEAD, team=fields["team"], to="connect its monitors")
        source, token = Source.objects.connect(by=self.person, **fields)
        created = SourceSerializer(source).data | {"token": token, "url": ingest_url(token)}
        return Response(created, status=status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})

    @extend_schema(request=OpenApiTypes.BINARY, responses={200: OpenApiTypes.OBJECT})
    @action(detail=True, methods=["post"], parser_classes=[RawParser], scope=KeyScope.INGEST)
    def deliveries(self, request: Request, slug: str) -> Response:
        """Send a delivery in this source's format, with a key of scope `ingest` instead of the source's token."""
        source = self.get_object()
        require_role(self.person, Role.RESPONDER, team=source.team, to="send for it")
        body = cast(bytes, request.data)
        if source.retired_at or not body or len(body) > settings.INGEST_MAX_BYTES:
            raise serializers.ValidationError("The source is retired, or the body is empty or too large.")
        delivery = receive(source, body, headers={name.lower(): value for name, value in request.headers.items()})
        nudge()
        path = reverse("api:delivery-detail", args=[delivery.pk])
        return Response({"delivery": delivery.pk, "status_url": f"{settings.BASE_URL}{path}"})


@extend_schema(tags=["alerts"])
class AlertViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Alert], Scoped):
    queryset = Alert.objects.none()
    serializer_class = AlertSerializer
    parameters = ("source", "status", "q")
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> QuerySet[Alert]:
        if self.is_schema:
            return self.queryset
        rows = Alert.objects.visible_to(self.person).select_related("source", "system", "incident")
        query = self.request.query_params
        if source := query.get("source"):
            rows = rows.filter(source__slug=source)
        if words := query.get("q", "").replace("\x00", "").strip()[:200]:
            rows = inbox.search(rows, words)
        if state := query.get("status"):
            if state not in Alert.Status.values:
                raise serializers.ValidationError({"status": ["Choose firing or resolved."]})
            rows = rows.filter(status=state)
        return rows

    @extend_schema(
        parameters=[
            OpenApiParameter("source", OpenApiTypes.STR, description="The source’s slug."),
            OpenApiParameter("status", OpenApiTypes.STR, enum=Alert.Status.values),
            OpenApiParameter("q", OpenApiTypes.STR, description="Words, label=value, INC-12, or a fingerprint."),
        ]
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    def _alert_to_change(self, *, to: str) -> Alert:
        alert = self.get_object()
        require_role(self.person, Role.RESPONDER, team=(alert.system or alert.source).team, to=to)
        return alert

    @extend_schema(request=AlertLinkSerializer, responses=AlertSerializer)
    @action(detail=True, methods=["post"])
    def link(self, request: Request, pk: str) -> Response:
        """Make it part of an incident."""
        alert = self._alert_to_change(to="link it")
        number = validated(AlertLinkSerializer(data=request.data))["into"]
        into = visible_or_404(Incident.objects.visible_to(self.person), number=number)
        by_hand.link([alert], into, by=self.person)
        return Response(AlertSerializer(self.get_object()).data)

    @extend_schema(request=AlertClassifySerializer, responses=AlertSerializer)
    @action(detail=True, methods=["post"])
    def classify(self, request: Request, pk: str) -> Response:
        """Say what kind of failure it is; with `remember`, for later alerts of that name from its source too."""
        alert = self._alert_to_change(to="classify it")
        fields = validated(AlertClassifySerializer(data=request.data))
        by_hand.classify([alert], by=self.person, **fields)
        return Response(AlertSerializer(self.get_object()).data)


@extend_schema(tags=["alerts"])
class SilenceViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Silence], Scoped):
    queryset = Silence.objects.none()
    serializer_class = SilenceSerializer
    parameters = ("in_force",)
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> QuerySet[Silence]:
        rows = Silence.objects.select_related("author")
        in_force = self.request.query_params.get("in_force", "false")
        if in_force not in {"true", "false"}:
            raise serializers.ValidationError({"in_force": ["Choose true or false."]})
        return rows.in_force() if in_force == "true" else rows

    @extend_schema(parameters=[OpenApiParameter("in_force", OpenApiTypes.BOOL, description="Only those of now.")])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(responses={201: SilenceSerializer})
    def create(self, request: Request) -> Response:
        """Silence alerts, as a deployment does for its maintenance window."""
        require_role(self.person, Role.RESPONDER, team=None, to="silence alerts")
        fields = validated(SilenceSerializer(data=request.data))
        silence = Silence.make(
            text=fields["matchers"],
            starts_at=fields.get("starts_at"),
            ends_at=fields["ends_at"],
            reason=fields["reason"],
            maintenance=fields.get("is_maintenance", False),
            by=self.person,
        )
        return Response(SilenceSerializer(silence).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=SilenceSerializer)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: str) -> Response:
        """End it now, or call it off if it has not begun. What still fires is routed then."""
        require_role(self.person, Role.RESPONDER, team=None, to="end silences")
        silence = self.get_object()
        silence.end()
        return Response(SilenceSerializer(silence).data)


@extend_schema(tags=["alerts"])
class RulesViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[RulesVersion], Scoped):
    """The published versions of the routing rules, newest first."""

    queryset = RulesVersion.objects.exclude(published_at=None).select_related("published_by")
    serializer_class = RulesVersionSerializer
    lookup_field = "number"
    lookup_value_regex = "[0-9]{1,9}"


@extend_schema(tags=["alerts"])
class DeliveryViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Delivery], Scoped):
    queryset = Delivery.objects.none()
    serializer_class = DeliverySerializer
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> QuerySet[Delivery]:
        if self.is_schema:
            return self.queryset
        return (
            Delivery.objects.visible_to(self.person)
            .defer("body")
            .select_related("source")
            .prefetch_related("outcomes__alert__incident")
        )


class MergeSerializer(serializers.Serializer[Any]):
    into = serializers.IntegerField(min_value=1, max_value=999_999_999)


@extend_schema(tags=["incidents"])
class MergeView(Scoped):
    """Merge an incident into another that is the same failure; its alerts move there."""

    @extend_schema(request=MergeSerializer, responses=IncidentSerializer)
    def post(self, request: Request, number: str) -> Response:
        incident = get_incident_to_change(self.person, int(number), to="merge it")
        into = visible_or_404(
            Incident.objects.visible_to(self.person), number=validated(MergeSerializer(data=request.data))["into"]
        )
        merging.merge(incident, into, by=self.person)
        return Response(IncidentSerializer(incident, context={"request": request}).data)
