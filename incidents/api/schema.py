"""What the schema says of every operation alike: which problems it may answer."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

_PROBLEM = {
    "type": "object",
    "required": ["type", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable; for programs."},
        "detail": {"type": "string", "description": "A sentence; for people."},
        "errors": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
    },
}
_MEANINGS = {
    "400": "The input is not valid; `errors` names the fields.",
    "401": "No usable key.",
    "403": "The key’s scopes or the person’s role do not allow it.",
    "404": "Not there, or not visible.",
    "409": "Not in a status from which this can be done.",
    "503": "The database cannot be reached; nothing was changed. Ask again after `Retry-After` seconds.",
}


def describe_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = _PROBLEM
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path in result["paths"].values():
        for operation in path.values():
            for status, meaning in _MEANINGS.items():
                operation["responses"].setdefault(status, {"description": meaning, "content": content})
    return result


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its metaclass is untyped
    target_class = "incidents.api.authentication.ApiKeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A key from your account page, such as flk_…"}
