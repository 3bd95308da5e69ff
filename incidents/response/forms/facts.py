"""What people say of an incident, each fact by itself: how it is asked for, and the verb that it ends in."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.http import QueryDict

from incidents import taxonomy
from incidents.errors import WrongStatus
from incidents.people.models import User
from incidents.response.forms.fields import FailureForm, PersonChoiceField, failure_choices
from incidents.response.incident import Incident
from incidents.response.vocabulary import LONGEST_CHANNEL, LONGEST_URL, IncidentKind, NoticedBy, Severity
from incidents.systems.models import System
from incidents.web.fields import Choose, WebAddressField

Facts = dict[str, Any]


class FactForm(forms.Form):
    """One fact of an incident, changed where it is read.

    `seen` stands for what the fact was when the form was shown: saved over anything else, it would undo what somebody
    said meanwhile. A form without it, such as a button that sets one value, saves over anything.
    """

    name: str  # of its place on the page
    label: str
    to: str  # what one must be allowed to do
    layout = ""  # the template that lays its fields out; else they stand below one another
    copies: Sequence[Incident] = ()  # what became private with the incident when it was saved
    fillable: Sequence[str] = ()  # fields that an address may fill in, for whoever then saves it

    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, data: QueryDict | None = None, *, incident: Incident, user: User) -> None:
        facts = self.facts_of(incident)
        self._typed = data.copy() if data else None
        super().__init__(self._typed, auto_id=f"{self.name}_%s", initial=facts | {"seen": _mark(facts)})
        self.incident, self.user = incident, user

    def offer(self, given: Mapping[str, str]) -> None:
        """Fill in what an address offers; nothing is saved by that, and saving checks it as if it had been typed."""
        self.initial.update({name: given[name] for name in self.fillable if given.get(name)})

    def facts_of(self, incident: Incident) -> Facts:
        """What it is now, by the names of the fields."""
        raise NotImplementedError

    def words_of(self, incident: Incident) -> str:
        """What it is now, as people read it."""
        raise NotImplementedError

    def apply(self, incident: Incident, *, by: User) -> None:
        """Say it: one verb, with what was typed."""
        raise NotImplementedError

    def save(self) -> None:
        """Say what was typed, under the lock of the incident; call it in a transaction.

        Raises WrongStatus where the fact is no longer what was seen. Shown again, the form has seen what is there now,
        so that saving once more insists.
        """
        current = self.incident.locked()
        mark = _mark(self.facts_of(current))
        if self._typed and self.cleaned_data["seen"] not in ("", mark):
            self._typed["seen"] = mark
            words = self.words_of(current)
            raise WrongStatus(f"Somebody changed this to “{words}” meanwhile. Save again to replace it.")
        self.apply(current, by=self.user)


def _mark(facts: Mapping[str, Any]) -> str:
    written = json.dumps(facts, sort_keys=True, default=str)
    return hashlib.sha256(written.encode()).hexdigest()[:16]


class SeverityForm(FactForm):
    name, label, to = "severity", "Severity", "change its severity"
    severity = forms.ChoiceField(choices=Severity.choices, widget=Choose)

    def facts_of(self, incident: Incident) -> Facts:
        return {"severity": incident.severity}

    def words_of(self, incident: Incident) -> str:
        return incident.get_severity_display()

    def apply(self, incident: Incident, *, by: User) -> None:
        incident.set_severity(self.cleaned_data["severity"], by=by)


class ClassifyForm(FactForm, FailureForm):
    name, label, to = "classify", "Category", "classify it"
    failure = forms.ChoiceField(
        choices=failure_choices,
        required=False,
        label="Category or failure mode",
        widget=Choose(find="Find a failure mode"),
    )

    def facts_of(self, incident: Incident) -> Facts:
        return {"failure": incident.failure_mode or incident.category}

    def words_of(self, incident: Incident) -> str:
        code = incident.failure_mode
        return taxonomy.failure_mode(code).name if code else incident.category_name

    def apply(self, incident: Incident, *, by: User) -> None:
        category, mode = self.chosen
        incident.classify(category, mode, by=by)


class SystemForm(FactForm):
    name, label, to = "system", "System", "set its system"
    system = forms.ModelChoiceField(
        queryset=System.objects.order_by("name"),
        required=False,
        blank=True,
        empty_label="Not known yet",
        to_field_name="slug",
        widget=Choose(find="Find a system"),
    )

    def facts_of(self, incident: Incident) -> Facts:
        return {"system": incident.system.slug if incident.system else ""}

    def words_of(self, incident: Incident) -> str:
        return str(incident.system or "not known yet")

    def apply(self, incident: Incident, *, by: User) -> None:
        incident.set_system(self.cleaned_data["system"], by=by)


class NoticedForm(FactForm):
    name, label, to = "noticed", "Noticed by", "say who noticed it"
    noticed_by = forms.ChoiceField(choices=NoticedBy.choices, required=False, label="Who noticed first?", widget=Choose)

    def facts_of(self, incident: Incident) -> Facts:
        return {"noticed_by": incident.noticed_by}

    def words_of(self, incident: Incident) -> str:
        return incident.get_noticed_by_display()

    def apply(self, incident: Incident, *, by: User) -> None:
        incident.say_who_noticed(self.cleaned_data["noticed_by"], by=by)


class KindForm(FactForm):
    name, label, to = "kind", "Kind", "change whether it is real"
    kind = forms.ChoiceField(
        choices=IncidentKind.choices,
        label="Is it real?",
        help_text="Reports leave out tests and backfilled incidents by default.",
        widget=Choose,
    )

    def facts_of(self, incident: Incident) -> Facts:
        return {"kind": incident.kind}

    def words_of(self, incident: Incident) -> str:
        return incident.get_kind_display()

    def apply(self, incident: Incident, *, by: User) -> None:
        incident.set_kind(self.cleaned_data["kind"], by=by)


class LeadForm(FactForm):
    name, label, to = "lead", "Lead", "assign its lead"
    lead = PersonChoiceField(required=False, blank=True, empty_label="Nobody", widget=Choose(find="Find a person"))

    def facts_of(self, incident: Incident) -> Facts:
        return {"lead": incident.lead_id}

    def words_of(self, incident: Incident) -> str:
        return str(incident.lead or "nobody")

    def apply(self, incident: Incident, *, by: User) -> None:
        incident.assign_lead(self.cleaned_data["lead"], by=by)


class DescribeForm(FactForm):
    name, label, to = "description", "Title and summary", "edit it"
    title = forms.CharField(max_length=200)
    summary = forms.CharField(max_length=20_000, required=False, widget=forms.Textarea(attrs={"rows": 4}))

    def facts_of(self, incident: Incident) -> Facts:
        return {"title": incident.title, "summary": incident.summary}

    def words_of(self, incident: Incident) -> str:
        return incident.title

    def apply(self, incident: Incident, *, by: User) -> None:
        incident.describe(title=self.cleaned_data["title"], summary=self.cleaned_data["summary"], by=by)


class CallForm(FactForm):
    name, label, to = "call", "Call", "change its call"
    url = WebAddressField(label="Address of the call", placeholder="https://meet.example/…", max_length=LONGEST_URL)

    def facts_of(self, incident: Incident) -> Facts:
        return {"url": incident.call_url}

    def words_of(self, incident: Incident) -> str:
        return incident.call_url or "none"

    def apply(self, incident: Incident, *, by: User) -> None:
        incident.set_call(self.cleaned_data["url"], by=by)


class ChannelForm(FactForm):
    name, label, to = "channel", "Channel", "change its channel"
    channel = forms.CharField(
        max_length=LONGEST_CHANNEL,
        required=False,
        label="Name",
        widget=forms.TextInput(attrs={"placeholder": "#inc-57", "autocomplete": "off"}),
    )
    url = WebAddressField(label="Address", placeholder="https://chat.example/…", max_length=LONGEST_URL)

    def facts_of(self, incident: Incident) -> Facts:
        return {"channel": incident.channel_name, "url": incident.channel_url}

    def words_of(self, incident: Incident) -> str:
        return incident.channel or "none"

    def apply(self, incident: Incident, *, by: User) -> None:
        incident.set_channel(self.cleaned_data["channel"], self.cleaned_data["url"], by=by)
