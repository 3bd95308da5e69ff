"""Debian's Prometheus and Alertmanager, as people run them, by every door that they can send to."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.running import Running, free_port, until
from tests.tools import alertmanager, needed, prometheus

pytestmark = pytest.mark.alertmanager

LABELS = {"alertname": "FeatureDriftHigh", "system": "fraud-scorer", "severity": "critical", "feature": "age"}


@contextmanager
def started(command: list[str], port: int, folder: Path) -> Iterator[Running]:
    output = folder / f"{port}.log"
    with output.open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, text=True)
    try:
        peer = Running(folder, port, process, output)
        until(lambda: peer.get("/-/ready")[0] == 200, what=f"{command[0]} is ready")
        yield peer
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


@pytest.fixture
def alertmanager_with(tmp_path: Path) -> Callable[..., Any]:
    """Start an Alertmanager with one receiver."""

    def start(receiver: dict[str, Any]) -> Any:
        program = needed(alertmanager(), program="prometheus-alertmanager", what="deliveries of a real Alertmanager")
        route = {
            "receiver": "faultline",
            "group_by": ["alertname", "feature"],
            "group_wait": "0s",
            "group_interval": "1s",
            "repeat_interval": "1h",
        }
        config = tmp_path / "alertmanager.yml"
        config.write_text(yaml.safe_dump({"route": route, "receivers": [{"name": "faultline", **receiver}]}))
        port = free_port()
        command = [
            program,
            f"--config.file={config}",
            f"--storage.path={tmp_path / 'am'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
        ]
        return started(command, port, tmp_path)

    return start


def firing(**labels: str) -> dict[str, Any]:
    return {"labels": LABELS | labels, "startsAt": "2026-11-23T00:00:00Z", "annotations": {"summary": "PSI is 0.41"}}


def alerts_of(site: Running, source: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = site.get(f"/api/v1/alerts/?source={source['slug']}", **site.key())[1]["results"]
    return found


def the_alert(site: Running, source: dict[str, Any], status: str) -> dict[str, Any]:
    def found() -> list[dict[str, Any]]:
        return [alert for alert in alerts_of(site, source) if alert["status"] == status]

    return dict(until(found, what=f"the alert is {status}")[0])


def test_by_webhook_one_incident_is_opened_and_its_alerts_are_cleared(
    site: Running, alertmanager_with: Callable[..., Any]
) -> None:
    source = site.manage("create_source", "alertmanager", "By webhook", "--team", "risk")
    with alertmanager_with({"webhook_configs": [{"url": source["url"], "send_resolved": True}]}) as peer:
        pair = [firing(replica=replica) for replica in "ab"]
        assert peer.post("/api/v2/alerts", pair)[0] == 200
        alert = the_alert(site, source, "firing")
        assert (alert["category"], alert["system"]) == ("drift", "fraud-scorer")
        assert peer.post("/api/v2/alerts", [one | {"endsAt": "2026-11-23T00:10:00Z"} for one in pair])[0] == 200
        the_alert(site, source, "resolved")
        assert len(alerts_of(site, source)) == 1, "two replicas tell of one alert"
        incident = site.get(f"/api/v1/incidents/{alert['incident']}/", **site.key())[1]
        assert (incident["system"], incident["status"] != "resolved") == ("fraud-scorer", True)


@pytest.mark.parametrize("door", ["pagerduty", "opsgenie"])
def test_by_a_compatible_receiver_it_fires_and_resolves(
    site: Running, alertmanager_with: Callable[..., Any], door: str
) -> None:
    source = site.manage("create_source", door, f"By {door}", "--team", "risk")
    receiver = {
        "pagerduty": {"pagerduty_configs": [{"url": f"{site.url}/v2/enqueue", "routing_key": source["token"]}]},
        "opsgenie": {"opsgenie_configs": [{"api_url": f"{site.url}/", "api_key": source["token"]}]},
    }[door]
    with alertmanager_with(receiver) as peer:
        assert peer.post("/api/v2/alerts", [firing(feature=door)])[0] == 200
        alert = the_alert(site, source, "firing")
        assert "FeatureDriftHigh" in alert["title"]
        assert peer.post("/api/v2/alerts", [firing(feature=door) | {"endsAt": "2026-11-23T00:10:00Z"}])[0] == 200
        the_alert(site, source, "resolved")


def test_prometheus_sends_by_itself_and_renews_its_leases(site: Running, tmp_path: Path) -> None:
    program = needed(prometheus(), program="prometheus", what="a real Prometheus sending to API v2 by a path prefix")
    source = site.manage("create_source", "alertmanager", "Prometheus itself", "--team", "data-platform")
    rule = {
        "alert": "EmbeddingIndexStale",
        "expr": "vector(48) > 24",
        "labels": {"severity": "critical", "system": "policy-index"},
        "annotations": {"summary": "The index is {{ $value }} h old", "value": "{{ $value }}"},
    }
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "ai", "interval": "1s", "rules": [rule]}]}))
    (tmp_path / "prometheus.yml").write_text(
        yaml.safe_dump(
            {
                "global": {"evaluation_interval": "1s"},
                "rule_files": ["rules.yml"],
                "alerting": {
                    "alertmanagers": [
                        {
                            "scheme": "http",
                            "path_prefix": f"/ingest/{source['token']}/",
                            "static_configs": [{"targets": [f"127.0.0.1:{site.port}"]}],
                        }
                    ]
                },
            }
        )
    )
    port = free_port()
    command = [
        program,
        f"--config.file={tmp_path / 'prometheus.yml'}",
        f"--storage.tsdb.path={tmp_path / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--rules.alert.resend-delay=1s",
    ]
    with started(command, port, tmp_path):
        first = the_alert(site, source, "firing")
        assert (first["title"], first["value"], first["system"]) == ("The index is 48 h old", "48", "policy-index")
        assert first["expires_at"], "Prometheus leases its alerts"
        renewed = until(
            lambda: [a for a in alerts_of(site, source) if a["expires_at"] > first["expires_at"]], what="a renewal"
        )
        assert renewed[0]["occurrences"] > first["occurrences"]
        assert len(alerts_of(site, source)) == 1
