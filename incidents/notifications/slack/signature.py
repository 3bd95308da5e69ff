"""Whether Slack sent a request: its signature, version 0. Pure."""

import hashlib
import hmac
import re
from datetime import datetime

OLDEST = 300  # seconds; Slack says to refuse what is older


def is_signed(secret: str, body: bytes, *, timestamp: str, signature: str, now: datetime) -> bool:
    """Whether a body was signed with the app's signing secret, five minutes ago at most."""
    if not secret or not re.fullmatch(r"\d{1,12}", timestamp, re.ASCII):
        return False
    if abs(now.timestamp() - int(timestamp)) > OLDEST:
        return False
    return hmac.compare_digest(sign(secret, body, timestamp).encode(), signature.encode())


def sign(secret: str, body: bytes, timestamp: str) -> str:
    signed = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
