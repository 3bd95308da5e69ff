"""What people type about how a source is read."""

import json
from typing import Any

from django import forms

from incidents.alerts.sources.mapped import FIELDS, LONGEST, FieldMap


class MapForm(forms.Form):
    """Expressions by field, tried against one sample."""

    sample = forms.CharField(
        required=False,
        max_length=200_000,
        label="A delivery to try it on",
        widget=forms.Textarea(attrs={"rows": 14, "spellcheck": "false", "class": "mono"}),
    )
    resolved = forms.CharField(
        required=False,
        max_length=LONGEST,
        label="Words that mean resolved",
        help_text="In addition to resolved, ok, closed and the like; separated by commas.",
    )
    firing = forms.CharField(required=False, max_length=LONGEST, label="Words that mean firing")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, text in FIELDS.items():
            self.fields[name] = forms.CharField(
                required=False,
                max_length=LONGEST,
                label=label_of(name),
                help_text=text,
                widget=forms.TextInput(
                    attrs={
                        "spellcheck": "false",
                        "autocapitalize": "none",
                        "class": "mono",
                        "data-expression": label_of(name),  # see static/js/paths.js
                    }
                ),
            )

    @property
    def expressions(self) -> dict[str, str]:
        """What was typed, also where it is not valid: the preview says what is wrong."""
        typed = {name: str(self.data.get(name, "")).strip() for name in (*FIELDS, "resolved", "firing")}
        return {name: text for name, text in typed.items() if text}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.expressions:  # nothing at all means: no map
            for name, error in FieldMap.of(self.expressions).errors().items():
                self.add_error(name, error)
        return cleaned

    @property
    def expression_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in FIELDS]


def label_of(name: str) -> str:
    return name.replace("_", " ").capitalize()


def pretty(body: bytes) -> str:
    """Show JSON with its structure; what is none, as it came."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")
