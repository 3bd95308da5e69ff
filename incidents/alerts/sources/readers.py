"""How each format is read: the one table from the name of a kind, or of the API that a delivery came by, to its adapter."""

from collections.abc import Callable, Mapping

from incidents.alerts.bodies import Json
from incidents.alerts.claims import Statement
from incidents.alerts.sources import (
    alertmanager,
    arize,
    aws,
    axiom,
    azure,
    cloudevents,
    databricks,
    datadog,
    dbt,
    evidently,
    gcp,
    generic,
    grafana,
    great_expectations,
    healthchecks,
    honeycomb,
    kibana,
    langfuse,
    langsmith,
    litellm,
    mapped,
    mlflow,
    monte_carlo,
    newrelic,
    opsgenie,
    pagerduty,
    sentry,
    slack,
    soda,
    splunk,
    uptime_kuma,
    wandb,
    zabbix,
)

# Headers are those that were stored with the delivery, in lower case; `:path` and `:method` are the request's own.
Adapter = Callable[[bytes, Mapping[str, str]], list[Statement]]

READERS: dict[str, Adapter] = {
    "generic": generic.read,
    "cloudevents": cloudevents.read,
    "alertmanager": alertmanager.read,
    "grafana": grafana.read,
    "datadog": datadog.read,
    "newrelic": newrelic.read,
    "honeycomb": honeycomb.read,
    "kibana": kibana.read,
    "splunk": splunk.read,
    "sentry": sentry.read,
    "dynatrace": mapped.preset("dynatrace"),
    "kapacitor": mapped.preset("kapacitor"),
    "axiom": axiom.read,
    "elastalert": mapped.preset("elastalert"),
    "zabbix": zabbix.read,
    "mlflow": mlflow.read,
    "langsmith": langsmith.read,
    "langfuse": langfuse.read,
    "arize": arize.read,
    "litellm": litellm.read,
    "wandb": wandb.read,
    "evidently": evidently.read,
    "great_expectations": great_expectations.read,
    "nannyml": generic.read,
    "whylogs": generic.read,
    "soda": soda.read,
    "monte_carlo": monte_carlo.read,
    "dbt": dbt.read,
    "databricks": databricks.read,
    "aws_sns": aws.read,
    "aws": aws.read,
    "azure": azure.read,
    "gcp": gcp.read,
    "pagerduty": pagerduty.read,
    "opsgenie": opsgenie.read,
    "slack": slack.read,
    "uptime_kuma": uptime_kuma.read,
    "healthchecks": healthchecks.read,
    "pingdom": mapped.preset("pingdom"),
}


def reader_of(kind: str, *, api: str = "", field_map: Mapping[str, Json] | None = None) -> Adapter:
    """Choose how a delivery is read: as the API it came by says, else by its source's field map, else as its kind."""
    if not api and field_map:
        return mapped.reader(field_map)
    return READERS[api or kind]
