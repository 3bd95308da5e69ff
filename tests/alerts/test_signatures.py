"""Who signs how: right, one byte wrong, too old, with the second of two secrets; and Amazon's envelopes."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from incidents import outgoing
from incidents.alerts import sns
from incidents.alerts.models import Delivery, Source
from incidents.alerts.signatures import SCHEMES, Unsigned, verify
from incidents.alerts.sources import example
from incidents.errors import Refused
from incidents.people.models import Team, User

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOW = str(int(NOON.timestamp()))
BODY = b'{"title": "Groundedness is low", "n": {"deep": [1]}}'
SECRET = "a-secret-of-ours"


def mac(key: bytes, message: bytes, digest: str = "sha256") -> bytes:
    return hmac.new(key, message, digest).digest()


def signed(name: str, *, secret: str = SECRET, at: str = NOW, body: bytes = BODY) -> dict[str, str]:
    """Sign as the sender does, written here anew from its documentation."""
    key = secret.encode()
    match name:
        case "faultline" | "langfuse":
            header = {"faultline": "x-faultline-signature", "langfuse": "x-langfuse-signature"}[name]
            return {header: f"t={at},v1={mac(key, at.encode() + b'.' + body).hex()}"}
        case "standard":
            whole = b"msg_1." + at.encode() + b"." + body
            given = base64.b64encode(mac(base64.b64decode(secret.removeprefix("whsec_")), whole)).decode()
            return {"webhook-id": "msg_1", "webhook-timestamp": at, "webhook-signature": f"v1,{given}"}
        case "github":
            return {"x-hub-signature-256": "sha256=" + mac(key, body).hex()}
        case "pagerduty":
            return {"x-pagerduty-signature": f"v1={'0' * 64},v1={mac(key, body).hex()}"}
        case "grafana":
            whole = at.encode() + b":" + body
            return {"x-grafana-alerting-signature": mac(key, whole).hex(), "x-grafana-alerting-timestamp": at}
        case "sentry":
            return {"sentry-hook-signature": mac(key, body).hex()}
        case "dbt":
            return {"authorization": mac(key, body).hex()}
        case "mlflow":
            given = base64.b64encode(mac(key, b"d1." + at.encode() + b"." + body)).decode()
            return {"x-mlflow-signature": f"v1,{given}", "x-mlflow-timestamp": at, "x-mlflow-delivery-id": "d1"}
        case "wandb":
            return {"x-wandb-signature": mac(key, body).hex()}
        case "monte_carlo":
            return {"x-mcd-signature": mac(key, urlencode(json.loads(body)).encode(), "sha512").hex()}
        case "honeycomb":
            return {"x-honeycomb-webhook-token": secret}
    raise AssertionError(name)


def secret_for(name: str, text: str = SECRET) -> str:
    return "whsec_" + base64.b64encode(text.encode()).decode() if name == "standard" else text


@pytest.mark.parametrize("name", SCHEMES)
class TestEveryScheme:
    def test_the_right_signature_opens(self, name: str) -> None:
        secret = secret_for(name)
        verify(SCHEMES[name], [secret], BODY, signed(name, secret=secret), now=NOON)

    def test_the_second_of_two_secrets_opens_too(self, name: str) -> None:
        old, new = secret_for(name, "the-old-secret!!"), secret_for(name)
        verify(SCHEMES[name], [old, new], BODY, signed(name, secret=new), now=NOON)
        verify(SCHEMES[name], [old, new], BODY, signed(name, secret=old), now=NOON)

    def test_another_secret_does_not(self, name: str) -> None:
        with pytest.raises(Unsigned):
            verify(
                SCHEMES[name],
                [secret_for(name, "another-secret!!")],
                BODY,
                signed(name, secret=secret_for(name)),
                now=NOON,
            )

    def test_none_at_all_does_not(self, name: str) -> None:
        with pytest.raises(Unsigned, match="no header"):
            verify(SCHEMES[name], [secret_for(name)], BODY, {}, now=NOON)

    @pytest.mark.parametrize("junk", ["", "\x00", "v1=", "t=,v1=", "é" * 50, "=" * 5000, "t=1,v1=zz"])
    def test_junk_is_refused_and_nothing_else(self, name: str, junk: str) -> None:
        scheme = SCHEMES[name]
        with pytest.raises(Unsigned):
            verify(scheme, [secret_for(name)], BODY, {scheme.header: junk, scheme.timestamp_header: junk}, now=NOON)


SIGN_THE_BODY = [name for name in SCHEMES if name != "honeycomb"]  # which sends a secret
SIGN_THE_TIME = [
    name for name in SCHEMES if any(NOW in value for value in signed(name, secret=secret_for(name)).values())
]


@pytest.mark.parametrize("name", SIGN_THE_BODY)
def test_one_byte_of_the_body_changed_opens_nothing(name: str) -> None:
    secret = secret_for(name)
    with pytest.raises(Unsigned, match="none of the secrets"):
        verify(SCHEMES[name], [secret], BODY.replace(b"low", b"lox"), signed(name, secret=secret), now=NOON)


@pytest.mark.parametrize("name", SIGN_THE_TIME)
@pytest.mark.parametrize("late", [timedelta(minutes=6), -timedelta(minutes=6)])
def test_a_signed_time_that_is_not_now_opens_nothing(name: str, late: timedelta) -> None:
    secret = secret_for(name)
    headers = signed(name, secret=secret)
    with pytest.raises(Unsigned, match="5 minutes"):
        verify(SCHEMES[name], [secret], BODY, headers, now=NOON + late)


def test_mlflows_own_capture_is_verified() -> None:
    """A delivery of a real MLflow 3, made with a secret for tests."""
    body = (
        b'{"entity": "model_version", "action": "created", "timestamp": "2026-11-23T02:03:55.133850+00:00", "data": '
        b'{"name": "example_model", "version": "1", "source": "models:/123", "run_id": "abcd1234abcd5678", "tags": '
        b'{"example_key": "example_value"}, "description": "An example model version"}}'
    )
    headers = {
        "x-mlflow-delivery-id": "4628093f-1777-479a-8419-73f688e8974d",
        "x-mlflow-timestamp": "1795399435",
        "x-mlflow-signature": "v1,zqtL7XPsg7HPCtYYpPuMEhufkIIfEEFug6WH5wNr30g=",
    }
    at = datetime.fromtimestamp(1795399435, UTC)
    verify(SCHEMES["mlflow"], ["whsec_test_secret"], body, headers, now=at)
    with pytest.raises(Unsigned):
        verify(SCHEMES["mlflow"], ["whsec_test_secret"], body + b" ", headers, now=at)


@pytest.mark.parametrize("written", ["hex", "base64", "sha256=hex"])
def test_weights_and_biases_is_understood_however_it_writes(written: str) -> None:
    given = mac(SECRET.encode(), BODY)
    text = {"hex": given.hex(), "base64": base64.b64encode(given).decode(), "sha256=hex": "sha256=" + given.hex()}[
        written
    ]
    verify(SCHEMES["wandb"], [SECRET], BODY, {"x-wandb-signature": text}, now=NOON)


def test_grafana_without_a_header_for_the_time_signs_the_body_alone() -> None:
    verify(
        SCHEMES["grafana"], [SECRET], BODY, {"x-grafana-alerting-signature": mac(SECRET.encode(), BODY).hex()}, now=NOON
    )


class TestAtTheDoor:
    @pytest.fixture
    def dbt(self, assistants: Team) -> tuple[Source, str]:
        return Source.objects.connect(kind="dbt", name="dbt", team=assistants)

    def test_from_the_first_secret_on_only_the_signed_come_in(
        self, dbt: tuple[Source, str], ada: User, post: Callable[..., Any]
    ) -> None:
        source, token = dbt
        body = example("dbt")
        assert post(token, body).status_code == 200
        source.add_secret(SECRET, by=ada)
        refused = post(token, body)
        assert (refused.status_code, refused.json()["code"]) == (401, "bad_signature")
        assert post(token, body, headers=signed("dbt", body=body)).status_code == 200
        assert post(token, body, headers=signed("dbt", body=body, secret="wrong-secret")).status_code == 401
        kept = Delivery.objects.get(status="refused")
        assert (kept.repeats, bytes(kept.body)) == (1, b""), "what a stranger sent is counted, not kept"

    def test_a_secret_is_sealed_and_one_that_cannot_be_opened_shuts_the_door(
        self, dbt: tuple[Source, str], ada: User, post: Callable[..., Any], settings: Any
    ) -> None:
        source, token = dbt
        secret = source.add_secret(SECRET, by=ada)
        assert SECRET.encode() not in bytes(secret.sealed)
        body = example("dbt")
        settings.SECRET_KEY = "another key of this installation altogether"
        assert post(token, body, headers=signed("dbt", body=body)).status_code == 401

    def test_a_monitor_that_does_not_sign_takes_no_secret(self, prometheus: tuple[Source, str], ada: User) -> None:
        with pytest.raises(Refused, match="does not sign"):
            prometheus[0].add_secret(SECRET, by=ada)


class Amazon:
    """Signs envelopes as SNS does, with a key of its own."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(1)
            .not_valid_before(NOON)
            .not_valid_after(NOON + timedelta(days=9))
            .sign(self.key, hashes.SHA256())
        )
        self.pem = certificate.public_bytes(serialization.Encoding.PEM)

    def sign(self, envelope: dict[str, Any], version: str = "2") -> dict[str, Any]:
        envelope = envelope | {"SignatureVersion": version}
        names = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
        if envelope["Type"] == "Notification":
            names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
        text = "".join(f"{name}\n{envelope[name]}\n" for name in names if name in envelope)
        digest = hashes.SHA1() if version == "1" else hashes.SHA256()
        signature = self.key.sign(text.encode(), padding.PKCS1v15(), digest)
        return envelope | {"Signature": base64.b64encode(signature).decode()}

    def fetch(self, address: str) -> bytes:
        assert address.startswith("https://sns.eu-west-1.amazonaws.com/")
        return self.pem


@pytest.fixture(scope="module")
def amazon() -> Amazon:
    return Amazon()


class TestSns:
    @pytest.mark.parametrize("version", ["1", "2"])
    def test_an_envelope_that_amazon_signed_is_taken(self, amazon: Amazon, version: str) -> None:
        sns.check(amazon.sign(json.loads(example("aws_sns")), version), fetch=amazon.fetch)

    def test_one_that_was_changed_is_not(self, amazon: Amazon) -> None:
        envelope = amazon.sign(json.loads(example("aws_sns")))
        for name in ("Message", "Subject", "Timestamp", "TopicArn"):
            with pytest.raises(Unsigned, match="wrong"):
                sns.check(envelope | {name: envelope[name] + "x"}, fetch=amazon.fetch)

    @pytest.mark.parametrize(
        "address",
        [
            "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
            "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-0123456789abcdef.pem",
            "https://evil.example/sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
            "https://sns.eu-west-1.amazonaws.com@evil.example/SimpleNotificationService-0123456789abcdef.pem",
            "https://sns.eu-west-1.amazonaws.com/../x.pem",
            "https://s3.amazonaws.com/bucket/SimpleNotificationService-0123456789abcdef.pem",
            "file:///etc/passwd",
            "",
            None,
            7,
        ],
    )
    def test_no_certificate_is_fetched_from_anywhere_else(self, amazon: Amazon, address: Any) -> None:
        def never(address: str) -> bytes:
            raise AssertionError(f"asked {address}")

        with pytest.raises(Unsigned, match="not at an address"):
            sns.check(amazon.sign(json.loads(example("aws_sns"))) | {"SigningCertURL": address}, fetch=never)

    @pytest.mark.parametrize(
        ("address", "is_one"),
        [
            (
                "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:eu-west-1:1:t&Token=2336",
                True,
            ),
            ("https://sns.eu-west-1.amazonaws.com/?Action=DeleteTopic&TopicArn=arn:aws:sns:eu-west-1:1:t", False),
            ("https://sns.eu-west-1.amazonaws.com.evil.example/?Action=ConfirmSubscription&Token=2", False),
            ("http://169.254.169.254/?Action=ConfirmSubscription&Token=2", False),
        ],
    )
    def test_only_amazons_own_address_is_ever_confirmed(self, address: str, is_one: bool) -> None:
        assert sns.is_confirmation(address) is is_one

    def test_the_door_takes_signed_envelopes_only_and_asks_again_while_amazon_is_away(
        self, amazon: Amazon, assistants: Team, post: Callable[..., Any], monkeypatch: Any
    ) -> None:
        _, token = Source.objects.connect(kind="aws_sns", name="CloudWatch", team=assistants)
        good = amazon.sign(json.loads(example("aws_sns")))

        def away(address: str) -> bytes:
            raise outgoing.Unreachable("Amazon SNS did not answer.")

        monkeypatch.setattr(sns, "certificate", away)
        answer = post(token, good, content_type="text/plain; charset=UTF-8")
        assert (answer.status_code, answer["Retry-After"]) == (503, "30")
        monkeypatch.setattr(sns, "certificate", amazon.fetch)
        assert post(token, good, content_type="text/plain; charset=UTF-8").status_code == 200
        assert post(token, good | {"Message": "{}"}).status_code == 401
        assert post(token, {"AlarmName": "bare", "NewStateValue": "ALARM"}).status_code == 401
        assert hashlib.sha256(json.dumps(good).encode()).hexdigest() == Delivery.objects.get(status="received").digest
