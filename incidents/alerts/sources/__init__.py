"""One module a format, each a pure function from bytes and headers to claims."""

from collections.abc import Callable, Mapping

from incidents.alerts.claims import Claim
from incidents.alerts.sources import alertmanager, generic, grafana

Adapter = Callable[[bytes, Mapping[str, str]], list[Claim]]

ADAPTERS: dict[str, Adapter] = {
    "alertmanager": alertmanager.read,
    "grafana": grafana.read,
    "generic": generic.read,
}
