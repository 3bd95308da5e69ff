"""What the public was told of the assistant: written by one person, approved by another."""

from datetime import datetime, timedelta

from incidents.demonstration.cast import Cast
from incidents.people.models import User
from incidents.response.events import Event
from incidents.response.incident import Incident
from incidents.response.public_pages import PublicPage, PublicPost
from incidents.response.vocabulary import IncidentKind, Severity, Status


def write_public_page(cast: Cast) -> None:
    """Open the page of the assistant, with what was written of its last bad incident."""
    mara, jo = cast.people["mara"], cast.people["jo"]
    page = PublicPage.objects.create(
        system=cast.systems["support-assistant"],
        is_on=True,
        name="Help assistant",
        intro="The assistant that answers questions in our help centre. Here we say when its answers were wrong.",
    )
    bad = Incident.objects.filter(
        system=page.system,
        kind=IncidentKind.REAL,
        status__in=[Status.RESOLVED, Status.CLOSED],
        severity__in=[Severity.SEV1, Severity.SEV2],
    )
    incident = bad.order_by("-declared_at").first()
    if not (incident and incident.acknowledged_at and incident.contained_at and incident.resolved_at):
        return
    for state, text, at in (
        ("problem", "Some answers of the assistant are wrong. We are looking into it.", incident.acknowledged_at),
        ("limited", "The harm is limited; we go on until the answers are right again.", incident.contained_at),
        ("solved", "The assistant’s answers are right again. We are sorry for the trouble.", incident.resolved_at),
    ):
        _post(page, incident, mara, jo, state=state, text=text, at=at + timedelta(minutes=6))


def _post(
    page: PublicPage, incident: Incident, writer: User, approver: User, *, state: str, text: str, at: datetime
) -> None:
    approved_at = at + timedelta(minutes=9)
    PublicPost.objects.create(
        page=page,
        incident=incident,
        state=state,
        text=text,
        written_by=writer,
        written_at=at,
        approved_by=approver,
        approved_at=approved_at,
    )
    incident.record(Event.Kind.PUBLIC, by=writer, at=at, became="written", text=text)
    incident.record(Event.Kind.PUBLIC, by=approver, at=approved_at, became="published", text=text)
