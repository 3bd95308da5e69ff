"""What the views of every slice's API share."""

from typing import Any, cast

from rest_framework import serializers, views

from incidents.people.models import KeyScope, User


class Scoped(views.APIView):
    """Every lookup begins with what the key's person may see."""

    scope: KeyScope | None = None  # where neither read nor write is meant

    @property
    def person(self) -> User:
        return cast(User, self.request.user)

    @property
    def is_schema(self) -> bool:
        return getattr(self, "swagger_fake_view", False)


def validated(serializer: serializers.Serializer[Any]) -> dict[str, Any]:
    """Give what was sent, checked. Raises rest_framework's ValidationError, which names the fields."""
    serializer.is_valid(raise_exception=True)
    return cast(dict[str, Any], serializer.validated_data)
