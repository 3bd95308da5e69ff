"""Fields and shapes that the APIs of several slices use."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from incidents.people.models import User


class Slug(serializers.SlugRelatedField[Any]):
    """A row by a name of its own. Unlike the library's, it takes an empty text for no name of anything, not for null."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data == "":
            self.fail("does_not_exist", slug_name=self.slug_field, value=data)
        return super().run_validation(data)


@extend_schema_field(OpenApiTypes.EMAIL)
class PersonField(serializers.RelatedField[User, Any, str]):
    """A person, by email address."""

    def to_representation(self, value: Any) -> str:
        return str(value.email)

    def to_internal_value(self, data: Any) -> User:
        found = User.objects.filter(email__iexact=data, is_active=True).first() if isinstance(data, str) else None
        if found is None:
            raise serializers.ValidationError("Nobody active has this address.")
        return found


class ReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=1000)


class OptionalNoteSerializer(serializers.Serializer[Any]):
    note = serializers.CharField(max_length=2000, allow_blank=True, default="")
