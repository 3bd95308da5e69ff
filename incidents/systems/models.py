"""The catalogue: AI systems in production, what they depend on, and what was changed in them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone

from incidents.people.models import Team, User
from incidents.texts import check_readable

LOOK_BACK = timedelta(days=14)  # how long before an incident a change may have caused it


class SystemQuerySet(models.QuerySet["System"]):
    def visible_to(self, user: User) -> Self:
        """Keep what the user may see: the catalogue is open to everybody in the organisation who is signed in."""
        return self if user.is_active else self.none()

    def for_list(self) -> Self:
        return self.select_related("team").order_by("tier", Lower("name"))

    def named(self, name: str) -> "System | None":
        """Find the system that a monitor calls `name`: its slug, its name, or a name settled earlier."""
        return self.all_named([name]).get(name.strip().lower())

    def all_named(self, names: Iterable[str]) -> "dict[str, System]":
        """Find the systems that monitors call by these names, in lower case; unknown names are not in the answer."""
        wanted = {name.strip().lower() for name in names} - {""}
        if not wanted:
            return {}
        settled = SystemName.objects.filter(name__in=wanted).select_related("system")
        by_name = {alias.name: alias.system for alias in settled}
        called = self.annotate(lower_slug=Lower("slug"), lower_name=Lower("name"))
        for system in called.filter(models.Q(lower_slug__in=wanted) | models.Q(lower_name__in=wanted)).order_by("-pk"):
            by_name |= dict.fromkeys({system.slug.lower(), system.name.lower()} & wanted, system)
        return by_name


class System(models.Model):
    """An AI product in production that one team owns."""

    class Kind(models.TextChoices):
        PREDICTOR = "predictor", "Predictor"
        RECOMMENDER = "recommender", "Recommender"
        SEARCH = "search", "Search"
        RAG = "rag", "RAG assistant"
        GENERATIVE = "generative", "Generative"
        AGENT = "agent", "Agent"
        FORECASTER = "forecaster", "Forecaster"
        PIPELINE = "pipeline", "Pipeline"
        DATA = "data", "Data set or index"

    class Tier(models.IntegerChoices):
        CRITICAL = 1, "Tier 1: wrong output harms people or money at once"
        IMPORTANT = 2, "Tier 2: wrong output hurts within a day"
        SUPPORTING = 3, "Tier 3: wrong output is noticed before it hurts"

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=80, validators=[check_readable])
    kind = models.CharField(max_length=16, choices=Kind)
    tier = models.PositiveSmallIntegerField(choices=Tier, default=Tier.IMPORTANT)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="systems")
    purpose = models.TextField(blank=True, max_length=2000)
    fallback = models.TextField(blank=True, max_length=2000, help_text="What serves users while this system is off.")
    runbook_url = models.URLField(blank=True, max_length=2000)
    dashboard_url = models.URLField(blank=True, max_length=2000)
    # How much of the time its output should be good, in percent; empty where nobody has said.
    objective = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    upstreams = models.ManyToManyField("self", through="Dependency", symmetrical=False, related_name="downstreams")
    created_at = models.DateTimeField(default=timezone.now)

    objects = SystemQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(objective__isnull=True) | models.Q(objective__gte=50, objective__lt=100),
                name="an_objective_is_50_to_100_percent",
            ),
            models.CheckConstraint(condition=models.Q(tier__gte=1, tier__lte=3), name="system_tier_is_1_to_3"),
            models.UniqueConstraint(Lower("name"), name="one_system_per_name"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("system", args=[self.slug])


class Dependency(models.Model):
    """`system` takes something from `upstream`, so a fault there may show here."""

    system = models.ForeignKey(System, on_delete=models.CASCADE, related_name="dependencies")
    upstream = models.ForeignKey(System, on_delete=models.CASCADE, related_name="dependents")

    class Meta:
        verbose_name_plural = "dependencies"
        constraints = [
            models.UniqueConstraint(fields=["system", "upstream"], name="one_dependency_per_pair"),
            models.CheckConstraint(
                condition=~models.Q(system=models.F("upstream")), name="no_system_depends_on_itself"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.system} depends on {self.upstream}"


class SystemName(models.Model):
    """Another name by which monitors call a system, settled once by a person and honoured from then on."""

    name = models.CharField(max_length=200)
    system = models.ForeignKey(System, on_delete=models.CASCADE, related_name="names")
    settled_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    settled_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(Lower("name"), name="one_system_per_settled_name")]

    def __str__(self) -> str:
        return f"{self.name} means {self.system}"


class ChangeQuerySet(models.QuerySet["Change"]):
    def before(self, moment: datetime, system: System) -> Self:
        """Keep what was altered in `system` or in what it depends on directly, in the two weeks up to `moment`; the nearest first."""
        systems = [system.pk, *system.dependencies.values_list("upstream_id", flat=True)]
        try:
            since = moment - LOOK_BACK
        except OverflowError:  # in the first days of the year 1, as a typing error may say
            return self.none()
        near = self.filter(system__in=systems, happened_at__lte=moment, happened_at__gte=since)
        return near.select_related("system").order_by("-happened_at", "-pk")


class Change(models.Model):
    """Something that was altered in a system; the first place to look when its output goes wrong."""

    class Kind(models.TextChoices):
        MODEL = "model", "Model"
        PROMPT = "prompt", "Prompt"
        INDEX = "index", "Index"
        DATASET = "dataset", "Data set"
        FEATURE = "feature", "Feature"
        PERMISSION = "permission", "Tool permission"
        GUARDRAIL = "guardrail", "Guardrail"
        CONFIGURATION = "configuration", "Configuration"
        PROVIDER = "provider", "Upstream provider"

    system = models.ForeignKey(System, on_delete=models.CASCADE, related_name="changes")
    kind = models.CharField(max_length=16, choices=Kind)
    title = models.CharField(max_length=200, validators=[check_readable])
    version = models.CharField(max_length=100, blank=True)
    url = models.URLField(blank=True, max_length=2000)
    happened_at = models.DateTimeField(default=timezone.now)
    recorded_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    objects = ChangeQuerySet.as_manager()

    class Meta:
        ordering = ["-happened_at", "-pk"]
        indexes = [models.Index(fields=["system", "-happened_at"], name="changes_by_system")]

    def __str__(self) -> str:
        return self.title
