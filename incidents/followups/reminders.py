"""Whom Faultline reminds of follow-ups: before they are due, on the day, the day after, and every week that they stay open."""

from datetime import date, timedelta

from django.utils import timezone

from incidents.followups.models import FollowUp
from incidents.followups.rows import leads_of

SOON, WEEK = timedelta(days=3), timedelta(days=7)


def remind() -> int:
    """Remind of what is due by today (UTC): three days before, on the day, a day after, then weekly; returns of how many.

    May run as often as it likes: each reminder is owed once for each due date. Of what is a week late, the leads hear too.
    """
    today = timezone.localdate()
    rows = FollowUp.objects.open().filter(due_on__lte=today + SOON)
    rows = rows.select_related("incident__lead", "incident__team", "owner")
    return sum(_remind(follow_up, today) for follow_up in rows.order_by("pk").iterator(200))


def _remind(follow_up: FollowUp, today: date) -> bool:
    if follow_up.due_on is None or (stage := stage_of(follow_up.due_on, today)) is None:
        return False
    incident, due = follow_up.incident, follow_up.due_on
    people = {follow_up.owner or incident.lead}
    if due <= today - WEEK:
        people |= {incident.lead, *leads_of(incident)}
    when = (
        f"was due on {due:%Y-%m-%d}" if due < today else "is due today" if due == today else f"is due on {due:%Y-%m-%d}"
    )
    whose = str(follow_up.owner or "nobody yet")
    key, subject = f"{stage}:{due:%Y%m%d}", f"“{follow_up.title}” {when}"
    if due < today:
        follow_up.announce_late(key=key, subject=f"{subject} ({incident})")
    return follow_up.tell(
        "due",
        {person for person in people if person},
        subject=subject,
        text=f"A {follow_up.get_priority_display()} follow-up to {incident}. Its owner: {whose}.",
        key=key,
    )


def stage_of(due: date, today: date) -> str | None:
    """Which reminder is owed: “soon”, “today”, “late”, then one for each week; None until three days before."""
    if today < due:
        return "soon" if due - today <= SOON else None
    if today == due:
        return "today"
    weeks = (today - due) // WEEK
    return f"week-{weeks}" if weeks else "late"
