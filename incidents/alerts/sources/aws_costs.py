"""What Amazon tells of costs by SNS: AWS Budgets in words, Cost Anomaly Detection in JSON. Neither ever resolves."""

import re
from collections.abc import Mapping

from incidents.alerts.bodies import Json, dig, first_text, text_of
from incidents.alerts.claims import Claim, claim_from, title_identity
from incidents.alerts.cleaning import number_of
from incidents.alerts.statuses import FIRING, NOTICE

_LINE = re.compile(r"^(?P<name>[A-Z][A-Za-z ]{3,30}):[ \t]*(?P<value>[^\n]{1,200})$", re.M)


def budget(text: str, envelope: Mapping[str, Json]) -> Claim | None:
    """Read a notification of AWS Budgets; None where the text is none. Below the whole budget it is only worth knowing."""
    facts = {match["name"].lower(): match["value"].strip() for match in _LINE.finditer(text)}
    if "budget name" not in facts or "budgeted amount" not in facts:
        return None
    name, foreseen = facts["budget name"], facts.get("alert type", "").lower() == "forecasted"
    spent, whole = (_amount(facts.get(line, "")) for line in ("actual amount", "budgeted amount"))
    exceeded = not foreseen and spent is not None and whole is not None and spent >= whole
    if foreseen:
        state = "is going to be exceeded"
    elif exceeded:
        state = "is exceeded"
    else:
        state = f"is at {spent / whole:.0%}" if spent is not None and whole else "is at a threshold"
    subject = first_text(envelope.get("Subject"), text.splitlines()[0])
    return claim_from(
        status=FIRING if exceeded else NOTICE,
        title=(f"Budget {name} {state}",),
        description=(text,),
        identity=("aws-budget/1", text_of(envelope.get("TopicArn")), name),
        former=[title_identity(" ".join(subject.split()), "", "")],
        names=("budget",),
        labels={"budget": name, "topic": envelope.get("TopicArn")},
        metric="budget",
        value=first_text(facts.get("actual amount"), facts.get("forecasted amount")),
        threshold=facts["budgeted amount"],
        starts_at=envelope.get("Timestamp"),
        delivery_key=envelope.get("MessageId"),
    )


def _amount(text: str) -> float | None:
    return number_of(text.lstrip("$€£ ").replace(",", ""))


def anomaly(message: dict[str, Json]) -> Claim:
    """Read an anomaly in costs; the same monitor and value is the same alert until somebody ends it."""
    what = first_text(
        message.get("dimensionalValue"), dig(message, "rootCauses", 0, "service"), message.get("monitorName"), "costs"
    )
    return claim_from(
        status=FIRING,
        title=(f"Cost anomaly: {what}",),
        description=(", ".join(filter(None, (text_of(dig(message, "rootCauses", 0, name)) for name in _CAUSES))),),
        identity=("aws-anomaly/1", text_of(message.get("monitorArn")), what),
        names=("cost",),
        labels={"account": message.get("accountId"), "monitor": message.get("monitorName"), "value": what},
        metric="cost",
        value=dig(message, "impact", "totalImpact"),
        starts_at=message.get("anomalyStartDate"),
        links=(("source", message.get("anomalyDetailsLink")),),
        upstream_id=message.get("anomalyId"),
    )


_CAUSES = ("service", "region", "usageType", "linkedAccountName")
