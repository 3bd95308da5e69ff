"""The API of the catalogue and of what is changed in it."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from incidents.api.base import Scoped, validated
from incidents.api.fields import Slug
from incidents.people.models import Role, Team
from incidents.people.permissions import require_role
from incidents.systems.models import Change, System
from incidents.years import check_year


class SystemSerializer(serializers.ModelSerializer[System]):
    team = Slug(slug_field="slug", read_only=True)
    depends_on = Slug(slug_field="slug", source="upstreams", many=True, read_only=True)

    class Meta:
        model = System
        fields = tuple(
            "slug name kind tier team purpose fallback runbook_url dashboard_url depends_on".split(),
        )
        read_only_fields = fields


class SystemWriteSerializer(serializers.ModelSerializer[System]):
    team = Slug(slug_field="slug", queryset=Team.objects.all())

    class Meta:
        model = System
        fields = ("slug", "name", "kind", "tier", "team", "purpose", "fallback", "runbook_url", "dashboard_url")

    def validate_name(self, name: str) -> str:
        if System.objects.filter(name__iexact=name).exists():
            raise serializers.ValidationError("A system already has this name.")
        return name


class ChangeSerializer(serializers.ModelSerializer[Change]):
    system = Slug(slug_field="slug", queryset=System.objects.all())
    happened_at = serializers.DateTimeField(validators=[check_year], required=False)

    class Meta:
        model = Change
        fields = ("id", "system", "kind", "title", "version", "url", "happened_at")


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
        serializer = SystemWriteSerializer(data=request.data)
        validated(serializer)
        require_role(self.person, Role.LEAD, team=serializer.validated_data["team"], to="register its systems")
        return Response(SystemSerializer(serializer.save()).data, status=status.HTTP_201_CREATED)


@extend_schema(tags=["systems"])
class ChangeViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Change], Scoped):
    """What was altered in systems: a deploy job posts it here."""

    queryset = Change.objects.none()
    serializer_class = ChangeSerializer
    parameters = ("system",)

    def get_queryset(self) -> QuerySet[Change]:
        if self.is_schema:
            return self.queryset
        changes = Change.objects.filter(system__in=System.objects.visible_to(self.person)).select_related("system")
        slug = self.request.query_params.get("system")
        return changes.filter(system__slug=slug) if slug else changes

    @extend_schema(parameters=[OpenApiParameter("system", OpenApiTypes.STR)])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    def create(self, request: Request) -> Response:
        serializer = ChangeSerializer(data=request.data)
        validated(serializer)
        require_role(
            self.person, Role.RESPONDER, team=serializer.validated_data["system"].team, to="record its changes"
        )
        serializer.save(recorded_by=self.person)
        return Response(serializer.data, status=status.HTTP_201_CREATED)


class ChangesWithoutSlash(ChangeViewSet):
    schema = None  # described once is enough
