"""Evidently: a report's tests, as `Snapshot.json()` writes them (and the test suites before version 0.7)."""

from collections.abc import Mapping

from incidents.alerts.bodies import Json, Unreadable, dig, first_text, items, mapping, payload, text_of
from incidents.alerts.claims import Statement
from incidents.alerts.sources import reports
from incidents.alerts.sources.reports import Check


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    wrapped = reports.unwrapped(payload(body, headers))
    report = mapping(wrapped.report)
    tests = [mapping(test) for test in items(report.get("tests"))]
    if not tests:
        raise Unreadable("It holds no tests. Make the report with include_tests=True, or give it tests of your own.")
    metrics = {text_of(mapping(metric).get("id")): mapping(metric) for metric in items(report.get("metrics"))}
    checks = [_check(test, metrics) for test in tests]
    # Without a name from its sender, the set of tests names the report.
    identity = (
        "evidently/1",
        wrapped.name,
        "" if wrapped.name else "\x1e".join(sorted(check.name for check in checks)),
    )
    return [reports.claim_of(wrapped, checks, identity=identity, where=wrapped.name, what="tests")]


def _check(test: dict[str, Json], metrics: Mapping[str, dict[str, Json]]) -> Check:
    metric = metrics.get(text_of(dig(test, "metric_config", "metric_id")), {})
    kind = first_text(dig(metric, "config", "type"), dig(test, "metric_config", "params", "type"), test.get("group"))
    critical = dig(test, "test_config", "is_critical")
    return Check(
        name=first_text(test.get("name"), test.get("id")),
        # ERROR too: a check that could not be made says nothing good of the output.
        failed=text_of(test.get("status")).upper() in {"FAIL", "ERROR"},
        severity="medium" if critical is False else "high",
        metric=kind.rpartition(":")[2],
        description=first_text(test.get("description"), test.get("name")),
    )
