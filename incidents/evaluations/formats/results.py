"""JSON in which runs are reported: our own, promptfoo's results and Inspect's logs. Pure; nothing is believed unseen."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from incidents.evaluations.formats.reports import (
    LONGEST_NOTE,
    MOST_TRIES,
    CaseReport,
    RunReport,
    Tries,
    UnreadableReport,
    named,
    tidy,
)


def of_promptfoo(body: dict[str, Any]) -> RunReport:
    """What `promptfoo eval -o results.json` writes: one try for each row of `results.results`. Raises UnreadableReport.

    The case is named by `metadata.id` of the test, else by its description. A row with an error is no pass.
    """
    summary = _object(body.get("results"))
    rows = summary.get("results")
    if not isinstance(rows, list):
        raise UnreadableReport("promptfoo’s results have a “results.results”.")
    tries, models = Tries(), set[str]()
    for row in map(_object, rows):
        test = _object(row.get("testCase"))
        facts = _object(test.get("metadata"))
        names = (_text(facts.get("id")), _text(test.get("description")), _text(row.get("description")))
        note = _text(row.get("error")) or _text(_object(row.get("gradingResult")).get("reason"))
        tries.add(names, passed=row.get("success") is True, note=note, version=_count(facts.get("version")))
        models.add(_text(_object(row.get("provider")).get("label")) or _text(_object(row.get("provider")).get("id")))
    models.discard("")
    return RunReport(
        format="promptfoo",
        results=tuple(tries.reports()),
        unnamed=tries.unnamed,
        run_id=tidy(_text(body.get("evalId")), 100),
        model=tidy(", ".join(sorted(models)), 100),
        ran_at=_moment(summary.get("timestamp")),
    )


def of_inspect(body: dict[str, Any]) -> RunReport:
    """What Inspect logs with `--log-format json`: one try for each sample and epoch. Raises UnreadableReport.

    A sample passed where every scorer found it right: “C”, true, or the number 1. One with an error is no pass.
    """
    about, samples = _object(body.get("eval")), body.get("samples")
    if not isinstance(samples, list):
        raise UnreadableReport("An Inspect log has “samples”: log with --log-format json, and not the header alone.")
    tries = Tries()
    for sample in map(_object, samples):
        facts = _object(sample.get("metadata"))
        scores = [_object(score) for score in _object(sample.get("scores")).values()]
        passed = bool(scores) and not sample.get("error") and all(_is_right(score.get("value")) for score in scores)
        error = _text(_object(sample.get("error")).get("message"))
        note = error or next((_text(score.get("explanation")) for score in scores), "")
        names = (_text(sample.get("id")), _text(facts.get("id")))
        tries.add(names, passed=passed, note=note, version=_count(facts.get("version")))
    return RunReport(
        format="inspect",
        results=tuple(tries.reports()),
        unnamed=tries.unnamed,
        run_id=tidy(_text(about.get("eval_id")), 100),
        model=tidy(_text(about.get("model")), 100),
        revision=tidy(_text(_object(about.get("revision")).get("commit")), 100),
        ran_at=_moment(about.get("created")),
    )


def _is_right(value: Any) -> bool:
    return value is True or value in ("C", "correct", "yes") or (isinstance(value, int | float) and value >= 1)


def of_ours(body: dict[str, Any]) -> RunReport:
    """Our own JSON, whose fields were checked before (api.py). Raises UnreadableReport where a result names no case."""
    return RunReport(
        format="faultline",
        results=tuple(_added(_of_row(row, position) for position, row in enumerate(body["results"]))),
        url=body.get("url", ""),
        ran_at=body.get("ran_at"),
        **{name: body.get(name, "") for name in ("run_id", "model", "prompt_version", "revision")},
    )


def _of_row(row: dict[str, Any], position: int) -> CaseReport:
    found = named(row["case"])
    if found is None:
        raise UnreadableReport(f"Result {position} names no case: “case” is its key, such as “case-1”.")
    note = tidy(row.get("note", ""), LONGEST_NOTE)
    return CaseReport(found[0], row.get("version", found[1]), row["passed"], row["tries"], note)


def _added(rows: Iterable[CaseReport]) -> Iterator[CaseReport]:
    """Add up results of the same version of a case."""
    totals: dict[tuple[int, int | None], CaseReport] = {}
    for row in rows:
        known = totals.get((row.number, row.version), CaseReport(row.number, row.version, 0, 0))
        passed, tries = known.passed + row.passed, known.tries + row.tries
        if tries > MOST_TRIES:
            raise UnreadableReport(f"case-{row.number} was tried more than {MOST_TRIES:,} times.")
        totals[row.number, row.version] = CaseReport(row.number, row.version, passed, tries, known.note or row.note)
    yield from totals.values()


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return (
        value
        if isinstance(value, str)
        else str(value)
        if isinstance(value, int) and not isinstance(value, bool)
        else ""
    )


def _count(value: Any) -> int | None:
    """A whole number that a column can hold; None where it is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else None


def _moment(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment and (moment if moment.tzinfo else moment.replace(tzinfo=UTC))
