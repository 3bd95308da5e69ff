"""Whom mail tells of follow-ups: who was given one, whose is due, whose is late, and who leads where it stays late."""

from datetime import date, timedelta

from django.utils import timezone

from incidents.followups.models import FollowUp
from incidents.people.models import Role, User
from incidents.response.incident import Incident

SOON, STAYS_LATE = timedelta(days=3), timedelta(days=7)
FORGOTTEN = timedelta(days=30)  # what is later than that when it is first seen, as after an upgrade, is left alone


def remind() -> int:
    """Owe what is due by today (UTC): once before the day, once after it, once a week later; returns of how many.

    May run as often as it likes: each mail is owed once for each due date.
    """
    today = timezone.localdate()
    rows = FollowUp.objects.open().filter(due_on__lte=today + SOON, due_on__gte=today - FORGOTTEN)
    rows = rows.select_related("incident__lead", "incident__team", "owner")
    return sum(_remind(follow_up, today) for follow_up in rows.order_by("pk").iterator(200))


def _remind(follow_up: FollowUp, today: date) -> bool:
    due = follow_up.due_on
    if due is None:
        return False
    incident = follow_up.incident
    stage, said = "soon", f"is due on {due:%Y-%m-%d}"
    people = {follow_up.owner or incident.lead}
    if due < today:
        stage, said = "late", f"was due on {due:%Y-%m-%d}"
    if due <= today - STAYS_LATE:
        stage = "stays-late"
        people |= {incident.lead, *_leads(incident)}
    whose = str(follow_up.owner or "nobody yet")
    return follow_up.tell(
        {person for person in people if person},
        subject=f"“{follow_up.title}” {said}",
        text=f"A {follow_up.get_priority_display()} follow-up to {incident}. Its owner: {whose}.",
        key=f"{stage}:{due:%Y%m%d}",
    )


def _leads(incident: Incident) -> list[User]:
    members = User.objects.filter(memberships__team=incident.team, memberships__role=Role.LEAD)
    return list(members) if incident.team_id else []
