"""The timeline: a story that people curate, over a log that nobody can change."""

from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, Concat
from django.utils import timezone

from incidents.errors import Refused
from incidents.people.models import User
from incidents.response.events import Event
from incidents.response.incident import Incident

# What tells the story by itself; the rest is in the log, and in the story where somebody picked it.
_K = Event.Kind
TELLING = tuple(
    _K(code)
    for code in """
    opened acknowledged status severity classified note containment merged alert_linked worse_alert alerts_cleared update
    overdue handover lead role place attachment link postmortem impact pager
    """.split()
)
VIEWS: dict[str, tuple[str, tuple[Event.Kind, ...] | None]] = {
    "story": ("Story", TELLING),
    "updates": ("Updates", (_K.UPDATE, _K.OVERDUE, _K.PUBLIC)),
    "notes": ("Notes", (_K.NOTE, _K.ATTACHMENT)),
    "alerts": ("Alerts", (_K.ALERT_LINKED, _K.WORSE_ALERT, _K.ALERTS_CLEARED)),
    "pinned": ("Pinned", None),
    "log": ("Whole log", None),
}
A_SCREEN = 60
FAULTLINE = "faultline"  # the author of what nobody did


class Marker(models.TextChoices):
    """What an entry meant for the course of things."""

    NONE = "", "No marker"
    DETECTION = "detection", "Detection"
    DIAGNOSIS = "diagnosis", "Diagnosis"
    REPAIR = "repair", "Repair"
    KEY = "key", "Key moment"
    DEAD_END = "dead_end", "Dead end"


class Curation(models.Model):
    """What people made of one Event for the story: its words, its time, its weight. The Event itself stays as it was."""

    event = models.OneToOneField(Event, on_delete=models.CASCADE, related_name="curation")
    text = models.TextField(max_length=5000, blank=True)
    at = models.DateTimeField(null=True, blank=True)
    pinned = models.BooleanField(default=False)
    hidden = models.BooleanField(default=False)
    marker = models.CharField(max_length=12, choices=Marker, blank=True, default=Marker.NONE)
    # Where the alerts that it names have moved; who may not see that incident does not read the entry.
    moved_to = models.ForeignKey(
        Incident, on_delete=models.SET_NULL, null=True, blank=True, related_name="told_elsewhere"
    )
    evidence_url = models.URLField(max_length=2000, blank=True)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    changed_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"curation of {self.event}"


_UNTOUCHED = Curation()


def curation_of(event: Event) -> Curation:
    """What people made of an Event; a blank one, for reading only, where nobody made anything of it.

    A template that asked for what is not there would pay for a failed lookup each time, in every row of the timeline.
    """
    curation: Curation = getattr(event, "curation", _UNTOUCHED)
    return curation


def curate(event: Event, *, by: User, **changes: Any) -> None:
    """Change how an Event is told. What is not given stays; the log says what was changed."""
    at: datetime | None = changes.get("at")
    if at and at > timezone.now():
        raise Refused("An entry cannot lie in the future.")
    incident = event.incident
    with transaction.atomic():
        incident.locked()
        curation, _ = Curation.objects.get_or_create(event=event, defaults={"by": by})
        was = {name: getattr(curation, name) for name in changes}
        changed = [name for name, value in changes.items() if was[name] != value]
        if changed:
            Curation.objects.filter(pk=curation.pk).update(**changes, by=by, changed_at=timezone.now())
            values = {
                name: value.isoformat() if isinstance(value, datetime) else value for name, value in changes.items()
            }
            incident.record(_K.CURATED, by=by, event=event.pk, became={name: values[name] for name in changed})


def visible(incident: Incident, *, user: User) -> models.QuerySet[Event]:
    """What happened to an incident, but for entries that tell of another one which the user may not see.

    Those name it by number (as linked, merged or covered), or name alerts that have moved there since.
    """
    return without(incident.events.all(), Incident.objects.hidden_from(user))


def open_entries(incident: Incident) -> models.QuerySet[Event]:
    """What happened to an incident, but for entries that tell of another one that is private: for what many read."""
    return without(incident.events.all(), Incident.objects.filter(private=True).exclude(pk=incident.pk))


def without(events: models.QuerySet[Event], hidden: models.QuerySet[Incident]) -> models.QuerySet[Event]:
    """Leave out the entries that tell of one of the hidden incidents."""
    named = hidden.annotate(
        called=Cast("number", models.TextField()),
        written=Concat(models.Value("INC-"), "called", output_field=models.TextField()),
    ).filter(
        models.Q(called__in=[models.OuterRef(f"says_{name}") for name in _NUMBERED])
        | models.Q(written__in=[models.OuterRef(f"says_{name}") for name in _NAMED])
    )
    said = {f"says_{name}": KeyTextTransform(name, "detail") for name in (*_NUMBERED, *_NAMED)}
    moved = models.Q(curation__moved_to__in=hidden)
    return events.alias(**said).exclude(moved).exclude(models.Q(kind__in=_ABOUT_OTHERS) & models.Exists(named))


_ABOUT_OTHERS = (_K.LINK, _K.MERGED, _K.STATUS, _K.POSTMORTEM, _K.VISIBILITY, _K.FOLLOW_UP)
# Keys of the detail of an Event under which stands the number of another incident, or its name.
_NUMBERED = ("other", "covers", "covers_no_longer", "covered_by")
_NAMED = ("into", "out_of", "merged", "unmerged", "along_with")


def pulse(incident: Incident, *, user: User) -> str:
    """What changes whenever something happens to an incident that the user may see.

    Its `changed_at` is the same for everybody, so it stands still where an entry tells of a private incident.
    """
    newest = visible(incident, user=user).order_by("-pk").values_list("pk", flat=True).first()
    return f"{incident.changed_at.timestamp()}-{newest}"


def withhold(incident: Incident, alert: int, title: str, *, moved_to: Incident, by: User) -> None:
    """Show what the log says of an alert only to those who may see the incident to which it has moved; see `visible`.

    Runs in the transaction that moves it. An entry that tells of another alert too, which went somewhere private, stays there.
    """
    for event in incident.events.filter(kind__in=_ABOUT_ALERTS).select_related("curation"):
        if not event.tells_of_alert(alert, title):
            continue
        curation, _ = Curation.objects.get_or_create(event=event, defaults={"by": by})
        before = curation.moved_to
        if before is None or not before.private or before == moved_to:
            Curation.objects.filter(pk=curation.pk).update(moved_to=moved_to)


def show_again(incident: Incident, alert: int, title: str) -> None:
    """Take `withhold` back, because the alert has come back."""
    events = [
        event.pk for event in incident.events.filter(kind__in=_ABOUT_ALERTS) if event.tells_of_alert(alert, title)
    ]
    Curation.objects.filter(event__in=events).update(moved_to=None)


_ABOUT_ALERTS = (_K.ALERT_LINKED, _K.WORSE_ALERT, _K.SEVERITY, _K.DESCRIBED)


def entries(
    incident: Incident, *, user: User, show: str = "story", by: str = "", order: str = "newest", most: int = A_SCREEN
) -> tuple[list[Event], int]:
    """The newest `most` entries of one view, and how many there are in all: the newest first, or the oldest.

    `by` keeps those of one author: the key of a person, or FAULTLINE.
    """
    events = _in_view(visible(incident, user=user), show)
    if by:
        events = events.filter(by=None) if by == FAULTLINE else events.filter(by=int(by))
    with_people = events.select_related("by", "note", "note__author", "curation")
    if show == "log":
        ordered = with_people.order_by("-at", "-pk")
    else:
        ordered = with_people.annotate(told_at=Coalesce("curation__at", "at")).order_by("-told_at", "-pk")
    newest = list(ordered[:most])
    count = len(newest) if len(newest) < most else events.count()
    return (newest[::-1] if order == "oldest" else newest), count


def authors(incident: Incident, *, user: User, show: str) -> list[User | None]:
    """Who has entries in one view, by name; None, which is Faultline itself, last."""
    events = _in_view(visible(incident, user=user), show).order_by()
    people: list[User | None] = list(User.objects.filter(pk__in=events.values("by")).order_by("name", "pk"))
    return [*people, None] if events.filter(by=None).exists() else people


def for_postmortem(incident: Incident, *, most: int) -> list[Event]:
    """What of the story a postmortem begins with, oldest first: what people picked, and what was done, written and told."""
    picked = models.Q(curation__pinned=True) | ~models.Q(curation__marker="") & models.Q(curation__isnull=False)
    kinds = models.Q(kind__in=[_K.CONTAINMENT, _K.NOTE, _K.UPDATE])
    events = open_entries(incident).filter(picked | kinds).exclude(curation__hidden=True)
    ordered = events.select_related("by", "note", "curation").annotate(told_at=Coalesce("curation__at", "at"))
    return list(ordered.order_by("told_at", "pk")[:most])


def _in_view(events: models.QuerySet[Event], show: str) -> models.QuerySet[Event]:
    pinned = models.Q(curation__pinned=True)
    if show == "log":
        return events
    if show == "pinned":
        return events.filter(pinned)
    kinds = VIEWS[show][1] or ()
    picked = models.Q(kind__in=kinds) | (pinned if show == "story" else models.Q())
    # A lead who accepted a hand-over is told of by that, with what was handed over.
    accepted = models.Q(kind=_K.LEAD, detail__by_handover=True)
    return events.filter(picked).exclude(curation__hidden=True).exclude(accepted & ~pinned)
