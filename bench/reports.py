"""The trend report at size: 200,000 incidents over five years, 2 million events, a million alerts.

Server time of the whole page over HTTP as in bench.pages. Beside it, in the same run: the same counts and medians as
the naive question would get them, from the events of each incident.
"""

import time
from collections.abc import Callable

from bench.load import Sent
from bench.pages import _FILL, _TEAM, Browser
from bench.product import Product, product

Out = Callable[[dict[str, object]], None]

INCIDENTS, ALERTS = 200_000, 1_000_000

_CLOCKS = """
    UPDATE incidents_incident SET
        impact_started_at = CASE WHEN number %% 5 > 0 THEN detected_at - interval '1 second' * exp(7 + 1.3 * sqrt(-2 * ln(random() + 1e-9)) * cos(6.283 * random())) END,
        acknowledged_at = detected_at + interval '1 second' * exp(5 + random()),
        contained_at = detected_at + interval '1 second' * exp(8 + random() * 2),
        resolved_at = CASE WHEN resolved_at IS NOT NULL THEN detected_at + interval '1 second' * exp(10.1 + random()) END,
        noticed_by = (ARRAY['monitor', 'monitor', 'evaluation', 'staff', 'user'])[1 + number %% 5],
        failure_mode = (ARRAY['retrieval.stale_index', 'drift.covariate', 'feedback_loop.popularity', 'agent_action.destructive',
            'data_quality.freshness'])[1 + number %% 5], lead_id = (SELECT min(id) FROM incidents_user) + number %% 5
    WHERE number > 100
"""
_EVENTS = """
    INSERT INTO incidents_event (incident_id, kind, at, by_id, detail)
    SELECT incident.id, told.kind, incident.declared_at + nth * interval '5 minutes', incident.lead_id, '{}'
    FROM incidents_incident AS incident
    CROSS JOIN (VALUES (0, 'opened'), (1, 'acknowledged'), (2, 'severity'), (3, 'note'), (4, 'note'), (5, 'alert_linked'),
        (6, 'containment'), (7, 'update'), (8, 'update'), (9, 'status')) AS told (nth, kind)
"""
_MORE = (
    """
    INSERT INTO incidents_containment (incident_id, action, state, note, planned_at, done_at, verified_at, worked, result)
    SELECT id, (ARRAY['pin_data', 'fallback_model', 'kill_switch'])[1 + number %% 3], 'verified', '', declared_at, contained_at,
        contained_at, number %% 7 > 0, '' FROM incidents_incident WHERE number > 100 AND number %% 2 = 0
    """,
    """
    INSERT INTO incidents_exposure (incident_id, "of", estimate, low, high, how, corrected, changed_at)
    SELECT id, 'outputs', 1000 + number, 900, 3000000, 'query log', 500, declared_at FROM incidents_incident WHERE number > 100 AND number %% 2 = 1
    """,
    """
    INSERT INTO incidents_link (incident_id, other_id, kind, at)
    SELECT one.id, other.id, 'repeat_of', one.declared_at FROM incidents_incident one
    JOIN incidents_incident other ON other.number = one.number - 40 WHERE one.number %% 20 = 0 AND one.number > 200
    """,
    """
    INSERT INTO incidents_postmortem (slug, incident_id, title, state, depth, guide_id, due_on, started_at, published_at, not_required_because,
        triggered_by, trigger_text, frozen_facts)
    SELECT number::text, id, '', 'published', 'standard', (SELECT max(id) FROM incidents_guide), declared_at::date + 10, declared_at,
        declared_at + interval '9 days' * (0.5 + random()), '', 'none', '', '{}' FROM incidents_incident WHERE number > 100 AND number %% 10 < 3
            AND status = 'closed'
    """,
    """
    INSERT INTO incidents_factor (postmortem_id, kind_id, text, evidence, at)
    SELECT pm.id, (SELECT min(id) FROM incidents_factorkind) + pm.id %% 40, 'It did.', '', pm.started_at FROM incidents_postmortem pm
    WHERE pm.state = 'published' ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO incidents_followup (incident_id, title, description, check_text, kind, priority, state, owner_id, due_on, created_at, finished_at, outcome)
    SELECT id, 'Check the alias', '', '', 'detect', number %% 4, CASE WHEN number %% 3 > 0 OR declared_at < now() - interval '200 days' THEN 'done' ELSE 'open' END, lead_id,
        declared_at::date + 30, declared_at + interval '1 day', CASE WHEN number %% 3 > 0 OR declared_at < now() - interval '200 days' THEN declared_at + interval '25 days' END,
        CASE WHEN number %% 2 = 0 THEN 'It fired.' ELSE '' END
    FROM incidents_incident WHERE number > 100 AND number %% 2 = 0
    """,
    "UPDATE incidents_system SET objective = 99",
)
_ALERTS = """
    INSERT INTO incidents_alert
    SELECT copy.* FROM (SELECT * FROM incidents_alert ORDER BY id LIMIT 1) AS one CROSS JOIN generate_series(1, %(alerts)s) AS n
    JOIN incidents_incident AS incident ON incident.number = 101 + n %% (%(all)s - 101)
    CROSS JOIN LATERAL jsonb_populate_record(NULL::incidents_alert, to_jsonb(one) || jsonb_build_object(
        'id', 1000000 + n, 'fingerprint', md5(n::text), 'state', 'resolved', 'incident_id', incident.id)) AS copy
"""
# Counts by month and category, and medians of three phases, from what happened to each incident in turn.
_NAIVE = """
    SELECT date_trunc('month', opened.at), incident.category, count(*),
        percentile_cont(0.5) WITHIN GROUP (ORDER BY acknowledged.at - opened.at),
        percentile_cont(0.5) WITHIN GROUP (ORDER BY contained.at - acknowledged.at),
        percentile_cont(0.5) WITHIN GROUP (ORDER BY resolved.at - contained.at)
    FROM incidents_event opened JOIN incidents_incident incident ON incident.id = opened.incident_id
    LEFT JOIN incidents_event acknowledged ON acknowledged.incident_id = opened.incident_id AND acknowledged.kind = 'acknowledged'
    LEFT JOIN incidents_event contained ON contained.incident_id = opened.incident_id AND contained.kind = 'containment'
    LEFT JOIN incidents_event resolved ON resolved.incident_id = opened.incident_id AND resolved.kind = 'status'
    WHERE opened.kind = 'opened' AND opened.at >= now() - interval '24 months' GROUP BY 1, 2
"""
_TOUCH = """
    INSERT INTO incidents_event (incident_id, kind, at, detail) SELECT id, 'severity', now(), '{}' FROM incidents_incident WHERE number = %s
"""
ASKED = {
    "report, 24 months": "/reports/?months=24",
    "report, 24 months, one team": "/reports/?months=24&team=bench",
    "report, 24 months, one system": "/reports/?months=24&system=system-3",
    "report, last month": "/reports/?months=month&compare=twelve",
    "trust by system": "/reports/trust/",
}


def run(out: Out, *, scale: float) -> None:
    with product() as made:
        numbers = {"all": int(INCIDENTS * scale), "alerts": int(ALERTS * scale)}
        began = time.perf_counter()
        browser = Browser(made.group.port)
        _fill(made, browser, numbers)
        out(
            {
                "bench": "reports.filled",
                **numbers,
                "events": made.count("SELECT count(*) FROM incidents_event"),
                "seconds": round(time.perf_counter() - began, 1),
            }
        )
        _, _, taken = browser.get(ASKED["report, 24 months"])
        out(
            {"bench": "reports.first", "page": "months are worked out for the first time", "ms": round(1000 * taken, 1)}
        )
        for name, path in ASKED.items():
            _measure(out, made, browser, name, path, numbers["all"], times=max(5, int(20 * scale)))
        taken = _timed(made, _NAIVE, times=3)
        out({"bench": "reports.sql", "naive_ms": taken, "what": "three medians and the counts, from events"})
        _reflected(out, made, browser, numbers["all"])


def _fill(made: Product, browser: Browser, numbers: dict[str, int]) -> None:
    browser.get("/postmortems/guide/")  # which writes the first version of the guide down
    made.database.execute(_TEAM)
    made.source("Bench")
    for statement in (_FILL, _CLOCKS, _EVENTS, *_MORE):
        made.database.execute(statement, numbers)
    made.database.execute(_ALERTS, numbers)
    made.database.execute("VACUUM ANALYZE")


def _measure(out: Out, made: Product, browser: Browser, name: str, path: str, newest: int, *, times: int) -> None:
    """Cold: something has happened since, to an incident of this month. Warm: nothing has."""
    cold, warm = [], []
    for _ in range(times):
        made.database.execute(_TOUCH, (newest,))
        status, body, taken = browser.get(path)
        cold.append(taken)
        warm.append(browser.get(path)[2])
    for state, times_taken in (("cold", cold), ("warm", warm)):
        out(
            {
                "bench": "report",
                "page": name,
                "state": state,
                "status": status,
                "bytes": len(body),
                **Sent(times=times_taken).milliseconds(),
            }
        )


def _reflected(out: Out, made: Product, browser: Browser, newest: int) -> None:
    """Correct an incident of a year ago, as a verb does, and look when the report says so."""
    browser.get(ASKED["report, 24 months"])
    old = newest - 40_000 if newest > 50_000 else newest // 2
    before = browser.get(ASKED["report, 24 months"])[1]
    made.database.execute(
        "UPDATE incidents_incident SET severity = 'sev1' WHERE number BETWEEN %s AND %s + 50", (old, old)
    )
    made.database.execute(_TOUCH, (old,))
    began = time.perf_counter()
    shown = browser.get(ASKED["report, 24 months"])[1] != before
    out({"bench": "reports.edit_reflected", "shown": shown, "seconds": round(time.perf_counter() - began, 3)})


def _timed(made: Product, statement: str, *, times: int) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        made.database.execute(statement).fetchall()
        taken.append(time.perf_counter() - began)
    return Sent(times=taken).milliseconds()["p50_ms"]
