"""Every postmortem gets its address and the guide it was begun with; factors and policies begin with the usual ones."""

import json
from pathlib import Path

from django.db import migrations

POLICIES = [
    ('sev1', 'deep', 3, 2),
    ('sev2', 'standard', 5, 1),
    ('sev3', 'standard', 10, 1),
    ('sev4', 'brief', 15, 1),
    ('unknown', 'brief', 10, 1),
]

FACTORS = {
    'technical': ('Silent fallback or default', 'Tight coupling to another system', 'Stale cache or index', 'Version mismatch', 'Missing limit or guard', 'No way back to the previous version', 'Provider changed its model'),
    'data': ('Missing contract with the source', 'Schema or meaning changed', 'Late or incomplete data', 'Labels wrong or delayed', 'Own output fed back', 'Training and serving differ', 'Population changed'),
    'process': ('Change without review', 'Change without a canary', 'Runbook missing or wrong', 'Access wider than needed', 'Rollback not practised', 'Several changes at once'),
    'monitoring': ('No monitor on the output', 'Monitor on averages only', 'Threshold too wide', 'Alert went to nobody', 'Alert lost among many', 'Signal came too late'),
    'evaluation': ('No evaluation for this case', 'Evaluation not run', 'Evaluation passed wrongly', 'Failed evaluation overridden', 'Golden set out of date', 'Slices not evaluated'),
    'oversight': ('No approval where one was needed', 'Approval without understanding', 'Reviewer overloaded', 'No stop within reach', 'Too much trusted to the output', 'Bypass without a trace'),
    'organisation': ('Nobody owned it', 'Knowledge with one person', 'Goals in conflict', 'Earlier follow-up not done', 'Partner or vendor did not tell', 'Not enough people or time'),
}


def fill(apps, schema_editor):
    guide, postmortem = apps.get_model("incidents", "Guide"), apps.get_model("incidents", "Postmortem")
    section, revision = apps.get_model("incidents", "Section"), apps.get_model("incidents", "Revision")
    if postmortem.objects.exists():
        content = json.loads((Path(__file__).parent / "guide_1.json").read_text())
        first, _ = guide.objects.get_or_create(number=1, defaults={"content": content, "note": "As it came"})
        for row in postmortem.objects.select_related("incident").iterator():
            postmortem.objects.filter(pk=row.pk).update(slug=str(row.incident.number), guide=first)
        for row in section.objects.exclude(text="").iterator():
            revision.objects.create(
                section=row, text=row.text, version=row.version, by_id=row.edited_by_id,
                **({"began_at": row.edited_at, "at": row.edited_at} if row.edited_at else {}),
            )
    kind, policy = apps.get_model("incidents", "FactorKind"), apps.get_model("incidents", "Policy")
    for group, names in FACTORS.items():
        for name in names:
            kind.objects.get_or_create(group=group, name=name)
    for severity, depth, days, reviewers in POLICIES:
        policy.objects.get_or_create(severity=severity, defaults={"depth": depth, "due_days": days, "reviewers": reviewers})


class Migration(migrations.Migration):

    dependencies = [
        ('incidents', '0007_postmortems'),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
