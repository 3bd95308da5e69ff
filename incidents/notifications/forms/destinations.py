"""What people enter about channels: where to, and what is told there."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from incidents import taxonomy
from incidents.notifications.channels.base import Field, Receiver
from incidents.notifications.destinations import ChannelRule, Destination
from incidents.notifications.hours import WEEKDAYS
from incidents.notifications.rules import NAMES, Rule, every_topic
from incidents.notifications.slack.app import SlackApp
from incidents.notifications.topics import HEARD
from incidents.people.models import Role, Team, User, check_time_zone
from incidents.response.vocabulary import Severity
from incidents.texts import check_readable
from incidents.years import check_year

LONGEST_FIELD = 2000
_SEVERITIES = [
    ("", "Any severity"),
    (Severity.SEV1, "SEV1 only"),
    (Severity.SEV2, "SEV2 and worse"),
    (Severity.SEV3, "SEV3 and worse, or not known yet"),
]
# What a chat is told unless somebody chooses otherwise: news, not the paperwork.
_QUIET = {"incident.lead"}


class ChannelRuleForm(forms.Form):
    """One rule of a channel: what is told there, and when."""

    topics = forms.MultipleChoiceField(
        choices=[(topic.code, topic.heard) for topic in HEARD.values()],
        widget=forms.CheckboxSelectMultiple,
        label="Tell it when",
    )
    least_severity = forms.ChoiceField(choices=_SEVERITIES, required=False, label="How severe")
    categories = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, label="Kinds of failure", help_text="None ticked: all."
    )
    weekdays = forms.TypedMultipleChoiceField(
        choices=list(enumerate(WEEKDAYS)),
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Days",
        help_text="None ticked: every day.",
    )
    from_time = forms.TimeField(required=False, label="From", widget=forms.TimeInput(attrs={"type": "time"}))
    until_time = forms.TimeField(
        required=False,
        label="Until",
        widget=forms.TimeInput(attrs={"type": "time"}),
        help_text="Outside these days and hours, nothing is sent by this rule, and nothing is sent later.",
    )
    time_zone = forms.CharField(
        max_length=64, validators=[check_time_zone], help_text="For example Europe/Berlin.", label="Time zone"
    )

    def __init__(self, data: Any = None, *, receiver: Receiver, initial: dict[str, Any]) -> None:
        self.receiver = receiver
        super().__init__(data, initial=initial)
        self.fields["categories"].choices = [(one.code, one.name) for one in taxonomy.categories()]  # type: ignore[attr-defined]  # the stubs know it as Field only
        if receiver.group == "pager":  # what a pager needs to hear follows from what it can do
            del self.fields["topics"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if bool(cleaned.get("from_time")) != bool(cleaned.get("until_time")):
            self.add_error("until_time", "Give both ends of the hours, or none.")
        elif cleaned.get("from_time") and cleaned["from_time"] == cleaned["until_time"]:
            self.add_error("until_time", "The hours end when they begin. For all day, leave both empty.")
        return cleaned

    def write(self, rule: Rule) -> None:
        """Put what was entered into a rule. Not saved yet."""
        for name in NAMES:
            if name in self.fields:
                setattr(rule, name, self.cleaned_data[name])


class MoreRuleForm(ChannelRuleForm):
    """A rule beside the first, new or as it is."""

    def __init__(self, data: Any = None, *, rule: ChannelRule) -> None:
        self.rule = rule
        super().__init__(
            data, receiver=rule.destination.receiver, initial={name: getattr(rule, name) for name in NAMES}
        )

    def save(self) -> ChannelRule:
        self.write(self.rule)
        self.rule.save()
        return self.rule


class DestinationForm(ChannelRuleForm):
    """One channel of a kind, new or as it is, with its first rule; the fields that its receiver needs come first."""

    name = forms.CharField(
        max_length=80, validators=[check_readable], help_text="What people call it, such as #ai-incidents."
    )
    team = forms.ModelChoiceField(
        queryset=Team.objects.none(),
        required=False,
        empty_label="The whole organisation",
        label="Incidents of",
    )

    def __init__(
        self, data: Any = None, *, user: User, receiver: Receiver, destination: Destination | None = None
    ) -> None:
        self.destination = destination
        super().__init__(data, receiver=receiver, initial=_initial(user, receiver, destination))
        for field in receiver.fields:
            self.fields[field.name] = _entry(field, known=destination is not None)
        self.order_fields(["name", *(field.name for field in receiver.fields), "team"])
        if destination:
            del self.fields["team"]
        else:
            led = Team.objects.filter(memberships__user=user, memberships__role__in=Role.LEAD.and_above())
            self.fields["team"].queryset = Team.objects.all() if user.is_superuser else led  # type: ignore[attr-defined]  # the stubs know it as Field only
            if not user.is_superuser:
                self.fields["team"].required = True
                self.fields["team"].empty_label = None  # type: ignore[attr-defined]  # likewise

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("buttons") == "yes" and SlackApp.current() is None:
            self.add_error("buttons", "Connect your Slack app first, under Channels; an administrator does.")
        return cleaned

    @property
    def connection(self) -> dict[str, str]:
        """What was entered to connect it, by the names of the receiver's fields."""
        return {field.name: self.cleaned_data.get(field.name, "") for field in self.receiver.fields}

    def save(self, *, by: User) -> Destination:
        row = self.destination or Destination(
            kind=self.receiver.kind, team=self.cleaned_data.get("team"), created_by=by
        )
        row.name = self.cleaned_data["name"]
        self.write(row)
        row.keep(self.connection)
        row.save()
        return row


def _initial(user: User, receiver: Receiver, destination: Destination | None) -> dict[str, Any]:
    if destination is None:
        quiet = set() if receiver.signs else _QUIET
        return {"time_zone": user.time_zone, "topics": [topic for topic in every_topic() if topic not in quiet]}
    shown = {field.name: destination.hints.get(field.name, "") for field in receiver.fields if not field.secret}
    return {name: getattr(destination, name) for name in ("name", *NAMES)} | shown


def _entry(field: Field, *, known: bool) -> forms.Field:
    """A secret is never shown again: left empty, it stays what it was."""
    if field.choices:
        return forms.ChoiceField(
            choices=field.choices, label=field.label, help_text=field.help, required=field.required
        )
    stays = " Leave it empty to keep what is stored." if known and field.secret else ""
    return forms.CharField(
        max_length=LONGEST_FIELD,
        label=field.label,
        help_text=field.help + stays,
        required=field.required and not (known and field.secret),
        widget=secret_box(),
        validators=[check_field(field.check)],
    )


def secret_box() -> forms.TextInput:
    """A box for what no browser should offer to fill in or correct."""
    return forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})


def check_field(check: Callable[[str], str]) -> Callable[[str], None]:
    """A receiver's check as a form's validator."""

    def validate(text: str) -> None:
        try:
            check(text)
        except ValueError as refusal:
            raise ValidationError(str(refusal) or "This is not what it should be.") from refusal

    return validate


class RangeForm(forms.Form):
    """From when until when to send again, in UTC days."""

    since = forms.DateField(validators=[check_year], widget=forms.DateInput(attrs={"type": "date"}), label="From")
    until = forms.DateField(
        validators=[check_year], widget=forms.DateInput(attrs={"type": "date"}), label="Until, inclusive"
    )
