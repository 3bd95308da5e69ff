"""Data that was there before an upgrade says the same after it."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone


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
        kept = after.get_model("incidents", "Containment").objects.get(pk=row.pk)
        assert (kept.state, kept.done_at, kept.planned_at, kept.worked) == ("done", at, at, None)
        assert after.get_model("incidents", "Incident").objects.get().kind == "real"
        assert after.get_model("incidents", "ResponseRole").objects.count() == 5
    finally:
        MigrationExecutor(connection).migrate(MigrationExecutor(connection).loader.graph.leaf_nodes())
