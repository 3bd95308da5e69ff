"""Amazon's monitors: CloudWatch alarms and EventBridge events, in SNS's envelope, in Lambda's, or bare.

SageMaker Model Monitor has no webhook: its CloudWatch alarms, its job events, and the violations it writes to S3 are read.
"""

import re
from collections.abc import Mapping

from incidents.alerts.bodies import Json, Unreadable, dig, embedded, first_text, items, mapping, payload, text_of
from incidents.alerts.claims import Claim, Handshake, Statement, claim_from
from incidents.alerts.statuses import FIRING, NO_DATA, RESOLVED, MonitorStatus

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
    if "detail-type" in message:
        event = mapping(message.get("detail"))
        return [_alarm_event(message, event) if "alarmName" in event else _event(message, event)]
    raise Unreadable("It is neither a CloudWatch alarm, an EventBridge event nor a list of violations.")


def _alarm(alarm: dict[str, Json]) -> Claim:
    flags: list[str] = []
    trigger = mapping(alarm.get("Trigger"))
    arn, name = text_of(alarm.get("AlarmArn")), text_of(alarm.get("AlarmName"))
    account, region = text_of(alarm.get("AWSAccountId")), text_of(alarm.get("Region"))
    status = _alarm_status(alarm.get("NewStateValue"), flags=flags)
    reason = text_of(alarm.get("NewStateReason"))
    return claim_from(
        status=status,
        title=(name,),
        description=(alarm.get("AlarmDescription"), reason),
        identity=("cloudwatch/1", arn) if arn else ("cloudwatch-name/1", account, region, name),
        names=(trigger.get("MetricName"), name, alarm.get("AlarmDescription")),
        labels={**_dimensions(trigger), "region": region, "account": account, "namespace": trigger.get("Namespace")},
        annotations={"reason": reason},
        service=_place(_dimensions(trigger)),
        metric=trigger.get("MetricName"),
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
    metric = mapping(dig(detail, "configuration", "metrics", 0, "metricStat", "metric"))
    state = mapping(detail.get("state"))
    facts = mapping(embedded(state.get("reasonData")))
    status = _alarm_status(state.get("value"), flags=flags)
    return claim_from(
        status=status,
        title=(detail.get("alarmName"),),
        description=(dig(detail, "configuration", "description"), state.get("reason")),
        identity=("cloudwatch/1", arn)
        if arn
        else (
            "cloudwatch-name/1",
            text_of(event.get("account")),
            text_of(event.get("region")),
            text_of(detail.get("alarmName")),
        ),
        names=(metric.get("name"), detail.get("alarmName")),
        labels={
            **mapping(metric.get("dimensions")),
            "region": event.get("region"),
            "account": event.get("account"),
            "namespace": metric.get("namespace"),
        },
        annotations={"reason": state.get("reason")},
        service=_place(mapping(metric.get("dimensions"))),
        metric=metric.get("name"),
        value=dig(facts, "recentDatapoints", -1),
        threshold=facts.get("threshold"),
        starts_at=(state.get("timestamp") or event.get("time")) if status.says != "resolved" else None,
        ends_at=(state.get("timestamp") or event.get("time")) if status.says == "resolved" else None,
        links=(("source", _console(arn)),),
        upstream_id=arn,
        delivery_key=event.get("id"),
        flags=flags,
    )


_FAILED, _WELL = {"failed", "error", "timeout", "stopped", "open"}, {"completed", "succeeded", "closed", "inservice"}


def _event(event: dict[str, Json], detail: dict[str, Json]) -> Statement:
    """Read any other event by the word its detail uses for a state: Glue, SageMaker, Step Functions, Health, …"""
    kind = text_of(event.get("detail-type"))
    states = {
        name: text_of(value) for name, value in detail.items() if re.search(r"(status|state|statusCode)$", name, re.I)
    }
    words = {word.lower().replace("_", "") for word in states.values() if word}
    if words and not words & (_FAILED | _WELL):
        return Handshake(reason=f"“{kind}” is {', '.join(sorted(words))}, which neither opens nor ends anything.")
    subject = first_text(
        *(detail.get(name) for name in ("jobName", "MonitoringScheduleName", "ProcessingJobName", "TrainingJobName")),
        *(detail.get(name) for name in ("EndpointName", "stateMachineArn", "eventArn", "name")),
        *items(event.get("resources")),
    )
    note = first_text(
        detail.get("message"), detail.get("FailureReason"), dig(detail, "eventDescription", 0, "latestDescription")
    )
    return claim_from(
        status=RESOLVED if words and not words & _FAILED else FIRING,
        title=(
            " ".join(
                filter(None, (f"{kind}:", text_of(detail.get("eventTypeCode")) or subject, *sorted(states.values())))
            ),
        ),
        description=(note,),
        identity=("eventbridge/1", text_of(event.get("source")), kind, subject) if subject else (),
        severity=detail.get("severity"),
        names=(detail.get("eventTypeCode"), kind, note),
        labels={
            "region": event.get("region"),
            "account": event.get("account"),
            "source": event.get("source"),
            "subject": subject,
            **states,
        },
        service=subject,
        starts_at=detail.get("startTime") or event.get("time"),
        ends_at=event.get("time") if words and not words & _FAILED else None,
        delivery_key=event.get("id"),
    )


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


def _alarm_status(state: Json, *, flags: list[str]) -> MonitorStatus:
    word = text_of(state).lower()
    if word not in _ALARM:
        flags.append("status_unknown")
    return _ALARM.get(word, FIRING)


def _dimensions(trigger: dict[str, Json]) -> dict[str, Json]:
    named = (mapping(dimension) for dimension in items(trigger.get("Dimensions")))
    return {first_text(d.get("name"), d.get("Name")): d.get("value") or d.get("Value") for d in named}


def _place(dimensions: Mapping[str, Json]) -> Json:
    return first_text(
        *(dimensions.get(name) for name in ("Endpoint", "EndpointName", "MonitoringSchedule", "FunctionName"))
    )


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
