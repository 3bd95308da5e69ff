"""A key acts for its person, within its scopes."""

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from incidents.people.models import ApiKey, KeyScope

if TYPE_CHECKING:  # it reads this module's name from the settings, so it cannot be imported here
    from rest_framework.views import APIView


class HasScope(BasePermission):
    """Reading needs the scope read, changing the scope write; a view may name another."""

    message = "This key’s scopes do not allow that."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not isinstance(request.auth, ApiKey):
            return False
        wanted = getattr(view, "scope", None) or (KeyScope.READ if request.method in SAFE_METHODS else KeyScope.WRITE)
        return request.auth.allows(wanted)
