"""The API of who is told: of an incident, and of one that would open now."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from incidents.api.base import Scoped, validated
from incidents.api.fields import PersonField
from incidents.notifications import escalation
from incidents.notifications.messages import Dispatch, Notification
from incidents.notifications.reach import Reached, who_would_be_told
from incidents.response.incident import Incident
from incidents.response.permissions import get_incident_to_change
from incidents.response.vocabulary import Severity
from incidents.systems.models import System
from incidents.web.request import visible_or_404

MOST = 500


class DispatchSerializer(serializers.ModelSerializer[Dispatch]):
    outcome = serializers.CharField(read_only=True, help_text="sent, failed, trying again or waiting")

    class Meta:
        model = Dispatch
        fields = ("channel", "outcome", "due_at", "sent_at", "attempts", "error")
        read_only_fields = fields


class NotificationSerializer(serializers.ModelSerializer[Notification]):
    person = PersonField(read_only=True)
    dispatches = DispatchSerializer(many=True, read_only=True)

    class Meta:
        model = Notification
        fields = ("id", "person", "topic", "urgency", "subject", "made_at", "read_at", "dispatches")
        read_only_fields = fields


class ReachedPersonSerializer(serializers.Serializer[Any]):
    person = serializers.EmailField(read_only=True)
    channels = serializers.ListField(child=serializers.CharField(max_length=20), read_only=True)


class ReachedSerializer(serializers.Serializer[Any]):
    """One rung: who is told, and after how many minutes without anybody acknowledging."""

    rung = serializers.CharField(source="name", read_only=True)
    minutes = serializers.IntegerField(read_only=True)
    people = serializers.SerializerMethodField()
    pager = serializers.CharField(read_only=True, help_text="the pager that is told instead of people; empty: none")

    @extend_schema_field(ReachedPersonSerializer(many=True))
    def get_people(self, reached: Reached) -> list[dict[str, Any]]:
        return [{"person": person.email, "channels": channels} for person, channels in reached.people]


class ReachAskedSerializer(serializers.Serializer[Any]):
    severity = serializers.ChoiceField(choices=Severity.choices, default=Severity.SEV1)


class SnoozeSerializer(serializers.Serializer[Any]):
    minutes = serializers.IntegerField(min_value=1, max_value=480, default=30)


@extend_schema(tags=["incidents"])
class ToldView(Scoped):
    """Who was told of an incident, when and how, and whether it went out; the newest 500."""

    @extend_schema(responses=NotificationSerializer(many=True))
    def get(self, request: Request, number: str) -> Response:
        incident = visible_or_404(Incident.objects.visible_to(self.person), number=int(number))
        rows = Notification.objects.filter(incident=incident).defer("picture", "text").select_related("person")
        return Response(NotificationSerializer(rows.prefetch_related("dispatches")[:MOST], many=True).data)


@extend_schema(tags=["incidents"])
class SnoozeView(Scoped):
    """Call nobody else for a while, although nobody has acknowledged it."""

    @extend_schema(request=SnoozeSerializer, responses={204: None})
    def post(self, request: Request, number: str) -> Response:
        incident = get_incident_to_change(self.person, int(number), to="snooze it")
        escalation.snooze(incident, by=self.person, **validated(SnoozeSerializer(data=request.data)))
        return Response(status=204)


@extend_schema(tags=["systems"])
class ReachView(Scoped):
    """Who would be told, how, of an incident that opened on a system now; rung by rung."""

    parameters = ("severity",)

    @extend_schema(parameters=[ReachAskedSerializer], responses=ReachedSerializer(many=True))
    def get(self, request: Request, slug: str) -> Response:
        system = visible_or_404(System.objects.visible_to(self.person).select_related("team"), slug=slug)
        asked = validated(ReachAskedSerializer(data=request.query_params.dict()))
        rungs = who_would_be_told(system, asked["severity"], at=timezone.now())
        return Response(ReachedSerializer(rungs, many=True).data)
