"""Days and hours of a week in a time zone. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Hours:
    """No weekdays are all of them (Monday is 0); no clock is all day; hours that end before they begin run over midnight."""

    weekdays: Sequence[int]
    begins: time | None
    ends: time | None
    zone: str

    def cover(self, moment: datetime) -> bool:
        """Whether a moment is within them; hours over midnight belong to the day on which they begin."""
        local = moment.astimezone(ZoneInfo(self.zone))
        day, clock = local.weekday(), local.time()
        if self.begins is None or self.ends is None:
            return self._has(day)
        if self.begins < self.ends:
            return self._has(day) and self.begins <= clock < self.ends
        return (self._has(day) and clock >= self.begins) or (self._has((day - 1) % 7) and clock < self.ends)

    def _has(self, day: int) -> bool:
        return not self.weekdays or day in self.weekdays

    @property
    def words(self) -> str:
        """In words; "" where it is always."""
        days = ", ".join(WEEKDAYS[day][:3] for day in sorted(self.weekdays))
        span = f"{self.begins:%H:%M}–{self.ends:%H:%M}" if self.begins and self.ends else ""
        return f"{' '.join(filter(None, (days, span)))} ({self.zone})" if days or span else ""
