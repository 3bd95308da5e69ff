"""What one turn makes of what a source delivered: statements applied to episodes, in memory only.

`load` reads what will be needed in two queries; from then on nothing is asked and nothing is written until `commit`.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime

from incidents import taxonomy
from incidents.alerts import episodes, escalation
from incidents.alerts.claims import ChangeAnnounced, Claim, GroupOver, Handshake, RejectedItem, Statement
from incidents.alerts.cleaning import ai_facts, clip
from incidents.alerts.models import Alert, Delivery, Outcome, Source
from incidents.alerts.routing import FLAP, classification
from incidents.alerts.times import settled_times


@dataclass
class Turn:
    """What one turn has read and changed of one source's alerts. Valid while the source's row is locked."""

    source: Source
    deliveries: list[Delivery] = field(default_factory=list)
    firing: dict[str, Alert] = field(default_factory=dict)  # by fingerprint, as are …
    ended: dict[str, Alert] = field(default_factory=dict)  # … the newest that have ended
    truncated: dict[str, list[Alert]] = field(default_factory=dict)  # firing, by groups of which not all were listed
    opened: list[Alert] = field(default_factory=list)
    changed: dict[int, Alert] = field(default_factory=dict)
    restated: dict[int, Alert] = field(default_factory=dict)  # known alerts that a repeat stated anew, of which …
    worse: dict[int, Alert] = field(default_factory=dict)  # … these got worse
    cleared: list[Alert] = field(default_factory=list)
    never_fired: list[Alert] = field(default_factory=list)
    changes: list[tuple[ChangeAnnounced, Outcome]] = field(default_factory=list)
    handshakes: list[Handshake] = field(default_factory=list)
    outcomes: list[tuple[Outcome, Alert | None]] = field(default_factory=list)

    def load(self, statements: Iterable[Statement]) -> None:
        """Load the alerts spoken of, by their fingerprints: today's, and what older recipes made of them."""
        fingerprints, groups = set(), set()
        for statement in statements:
            match statement:
                case Claim():
                    fingerprints |= {statement.fingerprint(self.source.pk)}
                    fingerprints |= {*statement.former_fingerprints(self.source.pk)}
                case GroupOver():
                    groups.add(statement.group)
        alerts = Alert.objects.filter(source=self.source, fingerprint__in=fingerprints)
        self.firing = {alert.fingerprint: alert for alert in alerts.firing()}
        self.ended = {alert.fingerprint: alert for alert in alerts.newest_ended()}
        if groups:
            self.truncated = defaultdict(list)
            cut = Alert.objects.firing().filter(
                source=self.source, group__in=groups, flags__contains=["truncated_group"]
            )
            for alert in cut:
                self.truncated[alert.group].append(alert)

    def apply(self, delivery: Delivery, position: int, statement: Statement) -> None:
        match statement:
            case Claim():
                self._apply(delivery, position, statement)
            case ChangeAnnounced():
                outcome = self._add_outcome(
                    delivery, position, "change", None, "change", "A test; nothing was recorded."
                )
                if not delivery.is_test:
                    self.changes.append((statement, outcome))
            case Handshake():
                self.handshakes.append(statement)
                self._add_outcome(delivery, position, "handshake", None, "handshake", statement.reason)
            case GroupOver():
                self._end_group(delivery, position, statement)
            case RejectedItem():
                self._add_outcome(delivery, position, "refused", None, "refused", statement.reason)

    def _end_group(self, delivery: Delivery, position: int, over: GroupOver) -> None:
        """End what is left of a group that was listed only in part: nothing was said of the end of its other alerts."""
        ended_already = {alert.fingerprint for alert in self.ended.values()}
        alerts = [alert for alert in self.truncated.get(over.group, ()) if alert.fingerprint not in ended_already]
        for loaded in alerts:
            alert = self.firing.setdefault(loaded.fingerprint, loaded)
            self._resolve(alert, delivery.received_at, delivery.received_at, [])
        if alerts:
            reason = f"The group is resolved, so {len(alerts)} of its alerts that were not listed have ended too."
            self._add_outcome(delivery, position, "resolved", None, "group_over", reason)

    def _rekey(self, claim: Claim, fingerprint: str) -> None:
        """Go on with the alert that an older recipe named: a changed recipe must not open it a second time."""
        former = next((f for f in claim.former_fingerprints(self.source.pk) if f in self.firing), None)
        if former and fingerprint not in self.firing:
            alert = self.firing.pop(former)
            alert.fingerprint = fingerprint
            self.firing[fingerprint] = alert
            self._touch(alert)

    def _apply(self, delivery: Delivery, position: int, claim: Claim) -> None:
        fingerprint = claim.fingerprint(self.source.pk)
        self._rekey(claim, fingerprint)
        starts_at, ends_at, time_flags = settled_times(
            claim.starts_at,
            claim.ends_at,
            has_ended=claim.says == "resolved",
            received_at=delivery.received_at,
        )
        flags = [*claim.flags, *time_flags]
        if claim.is_test or delivery.is_test:
            self._add_outcome(delivery, position, claim.says, None, "test", _summary(claim))
            return
        if claim.says == "resolved" and claim.condition == "no_data":
            flags.append("end_vanished")
        alert, ended = self.firing.get(fingerprint), self.ended.get(fingerprint)
        if claim.says == "acknowledged":
            taken = "It was acknowledged in the monitor; the incident still waits to be acknowledged here."
            reason = taken if alert else "Nothing like it is firing."
            self._add_outcome(delivery, position, claim.says, alert or ended, "acknowledged", reason)
            return
        news = ""
        verdict = episodes.judge(
            "resolved" if claim.says == "resolved" else "firing",
            starts_at=starts_at,
            start_given="start_inferred" not in flags,
            ends_at=ends_at,
            end_given="end_inferred" not in flags,
            open_since=alert.newest_start_at if alert else None,
            closed=_closed(ended, claim) if ended else None,
        )
        match verdict.result:
            case "opened":
                alert = self._open(claim, fingerprint, delivery.received_at, starts_at, flags)
                alert.flaps = _flaps(ended, starts_at)
            case "repeated" if alert:
                start = starts_at if "start_inferred" not in flags else None
                news = self._repeat(alert, claim, delivery.received_at, start)
            case "resolved" if alert:
                self._resolve(alert, ends_at or delivery.received_at, delivery.received_at, flags)
            case "unseen":
                alert = self._add_never_fired(claim, fingerprint, delivery.received_at, starts_at, ends_at, flags)
            case _:
                alert = alert or ended
        reason = " ".join(filter(None, (verdict.reason, news)))
        self._add_outcome(delivery, position, claim.says, alert, verdict.result, reason)

    def _open(
        self, claim: Claim, fingerprint: str, received_at: datetime, starts_at: datetime, flags: list[str]
    ) -> Alert:
        alert = self._new(claim, fingerprint, received_at, starts_at, flags)
        self.firing[fingerprint] = alert
        self.opened.append(alert)
        return alert

    def _add_never_fired(
        self,
        claim: Claim,
        fingerprint: str,
        received_at: datetime,
        starts_at: datetime,
        ends_at: datetime | None,
        flags: list[str],
    ) -> Alert:
        """Add an episode that was over before it was seen, so that its firing, if it comes late, opens nothing."""
        alert = self._new(claim, fingerprint, received_at, starts_at, [*flags, "resolved_unseen"])
        alert.status, alert.ends_at = Alert.Status.RESOLVED, ends_at or received_at
        alert.routed_because = "It was over before it was seen here, so no incident was opened."
        self.ended[fingerprint] = alert
        self.never_fired.append(alert)
        return alert

    def _new(
        self, claim: Claim, fingerprint: str, received_at: datetime, starts_at: datetime, flags: list[str]
    ) -> Alert:
        return Alert(
            source=self.source,
            fingerprint=fingerprint,
            title=claim.title,
            description=claim.description,
            condition=claim.condition,
            severity=escalation.severity_claimed(claim),
            claimed_severity=escalation.severity_claimed(claim),
            severity_raw=claim.severity_raw,
            system_name=claim.system_name,
            service=claim.service,
            environment=claim.environment,
            labels=claim.labels,
            annotations=claim.annotations,
            ai=ai_facts(claim.labels),
            telling_name=clip(taxonomy.normalise(claim.names[0]).strip("_"), 200) if claim.names else "",
            links=list(claim.links),
            value=claim.measured.text,
            measured=asdict(claim.measured),
            group=claim.group,
            upstream_id=claim.upstream_id,
            expires_at=claim.expires_at,
            flags=sorted(set(flags)),
            starts_at=starts_at,
            newest_start_at=starts_at,
            first_received_at=received_at,
            last_received_at=received_at,
            **classification(claim),
        )

    def _repeat(self, alert: Alert, claim: Claim, received_at: datetime, start: datetime | None) -> str:
        """Count it, and take over what is worse or new; say in words what that was."""
        was = (alert.severity, alert.condition, alert.title)
        alert.occurrences += 1
        alert.newest_start_at = max(alert.newest_start_at, start or alert.starts_at)
        alert.last_received_at = max(alert.last_received_at, received_at)
        alert.description = claim.description or alert.description
        if claim.measured.text:
            alert.value, alert.measured = claim.measured.text, asdict(claim.measured)
        alert.expires_at = claim.expires_at
        news = escalation.take_over(alert, claim)
        if alert.condition != was[1]:
            for name, value in classification(claim).items():
                setattr(alert, name, value)
        if alert.pk and (alert.severity, alert.condition, alert.title) != was:
            self.restated[alert.pk] = alert
            if (alert.severity, alert.condition) != was[:2]:
                self.worse[alert.pk] = alert
        self._touch(alert)
        return news

    def _resolve(self, alert: Alert, ends_at: datetime, received_at: datetime, flags: list[str]) -> None:
        alert.status = Alert.Status.RESOLVED
        alert.ends_at = max(ends_at, alert.starts_at)
        alert.last_received_at = max(alert.last_received_at, received_at)
        alert.flags = sorted({*alert.flags, *(flag for flag in flags if flag.startswith("end_"))})
        del self.firing[alert.fingerprint]
        self.ended[alert.fingerprint] = alert
        self.cleared.append(alert)
        self._touch(alert)

    def _touch(self, alert: Alert) -> None:
        if alert.pk:
            self.changed[alert.pk] = alert

    def _add_outcome(
        self, delivery: Delivery, position: int, says: str, alert: Alert | None, result: str, reason: str
    ) -> Outcome:
        outcome = Outcome(delivery=delivery, position=position, says=says, result=result, reason=clip(reason, 500))
        self.outcomes.append((outcome, alert))
        return outcome


def _flaps(ended: Alert | None, starts_at: datetime) -> int:
    """Count how often it came back within ten minutes of its end, without a longer rest between."""
    if ended is None or ended.ends_at is None or starts_at - ended.ends_at > FLAP:
        return 0
    return ended.flaps + 1


def _summary(claim: Claim) -> str:
    """Say in a sentence how a test was understood."""
    about = claim.system_name or claim.service
    summary = f"A test, and nothing was opened. Understood as {claim.says}, {claim.severity}: “{claim.title}”"
    return summary + (f", about {about}." if about else ".")


def _closed(alert: Alert, claim: Claim) -> episodes.Closed | None:
    """Give the episode that ended last; None where only its lease ran out and the claim shows that it goes on."""
    if alert.ends_at is None or (claim.expires_at and "expired" in alert.flags):
        return None
    return episodes.Closed(alert.starts_at, alert.ends_at, exact="end_inferred" not in alert.flags)
