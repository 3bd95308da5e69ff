"""The postmortem: facts filled in with their source, judgement left to people."""

from collections.abc import Collection, Iterable
from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone

from incidents.errors import Refused, WrongStatus
from incidents.notifications.channels.base import ItemFacts
from incidents.notifications.messages import Notification
from incidents.notifications.transmissions import Transmission
from incidents.people.models import User
from incidents.postmortems import search
from incidents.postmortems.deadlines import IN_TIME, can_be_judged, due_date
from incidents.postmortems.guide import Depth, Guide, GuidePart, Policy
from incidents.postmortems.sections import Section
from incidents.postmortems.states import UNFINISHED, States
from incidents.response.events import Event
from incidents.response.incident import Incident, of_visible
from incidents.response.vocabulary import Status
from incidents.systems.models import Change
from incidents.texts import one_line


class PostmortemQuerySet(models.QuerySet["Postmortem"]):
    def visible_to(self, user: User) -> Self:
        """Keep those of which the user may see every incident: what covers a private one is as private."""
        if not user.is_active:
            return self.none()
        hidden = Postmortem.also.through.objects.filter(
            postmortem=models.OuterRef("pk"), incident__in=Incident.objects.hidden_from(user)
        )
        return self.filter(of_visible(user), ~models.Exists(hidden))

    def hidden_from(self, user: User) -> Self:
        """Keep what the user may not see. It is little, so what is counted for them is all but these."""
        hidden = Incident.objects.hidden_from(user)
        covering = Postmortem.also.through.objects.filter(incident__in=hidden).values("postmortem")
        return self.filter(models.Q(incident__in=hidden) | models.Q(pk__in=covering))

    def counts(self) -> dict[str, int]:
        """How many there are to write, to review, overdue and published, in one pass over an index."""
        late = models.Q(due_on__lt=timezone.localdate())
        return self.aggregate(
            unfinished=models.Count("pk", filter=models.Q(state__in=UNFINISHED)),
            review=models.Count("pk", filter=models.Q(state="in_review")),
            overdue=models.Count("pk", filter=models.Q(state__in=UNFINISHED) & late),
            published=models.Count("pk", filter=models.Q(state="published")),
            all=models.Count("pk"),
        )

    def for_list(self) -> Self:
        return self.select_related("incident", "incident__system", "owner").order_by(
            models.Case(models.When(state__in=UNFINISHED, then=0), default=1), "due_on", "-pk"
        )

    def unfinished(self) -> Self:
        return self.filter(state__in=UNFINISHED)

    def published(self) -> Self:
        return self.filter(state=Postmortem.State.PUBLISHED)

    def judged(self) -> Self:
        """Keep those of which can be said whether they were in time: published, or past their day (UTC)."""
        return self.filter(can_be_judged())

    def in_time(self) -> Self:
        return self.filter(IN_TIME)

    def overdue(self) -> Self:
        return self.unfinished().filter(due_on__lt=timezone.localdate())

    def of(self, incident: Incident) -> Self:
        """Keep those that are about the incident, alone or among others."""
        covering = Postmortem.also.through.objects.filter(postmortem=models.OuterRef("pk"), incident=incident)
        return self.filter(models.Q(incident=incident) | models.Exists(covering))

    def best_first(self, incident: Incident) -> Self:
        """Order those about one incident for who looks for its postmortem: what is required before what is not, its own first."""
        return self.order_by(
            models.Case(models.When(state=Postmortem.State.NOT_REQUIRED, then=1), default=0),
            models.Case(models.When(incident=incident, then=0), default=1),
            "pk",
        )

    def by_incident(self, incidents: Collection[int]) -> dict[int, list["Postmortem"]]:
        """Give those about each of the incidents, alone or among others, by the incident's id; two queries."""
        covering = Postmortem.also.through.objects.filter(incident__in=incidents)
        about = models.Q(incident__in=incidents) | models.Q(pk__in=covering.values("postmortem"))
        postmortems = {found.pk: found for found in self.filter(about).select_related("incident").order_by("pk")}
        pairs = [(found.incident_id, found.pk) for found in postmortems.values() if found.incident_id in incidents]
        pairs += covering.filter(postmortem__in=postmortems).values_list("incident", "postmortem")
        grouped: dict[int, list[Postmortem]] = {}
        for incident, pk in sorted(pairs):
            grouped.setdefault(incident, []).append(postmortems[pk])
        return grouped

    def index_missing(self, *, most: int = 500) -> int:
        """Write the words of those that have none yet, as after an upgrade; returns how many."""
        unindexed = list(self.filter(words=None).select_related("incident")[:most])
        for postmortem in unindexed:
            postmortem.index()
        return len(unindexed)

    def begin(self, incident: Incident, *, by: User | None = None, another: bool = False) -> "Postmortem":
        """Start the postmortem of a resolved incident, or return the one about it. Safe to call twice.

        `another` starts a further one, for a question that deserves a document of its own. What is returned may cover a
        private incident too: whoever shows it to somebody asks `visible_to` first.
        """
        with transaction.atomic():
            incident = Incident.objects.select_for_update(no_key=True).get(pk=incident.pk)
            if not another and (begun := self.of(incident).best_first(incident).first()):
                return begun
            if incident.status not in (Status.RESOLVED, Status.CLOSED):
                status = incident.get_status_display().lower()
                raise WrongStatus(f"{incident} is {status}. A postmortem starts once it is resolved.")
            earlier = self.filter(incident=incident).count()
            postmortem = self.create(
                incident=incident,
                owner=incident.lead or by,
                due_on=due_date(incident),
                guide=Guide.objects.current(),
                depth=Policy.objects.of(incident.severity).depth,
                slug=f"{incident.number}-{earlier + 1}" if earlier else str(incident.number),
            )
            postmortem.add_sections()
            postmortem.record(by, became="draft", owner=str(postmortem.owner or ""))
        return postmortem


class Postmortem(States):
    class Trigger(models.TextChoices):
        UNKNOWN = "", "Not decided yet"
        CHANGE = "change", "A change on record"
        OTHER = "other", "Something else"
        NONE = "none", "None found"

    slug = models.SlugField(max_length=16, unique=True)  # the incident’s number, and -2 for its second one
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="postmortems")
    also = models.ManyToManyField(Incident, blank=True, related_name="covered_by")
    title = models.CharField(max_length=200, blank=True)
    depth = models.CharField(max_length=10, choices=Depth, default=Depth.STANDARD)
    guide = models.ForeignKey(Guide, on_delete=models.PROTECT, related_name="postmortems")
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="postmortems")
    due_on = models.DateField()
    started_at = models.DateTimeField(default=timezone.now)
    triggered_by = models.CharField(max_length=8, choices=Trigger, blank=True, default=Trigger.UNKNOWN)
    trigger = models.ForeignKey(Change, on_delete=models.SET_NULL, null=True, blank=True, related_name="triggered")
    trigger_text = models.CharField(max_length=500, blank=True)
    words = SearchVectorField(null=True, editable=False)

    objects = PostmortemQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="published", published_at__isnull=False)
                | (~models.Q(state="published") & models.Q(published_at__isnull=True)),
                name="published_postmortems_say_when",
            ),
            models.CheckConstraint(
                condition=models.Q(triggered_by="change") | models.Q(trigger__isnull=True),
                name="a_trigger_on_record_is_a_change",
            ),
        ]
        indexes = [
            GinIndex(fields=["words"], name="postmortems_by_words"),
            models.Index(fields=["state", "due_on", "id"], name="postmortems_by_state"),
            models.Index(fields=["due_on"], name="postmortems_by_due"),
            models.Index(
                fields=["-published_at"],
                name="postmortems_by_publication",
                condition=models.Q(state="published"),
            ),
        ]

    def __str__(self) -> str:
        ordinal = self.slug.partition("-")[2]
        return f"Postmortem{f' {ordinal}' if ordinal else ''} of {self.incident}"

    def get_absolute_url(self) -> str:
        return reverse("postmortem", args=[self.slug])

    @property
    def name(self) -> str:
        return self.title or self.incident.title

    @property
    def is_editable(self) -> bool:
        return self.state in (self.State.DRAFT, self.State.IN_REVIEW)

    @property
    def takes_comments(self) -> bool:
        return self.is_editable or self.state == self.State.APPROVED

    @property
    def is_overdue(self) -> bool:
        return self.state in UNFINISHED and self.due_on < timezone.localdate()

    @property
    def incidents(self) -> list[Incident]:
        """All that it is about, the one it began with first."""
        return [self.incident, *self.also.select_related("system", "lead").order_by("number")]

    @property
    def is_private(self) -> bool:
        return any(incident.private for incident in self.incidents)

    def parts(self) -> list[GuidePart]:
        """The parts that are asked at its depth, and those beyond in which something was written."""
        asked = {part.key for part in self.guide.at_depth(self.depth)}
        written = set(self.sections.exclude(text="").values_list("key", flat=True))
        return [part for part in self.guide.parts if part.key in asked | written] + [
            self.guide.part(key) for key in sorted(written - {part.key for part in self.guide.parts})
        ]

    # What it is about

    def cover(self, incident: Incident, *, by: User) -> None:
        """Make it about one more incident. What was started for that one and holds no word yet gives way."""
        if not Incident.objects.visible_to(by).filter(pk=incident.pk).exists():
            raise Refused("There is no such incident.")
        with transaction.atomic():
            self.lock_editable()
            if incident.pk == self.incident_id or self.also.filter(pk=incident.pk).exists():
                return
            for empty in Postmortem.objects.filter(incident=incident, state=self.State.DRAFT):
                if not empty.sections.exclude(text="").exists() and not empty.factors.exists():
                    # Not which: that one may be private, or become so, and the reason is read by whoever sees this one.
                    empty.excuse(by=by, reason="Another postmortem covers it.")
            self.also.add(incident)
            self.record(by, about=incident, covers=incident.number)
            incident.record(Event.Kind.POSTMORTEM, by=by, about=self.incident, covered_by=self.incident.number)
            self.index()

    def uncover(self, incident: Incident, *, by: User) -> None:
        with transaction.atomic():
            self.lock_editable()
            if self.also.filter(pk=incident.pk).exists():
                self.also.remove(incident)
                self.record(by, about=incident, covers_no_longer=incident.number)
                self.index()

    def rename(self, title: str, *, by: User) -> None:
        title = one_line(title)[:200]
        self._set(by=by, title="" if title == self.incident.title else title)
        self.index()

    def set_depth(self, depth: str, *, by: User) -> None:
        """Ask for more, or for less; what was written stays."""
        self._set(by=by, depth=Depth(depth).value)
        self.add_sections()

    def set_trigger(self, triggered_by: str, *, by: User, change: Change | None = None, text: str = "") -> None:
        """Say what set it off: one change on record, something else, or that none was found."""
        kind = self.Trigger(triggered_by)
        if kind is self.Trigger.CHANGE and change is None:
            raise Refused("Choose the change that triggered it, or “Something else”.")
        if kind is self.Trigger.OTHER and not text.strip():
            raise Refused("Say in a few words what triggered it.")
        trigger = change if kind is self.Trigger.CHANGE else None
        self._set(by=by, triggered_by=kind.value, trigger=trigger, trigger_text=text.strip()[:500])
        self.index()

    def assign(self, owner: User, *, by: User) -> None:
        if not Postmortem.objects.visible_to(owner).filter(pk=self.pk).exists():
            raise Refused(f"{owner} cannot see {self.incident}, so they cannot own its postmortem.")
        with transaction.atomic():
            if Postmortem.objects.filter(pk=self.pk).exclude(owner=owner).update(owner=owner):
                self.record(by, owner=str(owner))
                if owner != by:
                    self.tell(
                        "owner",
                        [owner],
                        f"{by} made you the owner of the {_low(str(self))}",
                        f"It is due on {self.due_on:%Y-%m-%d}.",
                        key=f"owner:{timezone.now().timestamp():.0f}",
                    )
        self.refresh_from_db()

    # How it is done

    def record(self, by: User | None, *, about: Incident | None = None, **detail: Any) -> None:
        """Append to the incident's log; with which postmortem, where it has several. `about` is another incident it names."""
        which: dict[str, Any] = {"postmortem": self.slug} if "-" in self.slug else {}
        self.incident.record(Event.Kind.POSTMORTEM, by=by, about=about, **which, **detail)

    def tell(self, what: str, people: Iterable[User], subject: str, text: str, *, key: str, path: str = "") -> None:
        """Tell those of the people who may see it; `what` ends the name of a topic, such as “review”."""
        Notification.objects.tell(
            people,
            topic=f"postmortem.{what}",
            about=self.incidents,
            subject=subject,
            text=text,
            path=path or self.get_absolute_url(),
            key=f"pm:{self.pk}:{key}",
        )

    def announce(self, what: str, subject: str = "", *, key: str) -> None:
        """Tell the channels that want to hear of it, once for each `key`; `what` ends the name of a topic.

        Without a `subject` it says which state it came to.
        """
        subject = subject or f"{self.get_state_display()}: {self.name} ({self.incident})"
        item = ItemFacts(
            kind="postmortem",
            title=self.name,
            url=settings.BASE_URL + self.get_absolute_url(),
            state=self.get_state_display(),
            owner=str(self.owner or ""),
            due_on=f"{self.due_on:%Y-%m-%d}" if self.due_on else "",
        )
        Transmission.objects.owe_item(
            self.incident, f"postmortem.{what}", item, key=f"pm-{self.pk}-{key}", subject=subject, also=self.incidents
        )

    def index(self) -> None:
        """Write its words anew for the search: the title weighs most, then summary and factors, then the rest.

        Runs in the transaction of what changed them.
        """
        incidents = [self.incident, *self.also.all()]
        heads = [self.title, *(f"{incident} {incident.title}" for incident in incidents)]
        kinds = [search.kind_in_words(incident.category, incident.failure_mode) for incident in incidents]
        texts: dict[str, list[str]] = {"A": heads, "B": kinds, "C": [self.trigger_text]}
        for key, text in self.sections.values_list("key", "text"):
            texts.setdefault(search.WEIGHTS.get(key, "C"), []).append(text)
        for name, text in self.factors.values_list("kind__name", "text"):
            texts["B"].append(f"{name} {text}")
        texts["C"] += self.amendments.values_list("text", flat=True)
        Postmortem.objects.filter(pk=self.pk).update(words=search.vector(texts))

    def add_sections(self) -> None:
        """Add an empty section for each part that is asked at its depth and has none yet."""
        order = [part.key for part in self.guide.parts]
        sections = [
            Section(postmortem=self, key=part.key, position=order.index(part.key))
            for part in self.guide.at_depth(self.depth)
        ]
        Section.objects.bulk_create(sections, ignore_conflicts=True)
        self.index()

    def locked(self) -> "Postmortem":
        """Read it anew and lock its row until the end of the transaction."""
        return Postmortem.objects.select_for_update(no_key=True, of=("self",)).get(pk=self.pk)

    def lock_editable(self) -> "Postmortem":
        """Lock it as `locked` does; raises WrongStatus, which says what can be done instead, once it cannot be edited."""
        postmortem = self.locked()
        if not postmortem.is_editable:
            state = postmortem.get_state_display().lower()
            raise WrongStatus(f"This postmortem is {state}. {_way_out(postmortem)}")
        return postmortem

    def _set(self, *, by: User, **changes: Any) -> None:
        with transaction.atomic():
            stored = self.lock_editable()
            if {name: getattr(stored, name) for name in changes} != changes:
                Postmortem.objects.filter(pk=self.pk).update(**changes)
                became: dict[str, Any] = {f"new_{name}": str(value or "") for name, value in changes.items()}
                self.record(by, **became)
        self.refresh_from_db()


def _low(text: str) -> str:
    return text[:1].lower() + text[1:]


def _way_out(postmortem: Postmortem) -> str:
    if postmortem.state == Postmortem.State.APPROVED:
        return "Send it back to change it."
    return "Reopen it, or add an amendment."
