"""Two incidents with everything that can hang on one: a row of each model, and words of its own in each text field.

What hangs on an incident is found in the models themselves, so a new model or a new text field is filled here without
anybody thinking of it; what cannot be filled makes the test fail with its name.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.utils import timezone

from incidents.alerts.models import Alert, Delivery, Outcome, Source
from incidents.alerts.policies import Correction
from incidents.models import (
    ActLink,
    AgentAction,
    CaseVersion,
    Comment,
    Containment,
    Escalation,
    EvaluationCase,
    EvaluationRun,
    Event,
    Exposure,
    FactorKind,
    Follower,
    FollowUp,
    Guide,
    Handover,
    ImportBatch,
    Link,
    Notification,
    PagerAddress,
    PagerDelivery,
    Postmortem,
    Proof,
    PublicPage,
    Recurrence,
    ResponseRole,
    SavedView,
    Section,
    ShareLink,
    Transmission,
)
from incidents.notifications.announced import to_json
from incidents.notifications.browsers import PushKey
from incidents.notifications.channels.base import Announcement
from incidents.notifications.destinations import Destination
from incidents.people.models import Team, User, digest_of
from incidents.response.events import PendingEvent
from incidents.response.incident import Incident
from incidents.systems.models import Change, System

Row = models.Model
Words = Callable[[type[Row], str], str]

SECRET = "the-secret-of-a-shared-link-{}"
# Rows of these hang on an incident by what they say, not by a foreign key of their own.
BY_THEIR_WORDS: tuple[type[Row], ...] = (Delivery, Correction, Notification, ImportBatch, SavedView)
# Text fields that hold no words of people or monitors, but codes, digests and addresses of ours.
CODES = {
    "AgentAction.arguments_digest",
    "AgentAction.key",
    "ActLink.digest",
    "Alert.category",
    "Alert.confidence",
    "Alert.failure_mode",
    "Alert.flags",
    "Attachment.content_type",
    "Attachment.digest",
    "Comment.outcome",
    "Containment.action",
    "Correction.category",
    "Correction.failure_mode",
    "Delivery.digest",
    "Delivery.door",
    "EditedLine.key",
    "EvaluationCase.failure_mode",
    "EvaluationCase.input_digest",
    "Exposure.currency",
    "Amendment.key",
    "Incident.category",
    "Incident.failure_mode",
    "Notification.key",
    "Notification.path",
    "Notification.topic",
    "Outcome.says",
    "PagerDelivery.digest",
    "PagerDelivery.key",
    "PagerDelivery.said",
    "Postmortem.slug",
    "Presence.key",
    "Review.checks",
    "Section.key",
    "ShareLink.digest",
    "Transmission.key",
    "Transmission.topic",
}
TEXTS = (models.CharField, models.TextField, models.JSONField, models.BinaryField, ArrayField)


def text_fields(model: type[Row]) -> Iterator["models.Field[Any, Any]"]:
    """The fields of a model that hold words."""
    for field_ in model._meta.concrete_fields:
        name = f"{model.__name__}.{field_.name}"
        if isinstance(getattr(field_, "base_field", field_), TEXTS) and not field_.choices and name not in CODES:
            yield field_


def hanging() -> list[type[Row]]:
    """Every model that hangs on an incident, directly or over others; each after those it refers to."""
    ours = [model for model in apps.get_app_config("incidents").get_models() if model not in (Incident, PendingEvent)]
    found: list[type[Row]] = []
    known: set[type[Row]] = {Incident, *BY_THEIR_WORDS}
    while more := [model for model in ours if model not in known and known & set(_referred(model))]:
        known |= set(more)
    wanted = [model for model in ours if model in known]
    while wanted:
        ready = next(m for m in wanted if not (set(_referred(m)) & set(wanted)) - {m})
        found.append(ready)
        wanted.remove(ready)
    return found


def _referred(model: type[Row]) -> Iterator[type[Row]]:
    for field_ in model._meta.concrete_fields:
        if isinstance(field_, models.ForeignKey):
            yield field_.related_model


@dataclass
class World:
    """One incident and everything that hangs on it."""

    incident: Incident
    words: Words
    neighbour: Incident  # what it is linked with
    named: User  # whoever it is private to, with what is a person's own
    person: User  # whoever is in every row about a person: reviewer, owner, taker, follower
    others: dict[type[Row], Row]  # what rows refer to besides: a system, a source, a role
    rows: dict[type[Row], Row] = field(default_factory=dict)

    def build(self) -> None:
        self.rows[Incident] = self.incident
        for model in hanging():
            self.rows[model] = self._row(model)
        for model in self.rows:
            self._fill(model)
        forget_what_waits()

    def row(self, model: type[Row]) -> Any:
        return self.rows[model]

    def _row(self, model: type[Row]) -> Row:
        values: dict[str, Any] = {}
        for field_ in model._meta.concrete_fields:
            if (not field_.primary_key or field_.remote_field) and (
                not field_.has_default() or isinstance(field_, models.ForeignKey)
            ):
                values[field_.name] = self._value(model, field_)
        row = model(**values | self._given(model))
        row.save(force_insert=True)
        return row

    def _value(self, model: type[Row], field_: "models.Field[Any, Any]") -> Any:
        if isinstance(field_, models.ForeignKey):
            related = field_.related_model
            if related is User:  # nobody approves their own words, so nobody approved any
                return None if field_.name == "approved_by" else self.person
            return self.rows.get(related) or self.others.get(related)
        if field_.null:
            return None
        if field_.choices:
            return "" if field_.blank else next(iter(field_.flatchoices))[0]
        if f"{model.__name__}.{field_.name}" in CODES:
            return "" if field_.blank else "summary"
        if isinstance(field_, TEXTS):
            return self._text(model, field_)
        if isinstance(field_, models.DateTimeField):
            return timezone.now()
        if isinstance(field_, models.DateField):
            return timezone.localdate() + timedelta(days=5)
        return 1

    def _given(self, model: type[Row]) -> dict[str, Any]:
        """What a constraint asks for, or what must be true for the row to be seen."""
        now = timezone.now()
        slug = str(self.incident.number)
        values: dict[type[Row], dict[str, Any]] = {
            Alert: {"fingerprint": f"of-{slug}", "silence": None},
            Delivery: {"status": "processed", "digest": slug, "body": b"{}"},
            Outcome: {"says": "firing", "result": "opened", "position": 0},
            Event: {"kind": Event.Kind.NOTE, "detail": {"text": self.words(Event, "detail")}},
            Containment: {"action": "rollback_model"},
            Follower: {"system": None, "team": None},
            Comment: {"parent": None},
            Postmortem: {
                "state": "published",
                "published_at": now,
                "slug": slug,
                "triggered_by": "other",
                "trigger": None,
            },
            Section: {"key": "summary"},
            FollowUp: {"state": "verified", "finished_at": now, "verified_at": now},
            Proof: {"kind": "quiet", "days": 60},
            Recurrence: {"state_was": "done"},
            ShareLink: {"digest": digest_of(SECRET.format(slug)), "expires_at": now + timedelta(days=5)},
            Notification: {
                "key": f"of-{slug}",
                "topic": "incident.update",
                "path": self.incident.get_absolute_url(),
                "about": [self.incident.pk],
            },
            ActLink: {"digest": digest_of(SECRET.format(slug)), "expires_at": now + timedelta(days=5)},
            CaseVersion: {
                name: _SHAPES[f"CaseVersion.{name}"](self.words(CaseVersion, name)) for name in ("checks", "context")
            },
            EvaluationCase: {"number": self.incident.number, "regressed_at": now},
            Handover: {"state": "offered"},
            Escalation: {"next_at": now + timedelta(days=5)},
            Transmission: {"key": f"of-{slug}", "topic": "incident.opened", "sent_at": now},
            PagerDelivery: {"key": f"of-{slug}", "digest": slug, "status": "noted", "said": "incident.annotated"},
            SavedView: {"owner": self.named},
            ImportBatch: {"by": self.named},
            Link: {"other": self.neighbour},
            Exposure: {"estimate": 4321},
        }
        return values.get(model, {})

    def _text(self, model: type[Row], field_: "models.Field[Any, Any]") -> Any:
        words = self.words(*_SAME.get((model, field_.name), (model, field_.name)))
        if isinstance(field_, models.BinaryField):
            return f'{{"title": "{words}"}}'.encode()
        if isinstance(field_, models.JSONField):
            shape = _SHAPES.get(f"{model.__name__}.{field_.name}")
            return shape(words) if shape else {"text": words}
        if isinstance(field_, models.URLField):
            return f"https://example.org/{words}"
        return [words] if isinstance(field_, ArrayField) else words

    def _fill(self, model: type[Row]) -> None:
        texts = {field_.name: self._text(model, field_) for field_ in text_fields(model)}
        if model not in (Event, AgentAction, CaseVersion) and texts:  # nobody changes these; made with their words
            model._default_manager.filter(pk=self.rows[model].pk).update(**texts)
        self.rows[model].refresh_from_db()


_SAME: dict[tuple[type[Row], str], tuple[type[Row], str]] = {(Correction, "name"): (Alert, "telling_name")}
_SHAPES: dict[str, Callable[[str], Any]] = {
    "CaseVersion.checks": lambda text: [{"type": "contains", "value": text}],
    "CaseVersion.context": lambda text: [{"id": text, "text": text}],
    "Alert.links": lambda text: [{"rel": "dashboard", "href": f"https://example.org/{text}", "label": text}],
    "Alert.measured": lambda text: {"metric": text},
    "Postmortem.frozen_facts": lambda text: {
        "summary": [{"label": "Known", "text": text, "source": "incident", "url": "/incidents/"}]
    },
    "ImportBatch.files": lambda text: [{"name": f"{text}.md", "text": f"# {text}\n\n## Summary\n\n{text}\n"}],
    "Provenance.unplaced": lambda text: {"owner": text},
    "Sample.context": lambda text: [{"id": text, "text": text, "score": 0.5}],
    "Sample.tool_calls": lambda text: [{"name": text, "arguments": text, "result": text}],
    "Transmission.payload": lambda text: to_json(
        Announcement(topic="incident.opened", event_id=text, at=timezone.now(), subject=text, text=text)
    ),
}


def forget_what_waits() -> None:
    """Nobody works Events off here, and /readyz counts those that wait."""
    PendingEvent.objects.all().delete()


def set_ids_apart(start: int) -> None:
    """Let the ids of all our tables go on at `start`, so that an id tells in which world its row is."""
    with connection.cursor() as cursor:
        for model in apps.get_app_config("incidents").get_models():
            if model._meta.auto_field:
                cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [model._meta.db_table, start])


def _destination(team: Team) -> Destination:
    PushKey.private()  # else each page of browsers would make one
    row = Destination.objects.first() or Destination(kind="pagerduty", name="PagerDuty", team=team)
    if row.pk is None:
        row.keep({"routing_key": "0123456789abcdef0123456789abcdef"})
        row.save()
    return row


def others(system: System, source: Source, team: Team) -> dict[type[Row], Row]:
    """What rows refer to besides the incident."""
    page, _ = PublicPage.objects.get_or_create(system=system, defaults={"name": "Assistant", "is_on": True})
    destination = _destination(team)
    change, _ = Change.objects.get_or_create(system=system, kind="prompt", title="A new prompt")
    return {
        System: system,
        Source: source,
        Team: team,
        PublicPage: page,
        Change: change,
        EvaluationRun: EvaluationRun.objects.get_or_create(system=system, run_id="1", format="junit")[0],
        Guide: Guide.objects.current(),
        FactorKind: FactorKind.objects.order_by("pk")[0],
        ResponseRole: ResponseRole.objects.order_by("pk")[0],
        Destination: destination,
        PagerAddress: PagerAddress.objects.get_or_create(pk=destination.pk, defaults={"digest": digest_of("in")})[0],
    }
