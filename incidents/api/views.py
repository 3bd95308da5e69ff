"""The REST API: the same rows, verbs and rules as the pages, for scripts."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from incidents.alerts import merging
from incidents.api.base import Scoped, validated
from incidents.api.fields import OptionalNoteSerializer, ReasonSerializer
from incidents.api.pagination import Cursor
from incidents.api.serializers import (
    ChangeSerializer,
    ClassifySerializer,
    ClockSerializer,
    ContainmentSerializer,
    ContainSerializer,
    DecideSerializer,
    DeclareSerializer,
    EventSerializer,
    ExposureSerializer,
    FollowUpSerializer,
    FollowUpWriteSerializer,
    IncidentSerializer,
    LeadSerializer,
    LinkWriteSerializer,
    MergeSerializer,
    NoteSerializer,
    PostmortemSerializer,
    SectionWriteSerializer,
    SeveritySerializer,
    SystemSerializer,
    SystemWriteSerializer,
    UpdateSerializer,
    UpdateWriteSerializer,
)
from incidents.errors import WrongStatus
from incidents.followups.models import FollowUp
from incidents.people.models import Role
from incidents.people.permissions import NotAllowed, require_role
from incidents.postmortems import export, readiness, reviews
from incidents.postmortems.document import Postmortem
from incidents.postmortems.facts import freeze_facts
from incidents.postmortems.permissions import may_review
from incidents.postmortems.sections import Clash
from incidents.response.filters import IncidentFilter
from incidents.response.impact import expose
from incidents.response.incident import Incident
from incidents.response.links import Link
from incidents.response.updates import Update
from incidents.systems.models import Change, System
from incidents.web.request import visible_or_404


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
        given = validated(DeclareSerializer(data=request.data))
        incident = Incident.objects.declare(by=self.person, **given)
        return Response(IncidentSerializer(incident).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses=EventSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[])
    def events(self, request: Request, number: str) -> Response:
        """What happened to it, oldest first."""
        events = self.get_object().events.select_related("by", "note")
        return Response(EventSerializer(events, many=True).data)

    def _responding(self, *, to: str) -> Incident:
        incident = self.get_object()
        if incident.lead_id != self.person.pk:
            require_role(self.person, Role.RESPONDER, team=incident.team, to=to)
        return incident

    def _answer(self, incident: Incident) -> Response:
        incident.refresh_from_db()
        return Response(IncidentSerializer(incident).data)

    @extend_schema(request=None, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, number: str) -> Response:
        incident = self._responding(to="acknowledge it")
        incident.acknowledge(by=self.person)
        return self._answer(incident)

    @extend_schema(request=ReasonSerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def decline(self, request: Request, number: str) -> Response:
        incident = self._responding(to="decline it")
        incident.decline(by=self.person, **validated(ReasonSerializer(data=request.data)))
        return self._answer(incident)

    @extend_schema(request=ContainSerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def contain(self, request: Request, number: str) -> Response:
        incident = self._responding(to="contain it")
        given = validated(ContainSerializer(data=request.data))
        act = incident.plan_containment if given.pop("planned") else incident.contain
        act(by=self.person, **given)
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
        incident = self._responding(to="post updates")
        made = Update.objects.post(incident, by=self.person, **validated(UpdateWriteSerializer(data=request.data)))
        return Response(UpdateSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=ExposureSerializer, responses=ExposureSerializer(many=True))
    @action(detail=True, methods=["post"])
    def exposure(self, request: Request, number: str) -> Response:
        """Say how many outputs, decisions, actions or users were wrong or at risk; null makes it unknown again."""
        incident = self._responding(to="assess its impact")
        expose(incident, by=self.person, **validated(ExposureSerializer(data=request.data)))
        return Response(ExposureSerializer(incident.exposures.all(), many=True).data)

    @extend_schema(request=LinkWriteSerializer, responses=None)
    @action(detail=True, methods=["post"])
    def link(self, request: Request, number: str) -> Response:
        """Link another incident: related, duplicate, caused_by or repeat_of."""
        incident = self._responding(to="link it")
        given = validated(LinkWriteSerializer(data=request.data))
        other = visible_or_404(self.get_queryset(), number=given["other"])
        Link.objects.link(incident, other, given["kind"], by=self.person)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=OptionalNoteSerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def resolve(self, request: Request, number: str) -> Response:
        incident = self._responding(to="resolve it")
        incident.resolve(by=self.person, **validated(OptionalNoteSerializer(data=request.data)))
        return self._answer(incident)

    @extend_schema(request=None, responses={201: PostmortemSerializer})
    @action(detail=True, methods=["post"])
    def postmortem(self, request: Request, number: str) -> Response:
        """Start its postmortem now instead of waiting for it to start itself; the one that was started is returned."""
        incident = self._responding(to="start its postmortem")
        begun = Postmortem.objects.begin(incident, by=self.person)
        visible = visible_or_404(Postmortem.objects.visible_to(self.person), pk=begun.pk)
        return Response(PostmortemSerializer(visible).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=ReasonSerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, number: str) -> Response:
        incident = self._responding(to="reopen it")
        incident.reopen(by=self.person, **validated(ReasonSerializer(data=request.data)))
        return self._answer(incident)

    @extend_schema(request=None, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, number: str) -> Response:
        incident = self._responding(to="close it")
        incident.close(by=self.person)
        return self._answer(incident)

    @extend_schema(request=MergeSerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def merge(self, request: Request, number: str) -> Response:
        incident = self._responding(to="merge it")
        into = visible_or_404(self.get_queryset(), number=validated(MergeSerializer(data=request.data))["into"])
        merging.merge(incident, into, by=self.person)
        return self._answer(incident)

    @extend_schema(request=SeveritySerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def severity(self, request: Request, number: str) -> Response:
        incident = self._responding(to="change its severity")
        incident.set_severity(by=self.person, **validated(SeveritySerializer(data=request.data)))
        return self._answer(incident)

    @extend_schema(request=LeadSerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def lead(self, request: Request, number: str) -> Response:
        incident = self._responding(to="assign its lead")
        incident.assign_lead(validated(LeadSerializer(data=request.data))["lead"], by=self.person)
        return self._answer(incident)

    @extend_schema(request=ClassifySerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def classify(self, request: Request, number: str) -> Response:
        incident = self._responding(to="classify it")
        given = validated(ClassifySerializer(data=request.data))
        incident.classify(given["category"], given["failure_mode"], by=self.person, reason=given["reason"])
        return self._answer(incident)

    @extend_schema(request=NoteSerializer, responses={201: EventSerializer})
    @action(detail=True, methods=["post"])
    def note(self, request: Request, number: str) -> Response:
        incident = self._responding(to="write here")
        note = incident.add_note(validated(NoteSerializer(data=request.data))["text"], by=self.person)
        return Response(EventSerializer(note.event).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=ClockSerializer, responses=IncidentSerializer)
    @action(detail=True, methods=["post"])
    def clock(self, request: Request, number: str) -> Response:
        """Correct one of the six clocks; null says that nobody knows."""
        incident = self._responding(to="correct its clocks")
        given = validated(ClockSerializer(data=request.data))
        incident.set_clock(given["clock"], given["at"], by=self.person, reason=given["reason"])
        return self._answer(incident)

    @extend_schema(request=FollowUpWriteSerializer, responses={201: FollowUpSerializer})
    @action(detail=True, methods=["post"], url_path="follow-ups")
    def follow_ups(self, request: Request, number: str) -> Response:
        incident = self._responding(to="add follow-ups")
        follow_up = FollowUp.objects.add(
            incident, by=self.person, **validated(FollowUpWriteSerializer(data=request.data))
        )
        return Response(FollowUpSerializer(follow_up).data, status=status.HTTP_201_CREATED)


@extend_schema(tags=["systems"])
class SystemViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[System], Scoped):
    queryset = System.objects.none()
    serializer_class = SystemSerializer
    lookup_field = "slug"

    def get_queryset(self) -> QuerySet[System]:
        if self.is_schema:
            return self.queryset
        return System.objects.visible_to(self.person).select_related("team").prefetch_related("upstreams")

    @extend_schema(request=SystemWriteSerializer, responses={201: SystemSerializer})
    def create(self, request: Request) -> Response:
        """Register a system."""
        given = SystemWriteSerializer(data=request.data)
        validated(given)
        require_role(self.person, Role.LEAD, team=given.validated_data["team"], to="register its systems")
        return Response(SystemSerializer(given.save()).data, status=status.HTTP_201_CREATED)


@extend_schema(tags=["systems"])
class ChangeViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Change], Scoped):
    """What was altered in systems: a deploy job posts it here."""

    queryset = Change.objects.none()
    serializer_class = ChangeSerializer

    def get_queryset(self) -> QuerySet[Change]:
        if self.is_schema:
            return self.queryset
        rows = Change.objects.filter(system__in=System.objects.visible_to(self.person)).select_related("system")
        slug = self.request.query_params.get("system")
        return rows.filter(system__slug=slug) if slug else rows

    @extend_schema(parameters=[OpenApiParameter("system", OpenApiTypes.STR)])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    def create(self, request: Request) -> Response:
        given = ChangeSerializer(data=request.data)
        validated(given)
        require_role(self.person, Role.RESPONDER, team=given.validated_data["system"].team, to="record its changes")
        given.save(recorded_by=self.person)
        return Response(given.data, status=status.HTTP_201_CREATED)


class ChangesWithoutSlash(ChangeViewSet):
    schema = None  # described once is enough


@extend_schema(tags=["postmortems"])
class PostmortemViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Postmortem], Scoped):
    queryset = Postmortem.objects.none()
    serializer_class = PostmortemSerializer
    lookup_field = "slug"
    lookup_url_kwarg = "number"
    lookup_value_regex = "[0-9-]{1,16}"

    def get_queryset(self) -> QuerySet[Postmortem]:
        if self.is_schema:
            return self.queryset
        return (
            Postmortem.objects.visible_to(self.person)
            .select_related("incident", "incident__team", "owner", "published_by", "guide")
            .prefetch_related("sections", "also", "factors__kind")
        )

    @extend_schema(responses={200: dict})
    @action(detail=True, methods=["get"])
    def document(self, request: Request, number: str) -> Response:
        """The whole document: facts, sections, trigger, factors, amendments, follow-ups."""
        return Response(export.as_data(self.get_object()))

    def _answer(self, postmortem: Postmortem) -> Response:
        return Response(PostmortemSerializer(self.get_queryset().get(pk=postmortem.pk)).data)

    def _writable(self, role: Role, *, to: str) -> Postmortem:
        postmortem = self.get_object()
        if role is Role.LEAD or postmortem.owner_id != self.person.pk:
            require_role(self.person, role, team=postmortem.incident.team, to=to)
        return postmortem

    @extend_schema(request=SectionWriteSerializer, responses=PostmortemSerializer)
    @action(detail=True, methods=["post"])
    def section(self, request: Request, number: str) -> Response:
        """Write one section over the text that was read (`base`).

        What others wrote meanwhile in other lines is kept: the answer has both. 409 where they changed the same lines;
        yours is then kept as your draft.
        """
        postmortem = self._writable(Role.RESPONDER, to="write it")
        given = validated(SectionWriteSerializer(data=request.data))
        section = visible_or_404(postmortem.sections.all(), key=given["key"])
        section.postmortem = postmortem
        try:
            section.write(given["text"], by=self.person, base=given["base"])
        except Clash as clash:
            raise WrongStatus(str(clash)) from None
        return self._answer(postmortem)

    @extend_schema(request=None, responses=PostmortemSerializer)
    @action(detail=True, methods=["post"])
    def review(self, request: Request, number: str) -> Response:
        postmortem = self._writable(Role.RESPONDER, to="send it to review")
        postmortem.send_to_review(by=self.person, missing=[str(one) for one in readiness.missing(postmortem)])
        return self._answer(postmortem)

    @extend_schema(request=DecideSerializer, responses=PostmortemSerializer)
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, number: str) -> Response:
        """Approve it, with the whole checklist, or ask for changes. Whoever owns it cannot."""
        postmortem = self.get_object()
        if not may_review(self.person, postmortem):
            raise NotAllowed("Whoever owns it, or responds nowhere, cannot review it.")
        reviews.decide(postmortem, by=self.person, **validated(DecideSerializer(data=request.data)))
        return self._answer(postmortem)

    @extend_schema(request=None, responses=PostmortemSerializer)
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, number: str) -> Response:
        postmortem = self._writable(Role.LEAD, to="publish it")
        postmortem.publish(by=self.person, facts=freeze_facts(postmortem))
        return self._answer(postmortem)


@extend_schema(tags=["follow-ups"])
class FollowUpViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[FollowUp], Scoped):
    queryset = FollowUp.objects.none()
    serializer_class = FollowUpSerializer
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> QuerySet[FollowUp]:
        if self.is_schema:
            return self.queryset
        return FollowUp.objects.visible_to(self.person).select_related("incident", "incident__team", "owner")

    def _changeable(self) -> FollowUp:
        follow_up = self.get_object()
        if follow_up.owner_id != self.person.pk:
            require_role(self.person, Role.RESPONDER, team=follow_up.incident.team, to="change it")
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
