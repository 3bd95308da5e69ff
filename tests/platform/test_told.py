"""The trial: a critical alert on a tier-1 system. Everyone who must know gets one mail, within seconds, and can act from it."""

import re
import time
from collections import Counter
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from tests.running import free_port, prepared, running, until
from tests.tools import print_at_end

pytestmark = pytest.mark.fault


class Letters:
    """A mail server that keeps what it is given, with the moment at which it came."""

    def __init__(self) -> None:
        self.taken: list[tuple[float, str, Message]] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - the name that the library calls
        letter = message_from_bytes(envelope.content)
        self.taken += [(time.monotonic(), recipient, letter) for recipient in envelope.rcpt_tos]
        return "250 OK"

    def about(self, words: str) -> list[tuple[float, str, Message]]:
        return [each for each in self.taken if words in str(each[2]["Subject"])]


def test_a_critical_alert_reaches_everyone_who_must_know_once(tmp_path: Path) -> None:
    letters, port = Letters(), free_port()
    server = Controller(letters, hostname="127.0.0.1", port=port)
    server.start()
    try:
        with running(prepared(tmp_path / "data"), EMAIL_URL=f"smtp://127.0.0.1:{port}") as up:
            source = up.manage("create_source", "generic", "Nightly evaluations")
            alert = {
                "title": "Refunds paid twice",
                "system": "support-assistant",
                "severity": "critical",
                "key": "trial",
            }
            sent = time.monotonic()
            assert up.post(f"/ingest/{source['token']}", alert)[0] == 200
            header = up.key()
            until(lambda: letters.about("Refunds paid twice"), what="somebody is told")
            number = int(re.search(r"INC-(\d+)", str(letters.taken[-1][2]["Subject"]))[1])  # type: ignore[index]
            told = up.get(f"/api/v1/incidents/{number}/notifications/", **header)[1]
            wanted = Counter(row["person"] for row in told if row["topic"] == "incident.opened")
            until(lambda: len(letters.about("Refunds paid twice")) >= len(wanted), what="all of them are told")
            came = letters.about("Refunds paid twice")
            assert wanted
            assert Counter(recipient for _, recipient, _ in came) == wanted
            assert set(wanted.values()) == {1}
            ids = [str(letter["Message-ID"]) for _, _, letter in came]
            assert len(set(ids)) == len(ids)
            print_at_end(f"Told {len(came)} people {max(at for at, _, _ in came) - sent:.1f} s after the delivery.")
            assert up.post(f"/api/v1/incidents/{number}/acknowledge/", {}, **header)[0] == 200
    finally:
        server.stop()
