"""Every component on one page, in every state, so that pages are built from what is there."""

from datetime import timedelta

from django import forms
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from incidents import taxonomy
from incidents.web.request import Answer, Request, page


class SampleForm(forms.Form):
    title = forms.CharField(max_length=200, label="A field", help_text="Its help.")
    reason = forms.CharField(
        max_length=200, label="A field with an error", required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    kind = forms.ChoiceField(label="A choice", choices=[("a", "First"), ("b", "Second")])
    on = forms.BooleanField(label="A box", required=False)


@page
@require_safe
def styleguide(request: Request) -> Answer:
    now = timezone.now()
    form = SampleForm({"title": "Filled", "kind": "a"})
    form.is_valid()
    form.add_error("reason", "Say why.")
    context = {
        "severities": ["sev1", "sev2", "sev3", "sev4", "unknown"],
        "categories": [*taxonomy.categories(), taxonomy.category("")],
        "statuses": ["triage", "investigating", "contained", "resolved", "closed", "declined", "merged", "firing"],
        "form": form,
        "now": now,
        "earlier": now - timedelta(hours=3, minutes=7),
        "dates": [now.date() - timedelta(days=3), now.date(), now.date() + timedelta(days=20)],
        "sample": "Some **bold** text, `code`, a [link](https://example.com) and INC-12.\n\n- [x] done\n- [ ] to do\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n",
        "secret": "f1e2d3c4" * 4,
    }
    return render(request, "web/styleguide.html", context)
