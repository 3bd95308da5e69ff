import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('incidents', '0008_fill_postmortems'),
    ]

    operations = [
        migrations.AlterField(
            model_name='postmortem',
            name='slug',
            field=models.SlugField(max_length=16, unique=True),
        ),
        migrations.AlterField(
            model_name='postmortem',
            name='guide',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='postmortems', to='incidents.guide'),
        ),
    ]
