"""How a regression becomes an alert: as a claim that is delivered like that of any monitor, by a source of its own.

Nothing is decided here that an alert's own path decides: it is stored, read, routed and told of as every other.
"""

import json
from typing import Any

from django.db import models, transaction

from incidents.alerts.deliveries import receive
from incidents.alerts.models import Source
from incidents.alerts.nudge import nudge
from incidents.systems.models import System


class EvaluationSource(models.Model):
    """The source by which a system’s regressions become alerts."""

    system = models.OneToOneField(System, on_delete=models.CASCADE, related_name="evaluation_source")
    source = models.OneToOneField(Source, on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return str(self.source)


def send(system: System, *, key: str, status: str, title: str, **facts: Any) -> bool:
    """Deliver one claim about a case; stored with the transaction that is open. Returns whether alerts are wanted.

    They are not where somebody retired the source. Whoever calls holds the lock of the system or of the case.
    """
    source = _source(system)
    if source.retired_at:
        return False
    claim = {"key": key, "status": status, "title": title, "system": system.slug} | facts
    receive(source, json.dumps(claim).encode(), headers={})
    transaction.on_commit(nudge)
    return True


def _source(system: System) -> Source:
    known = EvaluationSource.objects.filter(system=system).select_related("source").first()
    if known:
        return known.source
    # Nobody learns its token: only Faultline itself delivers by it.
    name = f"Evaluations of {system}"[:80]
    source, _ = Source.objects.connect(kind="generic", name=name, team=system.team, system=system)
    EvaluationSource.objects.create(system=system, source=source)
    return source
