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
from incidents.evaluations.cases import EvaluationCase
from incidents.followups import proofs
from incidents.followups.models import FollowUp
from incidents.followups.permissions import require_change
from incidents.followups.proofs import LEAST_DAYS, MOST_DAYS, MOST_RUNS, USUAL_RUNS, Proof
from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.response.permissions import get_incident_to_change
from incidents.web.request import visible_or_404
from incidents.years import check_year


class ProofSerializer(serializers.ModelSerializer[Proof]):
    """What will show that it works."""

    person = PersonField(read_only=True)
    drill = Slug(slug_field="number", read_only=True)
    case = Slug(slug_field="key", read_only=True)

    class Meta:
        model = Proof
        fields = ("kind", "days", "alert_name", "case", "runs", "person", "look_on", "drill", "plan")
        read_only_fields = fields


class FollowUpSerializer(serializers.ModelSerializer[FollowUp]):
    incident = Slug(slug_field="number", read_only=True)
    owner = PersonField(read_only=True)
    proof = ProofSerializer(read_only=True, allow_null=True, default=None)

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
            "verified_at",
            "verified_because",
            "failed_at",
            "proof",
        )
        read_only_fields = fields


class ProofWriteSerializer(serializers.Serializer[Any]):
    """What will show that it works: `quiet` takes `days` and, if you like, `alert_name`; `case` takes `case` and `runs`; `look` takes `person` and
    `look_on`."""

    kind = serializers.ChoiceField(choices=Proof.Kind.choices)
    days = serializers.IntegerField(min_value=LEAST_DAYS, max_value=MOST_DAYS, required=False, default=90)
    alert_name = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    case = serializers.RegexField(
        r"^case-[0-9]{1,9}$",
        max_length=14,
        required=False,
        default="",
        help_text="The key of a case of the incident’s system.",
    )
    runs = serializers.IntegerField(min_value=1, max_value=MOST_RUNS, required=False, default=USUAL_RUNS)
    person = PersonField(queryset=User.objects.all(), required=False, allow_null=True, default=None)
    look_on = serializers.DateField(required=False, allow_null=True, default=None, validators=[check_year])


class StandingSerializer(serializers.Serializer[Any]):
    """Where a proof stands: in a sentence; `holds` is null while it shows neither."""

    sentence = serializers.CharField(max_length=1000)
    holds = serializers.BooleanField(allow_null=True)


class LookSerializer(serializers.Serializer[Any]):
    holds = serializers.BooleanField(help_text="Whether what you saw shows that it holds.")
    note = serializers.CharField(max_length=400, help_text="What shows it.")


class DrillResultSerializer(serializers.Serializer[Any]):
    incident = serializers.IntegerField(
        min_value=1, max_value=999_999_999, help_text="The number of the test incident."
    )
    worked = serializers.BooleanField()
    note = serializers.CharField(max_length=400, help_text="What happened.")


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
        return FollowUp.objects.visible_to(self.person).select_related(
            "incident", "incident__team", "owner", "proof__person", "proof__drill", "proof__case"
        )

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

    @extend_schema(methods=["GET"], request=None, responses=StandingSerializer)
    @extend_schema(methods=["POST"], request=ProofWriteSerializer, responses=FollowUpSerializer)
    @action(detail=True, methods=["get", "post"])
    def proof(self, request: Request, pk: str) -> Response:
        """Where its proof stands; or choose what will show that it works."""
        if request.method == "GET":
            proof = Proof.objects.filter(follow_up=self.get_object()).first()
            standing = (
                proof.standing() if proof else proofs.ProofStanding("Nobody has said yet what will show that it works.")
            )
            return Response(StandingSerializer(standing).data)
        follow_up = self._changeable()
        fields = validated(ProofWriteSerializer(data=request.data))
        Proof.objects.plan(follow_up, by=self.person, **fields | {"case": self._case(follow_up, fields["case"])})
        return Response(FollowUpSerializer(self.get_object()).data)

    def _case(self, follow_up: FollowUp, key: str) -> EvaluationCase | None:
        """The case of that key, of those that the person may see. Raises ValidationError where there is none."""
        cases = EvaluationCase.objects.visible_to(self.person).in_force().filter(system=follow_up.incident.system_id)
        found = cases.filter(number=int(key.removeprefix("case-"))).first() if key else None
        if key and found is None:
            raise serializers.ValidationError({"case": [f"There is no {key} in force for this system."]})
        return found

    @extend_schema(request=LookSerializer, responses=FollowUpSerializer)
    @action(detail=True, methods=["post"])
    def look(self, request: Request, pk: str) -> Response:
        """Say what you saw: that it holds, or that it does not."""
        follow_up = self._changeable()
        proofs.look(follow_up, by=self.person, **validated(LookSerializer(data=request.data)))
        return Response(FollowUpSerializer(self.get_object()).data)

    @extend_schema(request=DrillResultSerializer, responses=FollowUpSerializer)
    @action(detail=True, methods=["post"])
    def drill(self, request: Request, pk: str) -> Response:
        """Say how a drill went: a test incident in which it was tried."""
        follow_up = self._changeable()
        fields = validated(DrillResultSerializer(data=request.data))
        number = fields.pop("incident")
        drill = visible_or_404(Incident.objects.visible_to(self.person), number=number)
        proofs.drilled(follow_up, drill, by=self.person, **fields)
        return Response(FollowUpSerializer(self.get_object()).data)

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
