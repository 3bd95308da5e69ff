"""What people fill in about samples."""

import base64
import binascii
from typing import Any

from django import forms
from django.http import QueryDict

from incidents.evidence.exchange import (
    LONGEST_ARGUMENTS,
    LONGEST_PASSAGE,
    LONGEST_TEXT,
    LONGEST_WISH,
    Exchange,
    Passage,
    ToolCall,
)
from incidents.evidence.rates import MOST_OUTPUTS
from incidents.evidence.samples import Sample
from incidents.web.fields import Choose, MomentField

_BETWEEN = "---"  # a line of its own between pasted passages


class WordsField(forms.CharField):
    """Words of an AI or of somebody who asked it: as they are, but with the line ends of a text instead of a form's."""

    def __init__(self, *, rows: int = 4, **options: Any) -> None:
        widget = forms.Textarea(attrs={"rows": rows})
        super().__init__(strip=False, required=False, widget=widget, **options)

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value)).replace("\r\n", "\n")


class PasteForm(forms.Form):
    """One exchange, typed or pasted."""

    input = WordsField(max_length=LONGEST_TEXT, label="Input")
    context = WordsField(
        max_length=100_000,
        label="Retrieved context",
        help_text="Several passages: a line with --- between them.",
    )
    output = WordsField(max_length=LONGEST_TEXT, label="Output")
    verdict = forms.ChoiceField(choices=Sample.Verdict.choices, required=False, widget=Choose, label="Was it right?")
    expected = WordsField(max_length=LONGEST_WISH, rows=2, label="What was expected")
    must_not = WordsField(max_length=LONGEST_WISH, rows=2, label="What it must not say")
    occurred_at = MomentField(required=False, label="When it was said")
    drawn = forms.BooleanField(
        required=False,
        label="Drawn at random",
        help_text="Drawn samples give the rate of wrong outputs. One that somebody noticed was not drawn.",
    )

    def clean(self) -> dict[str, Any] | None:
        fields = super().clean()
        if not self.errors and (problem := self.exchange().problem()):
            raise forms.ValidationError(problem)
        return fields

    def exchange(self) -> Exchange:
        typed = self.cleaned_data
        parts = f"\n{typed['context']}\n".split(f"\n{_BETWEEN}\n")
        return Exchange(
            input=typed["input"],
            output=typed["output"],
            context=tuple(Passage(part.strip()) for part in parts if part.strip()),
            expected=typed["expected"],
            must_not=typed["must_not"],
            occurred_at=typed["occurred_at"],
        )


class UploadForm(forms.Form):
    """A file of samples, to be looked at before anything is kept."""

    file = forms.FileField(
        max_length=200,
        label="File",
        help_text="JSON, JSONL or CSV, 1 MiB at most: OTLP traces, Langfuse, Phoenix, OpenAI messages, or your own columns.",
    )
    drawn = forms.BooleanField(
        required=False,
        label="Drawn at random",
        help_text="Say so only where chance chose them: drawn samples give the rate of wrong outputs.",
    )


class KeepForm(forms.Form):
    """What to do with a file that was looked at."""

    drawn = forms.BooleanField(required=False, label="Drawn at random")
    redact = forms.BooleanField(required=False, initial=True, label="Replace what looks personal or secret")


def packed(content: bytes) -> str:
    """A file, as the preview carries it along."""
    return base64.b64encode(content).decode()


def unpacked(text: str) -> bytes:
    """The file that a preview carried along; nothing where it is none."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


class JudgeForm(forms.Form):
    verdict = forms.ChoiceField(choices=Sample.Verdict.choices, required=False)
    was = forms.ChoiceField(choices=Sample.Verdict.choices, required=False, widget=forms.HiddenInput)
    expected = WordsField(max_length=LONGEST_WISH, rows=3, label="What was expected")
    must_not = WordsField(max_length=LONGEST_WISH, rows=2, label="What it must not say")


class DigestForm(forms.Form):
    """Which texts somebody read."""

    digest = forms.CharField(max_length=16, widget=forms.HiddenInput)


class RedactForm(DigestForm):
    """Every text of a sample, each as it might leave, to be edited."""

    input = WordsField(max_length=LONGEST_TEXT, label="Input")
    output = WordsField(max_length=LONGEST_TEXT, label="Output")
    expected = WordsField(max_length=LONGEST_WISH, rows=2, label="What was expected")
    must_not = WordsField(max_length=LONGEST_WISH, rows=2, label="What it must not say")

    def __init__(self, data: QueryDict | None = None, *, sample: Sample, proposed: Exchange) -> None:
        self.sample = sample
        texts = {name: getattr(proposed, name) for name in ("input", "output", "expected", "must_not")}
        super().__init__(data, initial=texts | {"digest": sample.digest})
        for place, passage in enumerate(proposed.context):
            label = f"Passage {place + 1} {passage.id}".strip()
            self._add(f"context_{place}", label, passage.text, most=LONGEST_PASSAGE)
        for place, call in enumerate(proposed.tool_calls):
            self._add(f"arguments_{place}", f"{call.name}: given", call.arguments, most=LONGEST_ARGUMENTS)
            self._add(f"result_{place}", f"{call.name}: came back", call.result, most=LONGEST_ARGUMENTS)

    def _add(self, name: str, label: str, text: str, *, most: int) -> None:
        self.fields[name] = WordsField(max_length=most, label=label)
        self.initial[name] = text

    def exchange(self) -> Exchange:
        """The sample with the texts that were typed."""
        was, typed = self.sample.exchange, self.cleaned_data
        return Exchange(
            input=typed["input"],
            output=typed["output"],
            expected=typed["expected"],
            must_not=typed["must_not"],
            context=tuple(
                Passage(typed[f"context_{place}"], passage.id, passage.score)
                for place, passage in enumerate(was.context)
            ),
            tool_calls=tuple(
                ToolCall(call.name, typed[f"arguments_{place}"], typed[f"result_{place}"])
                for place, call in enumerate(was.tool_calls)
            ),
            reference=was.reference,
            occurred_at=was.occurred_at,
        )


class OutputsForm(forms.Form):
    outputs = forms.IntegerField(min_value=1, max_value=MOST_OUTPUTS, label="Outputs while it lasted")
