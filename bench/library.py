"""The library at size: 20,000 published postmortems of 300 to 1,200 words, searched, listed and opened.

Server time over HTTP as in bench.pages; beside it, in the same run, what the naive question (ILIKE over all texts) and
our own one take in SQL alone.
"""

import time
from collections.abc import Callable

from bench.load import Sent
from bench.pages import _FILL, _TEAM, Browser, _measure
from bench.product import Product, product

Out = Callable[[dict[str, object]], None]

POSTMORTEMS = 20_000

_POSTMORTEMS = """
    INSERT INTO incidents_postmortem (
        slug, incident_id, title, state, depth, guide_id, due_on, started_at, published_at, not_required_because, triggered_by,
        trigger_text, frozen_facts
    )
    SELECT number::text, id, '', 'published', 'standard', (SELECT id FROM incidents_guide WHERE number = 1), declared_at::date + 10,
        declared_at, declared_at + interval '9 days', '', 'none', '', '{"summary": []}'
    FROM incidents_incident WHERE number > 100
"""
# Words as people’s texts have them: few common ones, many rare ones, by the square of a random number.
_SECTIONS = """
    INSERT INTO incidents_section (postmortem_id, key, position, text, version)
    SELECT pm.id, part.key, part.nth, (
        SELECT string_agg(CASE WHEN word % 11 = 0 THEN 'The index was stale. ' WHEN word % 7 = 0 THEN 'customers saw it ' ELSE
            'word' || floor(power(random(), 2) * 30000 + pm.id * 0)::int || ' ' END, '')
        FROM generate_series(1, 30 + (pm.id * 7 + part.nth * 13) % 140) AS word), 1
    FROM incidents_postmortem AS pm
    CROSS JOIN (VALUES ('summary', 0), ('impact', 1), ('silence', 2), ('timeline', 3), ('factors', 5), ('learning', 10)) AS part (key, nth)
    ON CONFLICT DO NOTHING
"""
_WORDS = """
    UPDATE incidents_postmortem AS pm SET words =
        setweight(to_tsvector('english', incident.title), 'A') || setweight(to_tsvector('english', told.b), 'B')
        || setweight(to_tsvector('english', told.c), 'C')
    FROM incidents_incident AS incident, (
        SELECT postmortem_id, string_agg(text, ' ') FILTER (WHERE key IN ('summary', 'factors')) AS b,
            string_agg(text, ' ') FILTER (WHERE key NOT IN ('summary', 'factors')) AS c
        FROM incidents_section GROUP BY postmortem_id
    ) AS told
    WHERE incident.id = pm.incident_id AND told.postmortem_id = pm.id
"""
ASKED = {
    "library, rare word": "/postmortems/?q=word29871",
    "library, two words": "/postmortems/?q=word291+stale",
    "library, common word": "/postmortems/?q=index",
    "library, a phrase": "/postmortems/?q=%22customers+saw%22",
    "library, filtered": "/postmortems/?q=stale&category=drift&system=system-3",
    "library, published": "/postmortems/?show=published",
    "library, a page far down": "/postmortems/?show=published&page=700",
    "postmortem, published": "/postmortems/1000/",
    "postmortem, history": "/postmortems/1000/history/",
}
_NAIVE = """
    SELECT DISTINCT pm.id FROM incidents_postmortem pm JOIN incidents_section section ON section.postmortem_id = pm.id
    WHERE section.text ILIKE %s ORDER BY pm.id DESC LIMIT 25
"""
_OURS = """
    SELECT id FROM incidents_postmortem WHERE words @@ websearch_to_tsquery('english', %s) ORDER BY id DESC LIMIT 500
"""


def run(out: Out, *, scale: float) -> None:
    with product() as made:
        began = time.perf_counter()
        browser = Browser(made.group.port)
        _fill(made, browser, int(POSTMORTEMS * scale))
        out(
            {
                "bench": "library.filled",
                "postmortems": int(POSTMORTEMS * scale),
                "seconds": round(time.perf_counter() - began, 1),
            }
        )
        for name, path in ASKED.items():
            _measure(out, browser, name, path, times=max(10, int(60 * scale)))
        for word in ("word29871", "index"):
            naive, ours = _timed(made, _NAIVE, f"%{word}%"), _timed(made, _OURS, word)
            out(
                {
                    "bench": "library.sql",
                    "word": word,
                    "naive_ms": naive,
                    "ours_ms": ours,
                    "ratio": round(naive / ours, 1),
                }
            )


def _fill(made: Product, browser: Browser, count: int) -> None:
    browser.get("/postmortems/guide/")  # which writes the first version of the guide down
    made.database.execute(_TEAM)
    made.database.execute(_FILL, {"all": count + 100})
    for statement in (_POSTMORTEMS, _SECTIONS, _WORDS, "VACUUM ANALYZE"):
        made.database.execute(statement)


def _timed(made: Product, statement: str, word: str, *, times: int = 7) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        made.database.execute(statement, (word,)).fetchall()
        taken.append(time.perf_counter() - began)
    return Sent(times=taken).milliseconds()["p50_ms"]
