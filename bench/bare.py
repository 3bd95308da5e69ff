"""The limit that the door is compared with: a Django view that does one durable INSERT and nothing else.

Served as `bench.bare:application` by the same web server, on the PostgreSQL that DATABASE_URL names.
"""

import hashlib

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.urls import path

from bench.sql import INSERT
from reliability import env

_database = env.database("DATABASE_URL") or {}

settings.configure(
    SECRET_KEY="bench",  # noqa: S106 - it guards nothing
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],  # for the Content-Length
    DATABASES={"default": {**_database, "OPTIONS": {"pool": {"min_size": 1, "max_size": 12}}}},
)
django.setup()


def store(request: HttpRequest) -> JsonResponse:
    body = request.body
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [body, len(body), hashlib.sha256(body).hexdigest()])
        (number,) = cursor.fetchone()
    return JsonResponse({"delivery": number})


urlpatterns = [path("store", store)]
application = WSGIHandler()
