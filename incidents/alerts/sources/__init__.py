"""The catalogue of what connects. Beside it one module a format, each a pure function from bytes and headers to
statements; `readers.py` says which reads what. The catalogue knows none of them, so that who receives needs none."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceKind:
    """A monitor that connects, and what has to be known of it."""

    slug: str
    name: str
    group: str
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

# A table: one kind a line.
_KINDS = (
    SourceKind(slug="generic", name="Generic JSON", group="own", scheme="faultline", about="A little JSON from your code, or any JSON with a field map"),
    SourceKind(slug="cloudevents", name="CloudEvents", group="own", about="Events in CloudEvents 1.0: Knative, Argo, your bus"),
    SourceKind(slug="alertmanager", name="Prometheus Alertmanager", group="metrics", about="Alertmanager’s webhook, or Prometheus itself"),
    SourceKind(slug="grafana", name="Grafana", group="metrics", scheme="grafana", about="Grafana’s alerting, old and new"),
    SourceKind(slug="datadog", name="Datadog", group="metrics", about="Monitors of Datadog, LLM Observability included"),
    SourceKind(slug="newrelic", name="New Relic", group="metrics", about="Workflows of New Relic"),
    SourceKind(slug="honeycomb", name="Honeycomb", group="metrics", scheme="honeycomb", about="Triggers and burn alerts"),
    SourceKind(slug="kibana", name="Elastic", group="metrics", about="Rules of Kibana, by its webhook connector"),
    SourceKind(slug="splunk", name="Splunk", group="metrics", resolves=False, about="Saved searches with a webhook"),
    SourceKind(slug="sentry", name="Sentry", group="metrics", scheme="sentry", about="Issues, issue alerts and metric alerts"),
    SourceKind(slug="dynatrace", name="Dynatrace", group="metrics", about="Problem notifications"),
    SourceKind(slug="kapacitor", name="Kapacitor", group="metrics", about="InfluxData’s alerts by HTTP"),
    SourceKind(slug="axiom", name="Axiom", group="metrics", about="Monitors of Axiom"),
    SourceKind(slug="elastalert", name="ElastAlert", group="metrics", resolves=False, about="ElastAlert’s HTTP POST"),
    SourceKind(slug="zabbix", name="Zabbix", group="metrics", about="Zabbix’s webhook media type"),
    SourceKind(slug="mlflow", name="MLflow", group="models", scheme="mlflow", resolves=False, about="Budgets as alerts; models, versions and prompts as changes"),
    SourceKind(slug="langsmith", name="LangSmith", group="models", resolves=False, about="Alerts on runs and feedback"),
    SourceKind(slug="langfuse", name="Langfuse", group="models", scheme="langfuse", about="New prompt versions as changes"),
    SourceKind(slug="arize", name="Arize and Phoenix", group="models", about="Online evaluations; prompt versions as changes"),
    SourceKind(slug="litellm", name="LiteLLM", group="models", resolves=False, about="Budgets, outages and slow answers"),
    SourceKind(slug="wandb", name="Weights & Biases", group="models", scheme="wandb", about="Automations: runs as alerts, artifacts as changes"),
    SourceKind(slug="evidently", name="Evidently", group="quality", about="Drift and quality tests of a report"),
    SourceKind(slug="great_expectations", name="Great Expectations", group="quality", about="What a checkpoint found"),
    SourceKind(slug="nannyml", name="NannyML", group="quality", about="Estimated performance and drift, in ten lines"),
    SourceKind(slug="whylogs", name="whylogs", group="quality", about="Constraints on profiles, in ten lines"),
    SourceKind(slug="soda", name="Soda Cloud", group="quality", about="Checks and incidents of Soda"),
    SourceKind(slug="monte_carlo", name="Monte Carlo", group="quality", scheme="monte_carlo", about="Data observability’s alerts"),
    SourceKind(slug="dbt", name="dbt Cloud", group="quality", scheme="dbt", about="Runs that failed, and the next that succeeded"),
    SourceKind(slug="databricks", name="Databricks", group="quality", about="Jobs and SQL alerts"),
    SourceKind(slug="aws_sns", name="Amazon CloudWatch by SNS", group="cloud", scheme="aws_sns", about="Alarms, SageMaker’s too, with SNS’s signature verified"),
    SourceKind(slug="aws", name="Amazon EventBridge", group="cloud", about="EventBridge API destinations, Lambda, SageMaker’s reports"),
    SourceKind(slug="azure", name="Azure Monitor", group="cloud", about="Action groups with the common alert schema"),
    SourceKind(slug="gcp", name="Google Cloud Monitoring", group="cloud", about="Alert policies, Vertex AI’s too, by webhook or Pub/Sub"),
    SourceKind(slug="pagerduty", name="PagerDuty-compatible", group="compatible", about="Whatever can send Events API v2: change one URL"),
    SourceKind(slug="opsgenie", name="Opsgenie-compatible", group="compatible", about="Whatever can call Opsgenie’s Alert API"),
    SourceKind(slug="slack", name="Slack-compatible", group="compatible", answers="ok", about="Whatever can post to a Slack webhook"),
    SourceKind(slug="uptime_kuma", name="Uptime Kuma", group="up", methods=("GET", "POST"), about="Probes of Uptime Kuma"),
    SourceKind(slug="healthchecks", name="healthchecks.io", group="up", methods=("POST", "PUT"), about="Jobs that did not report"),
    SourceKind(slug="pingdom", name="Pingdom", group="up", about="Checks of Pingdom"),
)  # fmt: skip

_ICONS = {
    "own": "braces",
    "metrics": "chart-no-axes-combined",
    "models": "bot",
    "quality": "database",
    "cloud": "cloud",
    "compatible": "plug",
    "up": "heart-pulse",
}
_EXAMPLES = Path(__file__).parent / "examples"

KINDS = {kind.slug: kind for kind in _KINDS}


def example(slug: str) -> bytes:
    """Give a delivery such as this monitor sends, written by us: for the test button, the documents and the tests."""
    return (_EXAMPLES / f"{slug}.json").read_bytes()


def choices() -> list[tuple[str, str]]:
    return [(kind.slug, kind.name) for kind in _KINDS]


def by_group() -> dict[str, list[SourceKind]]:
    return {title: [kind for kind in _KINDS if kind.group == group] for group, title in GROUPS.items()}
