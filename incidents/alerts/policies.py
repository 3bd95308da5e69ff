"""What people have decided about alerts in advance: rules by version, silences, corrections and watches."""

from datetime import timedelta
from typing import Any, ClassVar, Self

from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone

from incidents import taxonomy
from incidents.alerts.matchers import Matcher, Unmatchable, parse, written
from incidents.alerts.models import Alert, Source
from incidents.alerts.rules import RoutingRule, Unruly
from incidents.alerts.rules import read as read_rules
from incidents.errors import Refused
from incidents.people.models import User
from incidents.response.incident import Incident
from incidents.systems.models import System


class RulesVersionQuerySet(models.QuerySet["RulesVersion"]):
    def current(self) -> "RulesVersion | None":
        """Give the version that is in force; None while none was ever published."""
        return self.exclude(published_at=None).order_by("-number").first()

    def draft(self) -> "RulesVersion | None":
        return self.filter(published_at=None).first()

    def begin_draft(self, *, by: User) -> "RulesVersion":
        """Give the one draft, made of the current version where there is none yet."""
        with transaction.atomic():
            known = self.select_for_update().filter(published_at=None).first()
            current = self.current()
            return known or self.create(rules=current.rules if current else [], made_by=by)


class RulesVersion(models.Model):
    """All routing rules at one time. A published version never changes; going back publishes an older one again."""

    number = models.PositiveIntegerField(null=True, unique=True)
    rules = models.JSONField(default=list)
    note = models.CharField(max_length=200, blank=True)
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    changed_at = models.DateTimeField(default=timezone.now)
    published_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    published_at = models.DateTimeField(null=True, blank=True)

    objects = RulesVersionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                models.F("published_at"),
                condition=models.Q(published_at__isnull=True),
                name="one_draft_of_rules",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=models.Q(number__isnull=True, published_at__isnull=True)
                | models.Q(number__isnull=False, published_at__isnull=False),
                name="published_rules_have_a_number",
            ),
        ]

    def __str__(self) -> str:
        return "the draft" if self.number is None else f"version {self.number}"

    def get_absolute_url(self) -> str:
        return reverse("rules-draft") if self.number is None else reverse("rules-version", args=[self.number])

    @classmethod
    def before_the_first(cls) -> "RulesVersion":
        """No rules at all, as before anything was published: a way back that needs no row."""
        return cls(number=0)

    def read(self) -> tuple[RoutingRule, ...]:
        """Read the rules. Raises Unruly, which a published version never does."""
        return read_rules(self.rules)

    def rewrite(self, rows: list[dict[str, Any]], *, by: User) -> None:
        """Change the draft as it was read. Raises Refused where a rule cannot be used or somebody changed it meanwhile."""
        _check(rows)
        if self.published_at:
            raise Refused(f"The rules of {self} are published and never change. Start a draft instead.")
        changed = RulesVersion.objects.filter(pk=self.pk, published_at=None, changed_at=self.changed_at)
        if not changed.update(rules=rows, made_by=by, changed_at=timezone.now()):
            raise Refused("Someone else changed or published the draft. Review it, then save your change again.")
        self.refresh_from_db()

    def publish(self, *, by: User, note: str = "") -> None:
        """Put the draft in force as it was read, as the next number. Raises Refused where somebody was faster."""
        _check(self.rules)
        with transaction.atomic():
            versions = RulesVersion.objects.select_for_update().order_by("pk")
            last = max((version.number or 0 for version in versions), default=0)
            published = RulesVersion.objects.filter(pk=self.pk, published_at=None, changed_at=self.changed_at)
            if not published.update(
                number=last + 1, published_by=by, published_at=timezone.now(), note=note.strip()[:200]
            ):
                raise Refused("Someone else changed or published the draft. Review it again.")
        self.refresh_from_db()

    def discard(self) -> None:
        """Forget the draft."""
        RulesVersion.objects.filter(pk=self.pk, published_at=None).delete()

    def publish_again(self, *, by: User) -> "RulesVersion":
        """Go back to this version: its rules are in force again, under a new number."""
        with transaction.atomic():
            RulesVersion.objects.select_for_update().filter(published_at=None).delete()
            again = RulesVersion.objects.create(rules=self.rules, made_by=by)
            again.publish(by=by, note=f"As {self} was.")
        return again


def _check(rows: list[dict[str, Any]]) -> None:
    try:
        read = read_rules(rows)
    except (Unruly, ValueError, TypeError) as error:
        raise Refused(str(error)) from None
    for rule in read:
        if rule.set_system and not System.objects.filter(slug=rule.set_system).exists():
            raise Refused(f"{rule.name}: no system is called “{rule.set_system}”.")
        for code, known in ((rule.set_category, taxonomy.category), (rule.set_failure_mode, taxonomy.failure_mode)):
            try:
                if code:
                    known(code)
            except taxonomy.Unknown:
                raise Refused(f"{rule.name}: the taxonomy has no “{code}”.") from None


class SilenceQuerySet(models.QuerySet["Silence"]):
    def in_force(self, at: Any = None) -> Self:
        now = at or timezone.now()
        return self.filter(starts_at__lte=now, ends_at__gt=now)

    def for_list(self) -> Self:
        return self.select_related("author").order_by("-ends_at", "-pk")


class Silence(models.Model):
    """For a time, alerts that match open nothing. They are recorded, and those still firing when it ends are routed then."""

    matchers = models.TextField()
    starts_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=500)
    is_maintenance = models.BooleanField(default=False)
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    released_at = models.DateTimeField(null=True, blank=True)  # when what still fired at its end was routed

    objects = SilenceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")), name="silences_end_after_they_start"
            ),
        ]
        indexes = [models.Index(fields=["ends_at"], name="silences_by_end")]

    def __str__(self) -> str:
        return self.reason

    def get_absolute_url(self) -> str:
        return reverse("silence", args=[self.pk])

    @property
    def is_over(self) -> bool:
        return self.ends_at <= timezone.now()

    @property
    def is_ahead(self) -> bool:
        return self.starts_at > timezone.now()

    def read(self) -> tuple[Matcher, ...]:
        return parse(self.matchers)

    @classmethod
    def make(
        cls, *, text: str, ends_at: Any, reason: str, by: User, starts_at: Any = None, maintenance: bool = False
    ) -> "Silence":
        """Make a silence. Raises Refused where it would silence everything, or nothing."""
        try:
            parsed = parse(text)
        except Unmatchable as error:
            raise Refused(str(error)) from None
        if not parsed:
            raise Refused("A silence needs a matcher; without one it would silence everything.")
        start = starts_at or timezone.now()
        if ends_at <= start or ends_at <= timezone.now():
            raise Refused("It ends before it begins. Choose a later end.")
        if ends_at - start > timedelta(days=366):
            raise Refused("A silence lasts a year at most. For alerts that should never open an incident, use a rule.")
        if not reason.strip():
            raise Refused("Give a reason, so that others know whether it still applies.")
        return cls.objects.create(
            matchers=written(parsed),
            starts_at=start,
            ends_at=ends_at,
            reason=reason.strip()[:500],
            author=by,
            is_maintenance=maintenance,
        )

    def end(self) -> None:
        """End it now; what still fires is routed then. One that is still ahead is deleted."""
        now = timezone.now()
        changed = Silence.objects.filter(pk=self.pk, ends_at__gt=now)
        if self.is_ahead:
            changed.delete()
        else:
            changed.update(ends_at=now)
            self.refresh_from_db()


class CorrectionQuerySet(models.QuerySet["Correction"]):
    def standing(self) -> Self:
        return self.filter(undone_at=None)

    def visible_to(self, user: User) -> Self:
        """Keep those of a name that the user may read: not one that only alerts of hidden incidents have."""
        if not user.is_active:
            return self.none()
        named = Alert.objects.filter(source=models.OuterRef("source"), telling_name=models.OuterRef("name"))
        hidden = named.filter(incident__in=Incident.objects.hidden_from(user))
        return self.filter(~models.Exists(hidden) | models.Exists(named.visible_to(user)))


class Correction(models.Model):
    """A person classified a name of one source; it holds for later alerts of that name until it is undone."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="corrections")
    name = models.CharField(max_length=200)  # the alert's `telling_name`
    category = models.CharField(max_length=32, blank=True)
    failure_mode = models.CharField(max_length=64, blank=True)
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    undone_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    undone_at = models.DateTimeField(null=True, blank=True)

    objects = CorrectionQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-made_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "name"],
                condition=models.Q(undone_at__isnull=True),
                name="one_standing_correction_per_name",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} is {self.meaning}"

    @property
    def meaning(self) -> str:
        if self.failure_mode:
            return taxonomy.failure_mode(self.failure_mode).name
        return taxonomy.category(self.category).name

    def undo(self, *, by: User) -> None:
        """Let the rules speak again for later alerts; what was classified stays so."""
        Correction.objects.filter(pk=self.pk, undone_at=None).update(undone_at=timezone.now(), undone_by=by)
        self.refresh_from_db()


class Watch(models.Model):
    """A source, or a system with any source, from which something is expected at least every so often.

    Where it is silent for longer, that is an alert of its own: silence is the failure that no monitor reports.
    """

    source = models.ForeignKey(Source, on_delete=models.CASCADE, null=True, blank=True, related_name="watches")
    system = models.ForeignKey(System, on_delete=models.CASCADE, null=True, blank=True, related_name="watches")
    every_minutes = models.PositiveIntegerField()
    severity = models.CharField(max_length=12, default="high")
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    missing_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(source__isnull=False, system__isnull=True)
                | models.Q(source__isnull=True, system__isnull=False),
                name="a_watch_is_about_a_source_or_a_system",
            ),
            models.CheckConstraint(condition=models.Q(every_minutes__gte=1), name="watches_wait_a_minute_at_least"),
            models.UniqueConstraint(
                fields=["source"], condition=models.Q(source__isnull=False), name="one_watch_per_source"
            ),
            models.UniqueConstraint(
                fields=["system"], condition=models.Q(system__isnull=False), name="one_watch_per_system"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source or self.system} at least every {self.every_minutes} min"

    @property
    def every(self) -> timedelta:
        return timedelta(minutes=self.every_minutes)
