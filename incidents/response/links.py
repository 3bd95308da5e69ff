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
            raise Refused("An incident cannot be linked to itself.")
        with transaction.atomic():
            link, is_new = self.get_or_create(incident=incident, other=other, kind=Link.Kind(kind), defaults={"by": by})
            if is_new:
                incident.record(Event.Kind.LINK, by=by, about=other, kind=link.get_kind_display(), other=other.number)
                back = link.seen_from(other)
                other.record(Event.Kind.LINK, by=by, about=incident, kind=back, other=incident.number)
        return link

    def of(self, incident: Incident, *, user: User) -> list[tuple[str, Incident, "Link"]]:
        """Give what an incident is linked with, among what the user may see: how, with what, and the link."""
        links = list(self.filter(models.Q(incident=incident) | models.Q(other=incident)).order_by("pk"))
        if not links:
            return []
        seen = Incident.objects.visible_to(user).in_bulk([link.across_from(incident) for link in links])
        return [
            (link.seen_from(incident), other, link) for link in links if (other := seen.get(link.across_from(incident)))
        ]

    def unlink(self, pk: int, incident: Incident, *, by: User) -> None:
        """Take a link back. One to an incident that whoever does this may not see is as absent as one that never was."""
        links = self.filter(models.Q(incident=incident) | models.Q(other=incident), pk=pk)
        link = links.select_related("incident", "other").first()
        if link is None or not Incident.objects.visible_to(by).filter(pk=link.across_from(incident)).exists():
            return
        with transaction.atomic():
            link.delete()
            for here, there in ((link.incident, link.other), (link.other, link.incident)):
                here.record(Event.Kind.LINK, by=by, about=there, kind="no longer linked to", other=there.number)


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

    def across_from(self, incident: Incident) -> int:
        """The id of the other of the two."""
        return self.other_id if incident.pk == self.incident_id else self.incident_id

    def seen_from(self, incident: Incident) -> str:
        if incident.pk == self.incident_id:
            return self.get_kind_display()
        backwards = {
            "related": "related to",
            "duplicate": "duplicated by",
            "caused_by": "caused",
            "repeat_of": "repeated by",
        }
        return backwards[self.kind]
