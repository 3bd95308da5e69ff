"""The API of postmortems."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from incidents.api.base import Scoped, validated
from incidents.api.fields import PersonField, Slug
from incidents.errors import WrongStatus
from incidents.people.models import Role
from incidents.people.permissions import NotAllowed
from incidents.postmortems import export, readiness, reviews
from incidents.postmortems.document import Postmortem
from incidents.postmortems.factors import Factor
from incidents.postmortems.facts import freeze_facts
from incidents.postmortems.permissions import may_review, require
from incidents.postmortems.reviews import CHECKS
from incidents.postmortems.sections import Clash, Section
from incidents.response.permissions import get_incident_to_change
from incidents.web.request import visible_or_404


class SectionSerializer(serializers.ModelSerializer[Section]):
    title = serializers.CharField(read_only=True)

    class Meta:
        model = Section
        fields = ("key", "title", "text", "version", "edited_at")
        read_only_fields = fields


class SectionWriteSerializer(serializers.Serializer[Any]):
    key = serializers.CharField(max_length=24)
    text = serializers.CharField(max_length=100_000, allow_blank=True)
    base = serializers.CharField(
        max_length=100_000, allow_blank=True, help_text="The text of the section as it was read."
    )


class DecideSerializer(serializers.Serializer[Any]):
    verdict = serializers.ChoiceField(choices=["approved", "changes"])
    checks = serializers.ListField(
        child=serializers.ChoiceField(choices=CHECKS), required=False, default=list, max_length=len(CHECKS)
    )
    note = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")


class FactorSerializer(serializers.ModelSerializer[Factor]):
    group = serializers.CharField(source="kind.group", read_only=True)
    factor = serializers.CharField(source="kind.name", read_only=True)

    class Meta:
        model = Factor
        fields = ("group", "factor", "text", "evidence")
        read_only_fields = fields


class PostmortemSerializer(serializers.ModelSerializer[Postmortem]):
    incident = Slug(slug_field="number", read_only=True)
    owner = PersonField(read_only=True)
    published_by = PersonField(read_only=True)
    sections = SectionSerializer(many=True, read_only=True)
    factors = FactorSerializer(many=True, read_only=True)
    also = Slug(slug_field="number", many=True, read_only=True)
    id = serializers.CharField(source="slug", read_only=True)

    class Meta:
        model = Postmortem
        fields = (
            "id",
            "incident",
            "also",
            "title",
            "state",
            "depth",
            "owner",
            "due_on",
            "started_at",
            "published_at",
            "published_by",
            "not_required_because",
            "triggered_by",
            "trigger_text",
            "factors",
            "sections",
        )
        read_only_fields = fields


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

    def _changeable(self, role: Role, *, to: str) -> Postmortem:
        postmortem = self.get_object()
        require(self.person, role, postmortem, to=to)
        return postmortem

    @extend_schema(request=SectionWriteSerializer, responses=PostmortemSerializer)
    @action(detail=True, methods=["post"])
    def section(self, request: Request, number: str) -> Response:
        """Write one section over the text that was read (`base`).

        What others wrote meanwhile in other lines is kept: the answer has both. 409 where they changed the same lines;
        yours is then kept as your draft.
        """
        postmortem = self._changeable(Role.RESPONDER, to="edit it")
        fields = validated(SectionWriteSerializer(data=request.data))
        section = visible_or_404(postmortem.sections.all(), key=fields["key"])
        try:
            section.write(fields["text"], by=self.person, base=fields["base"])
        except Clash as clash:
            raise WrongStatus(str(clash)) from None
        return self._answer(postmortem)

    @extend_schema(request=None, responses=PostmortemSerializer)
    @action(detail=True, methods=["post"])
    def review(self, request: Request, number: str) -> Response:
        postmortem = self._changeable(Role.RESPONDER, to="send it to review")
        postmortem.send_to_review(by=self.person, missing=[str(item) for item in readiness.missing(postmortem)])
        return self._answer(postmortem)

    @extend_schema(request=DecideSerializer, responses=PostmortemSerializer)
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, number: str) -> Response:
        """Approve it, with the whole checklist, or ask for changes. Its owner cannot."""
        postmortem = self.get_object()
        if not may_review(self.person, postmortem):
            raise NotAllowed("The owner cannot review it; neither can someone who responds in no team.")
        reviews.decide(postmortem, by=self.person, **validated(DecideSerializer(data=request.data)))
        return self._answer(postmortem)

    @extend_schema(request=None, responses=PostmortemSerializer)
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, number: str) -> Response:
        postmortem = self._changeable(Role.LEAD, to="publish it")
        postmortem.publish(by=self.person, facts=freeze_facts(postmortem))
        return self._answer(postmortem)


@extend_schema(tags=["incidents"])
class StartPostmortemView(Scoped):
    @extend_schema(request=None, responses={201: PostmortemSerializer})
    def post(self, request: Request, number: str) -> Response:
        """Start its postmortem now instead of waiting for it to start itself; the one that was started is returned."""
        incident = get_incident_to_change(self.person, int(number), to="start its postmortem")
        begun = Postmortem.objects.begin(incident, by=self.person)
        visible = visible_or_404(Postmortem.objects.visible_to(self.person), pk=begun.pk)
        return Response(PostmortemSerializer(visible).data, status=status.HTTP_201_CREATED)
