"""What the page shell shows. Above all slices, like urls.py: it counts in several and is imported by none."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from incidents.alerts.models import Alert
from incidents.followups.models import FollowUp
from incidents.notifications.messages import Notification
from incidents.people.models import User
from incidents.postmortems.document import Postmortem
from incidents.response.incident import Incident


@dataclass(frozen=True, slots=True)
class Item:
    label: str
    url: str
    icon: str
    key: str
    current: bool
    count: int | None = None


class Shell:
    """Counted only when a page shows it: fragments and answers without the shell ask nothing."""

    def __init__(self, request: HttpRequest, user: User) -> None:
        self._path = request.path
        self.user = user
        self.theme = user.theme

    @cached_property  # a page shows it twice: beside, and in the phone’s menu
    def nav(self) -> list[Item]:
        user = self.user
        return [
            self._item("My day", "home", "user", "d"),
            self._item("Incidents", "incidents", "siren", "i", Incident.objects.visible_to(user).open().count()),
            self._item("Notifications", "notifications", "inbox", "n", self._unread()),
            self._item("Alerts", "alerts", "bell-ring", "a", Alert.objects.visible_to(user).firing()[:1000].count()),
            self._item("On call", "on-call", "calendar-clock", "o"),
            self._item("Postmortems", "postmortems", "file-text", "p", self._to_write()),
            self._item("Follow-ups", "follow-ups", "list-checks", "f", self._to_do()),
            self._item("Systems", "systems", "boxes", "s"),
            self._item("Sources", "sources", "radio-tower", "m"),
            self._item("Channels", "channels", "send", "h"),
            self._item("Reports", "reports", "chart-line", "r"),
        ]

    def _unread(self) -> int:
        return Notification.objects.of(self.user).unread()[:100].count()

    def _to_write(self) -> int:
        return Postmortem.objects.visible_to(self.user).unfinished().filter(owner=self.user).count()

    def _to_do(self) -> int:
        return FollowUp.objects.visible_to(self.user).open().owned_by(self.user).count()

    def _item(self, label: str, name: str, icon: str, key: str, count: int | None = None) -> Item:
        url = reverse(name)
        return Item(
            label, url, icon, key, current=self._path == url or (url != "/" and self._path.startswith(url)), count=count
        )


def shell(request: HttpRequest) -> dict[str, Any]:
    user = getattr(request, "user", None)
    return {"shell": Shell(request, user)} if isinstance(user, User) else {}
