"""Whatever a monitor sends is read or rejected, and never breaks a worker."""

import contextlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents.alerts.bodies import Unreadable
from incidents.alerts.claims import Claim
from incidents.alerts.models import Alert, Delivery, Source
from incidents.alerts.sources import KINDS, example
from incidents.alerts.sources.readers import READERS
from incidents.people.models import User
from tests.tools import not_tested

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "formats"

# Sources whose folder of samples has another name than the kind that reads them.
READ_AS = {
    "prometheus_direct": "alertmanager",
    "grafana_legacy": "grafana",
    "pagerduty_events_v2": "pagerduty",
    "slack_compatible": "slack",
    "aws_eventbridge": "aws",
    "azure_monitor": "azure",
    "gcp_monitoring": "gcp",
    "dbt_cloud": "dbt",
}


def samples() -> list[dict[str, Any]]:
    if not SAMPLES.exists():
        return []
    found: list[dict[str, Any]] = json.loads((SAMPLES / "manifest.json").read_text())
    return [sample for sample in found if (SAMPLES / sample["file"]).exists()]


def headers_of(sample: dict[str, Any]) -> dict[str, str]:
    headers = {name.lower(): value for name, value in sample["request"]["headers"].items()}
    media = sample["request"]["content_type"]
    return headers | ({"content-type": media} if media else {})


def test_the_samples_of_others_give_the_alerts_that_were_agreed() -> None:
    if not (listed := samples()):
        not_tested.append("Other people’s samples of alert formats are not beside this project, so they were not read.")
        pytest.skip("no samples beside the project")
    for sample in listed:
        body, kind = (SAMPLES / sample["file"]).read_bytes(), READ_AS.get(sample["source"], sample["source"])
        statements = READERS[kind](body, headers_of(sample))
        # Prometheus' leases are told in times of their capture.
        captured = datetime(2026, 11, 23, 2, 2, tzinfo=UTC) if sample["kind"] == "firing" else datetime.now(UTC)
        claims = [statement.at(captured) for statement in statements if isinstance(statement, Claim)]
        expected = sample["expect"]
        assert expected["alerts"] in (None, len(claims)), sample["id"]
        assert expected["statuses"] in (None, [claim.says for claim in claims]), sample["id"]


def bodies() -> Iterator[tuple[str, Any, dict[str, str]]]:
    for slug in KINDS:
        yield slug, json.loads(example(slug)), {}
    for sample in samples():
        if sample["strict_json"]:
            yield (
                READ_AS.get(sample["source"], sample["source"]),
                json.loads((SAMPLES / sample["file"]).read_bytes()),
                headers_of(sample),
            )


RETYPED: tuple[Any, ...] = (None, 7, -1.5, True, "", "x", "\x00", "9" * 400, [], [None], {}, {"a": {"b": []}})


def mutations(value: Any) -> Iterator[Any]:
    """The value with each of its keys and items once removed and once retyped, at any depth."""
    places: list[Any] = (
        list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    )
    for place in places:
        less = value.copy()
        del less[place]
        yield less
        for other in RETYPED:
            retyped = value.copy()
            retyped[place] = other
            yield retyped
        for deeper in mutations(value[place]):
            again = value.copy()
            again[place] = deeper
            yield again


@pytest.mark.parametrize(
    ("slug", "body", "headers"), [pytest.param(*found, id=f"{found[0]}-{n}") for n, found in enumerate(bodies())]
)
def test_whatever_key_is_missing_or_of_another_type_it_is_read_or_refused(
    slug: str, body: Any, headers: dict[str, str]
) -> None:
    for mutated in mutations(body):
        try:
            statements = READERS[slug](json.dumps(mutated).encode(), headers)
        except Unreadable:
            continue
        for statement in statements:
            check_storable(statement)


def check_storable(statement: Any) -> None:
    if not isinstance(statement, Claim):
        return
    assert 0 < len(statement.title) <= 300
    assert len(statement.severity_raw) <= 64
    assert len(statement.system_name) <= 200
    assert len(statement.service) <= 200
    assert len(statement.environment) <= 100
    assert len(statement.group) <= 512
    assert len(statement.upstream_id) <= 512
    assert len(statement.measured.text) <= 100
    assert "\x00" not in repr(statement)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_json_at_all_is_read_or_refused_by_every_kind(body: Any) -> None:
    for kind in KINDS.values():
        try:
            for statement in READERS[kind.slug](json.dumps(body).encode(), {}):
                check_storable(statement)
        except Unreadable:
            pass


@settings(max_examples=60, deadline=None)
@given(
    body=st.binary(),
    media=st.sampled_from(
        [
            "",
            "application/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "multipart/form-data",
        ]
    ),
)
def test_any_bytes_at_all_are_read_or_refused_by_every_kind(body: bytes, media: str) -> None:
    for kind in KINDS.values():
        with contextlib.suppress(Unreadable):
            READERS[kind.slug](body, {"content-type": media})


def test_a_label_called_items_is_shown_like_any_other(
    evaluations: tuple[Source, str], tell: Callable[..., Alert], jo: User, as_person: Callable[[User], Client]
) -> None:
    """A template's `labels.items` is the label “items”, where there is one, and looping over its letters ends in 500."""
    browser = as_person(jo)
    named = {"items": "seven", "keys": "eight", "values": "nine"}
    alert = tell("Recall fell", labels=named, annotations=named)
    delivery = Delivery.objects.latest("pk")
    delivery.headers |= named
    delivery.save(update_fields=["headers"])
    source = evaluations[0]
    pages = (alert.get_absolute_url(), delivery.get_absolute_url(), f"{source.get_absolute_url()}map/")
    for path in pages:
        assert browser.get(path).status_code == 200, path
    assert all(word in browser.get(pages[0]).content.decode() for word in named.values())
    tried = browser.post(pages[2], {"preview": "1", "sample": "{}", "items": "a[", "title": "b["})
    assert tried.status_code == 200
    assert "Items: " in tried.content.decode()
