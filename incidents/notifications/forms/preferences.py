"""What a person chooses to be told."""

from typing import Any

from django import forms
from django.http import QueryDict

from incidents.notifications.hours import WEEKDAYS
from incidents.notifications.messages import Channel
from incidents.notifications.preferences import Preference
from incidents.notifications.topics import TOPICS, by_group

_HOURS = ("quiet_from", "quiet_until", "browser_days", "browser_from", "browser_until")
_TIME = forms.TimeInput(format="%H:%M", attrs={"type": "time"})


class PreferenceForm(forms.Form):
    """Ticked is wanted: one list of boxes for each channel, and quiet hours."""

    quiet_from = forms.TimeField(required=False, widget=_TIME, label="From")
    quiet_until = forms.TimeField(required=False, widget=_TIME, label="Until")

    browser_days = forms.TypedMultipleChoiceField(
        choices=list(enumerate(WEEKDAYS)),
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Days",
        help_text="None ticked: every day.",
    )
    browser_from = forms.TimeField(required=False, widget=_TIME, label="From")
    browser_until = forms.TimeField(required=False, widget=_TIME, label="Until")

    def __init__(self, preference: Preference, data: QueryDict | None = None) -> None:
        self.preference = preference
        initial: dict[str, Any] = {name: getattr(preference, name) for name in _HOURS}
        for channel in Channel:
            initial[channel.value] = [code for code in TOPICS if preference.wants(code, channel)]
        super().__init__(data, initial=initial)
        for channel in Channel:
            choices = [(code, topic.label) for code, topic in TOPICS.items() if not topic.always]
            self.fields[channel.value] = forms.MultipleChoiceField(
                choices=choices, required=False, widget=forms.CheckboxSelectMultiple, label=channel.label
            )

    def groups(self) -> list[dict[str, Any]]:
        """The boxes in groups, as the page shows them; what is always sent has none."""
        boxes = {channel: {box.data["value"]: box for box in self[channel.value]} for channel in Channel}
        return [
            {
                "name": name,
                "rows": [
                    {"topic": topic, "boxes": [(channel.label, boxes[channel].get(topic.code)) for channel in Channel]}
                    for topic in topics
                ],
            }
            for name, topics in by_group().items()
        ]

    def clean(self) -> dict[str, Any]:
        fields: dict[str, Any] = super().clean() or {}
        if "quiet_from" in fields and "quiet_until" in fields:
            begins, ends = fields["quiet_from"], fields["quiet_until"]
            if (begins is None) != (ends is None):
                self.add_error("quiet_until", "Give both ends of your quiet hours, or neither.")
            elif begins is not None and begins == ends:
                self.add_error("quiet_until", "Quiet hours that end when they begin last no time at all.")
        if "browser_from" in fields and "browser_until" in fields:
            begins, ends = fields["browser_from"], fields["browser_until"]
            if (begins is None) != (ends is None) or (begins is None and fields.get("browser_days")):
                self.add_error("browser_until", "Give both ends of these hours, or neither and no days.")
            elif begins is not None and begins == ends:
                self.add_error("browser_until", "Hours that end when they begin last no time at all.")
        return fields

    def save(self) -> None:
        fields = self.cleaned_data
        muted = [
            f"{code}:{channel}"
            for channel in Channel
            for code, topic in TOPICS.items()
            if not topic.always and code not in fields[channel.value]
        ]
        chosen = {"muted": muted} | {name: fields[name] for name in _HOURS}
        Preference.objects.update_or_create(pk=self.preference.person_id, defaults=chosen)
