"""Amazon SNS: is an envelope signed by Amazon, and is an address one of Amazon's?

The certificate's address comes from the message itself, so it is believed only where its host is SNS's own.
"""

import base64
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from http import HTTPStatus

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from incidents import outgoing
from incidents.alerts.bodies import Json, text_of
from incidents.alerts.signatures import Unsigned

_HOST = r"https://sns\.[a-z0-9-]{3,30}\.amazonaws\.com(?:\.cn)?/"
_CERTIFICATE = re.compile(_HOST + r"SimpleNotificationService-[0-9a-f]{16,64}\.pem")
_CONFIRM = re.compile(_HOST + r"\?Action=ConfirmSubscription&[A-Za-z0-9%&=:._~+-]+")
_SECONDS = 4

# The order of Amazon's documents; each name is followed by its value, a line each.
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_SUBSCRIPTION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")

Fetch = Callable[[str], bytes]


def check(envelope: Mapping[str, Json], *, fetch: Fetch | None = None) -> None:
    """Verify an envelope's signature. Raises Unsigned, or Unreachable where its certificate cannot be had."""
    address = text_of(envelope.get("SigningCertURL") or envelope.get("SigningCertUrl"))
    if not _CERTIFICATE.fullmatch(address):
        raise Unsigned("The envelope’s certificate is not at an address of Amazon SNS.")
    algorithm = {"1": hashes.SHA1(), "2": hashes.SHA256()}.get(text_of(envelope.get("SignatureVersion")))  # noqa: S303
    if algorithm is None:
        raise Unsigned("The envelope’s SignatureVersion is neither 1 nor 2.")
    try:
        signature = base64.b64decode(text_of(envelope.get("Signature")), validate=True)
        key = x509.load_pem_x509_certificate((fetch or certificate)(address)).public_key()
    except ValueError:
        raise Unsigned("The envelope’s signature or certificate cannot be read.") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise Unsigned("The envelope’s certificate holds no RSA key.")
    try:
        key.verify(signature, canonical(envelope), padding.PKCS1v15(), algorithm)
    except InvalidSignature:
        raise Unsigned("The envelope’s signature is wrong.") from None


def canonical(envelope: Mapping[str, Json]) -> bytes:
    """Write down what Amazon signs. Values count as they came, spaces included."""
    names = _NOTIFICATION if envelope.get("Type") == "Notification" else _SUBSCRIPTION
    pairs = ((name, envelope.get(name)) for name in names)
    return "".join(f"{name}\n{value}\n" for name, value in pairs if isinstance(value, str)).encode("utf-8", "replace")


@lru_cache(maxsize=32)
def certificate(address: str) -> bytes:
    return _ask(address)


def confirm(address: str) -> None:
    """Confirm a subscription by asking its address, if that is Amazon's. Raises Unsigned or Unreachable."""
    if not is_confirmation(address):
        raise Unsigned("The address to confirm is not one of Amazon SNS.")
    _ask(address)


def is_confirmation(address: str) -> bool:
    return bool(_CONFIRM.fullmatch(address))


def _ask(address: str) -> bytes:
    try:
        answer = outgoing.send("GET", address, seconds=_SECONDS)
    except outgoing.Blocked as error:  # a name of Amazon's that leads into this network: ask again when it does not
        raise outgoing.Unreachable(str(error)) from None
    if answer.status != HTTPStatus.OK:
        raise outgoing.Unreachable(f"Amazon SNS answered {answer.status}.")
    return answer.body
