"""What a browser gets: encrypted for it alone, signed by this Faultline."""

import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

from incidents.notifications.channels.catalogue import BROWSER
from incidents.notifications.channels.encryption import LONGEST, decoded, encoded, encrypt
from tests.notifications.announcements import HOSTILE, NOW, OPENED, everywhere


class Example:
    """The example of RFC 8291, in its section 5."""

    MESSAGE = b"When I grow up, I want to be a watermelon"
    SENDER = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
    RECEIVER = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
    RECEIVER_PRIVATE = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
    SECRET = "BTBZMqHH6r4Tts7J_aSIgg"
    SALT = "DGv6ra1nlYgDCS1FRnbzlw"
    BODY = (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
        "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def private_key(text: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(decoded(text), "big"), ec.SECP256R1())


def decrypted(body: bytes) -> bytes:
    """What the browser of the example reads."""
    salt, sender, sealed = body[:16], body[21:86], body[86:]
    ours = private_key(Example.RECEIVER_PRIVATE)
    shared = ours.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender))

    def derived(secret: bytes, salt: bytes, about: bytes, length: int) -> bytes:
        return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=about).derive(secret)

    key = derived(shared, decoded(Example.SECRET), b"WebPush: info\0" + decoded(Example.RECEIVER) + sender, 32)
    content_key = derived(key, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = derived(key, salt, b"Content-Encoding: nonce\0", 12)
    return AESGCM(content_key).decrypt(nonce, sealed, None).removesuffix(b"\x02")


CONFIG = {
    "endpoint": "https://updates.push.services.mozilla.com/wpush/v2/abc",
    "p256dh": Example.RECEIVER,
    "auth": Example.SECRET,
    "vapid_key": Example.SENDER,
    "vapid_subject": "mailto:ops@example.com",
}


def test_the_example_of_the_standard_comes_out_as_it_is_printed() -> None:
    body = encrypt(
        Example.MESSAGE,
        receiver=Example.RECEIVER,
        secret=Example.SECRET,
        key=private_key(Example.SENDER),
        salt=decoded(Example.SALT),
    )
    assert encoded(body) == Example.BODY
    assert decrypted(body) == Example.MESSAGE


def test_a_message_may_be_as_long_as_a_record_and_no_longer() -> None:
    whole = encrypt(b"x" * LONGEST, receiver=Example.RECEIVER, secret=Example.SECRET)
    assert len(whole) == 4096
    with pytest.raises(ValueError, match="at most"):
        encrypt(b"x" * (LONGEST + 1), receiver=Example.RECEIVER, secret=Example.SECRET)


def test_whatever_people_wrote_reaches_the_browser_and_fits() -> None:
    for text in HOSTILE:
        request = BROWSER.request(CONFIG, everywhere(text), now=NOW)
        assert len(request.body) <= 4096
        shown = json.loads(decrypted(request.body))
        assert shown["title"]
        assert shown["url"] == "https://faultline.example/incidents/57/"


def test_two_messages_are_never_encrypted_alike() -> None:
    assert len({BROWSER.request(CONFIG, OPENED, now=NOW).body for _ in range(3)}) == 3


def test_it_says_who_sends_and_how_urgent_it_is() -> None:
    headers = BROWSER.request(CONFIG, OPENED, now=NOW).headers
    assert (headers["Content-Encoding"], headers["Urgency"], headers["Topic"]) == ("aes128gcm", "high", "INC-57")
    assert int(headers["TTL"]) == 4 * 3600
    assert Vapid02.verify(headers["Authorization"])
    claims = json.loads(decoded(headers["Authorization"].split("t=")[1].split(",")[0].split(".")[1]))
    assert claims["aud"] == "https://updates.push.services.mozilla.com"
    public = private_key(Example.SENDER).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert headers["Authorization"].endswith("k=" + encoded(public))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("p256dh", "AAAA"),
        ("p256dh", "no base64!"),
        ("auth", ""),
        ("auth", "A" * 500),
        ("endpoint", "http://127.0.0.1/"),
    ],
)
def test_a_subscription_that_is_none_is_refused(name: str, value: str) -> None:
    field = next(field for field in BROWSER.fields if field.name == name)
    with pytest.raises(ValueError):  # noqa: PT011 - base64's own words, too
        field.check(value)
