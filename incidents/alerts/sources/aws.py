"""Amazon's monitors: CloudWatch alarms and EventBridge events, in SNS's envelope, in Lambda's, or bare.

SageMaker Model Monitor has no webhook: its CloudWatch alarms, its job events, and the violations it writes to S3 are read.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from incidents.alerts.bodies import Json, Unreadable, dig, embedded, first_text, items, mapping, payload, text_of
from incidents.alerts.claims import Claim, Handshake, Identity, Statement, claim_from
from incidents.alerts.sources import aws_costs
from incidents.alerts.statuses import FIRING, NO_DATA, NOTICE, RESOLVED, VANISHED, MonitorStatus

_ALARM: dict[str, MonitorStatus] = {"alarm": FIRING, "ok": RESOLVED, "insufficient_data": NO_DATA}


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    sent = mapping(payload(body, headers))
    if isinstance(sent.get("Records"), list):
        return [statement for record in items(sent["Records"]) for statement in _envelope(mapping(dig(record, "Sns")))]
    if "TopicArn" in sent and "Type" in sent:
        return _envelope(sent)
    return _message(sent)


def _envelope(envelope: dict[str, Json]) -> list[Statement]:
    topic = text_of(envelope.get("TopicArn"))
    match text_of(envelope.get("Type")):
        case "SubscriptionConfirmation":
            return [
                Handshake(
                    reason=f"Amazon SNS asks to confirm the subscription to {topic}. Somebody has to approve it.",
                    confirm_topic=topic,
                    confirm_url=text_of(envelope.get("SubscribeURL")),
                )
            ]
        case "UnsubscribeConfirmation":
            return [Handshake(reason=f"The subscription to {topic} was ended.")]
    inner = embedded(envelope.get("Message"))
    if isinstance(inner, dict):
        return _message(inner)
    text = text_of(envelope.get("Message"))
    if not text:
        raise Unreadable("The message in the envelope is empty.")
    if budget := aws_costs.budget(text, envelope):
        return [budget]
    return [
        claim_from(
            title=(envelope.get("Subject"), text.splitlines()[0]),
            description=(text,),
            labels={"topic": topic},
            starts_at=envelope.get("Timestamp"),
            delivery_key=envelope.get("MessageId"),
        )
    ]


def _message(message: dict[str, Json]) -> list[Statement]:
    if "AlarmName" in message or "NewStateValue" in message:
        return [_alarm(message)]
    if isinstance(message.get("violations"), list):
        return _violations(message)
    if "anomalyId" in message:
        return [aws_costs.anomaly(message)]
    if "detail-type" in message:
        event = mapping(message.get("detail"))
        return [_alarm_event(message, event) if "alarmName" in event else _event(message, event)]
    raise Unreadable("It is neither a CloudWatch alarm, an EventBridge event nor a list of violations.")


@dataclass(frozen=True, slots=True)
class Watched:
    """What an alarm watches: one metric, or an expression over several."""

    metric: str = ""
    expression: str = ""
    namespace: str = ""
    names: tuple[str, ...] = ()

    dimensions: Mapping[str, Json] | None = None

    @property
    def place(self) -> str:
        """The endpoint, schedule or function that the metric is about."""
        known = self.dimensions or {}
        return first_text(
            *(known.get(name) for name in ("Endpoint", "EndpointName", "MonitoringSchedule", "FunctionName"))
        )

    def labels(self, region: Json, account: Json) -> dict[str, Json]:
        known = dict(self.dimensions or {})
        facts = {"region": region, "account": account, "namespace": self.namespace, "expression": self.expression}
        model = {"model": known["ModelId"]} if "ModelId" in known else {}
        return {**model, **known, **{name: text for name, text in facts.items() if text}}


def _watched(metrics: list[Json]) -> Watched:
    """Read the metrics of metric math, as SNS and as EventBridge write them: what is returned, and what it is made of."""
    listed = list(map(mapping, metrics))
    returned = next((one for one in listed if _of(one, "returnData") is True), listed[0] if listed else {})
    of_returned = _metric_of(returned)
    all_of = [of_returned, *(_metric_of(one) for one in listed if one is not returned)]
    dimensions: dict[str, Json] = {}
    for metric in reversed(all_of):
        dimensions |= _dimensions(metric)
    names = [first_text(_of(metric, "metricName"), _of(metric, "name")) for metric in all_of]
    return Watched(
        metric=first_text(names[0] if names else None, _of(returned, "label"), _of(returned, "id")),
        expression=text_of(_of(returned, "expression")),
        namespace=first_text(*(_of(metric, "namespace") for metric in all_of)),
        names=tuple(filter(None, (text_of(_of(returned, "label")), *names))),
        dimensions=dimensions,
    )


def _metric_of(one: dict[str, Json]) -> dict[str, Json]:
    return mapping(_of(mapping(_of(one, "metricStat")), "metric"))


def _of(facts: Mapping[str, Json], name: str) -> Json:
    """Give what SNS writes as `MetricName` and EventBridge as `metricName`."""
    return facts[name] if name in facts else facts.get(name[0].upper() + name[1:])


def _dimensions(metric: Mapping[str, Json]) -> dict[str, Json]:
    dimensions = _of(metric, "dimensions")
    if isinstance(dimensions, dict):
        return dimensions
    named = (mapping(dimension) for dimension in items(dimensions))
    return {first_text(d.get("name"), d.get("Name")): d.get("value") or d.get("Value") for d in named}


def _alarm(alarm: dict[str, Json]) -> Claim:
    flags: list[str] = []
    trigger = mapping(alarm.get("Trigger"))
    if "Metrics" in trigger:
        watched = _watched(items(trigger.get("Metrics")))
    else:
        metric = text_of(trigger.get("MetricName"))
        watched = Watched(metric, "", text_of(trigger.get("Namespace")), (metric,), _dimensions(trigger))
    arn, name = text_of(alarm.get("AlarmArn")), text_of(alarm.get("AlarmName"))
    account, region = text_of(alarm.get("AWSAccountId")), text_of(alarm.get("Region"))
    reason = text_of(alarm.get("NewStateReason"))
    status = _alarm_status(alarm.get("NewStateValue"), reason, flags=flags)
    return claim_from(
        status=status,
        title=(name,),
        description=(alarm.get("AlarmDescription"), reason),
        identity=_alarm_identity(arn, account, region, name),
        names=(*watched.names, name, alarm.get("AlarmDescription")),
        labels=watched.labels(region, account),
        annotations={"reason": reason},
        service=watched.place,
        metric=watched.metric,
        value=_datapoint(reason),
        threshold=trigger.get("Threshold"),
        operator=trigger.get("ComparisonOperator"),
        unit=trigger.get("Unit"),
        starts_at=alarm.get("StateChangeTime") if status.says != "resolved" else None,
        ends_at=alarm.get("StateChangeTime") if status.says == "resolved" else None,
        links=(("source", _console(arn)),),
        upstream_id=arn or name,
        flags=flags,
    )


def _alarm_event(event: dict[str, Json], detail: dict[str, Json]) -> Claim:
    flags: list[str] = []
    arn = first_text(*items(event.get("resources")))
    watched = _watched(items(dig(detail, "configuration", "metrics")))
    state = mapping(detail.get("state"))
    facts = mapping(embedded(state.get("reasonData")))
    status = _alarm_status(state.get("value"), text_of(state.get("reason")), flags=flags)
    name, account, region = (
        text_of(part) for part in (detail.get("alarmName"), event.get("account"), event.get("region"))
    )
    return claim_from(
        status=status,
        title=(name,),
        description=(dig(detail, "configuration", "description"), state.get("reason")),
        identity=_alarm_identity(arn, account, region, name),
        names=(*watched.names, name),
        labels=watched.labels(region, account),
        annotations={"reason": state.get("reason")},
        service=watched.place,
        metric=watched.metric,
        value=dig(facts, "recentDatapoints", -1),
        threshold=facts.get("threshold"),
        starts_at=(state.get("timestamp") or event.get("time")) if status.says != "resolved" else None,
        ends_at=(state.get("timestamp") or event.get("time")) if status.says == "resolved" else None,
        links=(("source", _console(arn)),),
        upstream_id=arn,
        delivery_key=event.get("id"),
        flags=flags,
    )


def _alarm_identity(arn: str, account: str, region: str, name: str) -> Identity:
    return ("cloudwatch/1", arn) if arn else ("cloudwatch-name/1", account, region, name)


# What CloudWatch says where it went by missing data, which an alarm may treat as good, as bad, or as neither.
_MISSING = re.compile(r"no datapoints were received.*treated as \[(NonBreaching|Breaching)\]", re.I | re.S)


def _alarm_status(state: Json, reason: str, *, flags: list[str]) -> MonitorStatus:
    word = text_of(state).lower()
    if word not in _ALARM:
        flags.append("status_unknown")
    status = _ALARM.get(word, FIRING)
    if _MISSING.search(reason):
        return VANISHED if status == RESOLVED else NO_DATA
    return status


_FAILED, _WELL = {"failed", "error", "timeout", "stopped", "open"}, {"completed", "succeeded", "closed", "inservice"}


_SUBJECTS = """
    jobName MonitoringScheduleName MonitoringScheduleArn ProcessingJobName TrainingJobName EndpointName stateMachineArn
    eventArn name
    """.split()
# When a run was started, at the end of its name.
_RUN = re.compile(r"-(\d{12}-[0-9a-f]{24}|\d{4}(-\d\d){5}(-\d+)?)$")


def _event(event: dict[str, Json], detail: dict[str, Json]) -> Statement:
    """Read any other event by the word its detail uses for a state: Glue, SageMaker, Step Functions, Health, …"""
    kind = text_of(event.get("detail-type"))
    states = {
        name: text_of(value) for name, value in detail.items() if re.search(r"(status|state|statusCode)$", name, re.I)
    }
    words = {word.lower().replace("_", "") for word in states.values() if word}
    if words and not words & (_FAILED | _WELL):
        return Handshake(reason=f"“{kind}” is {', '.join(sorted(words))}, which neither opens nor ends anything.")
    subjects = [text_of(detail.get(name)) for name in _SUBJECTS]
    subject = first_text(*subjects, *items(event.get("resources")))
    thing = _RUN.sub("", subject.rpartition("monitoring-schedule/")[2])
    run = first_text(
        *(text for name, text in zip(_SUBJECTS, subjects, strict=True) if not name.startswith("MonitoringScheduleA"))
    )
    note = first_text(
        detail.get("message"), detail.get("FailureReason"), dig(detail, "eventDescription", 0, "latestDescription")
    )
    source = text_of(event.get("source"))
    return claim_from(
        status=_event_status(words, kind, detail),
        title=(
            " ".join(
                filter(None, (f"{kind}:", text_of(detail.get("eventTypeCode")) or thing, *sorted(states.values())))
            ),
        ),
        description=(note,),
        identity=("eventbridge/2", source, kind, thing) if thing else (),
        former=[("eventbridge/1", source, kind, former) for former in (run or subject, subject) if former],
        severity=detail.get("severity"),
        names=(detail.get("eventTypeCode"), kind, note),
        labels={
            "region": event.get("region"),
            "account": event.get("account"),
            "source": source,
            "subject": run or subject,
            **states,
        },
        service=thing,
        starts_at=detail.get("startTime") or event.get("time"),
        ends_at=event.get("time") if words and not words & _FAILED else None,
        delivery_key=event.get("id"),
    )


def _event_status(words: set[str], kind: str, detail: dict[str, Json]) -> MonitorStatus:
    """Read the states; what is planned, or will only be wrong some day, is worth knowing and not wrong yet."""
    if words and not words & _FAILED:
        return RESOLVED
    planned = text_of(detail.get("eventTypeCategory")) in {"scheduledChange", "accountNotification"}
    return NOTICE if planned or kind == "ACM Certificate Approaching Expiration" else FIRING


def _violations(report: dict[str, Json]) -> list[Statement]:
    """Read constraint_violations.json of SageMaker Model Monitor, one alert a feature and kind of check.

    The file names no monitor; whoever sends it adds `monitoring_schedule` or `endpoint`.
    """
    where = first_text(report.get("monitoring_schedule"), report.get("endpoint"), report.get("system"))
    return [
        claim_from(
            title=(f"{text_of(violation.get('feature_name'))}: {text_of(violation.get('constraint_check_type'))}",),
            description=(violation.get("description"),),
            identity=(
                "sagemaker/1",
                where,
                text_of(violation.get("feature_name")),
                text_of(violation.get("constraint_check_type")),
            ),
            names=(violation.get("constraint_check_type"), violation.get("description")),
            labels={"feature": violation.get("feature_name"), "check": violation.get("constraint_check_type")},
            system=report.get("system"),
            service=where,
        )
        for violation in map(mapping, items(report.get("violations")))
    ]


def _datapoint(reason: str) -> Json:
    match = re.search(r"\[(-?[\d.eE+-]+) ", reason)
    return match[1] if match else None


def _console(arn: str) -> str:
    parts = arn.split(":", 6)
    if len(parts) < 7 or not re.fullmatch(r"[a-z0-9-]+", parts[3]):
        return ""
    return f"https://{parts[3]}.console.aws.amazon.com/cloudwatch/home?region={parts[3]}#alarmsV2:alarm/{parts[6]}".replace(
        " ", "%20"
    )
