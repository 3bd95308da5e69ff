"""The lines of docs/sources, run with the real libraries: what people paste is what is tested."""

import ipaddress
import os
import re
import signal
import ssl
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tests.running import HERE, Running, free_port, until
from tests.tools import sender

pytestmark = pytest.mark.library


def lines_of(kind: str, site: Running, token: str) -> str:
    """The first block of Python on a monitor's page, with the real address in it."""
    page = (HERE / "docs" / "sources" / f"{kind}.md").read_text()
    found = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert found, f"docs/sources/{kind}.md shows no Python"
    return found[1].replace("http://127.0.0.1:8000", site.url).replace("<token>", token)


def run(python: str, code: str, **environment: str) -> None:
    done = subprocess.run(
        [python, "-c", code], capture_output=True, text=True, timeout=240, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stderr[-3000:]


def alerts_of(site: Running, source: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = site.get(f"/api/v1/alerts/?source={source['slug']}", **site.key())[1]["results"]
    return found


# What the lines begin with: data that has gone wrong, and the same data once it is well.
BEFORE = {
    "evidently": """
import numpy as np, pandas as pd
random = np.random.default_rng(7)
reference_data = pd.DataFrame({"income": random.normal(0, 1, 500), "age": random.normal(40, 9, 500)})
current_data = reference_data.copy()
if BROKEN: current_data["income"] += 3; current_data["age"] += 30
""",
    "great_expectations": """
import great_expectations as gx, pandas as pd
context = gx.get_context(mode="ephemeral")
context.variables.progress_bars = {"globally": False}
batch = context.data_sources.add_pandas("features").add_dataframe_asset("rows").add_batch_definition_whole_dataframe("all")
suite = context.suites.add(gx.ExpectationSuite("features"))
suite.add_expectation(gx.expectations.ExpectColumnValuesToNotBeNull(column="age"))
suite.add_expectation(gx.expectations.ExpectColumnMeanToBeBetween(column="income", min_value=0, max_value=10))
definition = context.validation_definitions.add(gx.ValidationDefinition(name="features", data=batch, suite=suite))
frame = pd.DataFrame({"age": [31, None if BROKEN else 7, 44], "income": [1.0, 2.0, float("inf") if BROKEN else 3.0]})
class checkpoint:
    checkpoint = context.checkpoints.add(gx.Checkpoint(name="features", validation_definitions=[definition]))
    @classmethod
    def run(cls): return cls.checkpoint.run(batch_parameters={"dataframe": frame})
""",
    "whylogs": """
import pandas as pd, whylogs as why
from whylogs.core.constraints import ConstraintsBuilder
from whylogs.core.constraints.factories import no_missing_values
builder = ConstraintsBuilder(dataset_profile_view=why.log(pd.DataFrame({"age": [31.0, None if BROKEN else 7.0, 44.0]})).view())
builder.add_constraint(no_missing_values(column_name="age"))
constraints = builder.build()
""",
    "nannyml": """
import nannyml as nml
reference, analysis, _ = nml.load_synthetic_car_loan_dataset()
if not BROKEN: analysis = analysis[:5000]
estimator = nml.CBPE(y_pred_proba="y_pred_proba", y_pred="y_pred", y_true="repaid", timestamp_column_name="timestamp",
                     metrics=["roc_auc", "f1"], chunk_size=5000, problem_type="classification_binary")
estimator.fit(reference)
""",
}


@pytest.mark.parametrize(
    ("kind", "category"),
    [("evidently", "drift"), ("great_expectations", "data_quality"), ("whylogs", ""), ("nannyml", "drift")],
)
def test_the_ten_lines_of_a_library_open_an_alert_and_end_it(site: Running, kind: str, category: str) -> None:
    python = sender(kind)
    source = site.manage("create_source", kind, f"Real {kind}", "--team", "risk")
    code = BEFORE[kind] + lines_of(kind, site, source["token"])
    run(python, f"BROKEN = True\n{code}")
    opened = until(lambda: [a for a in alerts_of(site, source) if a["status"] == "firing"], what="the alert is here")
    assert opened[0]["system"] == "fraud-scorer"
    assert category in ("", opened[0]["category"]), opened[0]["classified_because"]
    run(python, f"BROKEN = False\n{code}")
    until(lambda: all(a["status"] == "resolved" for a in alerts_of(site, source)), what="it is over")
    assert len(alerts_of(site, source)) == len({a["title"].split(":")[0] for a in opened}), "and was the same alert"


@pytest.fixture
def mlflow_server(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A real MLflow with a registry, allowed to send to this machine; its Python and its address."""
    python, port = sender("mlflow"), free_port()
    allowed = {
        "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https",
        "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
        "_MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https",
        "_MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
    }
    command = [
        python,
        "-m",
        "mlflow",
        "server",
        "--backend-store-uri",
        f"sqlite:///{tmp_path / 'mlflow.db'}",
        "--port",
        str(port),
        "--artifacts-destination",
        str(tmp_path / "artifacts"),
        "--workers",
        "1",
    ]
    with (tmp_path / "mlflow.log").open("w") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, cwd=tmp_path, env={**os.environ, **allowed}, start_new_session=True
        )
    try:
        peer = Running(tmp_path, port, process, tmp_path / "mlflow.log")  # type: ignore[arg-type]  # only its address is used
        until(lambda: peer.get("/health")[0] == 200, what="MLflow is ready")
        yield python, peer.url
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def test_mlflow_tells_of_a_new_model_signed(site: Running, mlflow_server: tuple[str, str]) -> None:
    python, address = mlflow_server
    source = site.manage("create_source", "mlflow", "Real MLflow", "--team", "risk", "--secret", "a-secret-of-yours")
    code = lines_of("mlflow", site, source["token"]) + (
        "\nclient = MlflowClient()\nclient.create_registered_model('fraud-scorer')\n"
        "client.create_model_version('fraud-scorer', source='s3://models/fraud-scorer/1')\n"
    )
    run(python, code, MLFLOW_TRACKING_URI=address)

    def told() -> Any:
        deliveries = site.get(f"/api/v1/deliveries/?source={source['slug']}", **site.key())[1]["results"]
        return [
            d for d in deliveries if d["trace"] and "is recorded as a change of fraud-scorer" in d["trace"][0]["reason"]
        ]

    assert until(told, what="the change is here")[0]["trace"][0]["result"] == "change"


def test_the_cloudevents_sdk_sends_in_the_way_of_the_guide(site: Running) -> None:
    source = site.manage("create_source", "cloudevents", "The SDK", "--team", "risk")
    run(sys.executable, lines_of("cloudevents", site, source["token"]))
    alert = until(lambda: alerts_of(site, source), what="the alert is here")[0]
    assert (alert["category"], alert["system"], alert["value"]) == ("drift", "fraud-scorer", "0.41")


def test_pagerdutys_client_triggers_and_resolves(site: Running, tmp_path: Path) -> None:
    source = site.manage("create_source", "pagerduty", "PagerDuty’s client", "--team", "assistants")
    with over_tls(site, tmp_path) as (address, authority):
        # The client speaks https only, as people's installations do.
        code = lines_of("pagerduty", site, source["token"]).replace(site.url, address)
        run(sys.executable, code, SSL_CERT_FILE=str(authority), REQUESTS_CA_BUNDLE=str(authority))
    alert = until(lambda: [a for a in alerts_of(site, source) if a["status"] == "resolved"], what="it is over")[0]
    assert (alert["system"], alert["category"]) == ("support-assistant", "retrieval")


@contextmanager
def over_tls(site: Running, folder: Path) -> Iterator[tuple[str, Path]]:
    """Put TLS in front of a Faultline, as a proxy does; gives the address and the certificate to trust."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(alternative, False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    class Proxy(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            request = urllib.request.Request(site.url + self.path, body, {"Content-Type": self.headers["Content-Type"]})
            with urllib.request.urlopen(request, timeout=60) as answer:
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.headers["Content-Type"])
                self.end_headers()
                self.wfile.write(answer.read())

    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"https://127.0.0.1:{server.server_port}", folder / "certificate.pem"
    finally:
        server.shutdown()
