"""`manage.py up`: starts all of it or says why not, and stops all of it."""

import os
import signal
import socket
from pathlib import Path

import pytest

from tests.running import environment, free_port, launch, prepared, running, until

pytestmark = pytest.mark.fault


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
    public = launch(tmp_path / "data", free_port(), BASE_URL="https://faultline.example")
    assert public.process.wait(300) == 1
    assert "have the password that is published" in public.printed()
    assert "changepassword" in public.printed()
    assert "Traceback" not in public.printed()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"PORT": "80x"}, "PORT must be a whole number"),
        ({"DATABASE_URL": "mysql://x"}, "DATABASE_URL must begin with postgresql://"),
        ({"REDIS_URL": "http://x"}, "REDIS_URL must begin with redis://"),
        ({"DEMO": "perhaps"}, "DEMO must be 1 or 0"),
        ({"DEMO": "1", "BASE_URL": "https://faultline.example"}, "DEMO=1 loads accounts whose password is published"),
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
    with running(prepared(tmp_path / "data"), DEMO="0") as killed:
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
    data = prepared(tmp_path / "data") if moment == "Starting web" else tmp_path / "data"
    group = launch(data, free_port(), DEMO="0")
    until(lambda: moment in group.printed())
    assert group.stop(signal.SIGINT) == 0
    assert "Traceback" not in group.printed()
    assert group.group() == []


def test_frozen_processes_do_not_delay_the_stop(tmp_path: Path) -> None:
    with running(prepared(tmp_path / "data"), DEMO="0") as up:
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
    with running(prepared(deep / "data"), DEMO="0") as group:
        assert group.get("/readyz")[0] == 200


def test_the_environment_of_tests_is_clean() -> None:
    assert "DATABASE_URL" not in environment(Path("x"), 1)
