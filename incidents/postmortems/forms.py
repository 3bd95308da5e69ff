"""What people type about postmortems, where it is more than a text."""

from collections.abc import Iterable
from typing import Any, Self, cast

from django import forms

from incidents.followups.forms import FollowUpForm
from incidents.followups.models import FollowUp
from incidents.people.models import Team
from incidents.postmortems.document import Postmortem
from incidents.postmortems.factors import FactorKind
from incidents.postmortems.guide import Depth
from incidents.response.forms.fields import PersonChoiceField
from incidents.systems.models import Change


class PersonChoice(forms.Form):
    person = PersonChoiceField(empty_label="Choose …")


class TriggerForm(forms.Form):
    """One change on record, something else, or none found."""

    choice = forms.ChoiceField(label="What triggered it?")
    text = forms.CharField(max_length=500, required=False, label="In a few words")

    changes: dict[str, Change]

    @classmethod
    def of(cls, postmortem: Postmortem, suspects: Iterable[Change], data: Any = None) -> Self:
        changes = [*suspects, *([postmortem.trigger] if postmortem.trigger else [])]
        by_key = {f"change-{change.pk}": change for change in changes}
        now = f"change-{postmortem.trigger_id}" if postmortem.trigger_id else postmortem.triggered_by
        form = cls(data, initial={"choice": now, "text": postmortem.trigger_text}, auto_id="trigger_%s")
        form.changes = by_key
        choice = cast("forms.ChoiceField", form.fields["choice"])
        choice.choices = [
            ("", "Not decided yet"),
            *((key, _in_words(change)) for key, change in by_key.items()),
            ("other", "Something else"),
            ("none", "None found"),
        ]
        choice.required = False
        return form

    @property
    def change(self) -> Change | None:
        return self.changes.get(self.cleaned_data["choice"])

    def clean(self) -> dict[str, Any]:
        fields = super().clean() or {}
        choice = fields.get("choice", "")
        return fields | {"triggered_by": "change" if choice in self.changes else choice}


def _in_words(change: Change) -> str:
    when = f"{change.happened_at:%Y-%m-%d %H:%M} UTC"
    return f"{change.get_kind_display()}: {change.title} ({change.system}, {when})"[:160]


class FactorForm(forms.Form):
    kind = forms.ModelChoiceField(FactorKind.objects.filter(retired=False), empty_label="Choose …")
    text = forms.CharField(max_length=2000, required=False)
    evidence = forms.CharField(max_length=500, required=False)


class TakeForm(FollowUpForm):
    """What a parked fix needs to become a follow-up; what it is stands in it already."""

    title = kind = description = None  # type: ignore[assignment] # how a form leaves out what it inherits
    priority = forms.TypedChoiceField(
        choices=FollowUp.Priority.choices,
        coerce=int,
        initial=FollowUp.Priority.P2,
        required=False,
        empty_value=None,
    )

    def clean_priority(self) -> int:
        priority: int | None = self.cleaned_data["priority"]
        return FollowUp.Priority.P2 if priority is None else priority


class ImportForm(forms.Form):
    team = forms.ModelChoiceField(Team.objects.all(), required=False, empty_label="No team")


class PartForm(forms.Form):
    """One part of the guide as it is edited."""

    key = forms.CharField(max_length=24, required=False, widget=forms.HiddenInput)
    title = forms.CharField(max_length=60, required=False)
    help = forms.CharField(max_length=200, required=False)
    minutes = forms.IntegerField(min_value=1, max_value=120, initial=5, required=False)
    depth = forms.ChoiceField(choices=Depth.choices, initial=Depth.STANDARD, label="Asked from depth")
    required = forms.ChoiceField(choices=[("", "Never"), *Depth.choices], required=False, label="Required from depth")
    questions = forms.CharField(
        required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 3}), label="Questions, one per line"
    )
    by_category = forms.BooleanField(required=False, label="Also ask the questions of the category here")
    position = forms.IntegerField(required=False, min_value=0, max_value=999, label="Position")
    leave_out = forms.BooleanField(required=False, label="Leave out")
