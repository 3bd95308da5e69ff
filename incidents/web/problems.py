"""Errors for programs, as problem+json (RFC 9457)."""

from http import HTTPStatus
from typing import Any

from django.http import JsonResponse


def problem(
    status: int, code: str, detail: str, *, headers: dict[str, str] | None = None, **extra: Any
) -> JsonResponse:
    """Answer an error with a stable `code` for programs and a sentence for people."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "code": code, "detail": detail}
    return JsonResponse(body | extra, status=status, content_type="application/problem+json", headers=headers)
