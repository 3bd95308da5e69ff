"""What the schema says of every operation alike: what an answer may hold, and which problems it may be."""

from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

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


class TruthfulSchema(AutoSchema):
    """Says of what is only read that it may be null or empty, where its column may: the serializers forget that."""

    def _map_serializer_field(self, field: Any, direction: str, bypass_extensions: bool = False) -> dict[str, Any]:
        _note_what_is_stored(field)
        described: dict[str, Any] = super()._map_serializer_field(field, direction, bypass_extensions)  # type: ignore[no-untyped-call]
        if described.get("format") == "uri" and field.allow_blank:
            del described["format"]  # an empty text is no address
        return described


def _note_what_is_stored(field: Any) -> None:
    model = getattr(getattr(field.parent, "Meta", None), "model", None)
    if not field.read_only or model is None:
        return
    for column in _columns(model, field.source_attrs):
        field.allow_null = field.allow_null or column.null
        if isinstance(field, serializers.CharField | serializers.ChoiceField):
            field.allow_blank = column.blank and not column.null


def _columns(model: type[models.Model], path: list[str]) -> "list[models.Field[Any, Any]]":
    """The columns that a dotted source goes through, as far as it does."""
    columns = []
    for name in path:
        try:
            column = model._meta.get_field(name)
        except FieldDoesNotExist:
            break
        if not isinstance(column, models.Field):
            break
        columns.append(column)
        if not column.related_model or isinstance(column.related_model, str):
            break
        model = column.related_model
    return columns


def describe_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = _PROBLEM
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for name, shape in result["components"]["schemas"].items():
        if name.endswith("Request") and shape.get("type") == "object":
            shape["additionalProperties"] = False  # a field that is not known is refused (api/base.py)
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
