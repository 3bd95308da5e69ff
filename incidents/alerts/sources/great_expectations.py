"""Great Expectations: what a checkpoint found, as `CheckpointResult.describe_dict()` gives it."""

import re
from collections.abc import Mapping

from incidents.alerts.bodies import Json, Unreadable, dig, first_text, items, mapping, payload, text_of
from incidents.alerts.claims import Statement
from incidents.alerts.sources import reports
from incidents.alerts.sources.reports import Check


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    wrapped = reports.unwrapped(payload(body, headers))
    report = mapping(wrapped.report)
    results = report.get("validation_results")
    if results is None and "results" in report:
        results = [report]  # the result of a single validation
    validations = [mapping(result) for result in items(results)]
    if not validations:
        raise Unreadable(
            "It holds no “validation_results”; send what describe_dict() of the checkpoint’s result gives."
        )
    return [_validation(wrapped, validation) for validation in validations]


def _validation(wrapped: reports.Wrapped, validation: dict[str, Json]) -> Statement:
    checks = [
        _check(mapping(result)) for result in items(validation.get("expectations")) or items(validation.get("results"))
    ]
    suite = first_text(dig(validation, "meta", "expectation_suite_name"), validation.get("suite_name"))
    asset = first_text(
        validation.get("asset_name"),
        dig(validation, "meta", "active_batch_definition", "data_asset_name"),
        _batch(validation),
    )
    where = ", ".join(filter(None, (wrapped.name, suite))) or asset
    identity = ("great_expectations/1", wrapped.name, suite, asset)
    return reports.claim_of(wrapped, checks, identity=identity, where=where, what="expectations")


def _batch(validation: dict[str, Json]) -> str:
    """Name the data by its batch, less the numbers: tomorrow's batch is of the same data."""
    batches = (text_of(dig(result, "kwargs", "batch_id")) for result in items(validation.get("expectations")))
    return re.sub(r"[-_/]?\d+", "", next(filter(None, batches), ""))


def _check(result: dict[str, Json]) -> Check:
    config = mapping(result.get("expectation_config")) or result
    kind = first_text(config.get("expectation_type"), config.get("type"))
    column = text_of(dig(config, "kwargs", "column"))
    observed = first_text(dig(result, "result", "observed_value"), dig(result, "result", "unexpected_percent"))
    return Check(
        name=f"{kind}({column})" if column else kind,
        failed=result.get("success") is not True,
        severity=text_of(config.get("severity") or result.get("severity")) or "high",
        metric=kind,
        description=f"{kind} on {column or 'the table'}" + (f": observed {observed}" if observed else ""),
    )
