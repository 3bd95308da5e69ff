"""What was read of somebody else's calendar."""

from django.db import models

from incidents.oncall.pointer import OnCall
from incidents.oncall.shifts import Because, Duty
from incidents.people.models import User


class CalendarShift(models.Model):
    """One entry of a calendar, as it was last read; recurrences are written out. Without a person, nobody here was recognised."""

    on_call = models.ForeignKey(OnCall, on_delete=models.CASCADE, related_name="calendar_shifts")
    person = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    names = models.CharField(max_length=200, blank=True)  # whom the calendar named, in its own words
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        ordering = ["starts_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")), name="a_calendar_shift_ends_after_it_starts"
            ),
        ]
        indexes = [models.Index(fields=["on_call", "ends_at"], name="calendar_shifts_by_end")]

    def __str__(self) -> str:
        return f"{self.names}: {self.person or 'nobody known'}"

    @property
    def duty(self) -> Duty | None:
        return Duty(self.person_id, self.starts_at, self.ends_at, Because.CALENDAR) if self.person_id else None
