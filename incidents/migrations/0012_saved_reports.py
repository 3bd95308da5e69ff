"""What was called a kept report is a saved one. Its table keeps its name, so nothing in the database changes."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("incidents", "0011_reports")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel("KeptReport", "SavedReport"),
                migrations.AlterModelTable("SavedReport", "incidents_keptreport"),
            ]
        )
    ]
