"""What a push service must not read: a message encrypted for one browser (RFC 8291, in one record of RFC 8188). Pure.

The library that is usual for it brings HTTP clients along, and what leaves goes through `incidents/outgoing.py`.
"""

import base64
import os

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

RECORD = 4096  # bytes; a push service takes no more
LONGEST = RECORD - 16 - 1 - (16 + 4 + 1 + 65)  # what is left beside the tag, the delimiter and the header


def encrypt(
    message: bytes,
    *,
    receiver: str,
    secret: str,
    key: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """Encrypt for the browser that has this public key (`p256dh`) and secret (`auth`). `key` and `salt` are for tests.

    Raises ValueError for a key that is none, or a message longer than LONGEST.
    """
    if len(message) > LONGEST:
        raise ValueError(f"A push message has at most {LONGEST} bytes.")
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decoded(receiver))
    ours, salt = key or ec.generate_private_key(ec.SECP256R1()), salt or os.urandom(16)
    sender = ours.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    about = b"WebPush: info\0" + decoded(receiver) + sender
    shared = _derived(ours.exchange(ec.ECDH(), theirs), decoded(secret), about, 32)
    content_key = _derived(shared, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derived(shared, salt, b"Content-Encoding: nonce\0", 12)
    header = salt + RECORD.to_bytes(4, "big") + bytes([len(sender)]) + sender
    return header + AESGCM(content_key).encrypt(nonce, message + b"\x02", None)


def _derived(secret: bytes, salt: bytes, about: bytes, length: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=about).derive(secret)


def decoded(text: str) -> bytes:
    """Read base64 for addresses, with or without its padding. Raises ValueError."""
    return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
