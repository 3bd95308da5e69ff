"""What the views of every slice's API share."""

from typing import Any, cast

from rest_framework import serializers, views
from rest_framework.request import Request

from incidents.people.models import KeyScope, User


class Scoped(views.APIView):
    """Every lookup begins with what the key's person may see."""

    scope: KeyScope | None = None  # where neither read nor write is meant
    parameters: tuple[str, ...] = ()  # what its list may be asked besides filters and pages

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self._refuse_parameters(request)

    def _refuse_parameters(self, request: Request) -> None:
        """A filter that does not exist or is empty would answer with everything, and a program would work on the wrong rows."""
        known = self._known_parameters()
        wrong = {name: ["There is no such parameter here."] for name in request.query_params if name not in known}
        twice = {name: ["Give it once."] for name, given in request.query_params.lists() if len(given) > 1}
        empty = {
            name: ["Give it a value, or leave it out."] for name, value in request.query_params.items() if not value
        }
        if errors := empty | twice | wrong:
            raise serializers.ValidationError(errors)

    def _known_parameters(self) -> set[str]:
        if getattr(self, "action", "list") != "list":
            return set()
        known = set(self.parameters)
        if pages := getattr(self, "paginator", None):
            known |= {pages.cursor_query_param, pages.page_size_query_param}
        if filters := getattr(self, "filterset_class", None):
            known |= set(filters.base_filters)
        return known

    @property
    def person(self) -> User:
        return cast(User, self.request.user)

    @property
    def is_schema(self) -> bool:
        return getattr(self, "swagger_fake_view", False)


def validated(serializer: serializers.Serializer[Any]) -> dict[str, Any]:
    """Give what was sent, checked: no field is missing, wrong or unknown. Raises a ValidationError that names the fields."""
    sent = serializer.initial_data
    taken = {name for name, field in serializer.fields.items() if not field.read_only}
    if wrong := {name: ["There is no such field here."] for name in sent if name not in taken}:
        raise serializers.ValidationError(wrong)
    serializer.is_valid(raise_exception=True)
    return cast(dict[str, Any], serializer.validated_data)
