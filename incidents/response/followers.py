"""Who is told about the incidents of what: one incident, a system or a team."""

from typing import Any

from django.db import models

from incidents.people.models import Team, User
from incidents.response.incident import Incident
from incidents.systems.models import System


class Follower(models.Model):
    """Somebody is told of the status updates of one incident, of a system's incidents, or of a team's."""

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="follows")
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, null=True, blank=True, related_name="followers")
    system = models.ForeignKey(System, on_delete=models.CASCADE, null=True, blank=True, related_name="followers")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, blank=True, related_name="followers")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(incident__isnull=False, system__isnull=True, team__isnull=True)
                | models.Q(incident__isnull=True, system__isnull=False, team__isnull=True)
                | models.Q(incident__isnull=True, system__isnull=True, team__isnull=False),
                name="followers_follow_one_thing",
            ),
            models.UniqueConstraint(
                fields=["person", "incident", "system", "team"], nulls_distinct=False, name="nobody_follows_twice"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} follows {self.incident or self.system or self.team}"

    @classmethod
    def toggle(cls, person: User, **of: Any) -> bool:
        """Follow it, or stop following it; returns whether the person follows it now."""
        if cls.objects.filter(person=person, **of).delete()[0]:
            return False
        cls.objects.get_or_create(person=person, **of)
        return True

    @classmethod
    def people_of(cls, incident: Incident) -> list[User]:
        """Give who is told about an incident, among those who may see it."""
        follows = models.Q(incident=incident)
        if incident.system_id:
            follows |= models.Q(system=incident.system_id)
        if incident.team_id:
            follows |= models.Q(team=incident.team_id)
        people = User.objects.filter(pk__in=cls.objects.filter(follows).values("person"), is_active=True)
        if incident.private:
            people = people.filter(pk__in=incident.people.values("pk"))
        return list(people)
