"""The pages of incidents at size: 200,000 incidents, and one of them with 5,000 events and 2,000 alerts.

Server time as a signed-in browser sees it over HTTP, one request at a time, the process warm.
"""

import http.client
import time
import urllib.parse
from collections.abc import Callable
from typing import Any

from bench.ingest import body_of_many
from bench.load import Sent, request, send_all
from bench.product import Product, product

Out = Callable[[dict[str, object]], None]

INCIDENTS, HEAVY_EVENTS, HEAVY_ALERTS = 200_000, 5_000, 2_000

_TEAM = """
    WITH team AS (INSERT INTO incidents_team (slug, name) VALUES ('bench', 'Bench') RETURNING id)
    INSERT INTO incidents_system (slug, name, kind, tier, team_id, purpose, fallback, runbook_url, dashboard_url, created_at)
    SELECT 'system-' || n, 'System ' || n, 'rag', 1 + n % 3, team.id, '', '', '', '', now() FROM team, generate_series(1, 40) n
"""
_FILL = """
    INSERT INTO incidents_incident (
        number, title, summary, status, severity, kind, system_id, team_id, category, failure_mode, classified_because,
        noticed_by, private, impact_method, declared_at, detected_at, acknowledged_at, resolved_at, changed_at
    )
    SELECT n, (ARRAY['Answers cite', 'Scores drift on', 'Feed narrows for', 'Agent repeats', 'Nulls reach'])[1 + n %% 5] || ' '
            || (ARRAY['the retired policy', 'new customers', 'long queries', 'refunds', 'the nightly batch'])[1 + n / 5 %% 5] || ' ' || n,
        'What was seen first, and where.', CASE WHEN n > %(all)s - 60 THEN 'investigating' ELSE 'closed' END, 'sev' || 1 + n %% 4,
        'real', system.id, system.team_id,
        (ARRAY['retrieval', 'drift', 'feedback_loop', 'agent_action', 'data_quality'])[1 + n %% 5],
        CASE WHEN n %% 5 = 0 THEN 'retrieval.stale_index' ELSE '' END, '', 'monitor', n %% 500 = 7, '',
        moment, moment, moment, CASE WHEN n > %(all)s - 60 THEN NULL ELSE moment + interval '3 hours' END, moment
    FROM generate_series(101, %(all)s) AS n
    CROSS JOIN LATERAL (SELECT now() - (%(all)s - n) * interval '13 minutes' AS moment) AS time
    JOIN (SELECT id, team_id, row_number() OVER () AS row FROM incidents_system) AS system ON system.row = 1 + n %% 40
"""
_EVENTS = """
    INSERT INTO incidents_event (incident_id, kind, at, detail)
    SELECT incident.id, told.kind, incident.declared_at + nth * interval '5 minutes', '{}'
    FROM incidents_incident AS incident
    CROSS JOIN (VALUES (0, 'opened'), (1, 'acknowledged'), (2, 'severity'), (3, 'status')) AS told (nth, kind)
"""
_HEAVY = """
    WITH heavy AS (SELECT id FROM incidents_incident WHERE number = %(all)s),
    written AS (
        INSERT INTO incidents_note (incident_id, text, created_at)
        SELECT heavy.id, 'Sampled **fifty** outputs, ' || n || ' were wrong.', now() FROM heavy, generate_series(1, %(events)s / 2) n
        RETURNING id, incident_id
    ),
    noted AS (
        INSERT INTO incidents_event (incident_id, kind, at, detail, note_id)
        SELECT incident_id, 'note', now() - id * interval '1 second', '{}', id FROM written
    )
    INSERT INTO incidents_event (incident_id, kind, at, detail)
    SELECT heavy.id, 'alert_linked', now() - n * interval '1 second', '{"count": 1, "alerts": []}'
    FROM heavy, generate_series(1, %(events)s / 2) n
"""
_ALERTS = """
    UPDATE incidents_alert SET incident_id = (SELECT id FROM incidents_incident WHERE number = %(all)s)
"""
ASKED = {
    "list, open": "/incidents/",
    "list, all": "/incidents/?status=all",
    "list, a page far down": "/incidents/?status=all&before=1000",
    "list, filtered": "/incidents/?status=all&severity=sev1&category=drift",
    "list, rare words": "/incidents/?status=all&q=retired+policy+199",
    "list, common words": "/incidents/?status=all&q=answers",
    "list, nothing new": "",  # filled in below, with what the page gives
    "incident, heavy": "/incidents/{all}/",
    "incident, whole log": "/incidents/{all}/?show=log",
    "incident, ordinary": "/incidents/1000/",
    "seen before": "/incidents/{all}/similar/",
    "is it one of these": "/incidents/alike/?title=answers+cite+the+policy&system=system-3",
    "status page": "/status/",
    "palette": "/palette/?q=answers+cite",
}


def run(out: Out, *, scale: float) -> None:
    with product() as made:
        numbers = {"all": int(INCIDENTS * scale), "events": HEAVY_EVENTS, "alerts": HEAVY_ALERTS}
        began = time.perf_counter()
        browser = Browser(made.group.port)
        _fill(made, numbers)
        out({"bench": "pages.filled", "incidents": numbers["all"], "seconds": round(time.perf_counter() - began, 1)})
        asked = ASKED | {"list, nothing new": browser.poll()}
        for name, path in asked.items():
            _measure(out, browser, name, path.format(**numbers), times=max(10, int(60 * scale)))


def _fill(made: Product, numbers: dict[str, int]) -> None:
    made.database.execute(_TEAM)
    for statement in (_FILL, _EVENTS, _HEAVY):
        made.database.execute(statement, numbers)
    path = made.source("Heavy")
    send_all(
        made.group.port,
        [request(made.group.port, path, body_of_many(f"heavy-{n}", 100)) for n in range(numbers["alerts"] // 100)],
    )
    made.wait_until_drained()
    made.database.execute(_ALERTS, numbers)
    made.database.execute("UPDATE incidents_incidentcounter SET last = (SELECT max(number) FROM incidents_incident)")
    made.database.execute("VACUUM ANALYZE")


class Browser:
    """Somebody signed in, on one connection."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.cookies: dict[str, str] = {}
        self.get("/accounts/login/")
        form = {
            "login": "ada@example.com",
            "password": "faultline-demo",
            "csrfmiddlewaretoken": self.cookies["faultline_csrf"],
        }
        status, page, _ = self._ask("POST", "/accounts/login/", urllib.parse.urlencode(form))
        if status != 302:
            raise RuntimeError(f"{status}: {page!r}")

    def get(self, path: str, **headers: str) -> tuple[int, bytes, float]:
        return self._ask("GET", path, None, **headers)

    def poll(self) -> str:
        """What the list itself asks each second while nothing is new."""
        page = self.get("/incidents/")[1].decode()
        return page.partition('hx-get="')[2].partition('"')[0].replace("&amp;", "&")

    def _ask(self, method: str, path: str, body: str | None, **headers: str) -> tuple[int, bytes, float]:
        given = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), **headers}
        if body is not None:
            given["Content-Type"] = "application/x-www-form-urlencoded"
        self.connection.close()  # the server closes it after some seconds of silence, such as while rows are filled in
        self.connection.connect()
        began = time.perf_counter()
        self.connection.request(method, path, body, given)
        answer = self.connection.getresponse()
        read = answer.read()
        taken = time.perf_counter() - began
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer.status, read, taken


def _measure(out: Out, browser: Browser, name: str, path: str, *, times: int) -> None:
    header: dict[str, Any] = {"HX-Request": "true"} if "seen=" in path or "palette" in path else {}
    for _ in range(3):
        status, body, _ = browser.get(path, **header)
    taken = [browser.get(path, **header)[2] for _ in range(times)]
    out({"bench": "page", "page": name, "status": status, "bytes": len(body), **Sent(times=taken).milliseconds()})
