"""Writes the demonstration. Rows are written as they would have come to be, with their times in the past."""

import json
import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from incidents.alerts.models import ingest_url
from incidents.demonstration.cast import Cast, create_cast
from incidents.demonstration.costs import write_costs
from incidents.demonstration.course import course_of
from incidents.demonstration.evidence import Mail
from incidents.demonstration.heard import write_notifications
from incidents.demonstration.leaders import write_saved_report
from incidents.demonstration.learning import freeze, write_learning
from incidents.demonstration.past import Telling, write_incident
from incidents.demonstration.present import OPEN_ONES, write_harmless_changes, write_open_ones
from incidents.demonstration.promises import keep_few_late
from incidents.demonstration.proving import show_what_held
from incidents.demonstration.public import write_public_page
from incidents.demonstration.quiet import post_quietly, write_corrections, write_policies
from incidents.demonstration.rotas import write_rotas
from incidents.demonstration.said import write_actions, write_samples
from incidents.demonstration.schedule import DAYS, Occasion, schedule
from incidents.demonstration.shortlived import drills, false_alarms, write_declined, write_drill
from incidents.demonstration.stories import FAILURES
from incidents.response.events import Event
from incidents.response.incident import Incident, IncidentCounter
from incidents.response.links import Link


def load(first_alert: Path | None = None) -> int:
    """Load it all in one transaction; returns the number of incidents. The same on every run but for the date."""
    chance, now = random.Random(20_26), timezone.now()  # noqa: S311 - a story, not a secret
    with transaction.atomic():
        cast, mail = create_cast(now - timedelta(days=DAYS + 40)), Mail(now)
        write_policies(cast, now)
        write_rotas(cast, now)
        count = _write_past(chance, cast, mail)
        write_open_ones(chance, cast, mail, count + 1)
        count += len(OPEN_ONES)
        IncidentCounter.objects.update_or_create(only=True, defaults={"last": count})
        _link_repeats()
        write_samples()
        write_actions()
        keep_few_late(now)
        show_what_held(random.Random(17), cast, now=now)  # noqa: S311 - as above
        write_harmless_changes(cast, now)
        write_corrections()
        write_public_page(cast)
        post_quietly(chance, cast, mail)
        mail.write()
        freeze()
        _settle_changes()
        write_notifications()
        write_saved_report(cast, now)
    if first_alert:
        first_alert.write_text(first_curl(cast.token))
    return count


Writer = Callable[[random.Random, Cast, Mail, int, Occasion], None]


def _write_past(chance: random.Random, cast: Cast, mail: Mail) -> int:
    """Write what is over, in the order in which it was declared; returns how many."""
    happened: list[tuple[Occasion, Writer]] = [(occasion, _write_over) for occasion in schedule(chance, mail.now)]
    happened += [(occasion, write_declined) for occasion in false_alarms(chance, mail.now)]
    happened += [(occasion, write_drill) for occasion in drills(chance, mail.now)]
    happened.sort(key=lambda pair: pair[0].at)
    for number, (occasion, write) in enumerate(happened, start=1):
        write(chance, cast, mail, number, occasion)
    return len(happened)


def _write_over(chance: random.Random, cast: Cast, mail: Mail, number: int, occasion: Occasion) -> None:
    now, system = mail.now, cast.systems[occasion.failure.system]
    age = (now - occasion.at) / timedelta(days=DAYS)
    lead, helper = chance.sample(cast.responders(system.team), 2)
    course = course_of(chance, occasion.failure, occasion.happening, system, occasion.at, age=age, now=now)
    closed_at = course.resolved_at + timedelta(days=30) if course.resolved_at else None
    telling = Telling(
        failure=occasion.failure,
        happening=occasion.happening,
        course=course,
        lead=lead,
        helper=helper,
        closed_at=closed_at if closed_at and now - closed_at > timedelta(days=10) else None,
    )
    log = write_incident(chance, cast, mail, number, telling)
    if course.resolved_at:
        write_costs(log, telling, course.resolved_at + timedelta(minutes=50))
    write_learning(chance, cast, log, telling)
    log.write()


def _settle_changes() -> None:
    """An incident was last changed when the last thing happened to it."""
    last = Event.objects.filter(incident=OuterRef("pk")).order_by("-at").values("at")[:1]
    Incident.objects.update(changed_at=Subquery(last))


def _link_repeats() -> None:
    """Link each incident that happened again to the earlier one that it repeats."""
    for happening in (happening for failure in FAILURES for happening in failure.happened if happening.repeats):
        again = Incident.objects.get(title=happening.title)
        earlier = Incident.objects.get(title=happening.repeats)
        Link.objects.create(incident=again, other=earlier, kind=Link.Kind.REPEAT_OF, at=again.declared_at)


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
