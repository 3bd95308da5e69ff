"""What people type about incidents."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from incidents import taxonomy
from incidents.people.models import User
from incidents.response.crew import ResponseRole
from incidents.response.impact import MOST, Exposure, Impact
from incidents.response.incident import Incident
from incidents.response.links import Link
from incidents.response.story import Curation
from incidents.response.updates import PublicPage, PublicPost
from incidents.response.vocabulary import CLOCKS, ImpactMethod, IncidentKind, NoticedBy, Severity
from incidents.systems.models import System

TEXT = {"data-draft": "text", "rows": 3}


class MomentField(forms.DateTimeField):
    """A moment in the zone of whoever types it, from the browser's own picker."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local", "step": "60"}, format="%Y-%m-%dT%H:%M")

    def __init__(self, **options: Any) -> None:
        super().__init__(input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"], **options)

    def clean(self, value: Any) -> datetime | None:
        moment: datetime | None = super().clean(value)
        if moment and not 2000 <= moment.year <= 2200:
            raise forms.ValidationError("Write a date between 2000 and 2200.")
        return moment


class PersonField(forms.ModelChoiceField):
    def __init__(self, **options: Any) -> None:
        super().__init__(queryset=User.objects.filter(is_active=True).order_by("name"), **options)


class DeclareForm(forms.Form):
    """Three fields, because it is three in the morning."""

    title = forms.CharField(
        max_length=200,
        label="What is wrong with the output?",
        widget=forms.TextInput(
            attrs={"data-draft": "title", "autofocus": True, "placeholder": "Answers cite the retired refund policy"}
        ),
    )
    system = forms.ModelChoiceField(
        queryset=System.objects.order_by("name"), required=False, empty_label="Not sure yet", to_field_name="slug"
    )
    severity = forms.ChoiceField(choices=Severity.choices, initial=Severity.UNKNOWN)
    kind = forms.ChoiceField(
        choices=IncidentKind.choices, initial=IncidentKind.REAL, required=False, label="Is it real?",
        help_text="A test, and what is entered afterwards, stay out of reports unless they are asked for.",
    )  # fmt: skip
    declared_at = MomentField(required=False, label="When was that?", help_text="For one that is entered afterwards.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        at = cleaned.get("declared_at")
        if at and cleaned.get("kind") != IncidentKind.BACKFILLED:
            self.add_error("declared_at", "Only what is entered afterwards has an earlier time; choose “Backfilled”.")
        elif at and at > timezone.now():
            self.add_error("declared_at", "This is in the future.")
        return cleaned

    @property
    def declared(self) -> dict[str, Any]:
        """What declares it, as Incident.objects.declare takes it."""
        given = {name: self.cleaned_data[name] for name in ("title", "system", "severity")}
        given["kind"] = self.cleaned_data["kind"] or IncidentKind.REAL
        if at := self.cleaned_data["declared_at"]:
            given |= {"declared_at": at, "detected_at": at, "acknowledged_at": at}
        return given

    def clean_title(self) -> str:
        title = " ".join(self.cleaned_data["title"].split())
        if not title:
            raise forms.ValidationError("Say what is wrong in one line.")
        return title


class NoteForm(forms.Form):
    text = forms.CharField(
        max_length=20_000,
        label="Note",
        widget=forms.Textarea(attrs={**TEXT, "data-note": "", "placeholder": "What do you see? Markdown works."}),
    )


class ContainForm(forms.Form):
    action = forms.ChoiceField(label="What was done")
    note = forms.CharField(
        max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2, "data-draft": "containment"})
    )

    remove_by = MomentField(
        required=False, label="To be taken back by", help_text="Most containments are not meant to stay."
    )

    def __init__(self, *args: Any, incident: Incident, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        usual = taxonomy.containments_for(incident.category, incident.failure_mode)
        others = [action for action in taxonomy.all_containments() if action not in usual]
        groups = [("Usual for this failure", usual), ("Others", others)]
        self.fields["action"].choices = [  # type: ignore[attr-defined]  # the stubs know it as Field only
            (name, [(action.code, action.name) for action in actions]) for name, actions in groups if actions
        ]


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))


class ResolveForm(forms.Form):
    note = forms.CharField(
        max_length=2000,
        required=False,
        label="What made the output right again?",
        widget=forms.Textarea(attrs={"rows": 2, "data-draft": "resolution"}),
    )


class SeverityForm(forms.Form):
    severity = forms.ChoiceField(choices=Severity.choices)


class LeadForm(forms.Form):
    lead = PersonField(required=False, empty_label="Nobody")


class ClassifyForm(forms.Form):
    failure = forms.ChoiceField(label="Category or failure mode", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["failure"].choices = [  # type: ignore[attr-defined]
            ("", "Unclassified"),
            *(
                (found.name, [(found.code, f"{found.name}: not sure which"), *((m.code, m.name) for m in found.modes)])
                for found in taxonomy.categories()
            ),
        ]

    @property
    def chosen(self) -> tuple[str, str]:
        """The category and the failure mode; either may be empty."""
        found = taxonomy.find(self.cleaned_data["failure"])
        return (found.category, found.failure_mode) if found else ("", "")


class SystemForm(forms.Form):
    system = forms.ModelChoiceField(
        queryset=System.objects.order_by("name"), required=False, empty_label="Not known", to_field_name="slug"
    )


class DescribeForm(forms.Form):
    title = forms.CharField(max_length=200)
    summary = forms.CharField(max_length=20_000, required=False, widget=forms.Textarea(attrs={"rows": 4}))


class NoticedForm(forms.Form):
    noticed_by = forms.ChoiceField(choices=NoticedBy.choices, required=False, label="Who noticed first?")


class ClocksForm(forms.Form):
    """The six clocks; only those that were changed are set. The start of the impact may be a range."""

    reason = forms.CharField(max_length=500, required=False, label="How do you know?")
    impact_started_until = MomentField(
        label="… or at the latest", required=False, help_text="Only where a range is all one knows."
    )
    impact_method = forms.ChoiceField(choices=ImpactMethod.choices, required=False, label="How one knows the start")

    def __init__(self, *args: Any, incident: Incident, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.incident = incident
        for name, label in CLOCKS.items():
            self.fields[name] = MomentField(label=label, required=False, initial=getattr(incident, name))
        # What is given as `initial` to the form itself is an offer, and comes before these.
        self.fields["impact_started_until"].initial = incident.impact_started_until
        self.fields["impact_method"].initial = incident.impact_method

    def save(self, *, by: User) -> None:
        """Set the clocks that were changed, compared to the minute: the picker has no seconds. Raises Refused."""
        given, was = self.cleaned_data, self.incident
        for name in CLOCKS:
            same = _minute(given[name]) == _minute(getattr(was, name))
            if name == "impact_started_at":
                until, method = given["impact_started_until"], given["impact_method"] or ImpactMethod.PERSON
                same_range = _minute(until) == _minute(was.impact_started_until)
                if not (same and same_range and (method == was.impact_method or not given[name])):
                    at = was.impact_started_at if same else given[name]
                    was.set_clock(name, at, by=by, reason=given["reason"], until=until, method=method)
            elif not same:
                was.set_clock(name, given[name], by=by, reason=given["reason"])

    def clean(self) -> dict[str, Any]:
        for name in CLOCKS:
            at = self.cleaned_data.get(name)
            if at and at > timezone.now() + timedelta(minutes=5):
                self.add_error(name, "This is in the future.")
        start, until = self.cleaned_data.get("impact_started_at"), self.cleaned_data.get("impact_started_until")
        if until and (start is None or until < start):
            self.add_error("impact_started_until", "A range runs from its earliest moment to its latest.")
        return self.cleaned_data


def _minute(moment: datetime | None) -> datetime | None:
    return moment.replace(second=0, microsecond=0) if moment else None


class NumberField(forms.CharField):
    """The number of an incident, written as people do: 12, #12 or INC-12."""

    def __init__(self, **options: Any) -> None:
        widget = forms.TextInput(attrs={"placeholder": "INC-12"})
        super().__init__(max_length=20, widget=widget, **options)

    def clean(self, value: Any) -> int:
        number = str(super().clean(value)).strip().upper().removeprefix("INC-").removeprefix("#")
        if not (number.isascii() and number.isdigit() and len(number) <= 9):
            raise forms.ValidationError("Write its number, such as INC-12.")
        return int(number)


class MergeForm(forms.Form):
    into = NumberField(label="Into which incident?")


class PrivacyForm(forms.Form):
    people = forms.ModelMultipleChoiceField(
        queryset=User.objects.filter(is_active=True).order_by("name"),
        required=False,
        label="Who may see it, besides you and the lead",
    )


class LinkForm(forms.Form):
    kind = forms.ChoiceField(choices=Link.Kind.choices, label="It is")
    other = NumberField(label="Incident")


class KindForm(forms.Form):
    kind = forms.ChoiceField(choices=IncidentKind.choices, label="Is it real?")


class UpdateForm(forms.Form):
    """What stakeholders are told."""

    text = forms.CharField(
        max_length=5000,
        label="What should stakeholders know?",
        widget=forms.Textarea(
            attrs={"rows": 3, "data-draft": "update", "placeholder": "What is known, what is being done."}
        ),
    )
    impact = forms.CharField(max_length=1000, required=False, label="Impact, as they notice it")
    next_in = forms.ChoiceField(
        choices=[("", "as usual"), ("15", "15 min"), ("30", "30 min"), ("60", "1 hour"), ("240", "4 hours"), ("1440", "1 day")],
        required=False, label="Next update in",
    )  # fmt: skip

    @property
    def next_at(self) -> datetime | None:
        minutes = self.cleaned_data["next_in"]
        return timezone.now() + timedelta(minutes=int(minutes)) if minutes else None


class TaskForm(forms.Form):
    title = forms.CharField(
        max_length=200, label="What is to be done now?", widget=forms.TextInput(attrs={"data-draft": "task"})
    )
    mine = forms.BooleanField(required=False, label="I do it", initial=True)


class RoleField(forms.ModelChoiceField):
    def __init__(self, **options: Any) -> None:
        super().__init__(queryset=ResponseRole.objects.filter(is_active=True), **options)


class RoleForm(forms.Form):
    role = RoleField()
    person = PersonField(required=False, empty_label="Nobody")


class HandoverForm(forms.Form):
    role = RoleField(initial="lead")
    to = PersonField(label="To whom")
    summary = forms.CharField(
        max_length=5000, label="What they need to know",
        widget=forms.Textarea(attrs={"rows": 5, "data-draft": "handover", "placeholder": "What is going on, what was tried, what comes next."}),
    )  # fmt: skip


class CheckForm(forms.Form):
    """Did a containment work?"""

    worked = forms.ChoiceField(choices=[("yes", "It worked"), ("no", "It did not")])
    result = forms.CharField(max_length=2000, required=False, label="How that shows")


class CurateForm(forms.ModelForm):
    """How one Event is told."""

    class Meta:
        model = Curation
        fields = ("text", "at", "marker", "evidence_url", "pinned", "hidden")
        labels = {"hidden": "Leave it out of the story", "pinned": "Pin it"}

    text = forms.CharField(
        max_length=5000, required=False, label="Told as", help_text="Empty: as it was recorded. Markdown works.",
        widget=forms.Textarea(attrs={"rows": 4, "data-draft": "curation"}),
    )  # fmt: skip
    at = MomentField(required=False, label="Happened at", help_text="Empty: when it was recorded.")
    evidence_url = forms.URLField(max_length=2000, required=False, label="Evidence", assume_scheme="https")

    def clean_at(self) -> datetime | None:
        at: datetime | None = self.cleaned_data["at"]
        if at and at > timezone.now():
            raise forms.ValidationError("What happened cannot lie in the future.")
        return at


class AttachForm(forms.Form):
    file = forms.FileField(max_length=200, label="File")


class ImpactForm(forms.ModelForm):
    """What it did, apart from how many."""

    class Meta:
        model = Impact
        fields = ("harm", "reversible", "fallback", "oversight", "trust", "slices", "note")
        labels = {
            "harm": "Did harm come about?", "reversible": "Can it be undone?", "fallback": "Was a fallback used?",
            "oversight": "Human oversight", "trust": "Trust of users", "slices": "Which slices were hit?",
        }  # fmt: skip
        help_texts = {"slices": "Languages, regions, customers: whom it hit more than others."}


class ExposureForm(forms.Form):
    """How many of one kind; what is empty is unknown."""

    estimate = forms.IntegerField(min_value=0, max_value=MOST, required=False)
    low = forms.IntegerField(min_value=0, max_value=MOST, required=False, label="At least")
    high = forms.IntegerField(min_value=0, max_value=MOST, required=False, label="At most")
    how = forms.CharField(max_length=300, required=False, label="How we know")
    corrected = forms.IntegerField(min_value=0, max_value=MOST, required=False, label="Put right so far")

    def __init__(self, data: Any = None, *, row: Exposure | None, of: str) -> None:
        known = {name: getattr(row, name) for name in ("estimate", "low", "high", "how", "corrected")} if row else {}
        super().__init__(data, prefix=of, initial=known)
        self.of = Exposure.Of(of)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        estimate, low, high = (given.get(name) for name in ("estimate", "low", "high"))
        if estimate is None and any(given.get(name) is not None for name in ("low", "high", "corrected")):
            self.add_error("estimate", "An interval needs an estimate.")
        if estimate is not None and not (given.get("how") or "").strip() and "how" not in self.errors:
            self.add_error("how", "Say how you know, such as “query log”.")
        if estimate is not None and ((low is not None and low > estimate) or (high is not None and high < estimate)):
            self.add_error("estimate", "The estimate lies outside its interval.")
        return given


class PublicPageForm(forms.ModelForm):
    class Meta:
        model = PublicPage
        fields = ("is_on", "name", "intro")
        labels = {"name": "What the public calls it", "intro": "A sentence about it"}


class PublicPostForm(forms.ModelForm):
    class Meta:
        model = PublicPost
        fields = ("state", "text")
        labels = {"text": "In words for the public"}
        widgets = {"text": forms.Textarea(attrs={"rows": 4, "data-draft": "public"})}


class SavedViewForm(forms.Form):
    name = forms.CharField(max_length=60, label="Name")
    shared = forms.BooleanField(required=False, label="Everybody may use it")
    query = forms.CharField(max_length=2000, required=False, widget=forms.HiddenInput)


BULK = {
    "acknowledge": "Acknowledge", "take": "Make me the lead", "close": "Close", "follow": "Follow",
    **{f"severity:{severity.value}": f"Set {severity.label}" for severity in Severity if severity != Severity.UNKNOWN},
}  # fmt: skip


class BulkForm(forms.Form):
    """What is done to several incidents at once."""

    act = forms.ChoiceField(choices=list(BULK.items()))
    number = forms.TypedMultipleChoiceField(coerce=int)

    def __init__(self, *args: Any, numbers: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        right = [number for number in numbers if number.isascii() and number.isdigit() and len(number) <= 9]
        self.fields["number"].choices = [(number, number) for number in right[:500]]  # type: ignore[attr-defined]
