"""Who was told of what goes on now. Of what is over nobody is told again."""

from datetime import timedelta

from django.db.models import F, OuterRef, Subquery

from incidents.notifications.announcing import announce
from incidents.notifications.messages import Dispatch, Notification
from incidents.response.events import Event, PendingEvent
from incidents.response.vocabulary import OPEN

READ_AFTER = timedelta(hours=3)


def write_notifications() -> None:
    """Tell people of the open incidents, as if each had been told when it happened; nothing of it is mailed now."""
    # By their ids, as the tables are new and the planner knows nothing of them yet.
    open_ = list(Event.objects.filter(incident__status__in=OPEN).values_list("pk", flat=True))
    PendingEvent.objects.exclude(pk__in=open_).delete()
    while announce():
        pass
    then = Event.objects.filter(pk=OuterRef("event")).values("at")
    mine = Notification.objects.exclude(event=None)
    mine.update(made_at=Subquery(then))
    newest = mine.order_by("-made_at").values_list("made_at", flat=True).first()
    if newest:
        mine.filter(made_at__lt=newest - READ_AFTER).update(read_at=F("made_at"))
    told_at = Notification.objects.filter(pk=OuterRef("notification")).values("made_at")
    Dispatch.objects.filter(notification__in=mine).update(
        sent_at=Subquery(told_at), due_at=Subquery(told_at), attempts=1
    )
