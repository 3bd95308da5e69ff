"""Secrets that have to be read again, such as those that monitors sign with, sealed at rest.

The key is derived from SECRET_KEY; SECRET_KEY_FALLBACKS still open what was sealed before the key was changed.
"""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


def seal(secret: str) -> bytes:
    return _box().encrypt(secret.encode())


def unseal(sealed: bytes) -> str | None:
    """Open a sealed secret; None where SECRET_KEY was changed without a fallback."""
    try:
        return _box().decrypt(bytes(sealed)).decode()
    except InvalidToken:
        return None


def _box() -> MultiFernet:
    return MultiFernet([Fernet(_key(secret)) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(secret: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(b"faultline.sealing:" + secret.encode()).digest())
