"""Every error of the API as problem+json (RFC 9457), with a stable `code` and the fields that are wrong."""

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from incidents.errors import WrongStatus
from incidents.taxonomy import Unknown

TYPE = "application/problem+json"


def problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer what a view raised; None (Django's own handling) for what is nobody's input."""
    fields: dict[str, list[str]] = {}
    match error:
        case exceptions.ValidationError():
            fields = _fields(error.detail)
            detail = next(iter(fields.values()), ["The input is not valid."])[0]
            return _answer(400, "invalid", detail, fields)
        case ValidationError():
            named: dict[str, list[str]] = error.message_dict if hasattr(error, "error_dict") else {}
            return _answer(400, "invalid", " ".join(error.messages), named)
        case Unknown():
            return _answer(400, "invalid", str(error.args[0]), {})
        case WrongStatus():
            return _answer(409, "wrong_status", str(error), {})
        case Http404():
            return _answer(404, "not_found", "There is nothing here that you may see.", {})
        case PermissionDenied():
            return _answer(403, "not_allowed", str(error) or "You may not do this.", {})
    handled = exception_handler(error, context)
    if handled is None or not isinstance(error, exceptions.APIException):
        return None
    answer = _answer(handled.status_code, str(error.default_code), str(error.detail), {})
    for name in ("WWW-Authenticate", "Retry-After", "Allow"):
        if name in handled.headers:
            answer[name] = handled[name]
    return answer


def _answer(status: int, code: str, detail: str, fields: dict[str, list[str]]) -> Response:
    body: dict[str, Any] = {"type": "about:blank", "status": status, "code": code, "detail": detail}
    if fields:
        body["errors"] = fields
    return Response(body, status=status, content_type=TYPE)


def _fields(detail: Any, prefix: str = "") -> dict[str, list[str]]:
    """Flatten DRF's nested errors to one list of sentences a field."""
    match detail:
        case dict():
            found: dict[str, list[str]] = {}
            for name, inner in detail.items():
                found |= _fields(inner, f"{prefix}.{name}" if prefix else str(name))
            return found
        case list() if any(isinstance(item, dict | list) for item in detail):
            found = {}
            for position, inner in enumerate(detail):
                found |= _fields(inner, f"{prefix}[{position}]")
            return found
        case list():
            return {prefix or "non_field_errors": [str(item) for item in detail]}
    return {prefix or "non_field_errors": [str(detail)]}
