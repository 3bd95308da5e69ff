"""What the API shows and takes. Validation of shape is here, rules are in the models."""

from typing import Any

from rest_framework import serializers

from incidents import taxonomy
from incidents.api.fields import PersonField, Slug
from incidents.followups.models import FollowUp
from incidents.people.models import Team, User
from incidents.postmortems.document import Postmortem
from incidents.postmortems.factors import Factor
from incidents.postmortems.reviews import CHECKS
from incidents.postmortems.sections import Section
from incidents.response.containments import Containment
from incidents.response.events import Event
from incidents.response.impact import MOST, Exposure
from incidents.response.incident import Incident
from incidents.response.links import Link
from incidents.response.updates import Update
from incidents.response.vocabulary import CLOCKS, IncidentKind, Severity
from incidents.systems.models import Change, System


class IncidentSerializer(serializers.ModelSerializer[Incident]):
    system = Slug(slug_field="slug", read_only=True)
    team = Slug(slug_field="slug", read_only=True)
    lead = PersonField(read_only=True)
    merged_into = Slug(slug_field="number", read_only=True)
    silence_seconds = serializers.SerializerMethodField(help_text="Impact started to detected; null while unknown.")
    url = serializers.CharField(source="get_absolute_url", read_only=True)

    class Meta:
        model = Incident
        fields = (
            "number", "title", "summary", "status", "severity", "category", "failure_mode", "classified_because",
            "system", "team", "lead", "noticed_by", "private", "kind", "merged_into", *CLOCKS, "impact_started_until",
            "impact_method", "silence_seconds", "last_update_at", "changed_at",
            "url",
        )  # fmt: skip
        read_only_fields = fields

    def get_silence_seconds(self, incident: Incident) -> float | None:
        return incident.silence.total_seconds() if incident.silence is not None else None


class DeclareSerializer(serializers.Serializer[Any]):
    title = serializers.CharField(max_length=200)
    system = Slug(slug_field="slug", queryset=System.objects.all(), required=False, allow_null=True)
    severity = serializers.ChoiceField(choices=Severity.choices, default=Severity.UNKNOWN)
    summary = serializers.CharField(max_length=20_000, required=False, allow_blank=True, default="")
    private = serializers.BooleanField(default=False)
    kind = serializers.ChoiceField(choices=IncidentKind.choices, default=IncidentKind.REAL)


class EventSerializer(serializers.ModelSerializer[Event]):
    by = PersonField(read_only=True)
    note = serializers.CharField(source="note.text", read_only=True, default=None, allow_null=True)

    class Meta:
        model = Event
        fields = ("id", "kind", "at", "by", "note", "detail")
        read_only_fields = fields


class NoteSerializer(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=20_000)


class ContainSerializer(serializers.Serializer[Any]):
    action = serializers.ChoiceField(choices=[(action.code, action.name) for action in taxonomy.all_containments()])
    note = serializers.CharField(max_length=2000, allow_blank=True, default="")
    planned = serializers.BooleanField(default=False, help_text="Only planned, not done yet.")
    remove_by = serializers.DateTimeField(required=False, allow_null=True, default=None)


class ContainmentSerializer(serializers.ModelSerializer[Containment]):
    by = PersonField(read_only=True)

    class Meta:
        model = Containment
        fields = (
            "id", "action", "state", "note", "by", "planned_at", "done_at", "verified_at", "worked", "result", "remove_by",
            "removed_at",
        )  # fmt: skip
        read_only_fields = fields


class UpdateWriteSerializer(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=5000)
    impact = serializers.CharField(max_length=1000, allow_blank=True, default="")
    next_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class UpdateSerializer(serializers.ModelSerializer[Update]):
    by = PersonField(read_only=True)

    class Meta:
        model = Update
        fields = ("id", "text", "impact", "status", "severity", "by", "at", "next_at")
        read_only_fields = fields


class ExposureSerializer(serializers.Serializer[Any]):
    of = serializers.ChoiceField(choices=Exposure.Of.choices)
    estimate = serializers.IntegerField(min_value=0, max_value=MOST, allow_null=True)
    low = serializers.IntegerField(min_value=0, max_value=MOST, allow_null=True, default=None)
    high = serializers.IntegerField(min_value=0, max_value=MOST, allow_null=True, default=None)
    how = serializers.CharField(max_length=300, allow_blank=True, default="")
    corrected = serializers.IntegerField(min_value=0, max_value=MOST, allow_null=True, default=None)


class LinkWriteSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=Link.Kind.choices)
    other = serializers.IntegerField(min_value=1, max_value=999_999_999)


class MergeSerializer(serializers.Serializer[Any]):
    into = serializers.IntegerField(min_value=1, max_value=999_999_999)


class SeveritySerializer(serializers.Serializer[Any]):
    severity = serializers.ChoiceField(choices=Severity.choices)
    reason = serializers.CharField(max_length=500, allow_blank=True, default="")


class LeadSerializer(serializers.Serializer[Any]):
    lead = PersonField(queryset=User.objects.all(), allow_null=True)


class ClassifySerializer(serializers.Serializer[Any]):
    category = serializers.ChoiceField(choices=taxonomy.category_choices(), allow_blank=True, default="")
    failure_mode = serializers.CharField(max_length=64, allow_blank=True, default="")
    reason = serializers.CharField(max_length=400, allow_blank=True, default="")


class ClockSerializer(serializers.Serializer[Any]):
    clock = serializers.ChoiceField(choices=list(CLOCKS.items()))
    at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField(max_length=500, allow_blank=True, default="")


class SystemSerializer(serializers.ModelSerializer[System]):
    team = Slug(slug_field="slug", read_only=True)
    depends_on = Slug(slug_field="slug", source="upstreams", many=True, read_only=True)

    class Meta:
        model = System
        fields = (
            "slug",
            "name",
            "kind",
            "tier",
            "team",
            "purpose",
            "fallback",
            "runbook_url",
            "dashboard_url",
            "depends_on",
        )
        read_only_fields = fields


class SystemWriteSerializer(serializers.ModelSerializer[System]):
    team = Slug(slug_field="slug", queryset=Team.objects.all())

    class Meta:
        model = System
        fields = ("slug", "name", "kind", "tier", "team", "purpose", "fallback", "runbook_url", "dashboard_url")

    def validate_name(self, name: str) -> str:
        if System.objects.filter(name__iexact=name).exists():
            raise serializers.ValidationError("A system has this name already.")
        return name


class ChangeSerializer(serializers.ModelSerializer[Change]):
    system = Slug(slug_field="slug", queryset=System.objects.all())

    class Meta:
        model = Change
        fields = ("id", "system", "kind", "title", "version", "url", "happened_at")


class SectionSerializer(serializers.ModelSerializer[Section]):
    title = serializers.CharField(read_only=True)

    class Meta:
        model = Section
        fields = ("key", "title", "text", "version", "edited_at")
        read_only_fields = fields


class SectionWriteSerializer(serializers.Serializer[Any]):
    key = serializers.CharField(max_length=24)
    text = serializers.CharField(max_length=100_000, allow_blank=True)
    base = serializers.CharField(
        max_length=100_000, allow_blank=True, help_text="The text of the section as it was read."
    )


class DecideSerializer(serializers.Serializer[Any]):
    verdict = serializers.ChoiceField(choices=["approved", "changes"])
    checks = serializers.ListField(child=serializers.ChoiceField(choices=CHECKS), required=False, default=list)
    note = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")


class FactorSerializer(serializers.ModelSerializer[Factor]):
    group = serializers.CharField(source="kind.group", read_only=True)
    factor = serializers.CharField(source="kind.name", read_only=True)

    class Meta:
        model = Factor
        fields = ("group", "factor", "text", "evidence")
        read_only_fields = fields


class PostmortemSerializer(serializers.ModelSerializer[Postmortem]):
    incident = Slug(slug_field="number", read_only=True)
    owner = PersonField(read_only=True)
    published_by = PersonField(read_only=True)
    sections = SectionSerializer(many=True, read_only=True)
    factors = FactorSerializer(many=True, read_only=True)
    also = Slug(slug_field="number", many=True, read_only=True)
    id = serializers.CharField(source="slug", read_only=True)

    class Meta:
        model = Postmortem
        fields = (
            "id",
            "incident",
            "also",
            "title",
            "state",
            "depth",
            "owner",
            "due_on",
            "started_at",
            "published_at",
            "published_by",
            "not_required_because",
            "triggered_by",
            "trigger_text",
            "factors",
            "sections",
        )
        read_only_fields = fields


class FollowUpSerializer(serializers.ModelSerializer[FollowUp]):
    incident = Slug(slug_field="number", read_only=True)
    owner = PersonField(read_only=True)

    class Meta:
        model = FollowUp
        fields = (
            "id",
            "incident",
            "title",
            "description",
            "check_text",
            "kind",
            "priority",
            "state",
            "owner",
            "due_on",
            "created_at",
            "finished_at",
            "outcome",
        )
        read_only_fields = fields


class FollowUpWriteSerializer(serializers.ModelSerializer[FollowUp]):
    owner = PersonField(queryset=User.objects.all(), required=False, allow_null=True)

    class Meta:
        model = FollowUp
        fields = ("title", "description", "check_text", "kind", "priority", "owner", "due_on")
