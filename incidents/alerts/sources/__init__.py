"""One module a format, each a pure function from bytes and headers to statements; and the catalogue of what connects."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from incidents.alerts.claims import Statement
from incidents.alerts.sources import (
    alertmanager,
    arize,
    aws,
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
)

# Headers are those that the door kept, in lower case; `:path` and `:method` are the request's own.
Adapter = Callable[[bytes, Mapping[str, str]], list[Statement]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A monitor that connects: how it is read, and what has to be known of it."""

    slug: str
    name: str
    group: str
    read: Adapter
    about: str
    scheme: str = ""  # how it signs, by its name in signatures.py
    resolves: bool = True  # False: it never says that something is over
    methods: tuple[str, ...] = ("POST",)
    answers: str = "json"  # or "ok", as Slack does

    @property
    def icon(self) -> str:
        return _ICONS[self.group]


GROUPS = {
    "own": "Your own code",
    "metrics": "Metrics and alerting",
    "models": "Models, agents and assistants",
    "quality": "Data and its quality",
    "cloud": "Clouds",
    "compatible": "Whatever can notify somebody else",
    "up": "Is it up?",
}

_KINDS = (
    Kind(slug="generic", name="Generic JSON", group="own", read=generic.read, scheme="faultline",
         about="A little JSON from your code, or any JSON with a field map"),
    Kind(slug="cloudevents", name="CloudEvents", group="own", read=cloudevents.read,
         about="Events in CloudEvents 1.0: Knative, Argo, your bus"),
    Kind(slug="alertmanager", name="Prometheus Alertmanager", group="metrics", read=alertmanager.read,
         about="Alertmanager’s webhook, or Prometheus itself"),
    Kind(slug="grafana", name="Grafana", group="metrics", read=grafana.read, scheme="grafana",
         about="Grafana’s alerting, old and new"),
    Kind(slug="datadog", name="Datadog", group="metrics", read=datadog.read, about="Monitors of Datadog, LLM Observability included"),
    Kind(slug="newrelic", name="New Relic", group="metrics", read=newrelic.read, about="Workflows of New Relic"),
    Kind(slug="honeycomb", name="Honeycomb", group="metrics", read=honeycomb.read, scheme="honeycomb",
         about="Triggers and burn alerts"),
    Kind(slug="kibana", name="Elastic", group="metrics", read=kibana.read, about="Rules of Kibana, by its webhook connector"),
    Kind(slug="splunk", name="Splunk", group="metrics", read=splunk.read, resolves=False, about="Saved searches with a webhook"),
    Kind(slug="sentry", name="Sentry", group="metrics", read=sentry.read, scheme="sentry",
         about="Issues, issue alerts and metric alerts"),
    Kind(slug="dynatrace", name="Dynatrace", group="metrics", read=mapped.preset("dynatrace"), about="Problem notifications"),
    Kind(slug="kapacitor", name="Kapacitor", group="metrics", read=mapped.preset("kapacitor"), about="InfluxData’s alerts by HTTP"),
    Kind(slug="axiom", name="Axiom", group="metrics", read=mapped.preset("axiom"), about="Monitors of Axiom"),
    Kind(slug="elastalert", name="ElastAlert", group="metrics", read=mapped.preset("elastalert"), resolves=False,
         about="ElastAlert’s HTTP POST"),
    Kind(slug="zabbix", name="Zabbix", group="metrics", read=mapped.preset("zabbix"), about="Zabbix’s webhook media type"),
    Kind(slug="mlflow", name="MLflow", group="models", read=mlflow.read, scheme="mlflow", resolves=False,
         about="Budgets as alerts; models, versions and prompts as changes"),
    Kind(slug="langsmith", name="LangSmith", group="models", read=langsmith.read, resolves=False, about="Alerts on runs and feedback"),
    Kind(slug="langfuse", name="Langfuse", group="models", read=langfuse.read, scheme="langfuse", about="New prompt versions as changes"),
    Kind(slug="arize", name="Arize and Phoenix", group="models", read=arize.read, about="Online evaluations; prompt versions as changes"),
    Kind(slug="litellm", name="LiteLLM", group="models", read=litellm.read, resolves=False, about="Budgets, outages and slow answers"),
    Kind(slug="wandb", name="Weights & Biases", group="models", read=wandb.read, scheme="wandb",
         about="Automations: runs as alerts, artifacts as changes"),
    Kind(slug="evidently", name="Evidently", group="quality", read=evidently.read, about="Drift and quality tests of a report"),
    Kind(slug="great_expectations", name="Great Expectations", group="quality", read=great_expectations.read,
         about="What a checkpoint found"),
    Kind(slug="nannyml", name="NannyML", group="quality", read=generic.read, about="Estimated performance and drift, in ten lines"),
    Kind(slug="whylogs", name="whylogs", group="quality", read=generic.read, about="Constraints on profiles, in ten lines"),
    Kind(slug="soda", name="Soda Cloud", group="quality", read=soda.read, about="Checks and incidents of Soda"),
    Kind(slug="monte_carlo", name="Monte Carlo", group="quality", read=monte_carlo.read, scheme="monte_carlo",
         about="Data observability’s alerts"),
    Kind(slug="dbt", name="dbt Cloud", group="quality", read=dbt.read, scheme="dbt", about="Runs that failed, and the next that succeeded"),
    Kind(slug="databricks", name="Databricks", group="quality", read=databricks.read, about="Jobs and SQL alerts"),
    Kind(slug="aws_sns", name="Amazon CloudWatch by SNS", group="cloud", read=aws.read, scheme="aws_sns",
         about="Alarms, SageMaker’s too, with SNS’s signature verified"),
    Kind(slug="aws", name="Amazon EventBridge", group="cloud", read=aws.read, about="EventBridge API destinations, Lambda, SageMaker’s reports"),
    Kind(slug="azure", name="Azure Monitor", group="cloud", read=azure.read, about="Action groups with the common alert schema"),
    Kind(slug="gcp", name="Google Cloud Monitoring", group="cloud", read=gcp.read, about="Alert policies, Vertex AI’s too, by webhook or Pub/Sub"),
    Kind(slug="pagerduty", name="PagerDuty-compatible", group="compatible", read=pagerduty.read,
         about="Whatever can send Events API v2: change one URL"),
    Kind(slug="opsgenie", name="Opsgenie-compatible", group="compatible", read=opsgenie.read, about="Whatever can call Opsgenie’s Alert API"),
    Kind(slug="slack", name="Slack-compatible", group="compatible", read=slack.read, answers="ok",
         about="Whatever can post to a Slack webhook"),
    Kind(slug="uptime_kuma", name="Uptime Kuma", group="up", read=uptime_kuma.read, methods=("GET", "POST"), about="Probes of Uptime Kuma"),
    Kind(slug="healthchecks", name="healthchecks.io", group="up", read=healthchecks.read, methods=("POST", "PUT"),
         about="Jobs that did not report"),
    Kind(slug="pingdom", name="Pingdom", group="up", read=mapped.preset("pingdom"), about="Checks of Pingdom"),
)  # fmt: skip

_ICONS = {
    "own": "braces", "metrics": "chart-no-axes-combined", "models": "bot", "quality": "database", "cloud": "cloud",
    "compatible": "plug", "up": "heart-pulse",
}  # fmt: skip
_EXAMPLES = Path(__file__).parent / "examples"

KINDS = {kind.slug: kind for kind in _KINDS}


def example(slug: str) -> bytes:
    """Give a delivery such as this monitor sends, written by us: for the test button, the documents and the tests."""
    return (_EXAMPLES / f"{slug}.json").read_bytes()


def choices() -> list[tuple[str, str]]:
    return [(kind.slug, kind.name) for kind in _KINDS]


def by_group() -> dict[str, list[Kind]]:
    return {title: [kind for kind in _KINDS if kind.group == group] for group, title in GROUPS.items()}
