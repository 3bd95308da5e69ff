"""Data that was there before an upgrade says the same after it."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from incidents.postmortems import search
from incidents.postmortems.document import Postmortem
from incidents.postmortems.guide import BUILT_IN
from incidents.reports.saved import SavedReport


@pytest.mark.django_db(transaction=True)
def test_a_containment_that_was_recorded_is_done_after_the_upgrade() -> None:
    executor = MigrationExecutor(connection)
    executor.migrate([("incidents", "0005_poison")])
    before = executor.loader.project_state([("incidents", "0005_poison")]).apps
    incident = before.get_model("incidents", "Incident").objects.create(number=1, title="Answers are stale")
    at = timezone.now()
    row = before.get_model("incidents", "Containment").objects.create(incident=incident, action="rollback_index", at=at)
    try:
        MigrationExecutor(connection).migrate([("incidents", "0006_command_centre")])
        after = MigrationExecutor(connection).loader.project_state([("incidents", "0006_command_centre")]).apps
        containment = after.get_model("incidents", "Containment").objects.get(pk=row.pk)
        assert (containment.state, containment.done_at, containment.planned_at, containment.worked) == (
            "done",
            at,
            at,
            None,
        )
        assert after.get_model("incidents", "Incident").objects.get().kind == "real"
        assert after.get_model("incidents", "ResponseRole").objects.count() == 5
    finally:
        MigrationExecutor(connection).migrate(MigrationExecutor(connection).loader.graph.leaf_nodes())


@pytest.mark.django_db(transaction=True)
def test_a_postmortem_that_was_written_keeps_its_words_its_address_and_its_questions() -> None:
    executor = MigrationExecutor(connection)
    executor.migrate([("incidents", "0006_command_centre")])
    before = executor.loader.project_state([("incidents", "0006_command_centre")]).apps
    incident = before.get_model("incidents", "Incident").objects.create(number=7, title="Answers are stale")
    row = before.get_model("incidents", "Postmortem").objects.create(incident=incident, due_on="2026-11-30")
    section = before.get_model("incidents", "Section")
    section.objects.create(postmortem=row, key="summary", position=0, text="The alias.", version=3)
    try:
        MigrationExecutor(connection).migrate(MigrationExecutor(connection).loader.graph.leaf_nodes())
        postmortem = Postmortem.objects.get()
        assert (postmortem.slug, postmortem.guide.number, postmortem.sections.get().text) == ("7", 1, "The alias.")
        assert postmortem.guide.parts == BUILT_IN
        assert [revision.text for revision in postmortem.sections.get().revisions.all()] == ["The alias."]
        assert Postmortem.objects.index_missing() == 1
        assert Postmortem.objects.filter(words=search.query("alias")).exists()
    finally:
        MigrationExecutor(connection).migrate(MigrationExecutor(connection).loader.graph.leaf_nodes())


@pytest.mark.django_db(transaction=True)
def test_a_kept_report_is_a_saved_one_after_the_upgrade_and_a_kept_one_again_before_it() -> None:
    executor = MigrationExecutor(connection)
    executor.migrate([("incidents", "0011_reports")])
    before = executor.loader.project_state([("incidents", "0011_reports")]).apps
    frozen = {"title": "Trends", "since": "2026-01-01", "until": "2026-02-01", "asked": {}, "data": {"trends": {}}}
    report = before.get_model("incidents", "KeptReport").objects.create(**frozen)
    before.get_model("incidents", "ReportNote").objects.create(report=report, text="A holiday")
    try:
        MigrationExecutor(connection).migrate([("incidents", "0012_saved_reports")])
        saved = SavedReport.objects.get()
        assert (saved.pk, saved.data, saved.notes.get().text) == (report.pk, {"trends": {}}, "A holiday")
        MigrationExecutor(connection).migrate([("incidents", "0011_reports")])
        assert before.get_model("incidents", "KeptReport").objects.get().pk == report.pk
    finally:
        MigrationExecutor(connection).migrate(MigrationExecutor(connection).loader.graph.leaf_nodes())
