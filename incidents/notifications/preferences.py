"""What a person wants to be told, where, and when not."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import ClassVar
from zoneinfo import ZoneInfo

from django.contrib.postgres.fields import ArrayField
from django.db import models

from incidents.notifications.hours import Hours
from incidents.notifications.topics import TOPICS, Urgency
from incidents.people.models import User

# When what can wait is sent: Monday to Friday, 9 to 17 o'clock, in the person's own zone.
WORK_BEGINS, WORK_ENDS, FRIDAY = time(9), time(17), 4


class Preference(models.Model):
    """One person's choices; who has no row wants everything by mail and has no quiet hours."""

    person = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="preference")
    muted = ArrayField(models.CharField(max_length=48), default=list, blank=True)  # "topic" or "topic:channel"
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)
    # When what is no page comes in the browser alone, and by mail alone at other times; without hours, on both.
    browser_days = ArrayField(models.PositiveSmallIntegerField(), default=list, blank=True)  # Monday is 0; none: all
    browser_from = models.TimeField(null=True, blank=True)
    browser_until = models.TimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(quiet_from=None, quiet_until=None)
                | models.Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="quiet_hours_have_both_ends",
            ),
            models.CheckConstraint(
                condition=models.Q(browser_from=None, browser_until=None)
                | models.Q(browser_from__isnull=False, browser_until__isnull=False),
                name="browser_hours_have_both_ends",
            ),
        ]

    def __str__(self) -> str:
        return f"Preferences of {self.person}"

    @classmethod
    def of_people(cls, people: Iterable[User]) -> dict[int, "Preference"]:
        """The choices of each, by their id; with one query."""
        by_id = {person.pk: person for person in people}
        chosen = {row.pk: row for row in cls.objects.filter(pk__in=by_id)}
        found = {pk: chosen.get(pk) or cls(person=person) for pk, person in by_id.items()}
        for pk, preference in found.items():
            preference.person = by_id[pk]
        return found

    def wants(self, topic: str, channel: str) -> bool:
        return TOPICS[topic].always or not {topic, f"{topic}:{channel}"} & set(self.muted)

    def mute(self, topic: str, channel: str) -> None:
        """Send no more of a topic on a channel; doing it twice changes nothing. Raises KeyError for an unknown topic."""
        code = f"{TOPICS[topic].code}:{channel}"
        Preference.objects.get_or_create(pk=self.person_id)
        stored = Preference.objects.select_for_update().get(pk=self.person_id)
        if code not in stored.muted:
            Preference.objects.filter(pk=self.person_id).update(muted=[*stored.muted, code])

    def by_hour(self, channels: Sequence[str], urgency: str, *, at: datetime) -> Sequence[str]:
        """Of the channels that somebody wants, those that suit the hour: a page comes on all of them."""
        if urgency == Urgency.PAGE or self.browser_from is None or not {"browser", "email"} <= set(channels):
            return channels
        hours = Hours(self.browser_days, self.browser_from, self.browser_until, self.person.time_zone)
        other = "email" if hours.cover(at) else "browser"
        return [channel for channel in channels if channel != other]

    def due(self, urgency: str, *, at: datetime) -> datetime:
        """When something of this urgency may reach them: a page now, the rest after quiet hours or when work begins."""
        if urgency == Urgency.PAGE:
            return at
        zone = ZoneInfo(self.person.time_zone)
        moment = at.astimezone(zone)
        if urgency == Urgency.WORKING_HOURS:
            moment = next_working_moment(moment)
        if self.quiet_from is not None and self.quiet_until is not None:
            moment = after_quiet(moment, self.quiet_from, self.quiet_until)
        return moment.astimezone(UTC) if moment != at else at


def next_working_moment(moment: datetime) -> datetime:
    """The moment itself in working hours, else when they next begin; in the moment's own zone."""
    if moment.weekday() <= FRIDAY and WORK_BEGINS <= moment.time() < WORK_ENDS:
        return moment
    day = moment.date() if moment.time() < WORK_BEGINS else moment.date() + timedelta(days=1)
    while day.weekday() > FRIDAY:
        day += timedelta(days=1)
    return datetime.combine(day, WORK_BEGINS, moment.tzinfo)


def after_quiet(moment: datetime, begins: time, ends: time) -> datetime:
    """The moment itself outside quiet hours, else their end. They may run over midnight; equal ends mean none."""
    now = moment.time()
    over_midnight = begins > ends
    is_quiet = (now >= begins or now < ends) if over_midnight else begins <= now < ends
    if not is_quiet:
        return moment
    day = moment.date() + timedelta(days=1 if over_midnight and now >= begins else 0)
    return datetime.combine(day, ends, moment.tzinfo)
