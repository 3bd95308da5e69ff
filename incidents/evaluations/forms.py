"""What people fill in about evaluation cases."""

import re
from typing import Any

from django import forms

from incidents import taxonomy
from incidents.errors import Refused
from incidents.evaluations import checks
from incidents.evaluations.cases import LONGEST_CONTEXT, LONGEST_TEXT, CasePassage, Content, EvaluationCase, tidy_tags
from incidents.evaluations.checks import OutputCheck
from incidents.response.vocabulary import Severity

_PASSAGE = re.compile(r"\s*\[([^\]\n]{1,200})\]\s*(.*)", re.DOTALL)
_MONO = {"rows": 5, "spellcheck": "false", "autocapitalize": "none", "class": "mono"}


def passages_of(text: str) -> tuple[CasePassage, ...]:
    """Read passages with empty lines between them; one may begin with its id in brackets."""
    found = []
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n").strip()):
        named = _PASSAGE.fullmatch(block)
        passage = CasePassage(named[1].strip(), named[2].strip()) if named else CasePassage("", block.strip())
        if passage.id or passage.text:
            found.append(passage)
    return tuple(found)


def passages_written(passages: tuple[CasePassage, ...]) -> str:
    return "\n\n".join(f"[{one.id}] {one.text}" if one.id else one.text for one in passages)


def _text(rows: int, **options: Any) -> forms.CharField:
    return forms.CharField(max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": rows}), **options)


class CaseForm(forms.Form):
    """What is tested, then what it is called and sorted by."""

    input = _text(3, label="Input", help_text="What the system is asked, word for word.")
    checks = forms.CharField(
        required=False,
        max_length=checks.MOST * checks.LONGEST,
        label="Checks",
        help_text="One a line: contains, not contains, regex, equals, json schema, cites, retrieved, tool called, "
        "tool not called.",
        widget=forms.Textarea(attrs={**_MONO, "placeholder": "contains: 30 days\nnot contains: 90 days"}),
    )
    expected = _text(2, required=False, label="A good answer")
    must_not = _text(2, required=False, label="What an answer must not say")
    context = forms.CharField(
        required=False,
        max_length=LONGEST_CONTEXT,
        label="Context",
        help_text="What it was given to answer from. An empty line begins the next passage; [policy-12] is its id.",
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    rubric = _text(2, required=False, label="Rubric", help_text="For your own judge. Faultline judges nothing by it.")
    title = forms.CharField(max_length=200, required=False, help_text="Empty: the beginning of the input.")
    severity = forms.ChoiceField(
        choices=Severity.choices, initial=Severity.SEV3, help_text="How bad it is when this fails in production."
    )
    failure_mode = forms.ChoiceField(
        required=False, label="Failure mode", choices=lambda: [("", "Nobody said"), *taxonomy.failure_mode_choices()]
    )
    tags = forms.CharField(required=False, max_length=400, help_text="With commas between them.")
    base = forms.IntegerField(required=False, min_value=1, max_value=2**31 - 1, widget=forms.HiddenInput())

    def clean_checks(self) -> tuple[OutputCheck, ...]:
        try:
            return checks.parse(self.cleaned_data["checks"])
        except checks.NotACheck as error:
            raise forms.ValidationError(str(error)) from None

    def clean_tags(self) -> list[str]:
        try:
            return tidy_tags(self.cleaned_data["tags"].split(","))
        except Refused as refusal:
            raise forms.ValidationError(refusal.messages) from None

    def clean_context(self) -> tuple[CasePassage, ...]:
        return passages_of(self.cleaned_data["context"])

    @property
    def content(self) -> Content:
        names = ("input", "context", "expected", "must_not", "rubric", "checks")
        fields = {name: self.cleaned_data[name] for name in names}
        plain = {name: value.replace("\r\n", "\n") for name, value in fields.items() if isinstance(value, str)}
        return Content(**fields | plain)

    @property
    def labels(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("title", "severity", "failure_mode", "tags")}


def shown(content: Content) -> dict[str, Any]:
    """What a form shows of what a case tests."""
    return {
        "input": content.input,
        "context": passages_written(content.context),
        "expected": content.expected,
        "must_not": content.must_not,
        "rubric": content.rubric,
        "checks": checks.written(content.checks),
    }


def initial_of(case: EvaluationCase) -> dict[str, Any]:
    labels = {name: getattr(case, name) for name in ("title", "severity", "failure_mode")}
    return shown(case.current.content) | labels | {"tags": ", ".join(case.tags), "base": case.version}


class RetireForm(forms.Form):
    reason = forms.CharField(max_length=500, widget=forms.Textarea(attrs={"rows": 2}), label="Why is it retired?")


class TryForm(forms.Form):
    """An output to hold against the checks."""

    output = forms.CharField(max_length=checks.LONGEST_OUTPUT, widget=forms.Textarea(attrs={"rows": 4}), label="Output")
    retrieved = forms.CharField(max_length=2000, required=False, label="Retrieved", help_text="Ids, with commas.")
    tools = forms.CharField(max_length=2000, required=False, label="Tools called", help_text="Names, with commas.")

    @property
    def answer(self) -> checks.SystemOutput:
        return checks.SystemOutput(
            self.cleaned_data["output"],
            retrieved=_listed(self.cleaned_data["retrieved"]),
            tools=_listed(self.cleaned_data["tools"]),
        )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(name for name in (one.strip() for one in text.split(",")) if name)
