"""What people type about what limits the harm."""

from collections.abc import Iterable
from typing import Any

from django import forms

from incidents import taxonomy
from incidents.response.incident import Incident
from incidents.texts import is_blank
from incidents.web.fields import MomentField


class ContainForm(forms.Form):
    action = forms.ChoiceField(label="What was done", error_messages={"required": "Choose what was done."})
    note = forms.CharField(
        max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2, "data-draft": "containment"})
    )

    remove_by = MomentField(required=False, label="Roll back by", help_text="Most containments are temporary.")

    def __init__(self, *args: Any, incident: Incident, worked: Iterable[str] = (), **kwargs: Any) -> None:
        """`worked` are acts that limited the harm of incidents like this one."""
        super().__init__(*args, **kwargs)
        usual = taxonomy.containments_for(incident.category, incident.failure_mode)
        before = [action for code in worked if (action := taxonomy.containment(code)) not in usual]
        others = [action for action in taxonomy.all_containments() if action not in (*usual, *before)]
        groups = [("Usual for this failure", usual), ("Worked before", before), ("Others", others)]
        self.fields["action"].choices = [  # type: ignore[attr-defined]  # the stubs know it as Field only
            ("", "Choose what was done"),  # nothing is recorded that nobody chose
            *((name, [(action.code, action.name) for action in actions]) for name, actions in groups if actions),
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("action") == taxonomy.OTHER and is_blank(cleaned.get("note", "")):
            self.add_error("note", "Say in the note what was done.")
        return cleaned


class CheckForm(forms.Form):
    """Did a containment work?"""

    worked = forms.ChoiceField(choices=[("yes", "It worked"), ("no", "It did not work")])
    result = forms.CharField(max_length=2000, required=False, label="How do you know?")
