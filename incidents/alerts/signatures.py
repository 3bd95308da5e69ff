"""Who signs how: one table of schemes and one verifier over the raw bytes. Pure.

Schemes differ in the header, in what is signed, and in how it is written down. Several secrets are valid at once, so
that one can be changed without a gap; comparisons take constant time; where a time is signed, it must be fresh.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlencode

from incidents.alerts.bodies import Unreadable, parse

FRESH = timedelta(minutes=5)


class Unsigned(Exception):
    """The signature is missing, stale or wrong; the message says which, and what was looked for."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a signature is made of."""

    body: bytes
    id: str
    timestamp: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    name: str
    header: str
    signed: Callable[[Parts], bytes] = lambda parts: parts.body
    digest: Literal["sha256", "sha512", ""] = "sha256"  # "": the header holds the secret itself
    signatures: str = r"(?P<signature>\S+)"  # finds each signature in the header
    timestamp: str = ""  # finds the time in the same header
    timestamp_header: str = ""
    timestamp_needed: bool = False
    id_header: str = ""
    key: Callable[[str], bytes] = str.encode


def _dotted(parts: Parts) -> bytes:
    return b".".join([parts.timestamp.encode(), parts.body])


def _dotted_with_id(parts: Parts) -> bytes:
    return b".".join([parts.id.encode(), parts.timestamp.encode(), parts.body])


def _grafana(parts: Parts) -> bytes:
    """Grafana signs the time as well once a header for it is named in the contact point."""
    return b":".join([parts.timestamp.encode(), parts.body]) if parts.timestamp else parts.body


def _as_form(parts: Parts) -> bytes:
    """Monte Carlo signs what Python's urlencode makes of the parsed JSON, nested values in Python's own writing."""
    try:
        value = parse(parts.body)
    except Unreadable:
        return b""
    return urlencode(value).encode() if isinstance(value, dict) else b""


def _standard_key(secret: str) -> bytes:
    """Standard Webhooks writes its keys as base64 after `whsec_`; MLflow uses the text as it is."""
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        return secret.encode()


_SCHEMES = (
    Scheme(
        name="faultline",
        header="x-faultline-signature",
        signed=_dotted,
        signatures=r"v1=(?P<signature>[^,\s]+)",
        timestamp=r"t=(\d+)",
        timestamp_needed=True,
    ),
    Scheme(
        name="standard",
        header="webhook-signature",
        signed=_dotted_with_id,
        signatures=r"v1,(?P<signature>\S+)",
        timestamp_header="webhook-timestamp",
        timestamp_needed=True,
        id_header="webhook-id",
        key=_standard_key,
    ),
    Scheme(name="github", header="x-hub-signature-256", signatures=r"sha256=(?P<signature>\S+)"),
    Scheme(name="pagerduty", header="x-pagerduty-signature", signatures=r"v1=(?P<signature>[^,\s]+)"),
    Scheme(
        name="grafana",
        header="x-grafana-alerting-signature",
        signed=_grafana,
        timestamp_header="x-grafana-alerting-timestamp",
    ),
    Scheme(name="sentry", header="sentry-hook-signature"),
    Scheme(name="dbt", header="authorization"),
    Scheme(
        name="mlflow",
        header="x-mlflow-signature",
        signed=_dotted_with_id,
        signatures=r"v1,(?P<signature>\S+)",
        timestamp_header="x-mlflow-timestamp",
        timestamp_needed=True,
        id_header="x-mlflow-delivery-id",
    ),
    Scheme(
        name="langfuse",
        header="x-langfuse-signature",
        signed=_dotted,
        signatures=r"v1=(?P<signature>[^,\s]+)",
        timestamp=r"t=(\d+)",
        timestamp_needed=True,
    ),
    Scheme(name="wandb", header="x-wandb-signature", signatures=r"(?:sha256=)?(?P<signature>\S+)"),
    Scheme(name="monte_carlo", header="x-mcd-signature", signed=_as_form, digest="sha512"),
    Scheme(name="honeycomb", header="x-honeycomb-webhook-token", digest=""),
)

SCHEMES = {scheme.name: scheme for scheme in _SCHEMES}


def verify(scheme: Scheme, secrets: Iterable[str], body: bytes, headers: Mapping[str, str], *, now: datetime) -> None:
    """Check a delivery's signature. Raises Unsigned with what is wrong, never with what would be right."""
    signed = headers.get(scheme.header, "")
    if not signed:
        raise Unsigned(f"Only signed deliveries are taken here, and there is no header {scheme.header}.")
    timestamp = _timestamp(scheme, signed, headers)
    _check_fresh(scheme, timestamp, now=now)
    claimed = [match["signature"] for match in re.finditer(scheme.signatures, signed)]
    parts = Parts(body, headers.get(scheme.id_header, ""), timestamp)
    # Every secret and every signature is tried, so that the time taken tells nothing.
    matches = [
        hmac.compare_digest(candidate, _normal(scheme, signature))
        for candidate in (_expected(scheme, secret, parts) for secret in secrets)
        for signature in claimed
    ]
    if not any(matches):
        raise Unsigned(f"The signature in {scheme.header} was made with none of the secrets that are known here.")


def _timestamp(scheme: Scheme, signed: str, headers: Mapping[str, str]) -> str:
    if scheme.timestamp:
        match = re.search(scheme.timestamp, signed)
        return match[1] if match else ""
    return headers.get(scheme.timestamp_header, "") if scheme.timestamp_header else ""


def _check_fresh(scheme: Scheme, timestamp: str, *, now: datetime) -> None:
    if not timestamp:
        if scheme.timestamp_needed:
            raise Unsigned(f"The signature in {scheme.header} has no time.")
        return
    if not re.fullmatch(r"\d{9,13}", timestamp, re.ASCII):
        raise Unsigned("The signed time is no Unix time.")
    seconds = int(timestamp) / (1000 if len(timestamp) > 11 else 1)
    if abs(now.timestamp() - seconds) > FRESH.total_seconds():
        raise Unsigned(
            "The signed time is more than 5 minutes from now: a repeated delivery, or a clock that is wrong."
        )


def _expected(scheme: Scheme, secret: str, parts: Parts) -> bytes:
    if not scheme.digest:
        return hashlib.sha256(secret.encode()).digest()
    return hmac.new(scheme.key(secret), scheme.signed(parts), scheme.digest).digest()


def _normal(scheme: Scheme, signature: str) -> bytes:
    """Read a signature as bytes, from hex or base64: public code of W&B alone uses both."""
    if not scheme.digest:
        return hashlib.sha256(signature.encode()).digest()
    if re.fullmatch(r"(?:[0-9a-fA-F]{2})+", signature, re.ASCII):
        return bytes.fromhex(signature)
    try:
        return base64.b64decode(signature, validate=True)
    except ValueError:
        return b""
