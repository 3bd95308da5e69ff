"""What people type on the page of an incident."""

from django import forms

from incidents.response.forms.fields import TEXT, IncidentField, IncidentForm
from incidents.texts import check_readable


class NoteForm(forms.Form):
    text = forms.CharField(
        max_length=20_000,
        label="Note",
        validators=[check_readable],
        widget=forms.Textarea(attrs={**TEXT, "data-note": "", "placeholder": "What do you see? Markdown works."}),
    )


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))


class ResolveForm(forms.Form):
    note = forms.CharField(
        max_length=2000,
        required=False,
        label="What made the output right again?",
        widget=forms.Textarea(attrs={"rows": 2, "data-draft": "resolution"}),
    )


class MergeForm(IncidentForm):
    into = IncidentField(label="Into which incident?")


class AttachForm(forms.Form):
    file = forms.FileField(max_length=200, label="File")
