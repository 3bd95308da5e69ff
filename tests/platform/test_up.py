"""`manage.py up`: starts all of it, keeps it running, stops all of it."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import Running, environment, free_port, launch, running, until

pytestmark = pytest.mark.fault


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("up") / "data") as group:
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


def test_sigterm_stops_everything_within_ten_seconds_and_a_new_start_keeps_the_data(tmp_path: Path) -> None:
    with running(tmp_path / "data", DEMO="0") as first:
        assert first.get("/welcome/")[0] == 200, "an empty Faultline asks for its first administrator"
        assert first.stop() == 0
        assert first.stop_took() < 10
        assert first.group() == []
    with running(tmp_path / "data") as second:
        assert second.key("mara@example.com"), "somebody is there: the demonstration was loaded into the empty database"
        os.kill(second.process.pid, signal.SIGKILL)
        until(lambda: second.group() == [], what="nothing outlives its supervisor")
    with running(tmp_path / "data") as third:
        assert third.get("/readyz")[0] == 200
        assert len(third.get("/api/v1/incidents/?status=all&page_size=100", **third.key())[1]["results"]) > 50


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"PORT": "80x"}, "PORT must be a whole number"),
        ({"DATABASE_URL": "mysql://x"}, "DATABASE_URL must begin with postgresql://"),
        ({"REDIS_URL": "http://x"}, "REDIS_URL must begin with redis://"),
        ({"DEMO": "perhaps"}, "DEMO must be 1 or 0"),
        ({"BASE_URL": "example"}, "BASE_URL must look like"),
        ({"DATA": "/dev/null/x"}, "set DATA= to a folder"),
    ],
)
def test_a_setting_that_cannot_be_used_is_one_sentence(tmp_path: Path, change: dict[str, str], sentence: str) -> None:
    group = launch(tmp_path / "data", free_port(), **change)
    assert group.process.wait(300) == 1
    assert sentence in group.printed()
    assert "Traceback" not in group.printed()


def test_a_port_that_is_taken_is_one_sentence_with_the_way_out(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        group = launch(tmp_path / "data", taken.getsockname()[1])
        assert group.process.wait(300) == 1
    assert "PORT=" in group.printed()
    assert "Traceback" not in group.printed()


def test_a_start_right_after_kill_9_takes_over_the_same_port(tmp_path: Path) -> None:
    with running(tmp_path / "data", DEMO="0") as killed:
        killed.process.kill()
        second = launch(killed.data, killed.port, DEMO="0")
    try:
        second.wait_until_up()
        assert second.get("/readyz")[0] == 200, second.printed()
    finally:
        second.stop()
    assert second.group() == []


@pytest.mark.parametrize("moment", ["data is in", "PostgreSQL is running", "is up to date", "Starting web"])
def test_ctrl_c_while_it_starts_leaves_nothing(tmp_path: Path, moment: str) -> None:
    group = launch(tmp_path / "data", free_port(), DEMO="0")
    until(lambda: moment in group.printed())
    assert group.stop(signal.SIGINT) == 0
    assert "Traceback" not in group.printed()
    assert group.group() == []


def test_frozen_processes_do_not_delay_the_stop(tmp_path: Path) -> None:
    with running(tmp_path / "data", DEMO="0") as up:
        for pid, command in up.group():
            if "manage.py up" not in command:
                os.kill(pid, signal.SIGSTOP)
        assert up.stop() == 0
        assert up.stop_took() < 10
        assert up.group() == []


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        ({"postgres/PG_VERSION": "16\n"}, "was made by PostgreSQL 16"),
        ({"postgres/mine.txt": "x"}, "is no PostgreSQL cluster"),
        ({"log": "a file"}, "a file is in its place"),
    ],
)
def test_data_that_is_not_ours_is_left_alone(tmp_path: Path, made: dict[str, str], sentence: str) -> None:
    for name, text in made.items():
        file = tmp_path / "data" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    group = launch(tmp_path / "data", free_port())
    assert group.process.wait(300) == 1
    assert sentence in group.printed()
    assert "Traceback" not in group.printed()
    assert all((tmp_path / "data" / name).read_text() == text for name, text in made.items())


def test_a_database_that_cannot_be_reached_is_one_sentence_without_its_password(tmp_path: Path) -> None:
    address = f"postgresql://faultline:hunter22@127.0.0.1:{free_port()}/faultline"
    group = launch(tmp_path / "data", free_port(), DATABASE_URL=address)
    assert group.process.wait(300) == 1
    assert "Check DATABASE_URL." in group.printed()
    assert "hunter22" not in group.printed()
    assert "Traceback" not in group.printed()
    assert group.group() == []


def test_the_data_may_lie_too_deep_for_a_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    assert len(str(deep)) > 108
    with running(deep / "data", DEMO="0") as group:
        assert group.get("/readyz")[0] == 200


def test_the_environment_of_tests_is_clean() -> None:
    assert "DATABASE_URL" not in environment(Path("x"), 1)
