"""What the beginning of a title says, and what is left of it as the name of the thing."""

import pytest

from incidents.alerts.sources import headings
from incidents.alerts.statuses import FIRING, NO_DATA, RESOLVED

NAME = "Groundedness p50"


@pytest.mark.parametrize(
    ("title", "status", "severity", "scope"),
    [
        ("[Triggered on {service:rag}] Groundedness p50", FIRING, "", "service:rag"),
        ("[P2] [Re-Triggered on {service:rag}] Groundedness p50", FIRING, "p2", "service:rag"),
        ("[Recovered on {service:rag}] Groundedness p50", RESOLVED, "", "service:rag"),
        ("[No data] Groundedness p50", NO_DATA, "", ""),
        ("[Warn] Groundedness p50", FIRING, "warning", ""),
        ("[Alerting] Groundedness p50", FIRING, "", ""),
        ("[TEST] [Triggered] Groundedness p50", headings.TEST, "", ""),
    ],
)
def test_brackets_say_what_happened(title: str, status: object, severity: str, scope: str) -> None:
    assert headings.in_brackets(title) == (NAME, status, severity, scope)
    assert headings.of_message(title) == (NAME, status, severity, scope)


@pytest.mark.parametrize(
    ("title", "status"),
    [
        ("[FIRING:1] Groundedness p50", FIRING),
        ("[FIRING:2, RESOLVED:1] Groundedness p50", FIRING),
        ("[RESOLVED] Groundedness p50", RESOLVED),
        (":fire: *Groundedness p50*", FIRING),
        ("⚠️ Groundedness p50", FIRING),
        ("✅ Resolved: Groundedness p50", RESOLVED),
        (":rotating_light: [RESOLVED] Groundedness p50", RESOLVED),
        ("*Resolved:* Groundedness p50", RESOLVED),
        ("Resolved in 5m: Groundedness p50", RESOLVED),
        ("Recovered Groundedness p50", RESOLVED),
        ("Problem: Groundedness p50", FIRING),
        ("Groundedness p50", None),
    ],
)
def test_a_message_begins_in_more_ways(title: str, status: object) -> None:
    heading = headings.of_message(title)
    assert (heading.name, heading.status) == (NAME, status)


@pytest.mark.parametrize(
    "title",
    ["[gpt-5] Recall is low", "OK rate below 0.8", "Recovery takes long", "Error budget burns", "Alert fatigue"],
)
def test_what_belongs_to_the_name_stays(title: str) -> None:
    assert headings.of_message(title) == headings.Heading(title)
