"""Great Expectations: what a checkpoint found, as `describe_dict()` of its result gives it, or `to_json_dict()` before 1.0."""

import re
from collections.abc import Mapping

from incidents.alerts.bodies import Json, Unreadable, dig, first_text, items, mapping, payload, text_of
from incidents.alerts.claims import Statement
from incidents.alerts.sources import reports
from incidents.alerts.sources.reports import Check


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    wrapped = reports.unwrapped(payload(body, headers))
    report = mapping(wrapped.report)
    name = first_text(wrapped.name, dig(report, "checkpoint_config", "name"))
    validations = _validations(report)
    if not validations:
        raise Unreadable(
            "It holds neither “validation_results” nor “run_results”; send what describe_dict() of the checkpoint’s "
            "result gives, or to_json_dict() before version 1.0."
        )
    at = dig(report, "run_id", "run_time")
    return [_validation(wrapped, validation, name=name, at=at) for validation in validations]


def _validations(report: dict[str, Json]) -> list[dict[str, Json]]:
    if runs := mapping(report.get("run_results")):
        results = list(map(mapping, runs.values()))
        return [mapping(result.get("validation_result")) or result for result in results]
    if "validation_results" not in report and "results" in report:
        return [report]  # the result of a single validation
    return [mapping(result) for result in items(report.get("validation_results"))]


def _validation(wrapped: reports.Wrapped, validation: dict[str, Json], *, name: str, at: Json) -> Statement:
    checks = [
        _check(mapping(result)) for result in items(validation.get("expectations")) or items(validation.get("results"))
    ]
    meta = mapping(validation.get("meta"))
    suite = first_text(meta.get("expectation_suite_name"), validation.get("suite_name"))
    asset = first_text(
        validation.get("asset_name"),
        dig(meta, "active_batch_definition", "data_asset_name"),
        _batch(validation),
    )
    where = ", ".join(filter(None, (name, suite))) or asset
    identity = ("great_expectations/1", name, suite, asset)
    moment = dig(meta, "run_id", "run_time") or at
    return reports.claim_of(wrapped, checks, identity=identity, where=where, what="expectations", at=moment)


def _batch(validation: dict[str, Json]) -> str:
    """Name the data by its batch, less the numbers: tomorrow's batch is of the same data."""
    batches = (text_of(dig(result, "kwargs", "batch_id")) for result in items(validation.get("expectations")))
    return re.sub(r"[-_/]?\d+", "", next(filter(None, batches), ""))


def _check(result: dict[str, Json]) -> Check:
    config = mapping(result.get("expectation_config")) or result
    kind = first_text(config.get("expectation_type"), config.get("type"))
    column = text_of(dig(config, "kwargs", "column"))
    observed = first_text(dig(result, "result", "observed_value"), dig(result, "result", "unexpected_percent"))
    raised, message = _raised(mapping(result.get("exception_info")))
    what = f"{kind} on {column or 'the table'}"
    return Check(
        name=f"{kind}({column})" if column else kind,
        failed=result.get("success") is not True and not raised,
        ran=not raised,
        severity=text_of(config.get("severity") or result.get("severity")) or "high",
        metric=kind,
        description=f"{what}: {message}" if message else what + (f": observed {observed}" if observed else ""),
    )


def _raised(info: dict[str, Json]) -> tuple[bool, str]:
    """Tell whether the expectation raised, and with which message: told of itself, or of each metric it needed."""
    if not info:
        return False, ""
    exceptions = [info, *(mapping(each) for each in info.values())]
    raised = [each for each in exceptions if each.get("raised_exception") is True]
    return bool(raised), first_text(*(each.get("exception_message") for each in raised))
