"""Grafana's unified alerting webhook: an Alertmanager group with values, panels and a fingerprint of its own."""

from collections.abc import Mapping
from dataclasses import replace

from incidents.alerts import claims
from incidents.alerts.claims import Claim, Json, Unreadable
from incidents.alerts.sources import alertmanager


def read(body: bytes, headers: Mapping[str, str]) -> list[Claim]:
    group = claims.mapping(claims.load(body))
    alerts = group.get("alerts")
    if not isinstance(alerts, list):
        raise Unreadable("This is no Grafana notification: it has no list “alerts”.")
    return [_read_alert(claims.mapping(alert), group=group) for alert in alerts]


def _read_alert(alert: dict[str, Json], *, group: dict[str, Json]) -> Claim:
    claim = alertmanager.read_alert(alert, group=group)
    return replace(
        claim,
        identity=_identity(alert, claim, org=claims.text_of(group.get("orgId"))),
        value=claim.value or _value(alert),
        links=(
            *claim.links,
            *claims.link("dashboard", alert.get("dashboardURL")),
            *claims.link("panel", alert.get("panelURL")),
            *claims.link("silence", alert.get("silenceURL")),
        ),
        # A contact point's test; its group key holds a clock, so it would otherwise be new on every click.
        is_test=claim.labels.get("alertname") == "TestAlert" and claim.labels.get("instance") == "Grafana",
    )


def _identity(alert: dict[str, Json], claim: Claim, *, org: str) -> tuple[str, ...]:
    # Grafana hashes hidden labels too, so its fingerprint cannot be computed again from what it shows.
    if fingerprint := claims.text_of(alert.get("fingerprint")):
        return ("grafana/1", org, fingerprint)
    return ("grafana-labels/1", org, *alertmanager.identity_of_labels(claim.labels))


def _value(alert: dict[str, Json]) -> str:
    """Show the measured values; a condition's 0 or 1 says only that it fired."""
    values = {name: value for name, value in claims.mapping(alert.get("values")).items() if value not in (0, 1, None)}
    shown = ", ".join(f"{name}={claims.text_of(value)}" for name, value in sorted(values.items()))
    return claims.clip(shown or claims.text_of(alert.get("valueString")), 100)
