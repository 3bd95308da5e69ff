"""What was mailed and what is owed still becomes a notification and a dispatch; the old table goes."""

from django.db import migrations

_NOTIFICATIONS = """
INSERT INTO incidents_notification
    (id, person_id, topic, urgency, incident_id, subject, text, path, picture, about, key, made_at, read_at)
SELECT gen_random_uuid(), n.person_id,
    CASE
        WHEN n.key LIKE 'update:%' THEN 'incident.update'
        WHEN n.key LIKE 'overdue:%' THEN 'incident.update_overdue'
        WHEN n.key LIKE 'handover:%' THEN 'incident.handover'
        WHEN n.key LIKE 'pm:%:owner:%' THEN 'postmortem.owner'
        WHEN n.key LIKE 'pm:%:review:%' THEN 'postmortem.review'
        WHEN n.key LIKE 'pm:%:verdict:%' THEN 'postmortem.verdict'
        WHEN n.key LIKE 'pm:%:comment:%' THEN 'postmortem.comment'
        WHEN n.key LIKE 'pm:%:named:%' THEN 'postmortem.mention'
        WHEN n.key LIKE 'pm:%' THEN 'postmortem.anniversary'
        WHEN n.key LIKE 'follow-up:%:owner:%' THEN 'follow_up.owner'
        WHEN n.key LIKE 'follow-up:%' THEN 'follow_up.due'
        WHEN n.key LIKE 'report:%' THEN 'report.ready'
        ELSE 'digest'
    END,
    'normal',
    CASE WHEN cardinality(n.about) = 1 THEN (SELECT i.id FROM incidents_incident i WHERE i.id = n.about[1]) END,
    n.subject, n.text, n.path, n.picture, COALESCE(n.about, '{}'), n.key, n.made_at, COALESCE(n.sent_at, n.made_at)
FROM incidents_notice n
ON CONFLICT DO NOTHING
"""

_DISPATCHES = """
INSERT INTO incidents_dispatch (notification_id, channel, due_at, attempts, sent_at, failed_at, error)
SELECT o.id, 'email', n.due_at, n.attempts, n.sent_at,
    CASE WHEN n.sent_at IS NULL AND n.attempts >= 12 THEN n.due_at END, n.error
FROM incidents_notice n JOIN incidents_notification o ON o.key = n.key
ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("incidents", "0025_notifications")]

    operations = [
        migrations.RunSQL(_NOTIFICATIONS, migrations.RunSQL.noop),
        migrations.RunSQL(_DISPATCHES, migrations.RunSQL.noop),
        migrations.DeleteModel(name="Notice"),
    ]
