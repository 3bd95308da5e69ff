"""Settings, in Django's order. Every choice a deployment can make comes from the environment; docs/operate.md lists them."""

import logging
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog

from reliability import env
from reliability.local.folders import remembered_address, secret_key
from reliability.local.postgres import Postgres
from reliability.local.valkey import Valkey
from reliability.logs import cut_secrets

BASE_DIR = Path(__file__).resolve().parent.parent
DATA = env.folder("DATA", BASE_DIR / "var")
ROLE = env.text("ROLE", "command")  # web, worker, beat, sweeper, or a command
HOST = env.text("HOST", "127.0.0.1")
PORT = env.number("PORT", default=8000, least=1, most=65535)
_here = f"http://{'127.0.0.1' if HOST == '0.0.0.0' else HOST}:{PORT}"  # noqa: S104
# A command in another shell is told neither PORT nor BASE_URL: it prints the address that the running product has.
BASE_URL = env.origin(
    "BASE_URL", _here if env.text("PORT") or env.text("HOST") else (remembered_address(DATA) or _here)
)
WEB_WORKERS = env.number("WEB_WORKERS", default=1, least=1, most=64)

# Core

DEBUG = env.flag("DEBUG", default=False)
SECRET_KEY_GIVEN = bool(env.text("SECRET_KEY"))
SECRET_KEY = env.text("SECRET_KEY") or secret_key(DATA)
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
SERVED_OVER_TLS = BASE_URL.startswith("https://")
_host = urlsplit(BASE_URL).hostname or ""
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS") or sorted({_host, "127.0.0.1", "localhost", "[::1]"})
_hosts = {_host, HOST, *ALLOWED_HOSTS}
IS_SHARED = not all(map(env.is_loopback, _hosts))  # other people's browsers can come here
DEMO = env.demonstration("DEMO", hosts=_hosts)
CSRF_TRUSTED_ORIGINS = [BASE_URL]
ROOT_URLCONF = "reliability.urls"
WSGI_APPLICATION = "reliability.wsgi.application"
# The ingest door checks its own, larger limit before it reads a body.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
INGEST_MAX_BYTES = 16 * 1024 * 1024
INGEST_MAX_ALERTS = 10_000
# Hosts and networks of one's own that Faultline may ask; others must be on the open Internet, by HTTPS.
OUTGOING_ALLOW = env.hosts("OUTGOING_ALLOW")
SLACK_API = env.text("SLACK_API", "https://slack.com/api").rstrip("/")
# How long what monitors sent is kept: the bytes, the deliveries with their outcomes, and ended alerts without an incident.
KEEP_BODIES_DAYS = env.number("KEEP_BODIES_DAYS", default=30, least=1, most=36_500)
KEEP_DELIVERIES_DAYS = env.number("KEEP_DELIVERIES_DAYS", default=90, least=1, most=36_500)
KEEP_ALERTS_DAYS = env.number("KEEP_ALERTS_DAYS", default=400, least=1, most=36_500)
# Only where a client knows how to slow down (PagerDuty's) is a source told to; others would drop what they have.
INGEST_EVENTS_A_MINUTE = env.number("INGEST_EVENTS_A_MINUTE", default=6000, least=1, most=1_000_000)
APPEND_SLASH = True

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.admin",
    "allauth",
    "allauth.account",
    "csp",
    "django_filters",
    "django_htmx",
    "django_structlog",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "pgtrigger",
    "rest_framework",
    "template_partials",
    "incidents",
]

MIDDLEWARE = [
    "incidents.web.proxies.behind_proxies",
    "django.middleware.security.SecurityMiddleware",
    "incidents.web.middleware.doors",
    "incidents.web.proxies.only_https",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "incidents.web.middleware.RequestLog",
    "incidents.web.middleware.nobody_elses",
    "incidents.web.middleware.storage_trouble",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "incidents.web.middleware.no_nul",
    "incidents.web.middleware.own_clock",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "incidents.shell.navigation.shell",
            ],
            "builtins": [
                "incidents.templatetags.ui",
                "incidents.templatetags.components",
                "template_partials.templatetags.partials",
            ],
        },
    },
]

# Database: PostgreSQL, embedded unless DATABASE_URL names a server

_given = env.database("DATABASE_URL")
EMBEDDED_POSTGRES = _given is None
_database = _given or Postgres(DATA).django_settings()
_database_options: Any = _database.pop("OPTIONS", {})
# A stuck statement must not hold a lock for ever: on-call work waits behind it.
_limits = "-c statement_timeout=30000 -c lock_timeout=10000 -c idle_in_transaction_session_timeout=60000"
DATABASES = {
    "default": {
        **_database,
        "CONN_MAX_AGE": 0 if ROLE == "web" else 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 3,
            "options": _limits,
            **_database_options,  # such as sslmode=verify-full, from the end of DATABASE_URL
            # Celery closes the pool at every task boundary, so only the web process has one.
            **({"pool": {"min_size": 1, "max_size": 16, "timeout": 10}} if ROLE == "web" else {}),
        },
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# In the process, not in Redis: nothing a page needs may depend on the broker.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# People

AUTH_USER_MODEL = "incidents.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_ADAPTER = "incidents.people.adapter.InviteOnly"
# incidents/people/signin.py limits these: the library's limits are a process's own, and one attacker uses them up for all.
ACCOUNT_RATE_LIMITS = {"login": None, "login_failed": None}
ACCOUNT_USER_DISPLAY = "incidents.people.adapter.display_name"
ACCOUNT_SESSION_REMEMBER = True
SESSION_COOKIE_NAME = "faultline_session"
CSRF_COOKIE_NAME = "faultline_csrf"

EMAIL_CONFIG = env.text("EMAIL_URL")
if EMAIL_CONFIG:
    vars().update(env.mail("EMAIL_URL"))
else:
    # Not the log, which more people read than may set a password: email holds links that do.
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = DATA / "mail"
# A mail server that hangs holds up one worker, and no longer than this for each message.
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("MAIL_FROM", f"faultline@{_host}")

# Time and language

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

# Static files

STATIC_URL = "/static/"
STATIC_ROOT = env.folder("STATIC_ROOT", DATA / "static")
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "reliability.statics.BundledStaticFilesStorage"},
}
MEDIA_ROOT = DATA / "media"

# Security

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    },
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SERVED_OVER_TLS
# X-Forwarded-For and X-Forwarded-Proto are believed only from these.
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES", "127.0.0.0/8, ::1")
# incidents.web.proxies.only_https redirects: Django's own way sends a request to itself where a proxy is not set up.
SILENCED_SYSTEM_CHECKS = ["security.W008"]
if SERVED_OVER_TLS:
    SECURE_HSTS_SECONDS = env.number("HSTS_SECONDS", default=31_536_000, most=63_072_000)
    # What holds for every host below this one, or for browsers' built-in lists, is the owner of the domain's to choose.
    SECURE_HSTS_INCLUDE_SUBDOMAINS = env.flag("HSTS_INCLUDE_SUBDOMAINS", default=False)
    SECURE_HSTS_PRELOAD = env.flag("HSTS_PRELOAD", default=False)
    SILENCED_SYSTEM_CHECKS += ["security.W004", "security.W005", "security.W021"]
else:
    # Plain HTTP is for one's own machine: these checks would only repeat that it is plain HTTP.
    # incidents.W001 says so once when the address is not a loopback one.
    SILENCED_SYSTEM_CHECKS += ["security.W004", "security.W012", "security.W016"]

# Celery: PostgreSQL is the queue of record, so a lost message costs delay, never data

_redis = env.redis("REDIS_URL")
EMBEDDED_REDIS = not _redis
CELERY_BROKER_URL = _redis or Valkey(DATA).url
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 1800,
    "socket_connect_timeout": 2,
    # A frozen broker must not hold a request: without a timeout a publish waits for ever.
    "socket_timeout": 15 if ROLE in {"worker", "beat"} else 1,
    "health_check_interval": 25,
    "global_keyprefix": "faultline:",
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SOFT_TIME_LIMIT = 60
CELERY_TASK_TIME_LIMIT = 90
# Without a limit. At a limit a worker asks for no more until its tasks are acknowledged, so it would not hear that the broker
# died; then they never are, and it would wait for ever. Messages are small and say only that something is due.
CELERY_WORKER_PREFETCH_MULTIPLIER = 0
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 5.0
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
# Connecting anew for each task costs more than most tasks; reliability/celery.py sees to dead connections.
CELERY_DB_REUSE_MAX = 10_000
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA / "run" / "celerybeat-schedule")
CELERY_BEAT_SCHEDULE = {
    "beat": {"task": "incidents.tasks.tick", "schedule": 10.0, "options": {"expires": 9}},
    "drain": {"task": "incidents.tasks.drain_deliveries", "schedule": 5.0, "options": {"expires": 4}},
    "look-after-alerts": {"task": "incidents.tasks.look_after_alerts", "schedule": 10.0, "options": {"expires": 9}},
    "notify": {"task": "incidents.tasks.notify", "schedule": 2.0, "options": {"expires": 2}},
    "deliver-to-channels": {"task": "incidents.tasks.deliver_to_channels", "schedule": 2.0, "options": {"expires": 2}},
    "hear-pagers": {"task": "incidents.tasks.hear_pagers", "schedule": 2.0, "options": {"expires": 2}},
    "remind-of-updates": {"task": "incidents.tasks.remind_of_updates", "schedule": 60.0, "options": {"expires": 300}},
    "prune": {"task": "incidents.tasks.prune", "schedule": 3600.0, "options": {"expires": 3000}},
    "look-after-reports": {
        "task": "incidents.tasks.look_after_reports",
        "schedule": 1800.0,
        "options": {"expires": 1500},
    },
    "share-learning": {"task": "incidents.tasks.share_learning", "schedule": 3600.0, "options": {"expires": 3000}},
    "remind-of-follow-ups": {
        "task": "incidents.tasks.remind_of_follow_ups",
        "schedule": 3600.0,
        "options": {"expires": 3000},
    },
    "read-calendars": {"task": "incidents.tasks.read_calendars", "schedule": 60.0, "options": {"expires": 55}},
    "start-postmortems": {"task": "incidents.tasks.start_postmortems", "schedule": 10.0, "options": {"expires": 9}},
}

# API

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["incidents.api.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["incidents.api.permissions.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["incidents.api.parsers.StrictJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "incidents.api.pagination.Cursor",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "incidents.api.schema.TruthfulSchema",
    "EXCEPTION_HANDLER": "incidents.api.errors.problem",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Faultline API",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",  # since 3.1, a description may hold webhooks
    "DESCRIPTION": "Incidents, alerts, postmortems and follow-ups of AI systems. Times are UTC, ISO 8601.",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENFORCE_NON_BLANK_FIELDS": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "incidents.api.schema.describe_problems",
        "incidents.alerts.endpoints.openapi.describe_endpoints",
        "incidents.notifications.events_schema.describe_events",
    ],
    "ENUM_NAME_OVERRIDES": {
        "IncidentStatus": "incidents.response.vocabulary.Status",
        "IncidentSeverity": "incidents.response.vocabulary.Severity",
        "IncidentKind": "incidents.response.vocabulary.IncidentKind",
        "LinkKind": "incidents.response.links.Link.Kind",
        "ContainmentState": "incidents.response.containments.Containment.State",
        "AlertStatus": "incidents.alerts.models.Alert.Status",
        "AlertSeverity": "incidents.alerts.models.AlertSeverity",
        "DeliveryStatus": "incidents.alerts.models.Delivery.Status",
        "SourceKind": "incidents.alerts.sources.choices",
        "SystemKind": "incidents.systems.models.System.Kind",
        "AiPart": "incidents.evidence.context.PARTS",
        "AgentActionApproval": "incidents.evidence.actions.AgentAction.Approval",
        "AgentActionResult": "incidents.evidence.actions.AgentAction.Result",
        "AgentActionSource": "incidents.evidence.actions.AgentAction.Source",
        "SampleSource": "incidents.evidence.samples.Sample.Source",
        "SampleVerdict": "incidents.evidence.samples.Sample.Verdict",
        "FollowUpKind": "incidents.followups.models.FollowUp.Kind",
        "ProofKind": "incidents.followups.proofs.ProofKind",
    },
}

# Logs: one structured line an occurrence, with the request's id; never a body, a token or a query string

LOG_JSON = env.flag("LOG_JSON", default=False)
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG  # one line a request, when it is finished
_shared_processors: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *_shared_processors,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": _shared_processors,
            "processors": [  # the last one gets a line, which the type of a processor does not foresee
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer() if LOG_JSON else structlog.dev.ConsoleRenderer(colors=False),
                cut_secrets,
            ],
        },
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "INFO")},
    "loggers": {
        "django.server": {"handlers": [], "propagate": True},
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
    },
}
