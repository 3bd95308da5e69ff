"""Data that was there before an upgrade says the same after it."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from incidents.postmortems import search
from incidents.postmortems.document import Postmortem
from incidents.postmortems.guide import BUILT_IN
from incidents.reports.saved import SavedReport


@pytest.fixture
def empty_database(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A database of its own without a table: to go forward from nothing is quicker than to go back through everything."""
    with django_db_blocker.unblock():
        usual = connection.settings_dict["NAME"]
        own = f"{usual}_upgrade"
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{own}" TEMPLATE template0')
        _use(own)
        try:
            yield
        finally:
            _use(usual)
            with connection.cursor() as cursor:
                cursor.execute(f'DROP DATABASE "{own}" WITH (FORCE)')


def _use(name: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = name


def upgraded(to: str) -> Any:
    """Migrate to a migration, and give the models as they were then."""
    executor = MigrationExecutor(connection)
    executor.migrate([("incidents", to)])
    return executor.loader.project_state([("incidents", to)]).apps


@pytest.mark.usefixtures("empty_database")
def test_what_was_there_before_upgrades_says_the_same_after_them() -> None:
    # A containment that was recorded is done.
    then = upgraded("0005_poison")
    incident = then.get_model("incidents", "Incident").objects.create(number=7, title="Answers are stale")
    at = timezone.now()
    row = then.get_model("incidents", "Containment").objects.create(incident=incident, action="rollback_index", at=at)
    then = upgraded("0006_command_centre")
    containment = then.get_model("incidents", "Containment").objects.get(pk=row.pk)
    assert (containment.state, containment.done_at, containment.planned_at, containment.worked) == (
        "done",
        at,
        at,
        None,
    )
    incident = then.get_model("incidents", "Incident").objects.get()
    assert incident.kind == "real"
    assert then.get_model("incidents", "ResponseRole").objects.count() == 5
    written = then.get_model("incidents", "Postmortem").objects.create(incident=incident, due_on="2026-11-30")
    section = then.get_model("incidents", "Section")
    section.objects.create(postmortem=written, key="summary", position=0, text="The alias.", version=3)

    # A kept report is a saved one, and a kept one again where one goes back.
    then = upgraded("0011_reports")
    frozen = {"title": "Trends", "since": "2026-01-01", "until": "2026-02-01", "asked": {}, "data": {"trends": {}}}
    report = then.get_model("incidents", "KeptReport").objects.create(**frozen)
    then.get_model("incidents", "ReportNote").objects.create(report=report, text="A holiday")
    upgraded("0012_saved_reports")
    saved = SavedReport.objects.get()
    assert (saved.pk, saved.data, saved.notes.get().text) == (report.pk, {"trends": {}}, "A holiday")
    then = upgraded("0011_reports")
    assert then.get_model("incidents", "KeptReport").objects.get().pk == report.pk

    # A postmortem that was written keeps its words, its address and its questions.
    MigrationExecutor(connection).migrate(MigrationExecutor(connection).loader.graph.leaf_nodes())
    postmortem = Postmortem.objects.get()
    assert (postmortem.slug, postmortem.guide.number, postmortem.sections.get().text) == ("7", 1, "The alias.")
    assert postmortem.guide.parts == BUILT_IN
    assert [revision.text for revision in postmortem.sections.get().revisions.all()] == ["The alias."]
    assert Postmortem.objects.index_missing() == 1
    assert Postmortem.objects.filter(words=search.query("alias")).exists()
