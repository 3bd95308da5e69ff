"""The cast: the people, teams and systems that the tests tell stories about."""

import json
import os
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import hypothesis
import pytest
from django.apps import apps
from django.conf import settings
from django.core.serializers import deserialize, serialize
from django.db import connections
from django.db.models import QuerySet
from django.db.models.signals import post_migrate
from django.test import Client, override_settings
from pytest_django import DjangoDbBlocker

from incidents.alerts.drain import drain
from incidents.alerts.models import Alert, Source
from incidents.people.models import ApiKey, Membership, Role, Team, User
from incidents.response.events import PendingEvent
from incidents.response.incident import Incident
from incidents.systems.models import Dependency, System
from tests.tools import not_tested, reported

# A busy machine is no counterexample: no test of properties depends on speed.
hypothesis.settings.register_profile(
    "faultline", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("faultline")


@pytest.fixture(scope="session", autouse=True)
def _quick_settings() -> Iterator[None]:
    """Static files by their names without hashes, since nothing is collected; passwords hashed in no time."""
    plain = settings.STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    with override_settings(STORAGES=plain, PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Make the test database from the migrated one, where tests/servers.py brought it."""
    if template := os.environ.get("TEST_TEMPLATE"):
        connections.databases["default"]["TEST"]["TEMPLATE"] = template


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A test with real transactions empties all tables; put back what the migrations had put into them."""
    with django_db_blocker.unblock():
        tables = map(QuerySet[Any], apps.get_app_config("incidents").get_models())
        seeded = serialize("json", chain.from_iterable(tables))

    def seed(*, plan: object = None, **_: Any) -> None:
        if plan is None:  # `flush` sends this signal; `migrate`, which has a plan, does its own seeding
            for row in deserialize("json", seeded):
                row.save()

    post_migrate.connect(seed, sender=apps.get_app_config("incidents"))
    yield
    post_migrate.disconnect(seed, sender=apps.get_app_config("incidents"))


@pytest.fixture
def assistants(db: None) -> Team:
    return Team.objects.create(slug="assistants", name="Assistants")


@pytest.fixture
def risk(db: None) -> Team:
    return Team.objects.create(slug="risk", name="Risk")


def _person(email: str, name: str, **memberships: Any) -> User:
    user = User.objects.create_user(f"{email}@example.com", "faultline-demo", name=name)
    for team, role in memberships.values():
        Membership.objects.create(team=team, user=user, role=role)
    return user


@pytest.fixture
def mara(assistants: Team) -> User:
    """On call for the assistants."""
    return _person("mara", "Mara Okafor", a=(assistants, Role.RESPONDER))


@pytest.fixture
def jo(assistants: Team) -> User:
    """Leads the assistants' team."""
    return _person("jo", "Jo Lindqvist", a=(assistants, Role.LEAD))


@pytest.fixture
def rui(risk: Team) -> User:
    """Responds for the risk team, so is a stranger to the assistants'."""
    return _person("rui", "Rui Costa", a=(risk, Role.RESPONDER))


@pytest.fixture
def lee(assistants: Team, risk: Team) -> User:
    """Leads the organisation and reads its reports."""
    return _person("lee", "Lee Tan", a=(assistants, Role.VIEWER), b=(risk, Role.VIEWER))


@pytest.fixture
def sam(db: None) -> User:
    """Belongs to no team."""
    return _person("sam", "Sam Outsider")


@pytest.fixture
def ada(db: None) -> User:
    """Administers."""
    return User.objects.create_superuser("ada@example.com", "faultline-demo", name="Ada Admin")


@pytest.fixture
def support_assistant(assistants: Team) -> System:
    return System.objects.create(
        slug="support-assistant", name="support-assistant", kind=System.Kind.RAG, tier=1, team=assistants
    )


@pytest.fixture
def policy_index(assistants: Team, support_assistant: System) -> System:
    system = System.objects.create(slug="policy-index", name="policy-index", kind=System.Kind.DATA, team=assistants)
    Dependency.objects.create(system=support_assistant, upstream=system)
    return system


@pytest.fixture
def fraud_scorer(risk: Team) -> System:
    return System.objects.create(
        slug="fraud-scorer", name="fraud-scorer", kind=System.Kind.PREDICTOR, tier=1, team=risk
    )


@pytest.fixture
def incident(mara: User, support_assistant: System) -> Incident:
    """An incident that Mara declared and is investigating."""
    return Incident.objects.declare(
        title="Answers cite the retired pricing policy", by=mara, system=support_assistant, severity="sev2"
    )


@pytest.fixture
def known(incident: Incident) -> Incident:
    """The same, of which everybody concerned has heard: what comes next stands alone."""
    PendingEvent.objects.all().delete()
    return incident


@pytest.fixture
def prometheus(assistants: Team) -> tuple[Source, str]:
    """An Alertmanager of the assistants' team, with its token."""
    return Source.objects.connect(kind="alertmanager", name="Prometheus", team=assistants)


@pytest.fixture
def evaluations(assistants: Team) -> tuple[Source, str]:
    """The nightly evaluation job, which posts our own JSON."""
    return Source.objects.connect(kind="generic", name="Nightly evaluations", team=assistants)


@pytest.fixture
def tell(evaluations: tuple[Source, str], post: Any) -> Callable[..., Alert]:
    """Let the nightly evaluations tell of something, and have it processed."""

    def send(title: str, **facts: Any) -> Alert:
        answer = post(evaluations[1], {"title": title, "metric": "recall@10", "key": title, **facts})
        assert answer.status_code == 200
        drain()
        return Alert.objects.latest("pk")

    return send


@pytest.fixture
def as_person(client: Client) -> Callable[[User], Client]:
    """Sign somebody in."""

    def sign_in(user: User) -> Client:
        signed_in = Client()
        signed_in.force_login(user)
        return signed_in

    return sign_in


@pytest.fixture
def post(client: Client) -> Callable[..., Any]:
    """Post a delivery to the door, as a monitor does."""

    def send(token: str, body: Any, **extra: Any) -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body)
        return client.post(
            f"/ingest/{token}", data, content_type=extra.pop("content_type", "application/json"), **extra
        )

    return send


@pytest.fixture
def key_of() -> Callable[..., dict[str, str]]:
    """Make a person's API key and return the header that presents it."""

    def make(user: User, *scopes: str) -> dict[str, str]:
        _, secret = ApiKey.issue(user, name="test", scopes=list(scopes or ("read", "write")))
        return {"Authorization": f"Bearer {secret}"}

    return make


# The files that take longest begin, the longest first, so that no process is left alone with one of them in the end.
LONG = (
    *("test_canary", "test_any_form", "test_contract"),
    *("test_writing", "test_accessibility", "test_start", "test_faults", "test_walk", "test_up", "test_receivers"),
    "test_scripts_in_texts",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {stem: number for number, stem in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.path.stem, len(LONG)))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of xdist hands over what people want to read at the end of the run."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["told"] = (not_tested, reported)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    for ours, theirs in zip((not_tested, reported), getattr(node, "workeroutput", {}).get("told", ()), strict=False):
        ours += theirs


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for sentence in dict.fromkeys(not_tested):
        terminalreporter.write_line(f"!!! {sentence}", red=True, bold=True)
    for line in reported:
        terminalreporter.write_line(line)
