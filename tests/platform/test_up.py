"""`manage.py up` keeps all of it running, and nothing is lost while a part of it is away."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import Running, free_port, launch, prepared, running, until

pytestmark = pytest.mark.fault


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(prepared(tmp_path_factory.mktemp("up") / "data")) as group:
        yield group


def test_it_prints_the_address_a_sign_in_and_an_alert_to_send(up: Running) -> None:
    printed = up.printed()
    assert up.url in printed
    assert "mara@example.com" in printed
    assert f"curl -sS {up.url}/ingest/" in printed


def test_it_is_ready_and_alive(up: Running) -> None:
    assert up.get("/healthz") == (200, "ok")
    assert up.get("/readyz") == (200, {"ready": True, "reasons": []})


def test_it_listens_on_loopback_only(up: Running) -> None:
    listening = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    mine = [address for address in listening if address.endswith(f":{up.port:04X}")]
    assert mine
    assert all(address.startswith("0100007F") for address in mine)


@pytest.mark.parametrize(
    "part",
    [
        "celery -A reliability worker",
        "celery -A reliability beat",
        "manage.py sweeper",
        "gunicorn",
        "valkey-server",
        "postgres -D",
    ],
)
def test_a_part_that_dies_is_started_again(up: Running, part: str) -> None:
    killed = up.pid_of(part)
    os.kill(killed, signal.SIGKILL)
    until(lambda: any(part in command and pid != killed for pid, command in up.group()), what=f"{part} runs again")
    until(lambda: up.get("/readyz")[0] == 200, what="ready again")


def test_the_log_holds_no_secret_that_stands_in_an_address(up: Running) -> None:
    for path in (
        "/incidents/?q=searched-canary",
        "/shared/secret-canary-0123456789abcdef/",
        "/accounts/password/reset/key/1-canary-0123456789/",
        "/nowhere/?next=lost-canary",
    ):
        assert up.get(path)[0] in {200, 404}
    log = up.data / "log" / "web.log"
    until(lambda: "/nowhere/" in log.read_text())
    assert "GET /incidents/" in log.read_text()
    assert "canary" not in log.read_text()


def test_nobody_else_on_the_machine_reads_what_it_holds(up: Running) -> None:
    until(lambda: list((up.data / "mail").iterdir()), what="the email that the demonstration owes is written to a file")
    assert "Subject: " not in (up.data / "log" / "worker.log").read_text()
    folders = [up.data, *(up.data / name for name in ("log", "mail", "run"))]
    files = [file for folder in folders for file in folder.iterdir() if file.is_file()]
    assert {file.name for file in files} >= {"web.log", "worker.log", "secret_key"}
    open_to_others = [path for path in (*folders, *files) if path.stat().st_mode & 0o066]
    assert not open_to_others


def test_a_command_in_another_shell_prints_the_address_that_answers(up: Running) -> None:
    source = up.manage("create_source", "generic", "From another shell", knows_port=False)
    assert source["url"] == f"http://127.0.0.1:{up.port}/ingest/{source['token']}"
    assert up.post(f"/ingest/{source['token']}", {"title": "Recall fell"})[0] == 200


def test_an_alert_is_processed_while_redis_worker_and_beat_are_gone(up: Running) -> None:
    """The sweeper needs none of them. All are stopped (not killed), so that nothing starts them again."""
    source = up.manage("create_source", "generic", "While Redis is away", "--system", "product-search")
    frozen = [pid for pid, command in up.group() if "valkey-server" in command or "celery" in command]
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    try:
        numbers = [
            up.post(f"/ingest/{source['token']}", {"title": f"Recall fell {n}", "metric": "recall@10", "key": str(n)})
            for n in range(20)
        ]
        assert [status for status, _ in numbers] == [200] * 20
        header = up.key()
        path = f"/api/v1/alerts/?source={source['slug']}"
        until(lambda: len(up.get(path, **header)[1]["results"]) == 20, what="all 20 processed by the sweeper")
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
    until(lambda: up.get("/readyz")[0] == 200, what="ready again")


def test_alerts_sent_while_redis_is_killed_again_and_again_are_all_found(up: Running) -> None:
    source = up.manage("create_source", "generic", "Redis dies", "--system", "demand-forecast")
    for n in range(30):
        if n % 10 == 5:
            os.kill(until(lambda: next((p for p, c in up.group() if "valkey-server" in c), None)), signal.SIGKILL)
        status, _ = up.post(
            f"/ingest/{source['token']}", {"title": f"Bias {n}", "metric": "forecast_bias", "key": str(n)}
        )
        assert status == 200
    header = up.key()
    path = f"/api/v1/alerts/?source={source['slug']}"
    until(lambda: len(up.get(path, **header)[1]["results"]) == 30, what="all 30 processed")
    until(lambda: up.get("/readyz")[0] == 200, what="ready again")


def test_what_was_acknowledged_while_postgresql_is_killed_is_there_once(up: Running) -> None:
    """Senders try again until they are told 200, as monitors do; in between they are told 503, never 500."""
    source = up.manage("create_source", "generic", "PostgreSQL dies", "--system", "fraud-scorer")
    path = f"/ingest/{source['token']}"
    answers = []
    for n in range(30):
        if n in (8, 19):
            os.kill(up.pid_of("postgres -D"), signal.SIGKILL)
        alert = {"title": f"PSI {n}", "metric": "psi", "key": str(n)}

        def stored(alert: dict[str, str] = alert) -> bool:
            answers.append(up.post(path, alert)[0])
            return answers[-1] == 200

        until(stored, what=f"alert {n} is taken")
    assert set(answers) <= {200, 503}
    until(lambda: up.get("/readyz")[0] == 200, what="ready again")
    header = up.key()
    listed = f"/api/v1/alerts/?source={source['slug']}"
    rows = until(
        lambda: (alerts := up.get(listed, **header)[1]["results"]) and len(alerts) == 30 and alerts, what="all 30"
    )
    assert sorted(int(row["title"].removeprefix("PSI ")) for row in rows) == list(range(30))


def test_a_second_one_on_the_same_data_is_refused_in_a_sentence(up: Running) -> None:
    second = launch(up.data, free_port())
    assert second.process.wait(300) == 1
    assert "already runs on" in second.printed()
    assert "Traceback" not in second.printed()
