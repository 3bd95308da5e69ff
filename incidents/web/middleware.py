"""What every request passes."""

import time
from collections.abc import Callable
from zoneinfo import ZoneInfo

import structlog
from django.core.exceptions import BadRequest, DisallowedHost
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import resolve
from django.utils import timezone
from django_structlog.middlewares import RequestMiddleware
from psycopg_pool import PoolTimeout

from incidents.web.problems import problem

View = Callable[[HttpRequest], HttpResponse]

log = structlog.get_logger(__name__)

_RETRY = {"Retry-After": "5"}


def storage_trouble(get_response: View) -> View:
    """Turn a database that cannot be reached into 503 with Retry-After: nothing was stored, so ask again."""

    class Guard:
        def __call__(self, request: HttpRequest) -> HttpResponse:
            return get_response(request)

        def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
            return _unavailable(request, error) if isinstance(error, _TROUBLE) else None

    return Guard()


_TROUBLE = (OperationalError, InterfaceError, PoolTimeout)


def _unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
    log.error("database_unavailable", error=type(error).__name__)
    if request.path.startswith((*DOORS, "/api/")):
        return problem(
            503, "storage_unavailable", "The database cannot be reached; nothing was stored.", headers=_RETRY
        )
    return HttpResponse(render_to_string("503.html"), status=503, headers=_RETRY)


# Where machines bring what they have. Not below /api/, whose views need more of a request.
DOORS = ("/ingest", "/v2/", "/pagers/")


def doors(get_response: View) -> View:
    """Lead monitors straight to their door: they have no session, form or clock, and the way past all that costs twice
    what storing their delivery does. What it would have done for them, a line in the log and an answer while the
    database is away, is done here."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(DOORS):
            return get_response(request)
        match = resolve(request.path_info)
        began = time.perf_counter()
        try:
            request.get_host()
            answer: HttpResponse = match.func(request, *match.args, **match.kwargs)
        except DisallowedHost:
            answer = problem(
                400, "unknown_host", "No such host here. The hosts of this installation are its ALLOWED_HOSTS."
            )
        except _TROUBLE as error:
            answer = _unavailable(request, error)
        took = round((time.perf_counter() - began) * 1000, 1)
        log.info("delivered", method=request.method, path=request.path_info, status=answer.status_code, ms=took)
        answer.headers.setdefault("Content-Length", str(len(answer.content)))
        answer.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
        answer.headers["X-Frame-Options"] = "DENY"
        return answer

    return middleware


class RequestLog(RequestMiddleware):
    """A line a request in the log: by its path alone, because people search for what is nobody else's to read."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        return f"{request.method} {request.path}"


def no_nul(get_response: View) -> View:
    """Refuse an address or a form that holds NUL with 400: PostgreSQL stores none, so a query would end in 500.

    What programs send as JSON is checked where it is parsed (api/parsers.py).
    """

    class Guard:
        def __call__(self, request: HttpRequest) -> HttpResponse:
            return get_response(request)

        def process_view(self, request: HttpRequest, *_view: object) -> HttpResponse | None:
            for_programs = request.path_info.startswith("/api/")
            fields = [request.GET] if for_programs or request.method != "POST" else [request.GET, request.POST]
            wrong = next((name for field in fields for name, values in field.lists() if _has_nul(name, *values)), None)
            if wrong is None:
                return None
            if for_programs:
                message = "NUL is not text."
                return problem(400, "invalid", message, errors={wrong.replace("\x00", ""): [message]})
            raise BadRequest("NUL")

    return Guard()


def _has_nul(*texts: object) -> bool:
    return any("\x00" in str(text) for text in texts)


def nobody_elses(get_response: View) -> View:
    """Let no cache on the way keep what is answered, and a browser show none of it again without asking.

    What somebody may see ends when they sign out or an incident becomes private, and part of a page has the same address as
    the whole. Answers that say themselves how long they hold, such as public pages, stay as they are.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        answer = get_response(request)
        answer.headers.setdefault("Cache-Control", "private, no-cache")
        return answer

    return middleware


def own_clock(get_response: View) -> View:
    """Show times in the zone of whoever looks."""

    def middleware(request: HttpRequest) -> HttpResponse:
        zone = getattr(request.user, "time_zone", "UTC")
        with timezone.override(ZoneInfo(zone)):
            return get_response(request)

    return middleware
