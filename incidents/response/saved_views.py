"""Views of the list of incidents that somebody keeps under a name."""

from typing import Self
from urllib.parse import urlencode

from django.db import models
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from incidents.errors import Refused
from incidents.people.models import User
from incidents.texts import one_line

_NOT_KEPT = {"before", "seen", "most", "csrfmiddlewaretoken"}


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def for_user(self, user: User) -> Self:
        """Keep one's own and those that others share."""
        return self.filter(models.Q(owner=user) | models.Q(shared=True)).select_related("owner").order_by("name", "pk")

    def store(self, user: User, *, name: str, query: str, shared: bool = False) -> "SavedView":
        """Keep the filters of an address under a name; the same name again replaces what was kept."""
        name = one_line(name)[:60]
        if not name:
            raise Refused("Give the view a name.")
        filters = [(key, value) for key, value in QueryDict(query[:2000]).items() if key not in _NOT_KEPT and value]
        view, _ = self.update_or_create(owner=user, name=name, defaults={"query": urlencode(filters), "shared": shared})
        return view


class SavedView(models.Model):
    """Filters under a name: one's own, or shared with everybody. What they show depends on who looks."""

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=2000, blank=True)
    shared = models.BooleanField(default=False)
    made_at = models.DateTimeField(default=timezone.now)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="one_saved_view_per_name")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("incidents", query=QueryDict(self.query) or None)
