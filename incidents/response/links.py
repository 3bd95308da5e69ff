"""How incidents belong together."""

from django.db import models, transaction
from django.utils import timezone

from incidents.errors import Refused
from incidents.people.models import User
from incidents.response.events import Event
from incidents.response.incident import Incident


class LinkQuerySet(models.QuerySet["Link"]):
    def link(self, incident: Incident, other: Incident, kind: str, *, by: User) -> "Link":
        """Say how `incident` belongs to `other`; saying it again changes nothing."""
        if incident.pk == other.pk:
            raise Refused("An incident cannot be linked with itself.")
        with transaction.atomic():
            made, new = self.get_or_create(incident=incident, other=other, kind=Link.Kind(kind), defaults={"by": by})
            if new:
                incident.record(Event.Kind.LINK, by=by, kind=made.get_kind_display(), other=other.number)
                other.record(Event.Kind.LINK, by=by, kind=made.seen_from(other), other=incident.number)
        return made

    def of(self, incident: Incident, *, user: User) -> list[tuple[str, Incident, "Link"]]:
        """Give what an incident is linked with, among what the user may see: how, with what, and the link."""
        seen = Incident.objects.visible_to(user)
        rows = (
            self.filter(models.Q(incident=incident, other__in=seen) | models.Q(other=incident, incident__in=seen))
            .select_related("incident", "other", "incident__system", "other__system")
            .order_by("pk")
        )
        return [
            (row.seen_from(incident), row.other if row.incident_id == incident.pk else row.incident, row)
            for row in rows
        ]

    def unlink(self, pk: int, incident: Incident, *, by: User) -> None:
        rows = self.filter(models.Q(incident=incident) | models.Q(other=incident), pk=pk)
        row = rows.select_related("incident", "other").first()
        if row is None:
            return
        with transaction.atomic():
            row.delete()
            for here, there in ((row.incident, row.other), (row.other, row.incident)):
                here.record(Event.Kind.LINK, by=by, kind="no longer linked with", other=there.number)


class Link(models.Model):
    """One incident belongs to another, read from `incident` to `other`."""

    class Kind(models.TextChoices):
        RELATED = "related", "related to"
        DUPLICATE = "duplicate", "duplicate of"
        CAUSED_BY = "caused_by", "caused by"
        REPEAT_OF = "repeat_of", "repeat of"

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="links")
    other = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="linked_from")
    kind = models.CharField(max_length=12, choices=Kind)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    objects = LinkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["incident", "other", "kind"], name="one_link_per_pair_and_kind"),
            models.CheckConstraint(condition=~models.Q(incident=models.F("other")), name="no_incident_links_to_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.incident} {self.get_kind_display()} {self.other}"

    def seen_from(self, incident: Incident) -> str:
        if incident.pk == self.incident_id:
            return self.get_kind_display()
        backwards = {
            "related": "related to",
            "duplicate": "has the duplicate",
            "caused_by": "caused",
            "repeat_of": "came again as",
        }
        return backwards[self.kind]
