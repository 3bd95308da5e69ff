"""What a channel is told: which news, how severe, of which kinds of failure, and when."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from incidents import taxonomy
from incidents.notifications.channels.base import Announcement
from incidents.notifications.hours import Hours
from incidents.notifications.topics import HEARD
from incidents.people.models import check_time_zone
from incidents.response.vocabulary import Severity

MOST = 10  # rules of a channel beside its first
NAMES = ("topics", "least_severity", "categories", "weekdays", "from_time", "until_time", "time_zone")


def every_topic() -> list[str]:
    """What a channel hears unless somebody chooses: all about incidents as they happen."""
    return [topic.code for topic in HEARD.values() if not topic.quietly]


class Rule(models.Model):
    """One rule. A channel hears what any of its rules lets through."""

    topics = ArrayField(models.CharField(max_length=40), default=every_topic)
    least_severity = models.CharField(max_length=8, choices=Severity, blank=True)
    categories = ArrayField(models.CharField(max_length=40), default=list, blank=True)  # none: all
    weekdays = ArrayField(models.PositiveSmallIntegerField(), default=list, blank=True)  # Monday is 0; none: all
    from_time = models.TimeField(null=True, blank=True)
    until_time = models.TimeField(null=True, blank=True)  # earlier than `from_time`: over midnight
    time_zone = models.CharField(max_length=64, default="UTC", validators=[check_time_zone])

    class Meta:
        abstract = True

    BOTH_ENDS: ClassVar = models.Q(from_time=None, until_time=None) | models.Q(
        from_time__isnull=False, until_time__isnull=False
    )

    def lets_through(self, announcement: Announcement, *, category: str, whatever_topic: bool) -> bool:
        """Whether an announcement about an incident of a category passes; `whatever_topic` is for who needs each of them."""
        return (
            (whatever_topic or announcement.topic in self.topics)
            and self._is_severe_enough(announcement.severity)
            and (not self.categories or category in self.categories)
            and self.hours.cover(announcement.at)
        )

    def _is_severe_enough(self, severity: str) -> bool:
        """How bad nobody has said yet counts as SEV3: somebody should look."""
        known = Severity.SEV3 if severity == Severity.UNKNOWN else Severity(severity)
        return not self.least_severity or known.rank >= Severity(self.least_severity).rank

    @property
    def hours(self) -> Hours:
        return Hours(self.weekdays, self.from_time, self.until_time, self.time_zone)

    @property
    def topic_names(self) -> list[str]:
        return [topic.heard for topic in HEARD.values() if topic.code in self.topics]

    @property
    def category_names(self) -> list[str]:
        return [one.name for one in taxonomy.categories() if one.code in self.categories]
