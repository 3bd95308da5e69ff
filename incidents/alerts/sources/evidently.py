"""Evidently: a report's tests, as `Snapshot.json()` writes them, and test suites and drift reports before version 0.7."""

from collections.abc import Mapping

from incidents.alerts.bodies import Json, Unreadable, dig, first_text, items, mapping, payload, text_of
from incidents.alerts.claims import Statement
from incidents.alerts.sources import reports
from incidents.alerts.sources.reports import Check


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    wrapped = reports.unwrapped(payload(body, headers))
    report = mapping(wrapped.report)
    metrics = [mapping(metric) for metric in items(report.get("metrics"))]
    tests = _tests([mapping(test) for test in items(report.get("tests"))], metrics)
    checks = tests or _drifts(metrics)
    if not checks:
        raise Unreadable("It holds no tests. Make the report with include_tests=True, or give it tests of your own.")
    # Without a name from its sender, the set of tests names the report.
    identity = (
        "evidently/1",
        wrapped.name,
        "" if wrapped.name else "\x1e".join(sorted(check.name for check in checks)),
    )
    what = "tests" if tests else "drift checks"
    return [
        reports.claim_of(wrapped, checks, identity=identity, where=wrapped.name, what=what, at=report.get("timestamp"))
    ]


def _tests(tests: list[dict[str, Json]], metrics: list[dict[str, Json]]) -> list[Check]:
    by_id = {text_of(metric.get("id")): metric for metric in metrics}
    judged = [test for test in tests if _status(test) != "SKIPPED"]
    return [_check(test, by_id) for test in judged or tests]


def _status(test: dict[str, Json]) -> str:
    return text_of(test.get("status")).upper()


def _check(test: dict[str, Json], metrics: Mapping[str, dict[str, Json]]) -> Check:
    metric = metrics.get(text_of(dig(test, "metric_config", "metric_id")), {})
    kind = first_text(dig(metric, "config", "type"), dig(test, "metric_config", "params", "type"), test.get("group"))
    critical = dig(test, "test_config", "is_critical")
    return Check(
        name=first_text(test.get("name"), test.get("id")),
        failed=_status(test) == "FAIL",
        # A test that raised, or had no data, says nothing of the output.
        ran=_status(test) not in {"ERROR", "SKIPPED"},
        severity="medium" if critical is False else "high",
        metric=kind.rpartition(":")[2],
        description=first_text(test.get("description"), test.get("name")),
    )


def _drifts(metrics: list[dict[str, Json]]) -> list[Check]:
    """Read the metrics of a report before 0.7 that decide by themselves whether something drifted."""
    drifts = (_drift(text_of(metric.get("metric")), mapping(metric.get("result"))) for metric in metrics)
    # The table of columns and the metric of the whole data set say the same.
    return list({drift.name: drift for drift in drifts if drift}.values())


def _drift(metric: str, result: dict[str, Json]) -> Check | None:
    whole, column = result.get("dataset_drift"), result.get("drift_detected")
    if isinstance(whole, bool):
        counts = [text_of(result.get(f"number_of_{which}")) for which in ("drifted_columns", "columns")]
        description = f"{' of '.join(filter(None, counts))} columns drifted"
        limit = text_of(result.get("drift_share"))
        return Check(
            name="Dataset drift",
            failed=whole,
            severity="high",
            metric="dataset_drift",
            description=f"{description}; the limit is a share of {limit}" if limit else description,
        )
    if isinstance(column, bool):
        name = first_text(result.get("column_name"), result.get("embeddings_name"), metric)
        score = text_of(result.get("drift_score"))
        return Check(
            name=f"Drift of {name}",
            failed=column,
            severity="high",
            metric="feature_drift",
            description=f"Drift of {name}" + (f": score {score}" if score else ""),
        )
    return None
