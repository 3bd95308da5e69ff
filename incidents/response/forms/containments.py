"""What people type about what limits the harm."""

from typing import Any

from django import forms

from incidents import taxonomy
from incidents.response.incident import Incident
from incidents.web.fields import MomentField


class ContainForm(forms.Form):
    action = forms.ChoiceField(label="What was done", error_messages={"required": "Choose what was done."})
    note = forms.CharField(
        max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2, "data-draft": "containment"})
    )

    remove_by = MomentField(required=False, label="Roll back by", help_text="Most containments are temporary.")

    def __init__(self, *args: Any, incident: Incident, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        usual = taxonomy.containments_for(incident.category, incident.failure_mode)
        others = [action for action in taxonomy.all_containments() if action not in usual]
        groups = [("Usual for this failure", usual), ("Others", others)]
        self.fields["action"].choices = [  # type: ignore[attr-defined]  # the stubs know it as Field only
            ("", "Choose what was done"),  # nothing is recorded that nobody chose
            *((name, [(action.code, action.name) for action in actions]) for name, actions in groups if actions),
        ]


class CheckForm(forms.Form):
    """Did a containment work?"""

    worked = forms.ChoiceField(choices=[("yes", "It worked"), ("no", "It did not work")])
    result = forms.CharField(max_length=2000, required=False, label="How do you know?")
