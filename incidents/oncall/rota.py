"""A team's own rota: who takes turns, and when they hand over."""

from collections.abc import Sequence
from datetime import time
from typing import Any

from django.core.validators import MaxValueValidator
from django.db import models, transaction
from django.utils import timezone

from incidents.errors import Refused
from incidents.oncall.pointer import OnCall, OnCallKind, RotaChange, can_be_on_call
from incidents.oncall.shifts import Plan
from incidents.people.models import Team, User, check_time_zone
from incidents.texts import check_readable
from incidents.years import check_year

MOST_TURNS = 20  # places in a rota
NINE = time(9)


class Rota(models.Model):
    """People who take turns. Hand-overs are at a local time, so they stay at nine when the clocks change."""

    class Length(models.IntegerChoices):
        DAILY = 1, "Every day"
        WEEKLY = 7, "Every week"

    class Weekday(models.IntegerChoices):
        MONDAY = 0, "Monday"
        TUESDAY = 1, "Tuesday"
        WEDNESDAY = 2, "Wednesday"
        THURSDAY = 3, "Thursday"
        FRIDAY = 4, "Friday"
        SATURDAY = 5, "Saturday"
        SUNDAY = 6, "Sunday"

    team = models.OneToOneField(Team, on_delete=models.CASCADE, related_name="rota")
    name = models.CharField(max_length=80, validators=[check_readable])
    time_zone = models.CharField(max_length=64, default="UTC", validators=[check_time_zone])
    days = models.PositiveSmallIntegerField("hand over", choices=Length, default=Length.WEEKLY)
    weekday = models.PositiveSmallIntegerField(choices=Weekday, default=Weekday.MONDAY)
    hands_over_at = models.TimeField(default=NINE)
    starts_on = models.DateField(default=timezone.localdate, validators=[check_year])

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(days__in=[1, 7]), name="a_rota_is_daily_or_weekly"),
            models.CheckConstraint(condition=models.Q(weekday__lte=6), name="a_rota_hands_over_on_a_weekday"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def plan(self) -> Plan:
        """It as arithmetic sees it; prefetch `turns`."""
        people = tuple(turn.person_id for turn in sorted(self.turns.all(), key=lambda turn: turn.position))
        return plan_of(people, self)

    @classmethod
    def write(cls, team: Team, *, people: Sequence[User], base: int, by: User | None, **fields: Any) -> "Rota":
        """Say who takes turns and when, and point the team at it. Takes the fields of a rota but its team.

        `base` is the version of the pointer that was read before. Raises WrongStatus where that has changed since, and
        Refused where nobody takes turns, or somebody who may not respond for the team.
        """
        check_people(team, people)
        with transaction.atomic():
            pointer = OnCall.locked(team)
            pointer.check_version(base)
            rota, _ = cls.objects.update_or_create(team=team, defaults=fields)
            rota.turns.all().delete()
            RotaTurn.objects.bulk_create(
                RotaTurn(rota=rota, position=position, person=person) for position, person in enumerate(people)
            )
            names = [str(person) for person in people]
            pointer.record(RotaChange.Kind.ROTA, by=by, people=names, hands_over=rota.in_words())
            if pointer.kind == OnCallKind.ROTA:
                OnCall.objects.filter(pk=pointer.pk).update(version=pointer.version + 1)
            else:
                pointer.point(OnCallKind.ROTA, by=by)
        return rota

    def in_words(self) -> str:
        """When it is handed over: “Mondays at 09:00, Europe/Berlin”."""
        on = "Every day" if self.days == self.Length.DAILY else f"{self.get_weekday_display()}s"
        return f"{on} at {self.hands_over_at:%H:%M}, {self.time_zone}"


class RotaTurn(models.Model):
    """One place in the order of a rota. Somebody may have several."""

    rota = models.ForeignKey(Rota, on_delete=models.CASCADE, related_name="turns")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveSmallIntegerField(validators=[MaxValueValidator(MOST_TURNS - 1)])

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["rota", "position"], name="one_person_per_turn")]

    def __str__(self) -> str:
        return f"{self.position + 1}. {self.person}"


def plan_of(people: Sequence[int], rota: Rota) -> Plan:
    return Plan(tuple(people), rota.days, rota.weekday, rota.hands_over_at, rota.time_zone, rota.starts_on)


def check_people(team: Team, people: Sequence[User]) -> None:
    """Raise Refused unless these people can take turns for the team: at least one, and each may respond for it."""
    if not people:
        raise Refused("Say who takes turns.")
    if len(people) > MOST_TURNS:
        raise Refused(f"A rota has at most {MOST_TURNS} turns.")
    able = set(can_be_on_call(team).filter(pk__in=[person.pk for person in people]).values_list("pk", flat=True))
    if unable := [str(person) for person in dict.fromkeys(people) if person.pk not in able]:
        raise Refused(f"{unable[0]} may not respond for {team}. Make them a responder of the team first.")
