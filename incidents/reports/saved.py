"""Saved reports: what was counted that day never changes, whatever is corrected later.

A saved report counts what everybody may see, because everybody may read it and it goes out by mail. People write three
sentences over it, add notes, and ask for decisions, which come up again until they are taken.
"""

import re
from datetime import datetime
from typing import Any, Self

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from incidents.notifications.messages import Notification
from incidents.people.models import Team, User
from incidents.postmortems.document import Postmortem
from incidents.reports import export
from incidents.reports.cache import report, worked_out
from incidents.reports.scope import Asked, Period, ReportScope, read
from incidents.reports.trends import title_of
from incidents.response.incident import Incident

# Somebody who is named nowhere: sees what is not private, as everybody does.
EVERYBODY = User(name="Everybody", email="everybody@invalid")


class ReportInterval(models.TextChoices):
    MONTHLY = "monthly", "Every month"
    QUARTERLY = "quarterly", "Every quarter"


class SavedReportQuerySet(models.QuerySet["SavedReport"]):
    def freeze(self, asked: Asked, *, by: User | None, cadence: str = "") -> "SavedReport":
        """Work a report out and save it as it is now. A scheduled one is saved once for each period and team."""
        fields: dict[str, Any] = {
            "until": asked.period.until,
            "asked": asked.parameters(),
            "data": export.as_data(*worked_out(EVERYBODY, asked)),
            "made_by": by,
            "title": f"{title_of(asked.scope)}, {asked.period}"[:200],
        }
        key = {"cadence": cadence, "team": asked.scope.team, "since": asked.period.since}
        if not cadence:
            return self.create(**key, **fields)
        report, _ = self.get_or_create(**key, defaults=fields)
        return report

    def for_list(self) -> Self:
        return self.defer("data").select_related("made_by").order_by("-made_at", "-pk")


class SavedReport(models.Model):
    title = models.CharField(max_length=200)
    team = models.CharField(max_length=50, blank=True)  # its slug; empty is everybody
    cadence = models.CharField(max_length=12, choices=ReportInterval, blank=True)  # empty: a person saved it
    since = models.DateField()
    until = models.DateField()  # the day after the last
    asked = models.JSONField()
    data = models.JSONField(encoder=DjangoJSONEncoder)
    sentences = models.TextField(blank=True, max_length=3000)
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    written_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    objects = SavedReportQuerySet.as_manager()

    class Meta:
        db_table = "incidents_keptreport"  # as it was called; its data and who reads it stay
        constraints = [
            models.UniqueConstraint(
                fields=["cadence", "team", "since"], condition=~Q(cadence=""), name="one_scheduled_report_per_period"
            )
        ]
        indexes = [models.Index(fields=["-made_at"], name="kept_reports_by_time")]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("kept-report", args=[self.pk])

    @property
    def question(self) -> Asked:
        return read(self.asked, today=timezone.now().date())

    def write(self, sentences: str, *, by: User) -> None:
        """Say in a person's words what it shows. Empty brings Faultline's draft back."""
        SavedReport.objects.filter(pk=self.pk).update(sentences=sentences.strip()[:3000], written_by=by)
        self.refresh_from_db(fields=["sentences", "written_by"])

    @property
    def summary(self) -> list[str]:
        """The sentences over it: a person's, else the draft."""
        if self.sentences:
            return [line for line in self.sentences.splitlines() if line.strip()]
        return list(self.data["trends"]["draft"])

    def data_for(self, user: User) -> dict[str, Any]:
        """Give what was frozen, without any row that names an incident which was made private since and does not name the
        user, or the postmortem of one. The numbers stay what they were."""
        hidden = list(Incident.objects.hidden_from(user).only("number"))
        if not hidden:
            return dict(self.data)
        names = {str(incident) for incident in hidden}
        covering = [postmortem.get_absolute_url() for postmortem in Postmortem.objects.hidden_from(user).only("slug")]
        addresses = [incident.get_absolute_url() for incident in hidden]
        written = "|".join(rf"\b{name}\b" for name in names) + "|" + "|".join(map(re.escape, addresses + covering))
        learning = dict(self.data["learning"])
        learning["returned"] = [
            row for row in learning["returned"] if not names & {name for name, _, _ in row["members"]}
        ]
        shown: dict[str, Any] = _without(
            {"decide": self.data.get("decide"), "trends": self.data["trends"], "learning": learning},
            re.compile(written),
        )
        return shown

    def changes_since(self) -> list[tuple[str, str, str]] | None:
        """What would be counted otherwise today: name, then, now. Corrections and late entries show here, not in the report.

        None where it cannot be asked again, because its team or system has another name now.
        """
        if self.question.parameters() != self.asked:
            return None
        now = export.as_data(*report(EVERYBODY, self.question))
        then, today = _numbers(self.data), _numbers(now)
        return [
            (name, then.get(name, "–"), today.get(name, "–"))
            for name in {**then, **today}
            if then.get(name) != today.get(name)
        ]


def _without(data: Any, hidden: re.Pattern[str]) -> Any:
    """Plain data without the rows in which something hidden is named."""
    if isinstance(data, dict):
        return {name: _without(value, hidden) for name, value in data.items()}
    if isinstance(data, list):
        return [_without(row, hidden) for row in data if not _names(row, hidden)]
    return data


def _names(row: Any, hidden: re.Pattern[str]) -> bool:
    cells = row.values() if isinstance(row, dict) else row if isinstance(row, list) else [row]
    return any(isinstance(cell, str) and hidden.search(cell) for cell in cells)


FORMER_LABELS = {"Came back": "Repeats"}  # what tiles were called in reports that were saved then


def _numbers(data: dict[str, Any]) -> dict[str, str]:
    """The numbers that a reader would quote, by what they are called today."""
    numbers = {FORMER_LABELS.get(tile["label"], tile["label"]): tile["value"] for tile in data["trends"]["tiles"]}
    for _, title, rows in data["trends"]["breakdowns"]:
        numbers |= {f"{title}: {row['label']}": f"{row['count']:,}" for row in rows}
    return numbers


class ReportNote(models.Model):
    """Something to know about a saved report, beside it: a launch, a holiday, a change in how one counts."""

    report = models.ForeignKey(SavedReport, on_delete=models.CASCADE, related_name="notes")
    text = models.CharField(max_length=1000)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return self.text[:80]


# By mail


class ReportSubscription(models.Model):
    """Somebody wants the report of a team, or of everything, when a month or a quarter is over."""

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="report_subscriptions")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    cadence = models.CharField(max_length=12, choices=ReportInterval)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "team", "cadence"], nulls_distinct=False, name="one_report_subscription_each"
            )
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.get_cadence_display()}, {self.team or 'everything'}"


def send_reports(now: datetime | None = None) -> int:
    """Save the reports of the periods that are over and owe them to their subscribers; returns how many were owed.

    Safe to run at any time and twice: a period's report is saved once, and a mail is owed once.
    """
    today = (now or timezone.now()).date()
    subscriptions = ReportSubscription.objects.filter(person__is_active=True).select_related("person", "team")
    groups: dict[tuple[str, Team | None], list[User]] = {}
    for each in subscriptions.order_by("cadence", F("team").asc(nulls_first=True)):
        groups.setdefault((each.cadence, each.team), []).append(each.person)
    for (cadence, team), people in groups.items():
        months = 1 if cadence == ReportInterval.MONTHLY else 3
        period = Period.finished(months, today=today)
        slug = team.slug if team else ""
        report = SavedReport.objects.filter(cadence=cadence, team=slug, since=period.since).first()
        if report is None:
            # A month is compared with the year before it: with a single month nothing but luck would be compared.
            asked = Asked(period, ReportScope(team=slug), compare="twelve" if months == 1 else "before", months="own")
            report = SavedReport.objects.freeze(asked, by=None, cadence=cadence)
        mail(report, people)
    return len(subscriptions)


def mail(report: SavedReport, people: list[User]) -> None:
    """Owe the report, with its picture inside, to each of these people once."""
    tiles, to_decide = report.data["trends"]["tiles"], report.data.get("decide") or {}
    matters = [f"{matter['subject']} {matter['text']}" for group in to_decide.values() for matter in group]
    opening = ["What to decide:", *matters, ""] if matters else []
    numbers = [f"{tile['label']}: {tile['value']}{' (' + tile['note'] + ')' if tile['note'] else ''}" for tile in tiles]
    with transaction.atomic():
        Notification.objects.tell(
            people,
            topic="report.ready",
            about=[],  # numbers and no names
            subject=report.title,
            text="\n".join([*opening, *report.summary, "", *numbers]),
            path=report.get_absolute_url(),
            key=f"report:{report.pk}",
            picture=export.picture(report.data),
        )
