"""Stored months are worked out anew: they now also hold since when output is wrong that is not over yet."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("incidents", "0019_money")]

    operations = [migrations.RunSQL("DELETE FROM incidents_rollup", migrations.RunSQL.noop)]
