"""Writes the demonstration. Rows are written as they would have come to be, with their times in the past."""

import json
import random
from datetime import datetime, timedelta
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from incidents.alerts.models import ingest_url
from incidents.demonstration.cast import create_cast
from incidents.demonstration.past import write_incident
from incidents.demonstration.stories import STORIES, Story
from incidents.response.incident import Incident, IncidentCounter
from incidents.response.links import Link

MONTHS = 18


def load(first_alert: Path | None = None) -> int:
    """Load it all in one transaction; returns the number of incidents. The same on every run but for the date."""
    chance = random.Random(20_26)  # noqa: S311 - a story, not a secret
    with transaction.atomic():
        cast = create_cast()
        schedule = _schedule(chance)
        for number, (story, title, declared_at, is_latest) in enumerate(schedule, start=1):
            write_incident(chance, cast, number, story, title, declared_at, is_latest=is_latest)
        _link_repeats()
        IncidentCounter.objects.update_or_create(only=True, defaults={"last": len(schedule)})
    if first_alert:
        first_alert.write_text(first_curl(cast.token))
    return len(schedule)


def _link_repeats() -> None:
    """Link each incident that happened again to the earlier one that it repeats."""
    for again in Incident.objects.filter(title__endswith=", again"):
        first = Incident.objects.filter(title=again.title.removesuffix(", again")).first()
        if first:
            later, earlier = (again, first) if again.number > first.number else (first, again)
            Link.objects.create(incident=later, other=earlier, kind=Link.Kind.REPEAT_OF, at=later.declared_at)


def first_curl(token: str) -> str:
    alert = {
        "title": "Answers cite documents that were replaced",
        "metric": "stale_citation_rate",
        "system": "policy-index",
        "severity": "critical",
        "value": 0.31,
        "key": "first-alert",
    }
    return f"curl -sS {ingest_url(token)} -H 'Content-Type: application/json' -d '{json.dumps(alert)}'\n"


def _schedule(chance: random.Random) -> list[tuple[Story, str, datetime, bool]]:
    """Spread the stories over eighteen months up to now, the last few still open."""
    titled = [(story, title) for story in STORIES for title in story.titles]
    titled += [(story, f"{story.titles[0]}, again") for story in STORIES[::6]]
    chance.shuffle(titled)
    now = timezone.now()
    ages = sorted((chance.uniform(4, MONTHS * 30.4) for _ in titled), reverse=True)
    ages[-6:] = [2.9, 1.6, 0.7, 0.21, 0.08, 0.02]
    return [
        (story, title, now - timedelta(days=age), position >= len(titled) - 6)
        for position, ((story, title), age) in enumerate(zip(titled, ages, strict=True))
    ]
