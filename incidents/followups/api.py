"""The API of follow-ups."""

from datetime import date
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from incidents.api.base import Scoped, validated
from incidents.api.fields import OptionalNoteSerializer, PersonField, ReasonSerializer, Slug
from incidents.followups.models import FollowUp
from incidents.followups.permissions import require_change
from incidents.people.models import User
from incidents.response.permissions import get_incident_to_change
from incidents.years import check_year


class FollowUpSerializer(serializers.ModelSerializer[FollowUp]):
    incident = Slug(slug_field="number", read_only=True)
    owner = PersonField(read_only=True)

    class Meta:
        model = FollowUp
        fields = (
            "id",
            "incident",
            "title",
            "description",
            "check_text",
            "kind",
            "priority",
            "state",
            "owner",
            "due_on",
            "created_at",
            "finished_at",
            "outcome",
        )
        read_only_fields = fields


class FollowUpWriteSerializer(serializers.ModelSerializer[FollowUp]):
    owner = PersonField(queryset=User.objects.all(), required=False, allow_null=True)
    due_on = serializers.DateField(required=False, allow_null=True, validators=[check_year])

    class Meta:
        model = FollowUp
        fields = ("title", "description", "check_text", "kind", "priority", "owner", "due_on")
        extra_kwargs: ClassVar = {
            "check_text": {"help_text": "How one will know that it worked. A P0 or P1 needs it."},
            "priority": {"help_text": "P0 is 0. P0 and P1 need `check_text`."},
        }

    def validate_due_on(self, day: date | None) -> date | None:
        """A day that has passed is a typing error, unless it is the one that it has already."""
        was = self.instance.due_on if self.instance else None
        if day and day != was and day < timezone.localdate():
            raise serializers.ValidationError("That day has passed. Enter today or a later day.")
        return day

    def validate(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Ask for the check of what is urgent, where either is said; an older one without may still change its owner."""
        if "priority" in fields or "check_text" in fields or self.instance is None:
            now = self.instance or FollowUp()
            priority, text = fields.get("priority", now.priority), fields.get("check_text", now.check_text)
            if error := FollowUp.check_error(priority=priority, check_text=text):
                raise serializers.ValidationError({"check_text": [error]})
        return fields


@extend_schema(tags=["follow-ups"])
class FollowUpViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[FollowUp], Scoped):
    queryset = FollowUp.objects.none()
    serializer_class = FollowUpSerializer
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> QuerySet[FollowUp]:
        if self.is_schema:
            return self.queryset
        return FollowUp.objects.visible_to(self.person).select_related("incident", "incident__team", "owner")

    @extend_schema(request=FollowUpWriteSerializer, responses=FollowUpSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change anything about it but its state; what is not sent stays."""
        follow_up = self._changeable()
        follow_up.edit(by=self.person, **validated(FollowUpWriteSerializer(follow_up, data=request.data, partial=True)))
        return Response(FollowUpSerializer(follow_up).data)

    @extend_schema(request=ReasonSerializer, responses=FollowUpSerializer)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str) -> Response:
        follow_up = self._changeable()
        follow_up.reopen(by=self.person, reason=validated(ReasonSerializer(data=request.data))["reason"])
        return Response(FollowUpSerializer(follow_up).data)

    def _changeable(self) -> FollowUp:
        follow_up = self.get_object()
        require_change(self.person, follow_up)
        return follow_up

    @extend_schema(request=None, responses=FollowUpSerializer)
    @action(detail=True, methods=["post"])
    def begin(self, request: Request, pk: str) -> Response:
        follow_up = self._changeable()
        follow_up.begin(by=self.person)
        return Response(FollowUpSerializer(follow_up).data)

    @extend_schema(request=OptionalNoteSerializer, responses=FollowUpSerializer)
    @action(detail=True, methods=["post"])
    def complete(self, request: Request, pk: str) -> Response:
        follow_up = self._changeable()
        follow_up.complete(by=self.person, outcome=validated(OptionalNoteSerializer(data=request.data))["note"])
        return Response(FollowUpSerializer(follow_up).data)

    @extend_schema(request=ReasonSerializer, responses=FollowUpSerializer)
    @action(detail=True, methods=["post"])
    def drop(self, request: Request, pk: str) -> Response:
        follow_up = self._changeable()
        follow_up.drop(by=self.person, reason=validated(ReasonSerializer(data=request.data))["reason"])
        return Response(FollowUpSerializer(follow_up).data)


@extend_schema(tags=["incidents"])
class AddFollowUpView(Scoped):
    """Add a follow-up to an incident."""

    @extend_schema(request=FollowUpWriteSerializer, responses={201: FollowUpSerializer})
    def post(self, request: Request, number: str) -> Response:
        incident = get_incident_to_change(self.person, int(number), to="add follow-ups")
        fields = validated(FollowUpWriteSerializer(data=request.data))
        follow_up = FollowUp.objects.add(incident, by=self.person, **fields)
        return Response(FollowUpSerializer(follow_up).data, status=status.HTTP_201_CREATED)
