"""The API of webhooks: the channels that send signed events to one's own code, and what was delivered."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from incidents import taxonomy
from incidents.api.base import Scoped, validated
from incidents.api.fields import Slug
from incidents.errors import Refused
from incidents.notifications import lanes, trouble
from incidents.notifications.channels.webhook import SignedWebhook
from incidents.notifications.destinations import Destination, check_room, require_manager
from incidents.notifications.topics import HEARD
from incidents.notifications.transmissions import Transmission, owe_test
from incidents.people.models import Team
from incidents.response.vocabulary import Severity
from incidents.texts import check_readable
from incidents.web.request import whole_number
from incidents.years import check_year

_ADDRESS = SignedWebhook.fields[0]


class WebhookSerializer(serializers.ModelSerializer[Destination]):
    team = Slug(slug_field="slug", read_only=True)
    url = serializers.SerializerMethodField()

    class Meta:
        model = Destination
        fields: tuple[str, ...] = (
            "id",
            "name",
            "team",
            "url",
            "topics",
            "least_severity",
            "categories",
            "paused_at",
            "pause_reason",
            "last_success_at",
            "last_failure_at",
            "last_error",
            "created_at",
        )
        read_only_fields = fields

    def get_url(self, row: Destination) -> str:
        return str(row.hints.get("url", ""))


class WebhookWriteSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=80, validators=[check_readable])
    url = serializers.CharField(max_length=2000)
    team = Slug(
        slug_field="slug",
        queryset=Team.objects.all(),
        allow_null=True,
        default=None,
        help_text="Whose incidents; null: the whole organisation’s, for administrators.",
    )
    topics = serializers.ListField(
        child=serializers.ChoiceField(choices=list(HEARD)), allow_empty=False, max_length=len(HEARD), required=False
    )
    least_severity = serializers.ChoiceField(choices=Severity.choices, allow_blank=True, required=False)
    categories = serializers.ListField(child=serializers.CharField(max_length=40), max_length=50, required=False)

    def validate_url(self, url: str) -> str:
        try:
            return _ADDRESS.check(url)
        except ValueError as refusal:
            raise serializers.ValidationError(str(refusal)) from refusal

    def validate_categories(self, codes: list[str]) -> list[str]:
        known = {one.code for one in taxonomy.categories()}
        if unknown := [code for code in codes if code not in known]:
            raise serializers.ValidationError(f"“{unknown[0]}” is no category; known are {', '.join(sorted(known))}.")
        return codes


class WebhookChangeSerializer(WebhookWriteSerializer):
    """Whose incidents they are stays: make another webhook for another team."""

    name = serializers.CharField(max_length=80, validators=[check_readable], required=False)
    url = serializers.CharField(max_length=2000, required=False)
    team = None  # type: ignore[assignment]  # how a field is left out


class WebhookCreatedSerializer(WebhookSerializer):
    secret = serializers.CharField(help_text="What it signs with, as Standard Webhooks writes it. Only in this answer.")

    class Meta(WebhookSerializer.Meta):
        fields = (*WebhookSerializer.Meta.fields, "secret")
        read_only_fields = fields


class SecretSerializer(serializers.Serializer[Any]):
    secret = serializers.CharField()


class TransmissionSerializer(serializers.ModelSerializer[Transmission]):
    outcome = serializers.ChoiceField(choices=["delivered", "failed", "trying again", "waiting"], read_only=True)

    class Meta:
        model = Transmission
        fields = tuple(
            "id key topic subject outcome made_at owed_at sent_at failed_at attempts replays error status answer".split()
        )
        read_only_fields = fields


class ReplaySerializer(serializers.Serializer[Any]):
    """What to send again: those of these ids, all that failed, or those made within a time."""

    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**53), max_length=500, required=False
    )
    failed = serializers.BooleanField(required=False)
    since = serializers.DateTimeField(required=False, validators=[check_year])
    until = serializers.DateTimeField(required=False, validators=[check_year])

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if not given.get("ids") and not given.get("failed") and not ("since" in given and "until" in given):
            raise serializers.ValidationError("Say what to send again: ids, failed, or since and until.")
        return given


class ReplayedSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField()


@extend_schema(tags=["webhooks"])
class WebhookViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Destination], Scoped):
    """Signed events for your own code. What they hold is under `webhooks` in this description."""

    queryset = Destination.objects.none()
    serializer_class = WebhookSerializer
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> QuerySet[Destination]:
        if self.is_schema:
            return self.queryset
        return Destination.objects.visible_to(self.person).filter(kind=SignedWebhook.kind).select_related("team")

    def _managed(self, *, to: str) -> Destination:
        row = self.get_object()
        require_manager(self.person, row.team, to=to)
        return row

    @extend_schema(request=WebhookWriteSerializer, responses={201: WebhookCreatedSerializer})
    def create(self, request: Request) -> Response:
        """Make a webhook. The secret that it signs with is in this answer and never again."""
        fields = validated(WebhookWriteSerializer(data=request.data))
        require_manager(self.person, fields["team"], to="add its webhooks")
        check_room(fields["team"])
        row = Destination(kind=SignedWebhook.kind, created_by=self.person)
        secret = _write(row, fields)
        answer = WebhookSerializer(row).data | {"secret": secret}
        return Response(answer, status=status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})

    @extend_schema(request=WebhookChangeSerializer, responses=WebhookSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        row = self._managed(to="change its webhooks")
        _write(row, validated(WebhookChangeSerializer(data=request.data)))
        return Response(WebhookSerializer(self.get_object()).data)

    def destroy(self, request: Request, pk: str) -> Response:
        """Remove a webhook with its log."""
        self._managed(to="remove its webhooks").delete()
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses=SecretSerializer)
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, pk: str) -> Response:
        """Sign with a new secret; the old one signs beside it for another 24 hours."""
        secret = self._managed(to="change its secrets").rotate()
        return Response({"secret": secret}, headers={"Cache-Control": "no-store"})

    @extend_schema(request=None, responses=TransmissionSerializer)
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Send a test at once, and answer what came of it."""
        row = self._managed(to="test its webhooks")
        (message,) = owe_test(row)
        lanes.attempt(message, row)
        message.refresh_from_db()
        return Response(TransmissionSerializer(message).data)

    @extend_schema(request=None, responses=WebhookSerializer)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str) -> Response:
        """Send nothing more there. What waits is given up, and can be sent again."""
        trouble.pause(self._managed(to="pause its webhooks"), reason=f"Paused by {self.person}.", by=self.person)
        return Response(WebhookSerializer(self.get_object()).data)

    @extend_schema(request=None, responses=WebhookSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        """Send again. What happened meanwhile is not sent."""
        self._managed(to="resume its webhooks").resume()
        return Response(WebhookSerializer(self.get_object()).data)

    @extend_schema(request=ReplaySerializer, responses=ReplayedSerializer)
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, pk: str) -> Response:
        """Send again, as it was and under the same ids: some, all that failed, or all of a time."""
        row = self._managed(to="send again")
        asked = validated(ReplaySerializer(data=request.data))
        if row.paused_at:
            raise Refused("The webhook is paused. Resume it first.")
        rows = Transmission.objects.visible_to(self.person).filter(destination=row).exclude(topic="test")
        if ids := asked.get("ids"):
            rows = rows.filter(pk__in=ids)
        if asked.get("failed"):
            rows = rows.failed()
        if "since" in asked and "until" in asked:
            rows = rows.filter(made_at__gte=asked["since"], made_at__lt=asked["until"])
        return Response({"count": rows.replay()})


@extend_schema(tags=["webhooks"])
class WebhookDeliveryViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Transmission], Scoped
):
    """What was sent to webhooks, newest first, and what came of it."""

    queryset = Transmission.objects.none()
    serializer_class = TransmissionSerializer
    lookup_value_regex = "[0-9]{1,18}"
    parameters = ("webhook",)

    def get_queryset(self) -> QuerySet[Transmission]:
        if self.is_schema:
            return self.queryset
        rows = Transmission.objects.visible_to(self.person).filter(destination__kind=SignedWebhook.kind)
        asked = self.request.query_params.get("webhook")
        if asked and not whole_number(asked, digits=18):
            raise serializers.ValidationError({"webhook": ["Enter the id of a webhook."]})
        return (rows.filter(destination=int(asked)) if asked else rows).defer("payload", "request")

    @extend_schema(
        parameters=[OpenApiParameter("webhook", {"type": "integer", "minimum": 1}, description="The id of a webhook.")]
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)


def _write(row: Destination, fields: dict[str, Any]) -> str:
    """Write what was given to the row, and return the secret that it signs with."""
    for name in ("name", "team", "topics", "least_severity", "categories"):
        if name in fields:
            setattr(row, name, fields[name])
    row.keep({"url": fields.get("url", "")})
    row.save()
    return (row.config() or {}).get("secret", "")
