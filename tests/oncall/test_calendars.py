"""Calendars kept elsewhere: what is understood, whom it means, and what happens while it cannot be read."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from incidents.errors import Refused, WrongStatus
from incidents.oncall.cover import covers, on_call
from incidents.oncall.fetching import ask_again, due, fetch, use_calendar
from incidents.oncall.pointer import OnCall, RotaChange
from incidents.oncall.reading import Directory, Entry, NoCalendar, read_calendar
from incidents.people.models import Team, User
from tests.oncall.conftest import at

NOW = at("2026-10-20T12:00")
WEEK = "DTSTART;TZID=Europe/Berlin:20261019T090000\r\nDTEND;TZID=Europe/Berlin:20261026T090000\r\n"


def calendar(*events: str, head: str = "") -> bytes:
    bodies = [f"BEGIN:VEVENT\r\nUID:{n}\r\n{event}\r\nEND:VEVENT\r\n" for n, event in enumerate(events)]
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test\r\n{head}{''.join(bodies)}END:VCALENDAR\r\n".encode()


def read(raw: bytes) -> list[Entry]:
    return read_calendar(raw, NOW - timedelta(days=1), NOW + timedelta(days=92))


class TestReading:
    def test_an_entry_says_when_and_whom(self) -> None:
        [entry] = read(calendar(f"{WEEK}SUMMARY:On call\r\nATTENDEE;CN=Mara:MAILTO:Mara@Example.com"))
        assert (entry.start, entry.end) == (at("2026-10-19T07:00"), at("2026-10-26T08:00"))  # the clocks change
        assert (entry.summary, entry.attendees) == ("On call", ("mara@example.com",))

    def test_what_repeats_is_written_out_in_local_time(self) -> None:
        entries = read(calendar(f"{WEEK}RRULE:FREQ=WEEKLY;INTERVAL=2\r\nSUMMARY:Mara"))
        assert [entry.start for entry in entries][:3] == [
            at("2026-10-19T07:00"),
            at("2026-11-02T08:00"),
            at("2026-11-16T08:00"),
        ]
        assert len(entries) == 7

    def test_one_repetition_that_was_moved_is_where_it_was_moved_to(self) -> None:
        moved = "BEGIN:VEVENT\r\nUID:0\r\nRECURRENCE-ID;TZID=Europe/Berlin:20261102T090000\r\nDTSTART:20261103T080000Z\r\nDTEND:20261104T080000Z\r\nSUMMARY:Jo\r\nEND:VEVENT\r\n"
        raw = calendar(f"{WEEK}RRULE:FREQ=WEEKLY;INTERVAL=2\r\nSUMMARY:Mara").replace(
            b"END:VCALENDAR", moved.encode() + b"END:VCALENDAR"
        )
        assert [(entry.summary, entry.start) for entry in read(raw)][1] == ("Jo", at("2026-11-03T08:00"))

    def test_whole_days_are_days_of_the_calendars_own_zone(self) -> None:
        [entry] = read(
            calendar("DTSTART;VALUE=DATE:20261021\r\nSUMMARY:Mara", head="X-WR-TIMEZONE:America/New_York\r\n")
        )
        assert (entry.start, entry.end) == (at("2026-10-21T04:00"), at("2026-10-22T04:00"))

    @pytest.mark.parametrize(
        "event",
        [
            f"{WEEK}STATUS:CANCELLED",
            "DTSTART:20261021T080000Z\r\nSUMMARY:A moment",
            "DTSTART:20261021T080000Z\r\nDTEND:20261020T080000Z",
            "DTSTART:20200101T000000Z\r\nDTEND:20200102T000000Z",
        ],
    )
    def test_what_takes_no_time_here_is_no_entry(self, event: str) -> None:
        assert read(calendar(event)) == []

    @pytest.mark.parametrize(
        ("raw", "why"),
        [
            (b"", "not a calendar"),
            (b"<html>", "not a calendar"),
            (calendar("SUMMARY:never"), "damaged"),
            (calendar(f"{WEEK}RRULE:FREQ=SECONDLY"), "more than once a day"),
            (calendar(f"{WEEK}RRULE:FREQ=DAILY;BYHOUR=1,2,3,4,5"), "more than once a day"),
            (calendar(f"{WEEK}RRULE:FREQ=DAILY;INTERVAL=0"), "no interval"),
            (calendar("DTSTART:00010101T000000Z\r\nDTEND:00010102T000000Z\r\nRRULE:FREQ=DAILY"), "too old"),
            (calendar("DTSTART:20260101T000000Z\r\nDTEND:99991231T000000Z\r\nRRULE:FREQ=DAILY"), "too long"),
            (calendar(*[f"{WEEK}RRULE:FREQ=DAILY"] * 20), "more than 1000 entries"),
        ],
    )
    def test_what_cannot_be_read_says_why(self, raw: bytes, why: str) -> None:
        with pytest.raises(NoCalendar, match=why):
            read(raw)

    @given(st.binary(max_size=60), st.integers(0, 400), st.integers(0, 40))
    def test_no_bytes_raise_anything_else(self, noise: bytes, place: int, cut: int) -> None:
        whole = calendar(f"{WEEK}RRULE:FREQ=WEEKLY\r\nSUMMARY:Mara\r\nATTENDEE:mailto:mara@example.com")
        with suppress(NoCalendar):
            read(whole[:place] + noise + whole[place + cut :])


class TestRecognising:
    @pytest.mark.parametrize(
        ("entry", "who"),
        [
            ({"attendees": ("jo@example.com", "mara@example.com"), "summary": "Mara Okafor"}, ["jo", "mara"]),
            ({"attendees": ("team@example.com",), "organizer": "jo@example.com"}, ["jo"]),
            ({"summary": "MARA OKAFOR"}, ["mara"]),
            ({"summary": "On call: Mara  Okafor (primary)"}, ["mara"]),
            ({"summary": "jo@example.com"}, ["jo"]),
            ({"summary": "Mara Okaforsson"}, []),
            ({"summary": "Mara"}, []),
            ({"summary": ""}, []),
        ],
    )
    def test_by_address_then_by_name(self, mara: User, jo: User, entry: dict[str, Any], who: list[str]) -> None:
        found = Directory([mara, jo]).recognise(Entry(NOW, NOW, **{"summary": "On call"} | entry))
        assert [person.email.partition("@")[0] for person in found] == who

    def test_a_name_that_two_have_is_nobodys(self, mara: User, sam: User) -> None:
        sam.name = mara.name
        assert Directory([mara, sam]).recognise(Entry(NOW, NOW, mara.name)) == []


class Elsewhere:
    """A server that has a calendar, or whatever it is told to answer."""

    status, body = 200, b""
    url = ""


@pytest.fixture
def elsewhere(settings: object) -> Iterator[Elsewhere]:
    settings.OUTGOING_ALLOW = ["127.0.0.0/8"]  # type: ignore[attr-defined]
    place = Elsewhere()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(place.status)
            self.end_headers()
            self.wfile.write(place.body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    place.url = f"http://127.0.0.1:{server.server_port}/secret-token.ics"
    yield place
    server.shutdown()
    server.server_close()


@pytest.fixture
def _in_october() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.mark.usefixtures("_in_october")
class TestFetching:
    def test_what_it_says_is_who_is_on_call(self, assistants: Team, mara: User, jo: User, elsewhere: Elsewhere) -> None:
        elsewhere.body = calendar(f"{WEEK}SUMMARY:Mara Okafor", f"{WEEK}SUMMARY:Pat Nobody")
        pointer = use_calendar(assistants, elsewhere.url, base=0, by=jo)
        assert due(NOW) == [pointer.pk]
        assert fetch(pointer.pk)
        assert on_call(assistants, NOW) == [mara]
        assert [row.names for row in pointer.calendar_shifts.filter(person=None)] == ["Pat Nobody"]
        assert not fetch(pointer.pk)  # it is not due
        assert due(NOW + timedelta(minutes=15)) == [pointer.pk]

    @pytest.mark.parametrize(
        ("status", "body", "why"),
        [
            (404, b"", "answered 404"),
            (302, b"", "redirects"),
            (200, b"<html>Sign in</html>", "not a calendar"),
            (200, b"BEGIN:VCALENDAR" + b" " * 2 * 1024 * 1024, "larger than 2 MiB"),
        ],
    )
    def test_while_it_cannot_be_read_the_old_shifts_stay(
        self, assistants: Team, mara: User, jo: User, elsewhere: Elsewhere, status: int, body: bytes, why: str
    ) -> None:
        elsewhere.body = calendar(f"{WEEK}SUMMARY:Mara Okafor")
        pointer = use_calendar(assistants, elsewhere.url, base=0, by=jo)
        fetch(pointer.pk)
        elsewhere.status, elsewhere.body = status, body
        ask_again(pointer)
        assert not fetch(pointer.pk)
        pointer.refresh_from_db()
        assert why in pointer.trouble
        assert "secret-token" not in pointer.trouble
        assert on_call(assistants, NOW) == [mara]
        elsewhere.status, elsewhere.body = 200, calendar()
        ask_again(pointer)
        assert fetch(pointer.pk)
        assert on_call(assistants, NOW) == []

    def test_nobody_listening_is_said_too(self, assistants: Team, jo: User, elsewhere: Elsewhere) -> None:
        pointer = use_calendar(assistants, "http://127.0.0.1:9/x.ics", base=0, by=jo)
        assert not fetch(pointer.pk)
        pointer.refresh_from_db()
        assert "did not answer" in pointer.trouble

    def test_its_address_is_stored_sealed(self, assistants: Team, jo: User, elsewhere: Elsewhere) -> None:
        use_calendar(assistants, elsewhere.url, base=0, by=jo)
        row = OnCall.objects.get()
        assert b"secret-token" not in bytes(row.calendar_sealed or b"")
        assert row.calendar_host == "127.0.0.1"
        assert "secret-token" not in str(RotaChange.objects.get().detail)

    def test_another_address_drops_what_was_read_of_the_first(
        self, assistants: Team, mara: User, jo: User, elsewhere: Elsewhere
    ) -> None:
        elsewhere.body = calendar(f"{WEEK}SUMMARY:Mara Okafor")
        pointer = use_calendar(assistants, elsewhere.url, base=0, by=jo)
        fetch(pointer.pk)
        use_calendar(assistants, "", base=1, by=jo)
        assert on_call(assistants, NOW) == [mara]
        use_calendar(assistants, elsewhere.url + "?2", base=2, by=jo)
        assert on_call(assistants, NOW) == []
        with pytest.raises(WrongStatus):
            use_calendar(assistants, "", base=2, by=jo)

    @pytest.mark.parametrize("url", ["ftp://example.com/x", "https://a b/", "https://user:secret@example.com/x", ""])
    def test_an_address_that_must_not_be_asked_is_refused(self, assistants: Team, jo: User, url: str) -> None:
        with pytest.raises(Refused):
            use_calendar(assistants, url, base=0, by=jo)

    def test_webcal_is_read_as_https(self, assistants: Team, jo: User) -> None:
        assert use_calendar(assistants, "webcal://example.com/x.ics", base=0, by=jo).calendar_host == "example.com"

    def test_two_entries_at_once_are_double_cover(
        self, assistants: Team, mara: User, jo: User, elsewhere: Elsewhere
    ) -> None:
        elsewhere.body = calendar(f"{WEEK}SUMMARY:Mara Okafor", f"{WEEK}SUMMARY:Jo Lindqvist")
        pointer = use_calendar(assistants, elsewhere.url, base=0, by=jo)
        fetch(pointer.pk)
        [span] = covers([assistants], NOW, NOW + timedelta(days=1))[assistants.pk].double_cover
        assert set(span.people) == {mara.pk, jo.pk}
