"""Who takes part in an incident, who may see it, and what it belongs with: facts that name people or incidents."""

from typing import Any

from django import forms
from django.http import QueryDict

from incidents.people.models import User
from incidents.response.forms.facts import FactForm, Facts
from incidents.response.forms.fields import IncidentField, PeopleChoiceField, PersonChoiceField
from incidents.response.incident import Incident
from incidents.response.links import Link
from incidents.response.roles import LEAD, Assignment, ResponseRole
from incidents.web.fields import Choose, ChooseSeveral
from incidents.web.request import visible_or_404


class RoleForm(FactForm):
    """Who has one of the roles. The lead is not among them: that is a fact of its own."""

    to = "say who does what"

    def __init__(self, data: QueryDict | None = None, *, incident: Incident, user: User, code: str) -> None:
        others = ResponseRole.objects.filter(is_active=True).exclude(code=LEAD)
        self.role: ResponseRole = visible_or_404(others, code=code)
        self.name, self.label = self.role.place, self.role.name
        super().__init__(data, incident=incident, user=user)
        about: dict[str, Any] = {"required": False, "label": self.role.name, "help_text": self.role.does}
        self.fields["people"] = (
            PeopleChoiceField(**about, widget=ChooseSeveral(find="Find a person"))
            if self.role.several
            else PersonChoiceField(**about, blank=True, empty_label="Nobody", widget=Choose(find="Find a person"))
        )

    def facts_of(self, incident: Incident) -> Facts:
        people = sorted(incident.assignments.filter(role=self.role).values_list("person", flat=True))
        return {"people": people if self.role.several else next(iter(people), None)}

    def words_of(self, incident: Incident) -> str:
        assignments = incident.assignments.filter(role=self.role).select_related("person")
        return ", ".join(str(assignment.person) for assignment in assignments) or "nobody"

    def apply(self, incident: Incident, *, by: User) -> None:
        chosen = self.cleaned_data["people"]
        people = list(chosen) if self.role.several else [chosen] if chosen else []
        Assignment.objects.assign(incident, self.role, people, by=by)


class VisibilityForm(FactForm):
    name, label, to = "visibility", "Who may see it", "change who may see it"
    private = forms.ChoiceField(
        choices=[("", "Everybody in the organisation"), ("yes", "Only these people, its lead and I")],
        required=False,
        label="Who may see it?",
        widget=Choose,
    )
    people = PeopleChoiceField(required=False, label="People", widget=ChooseSeveral(find="Find a person"))

    def facts_of(self, incident: Incident) -> Facts:
        people = sorted(incident.people.values_list("pk", flat=True)) if incident.private else []
        return {"private": "yes" if incident.private else "", "people": people}

    def words_of(self, incident: Incident) -> str:
        if not incident.private:
            return "everybody"
        return ", ".join(str(person) for person in incident.people.order_by("name"))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("people") and not cleaned.get("private") and "people" in self.changed_data:
            self.add_error("private", "People were chosen below: choose “Only these people” too, or choose nobody.")
        return cleaned

    def apply(self, incident: Incident, *, by: User) -> None:
        if self.cleaned_data["private"]:
            self.copies = incident.restrict(list(self.cleaned_data["people"]), by=by)
        else:
            incident.open_up(by=by)


class LinkForm(FactForm):
    name, label, to = "link", "Link another incident", "link it"
    kind = forms.ChoiceField(choices=Link.Kind.choices, label="Relation")
    other = IncidentField(label="Incident")

    def __init__(self, data: QueryDict | None = None, *, incident: Incident, user: User) -> None:
        super().__init__(data, incident=incident, user=user)
        self.fields["other"].user = user  # type: ignore[attr-defined]

    def facts_of(self, incident: Incident) -> Facts:
        return {}

    def apply(self, incident: Incident, *, by: User) -> None:
        Link.objects.link(incident, self.cleaned_data["other"], self.cleaned_data["kind"], by=by)
