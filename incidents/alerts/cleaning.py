"""Raw JSON values cleaned into what can be stored and shown: texts, labels, tags, links, numbers. Pure."""

import math
import re
from collections.abc import Iterable, Mapping

from incidents.alerts.bodies import Json, first_text, mapping, text_of
from incidents.texts import one_line

MAX_LABELS, MAX_LABEL_VALUE = 128, 1024
MAX_ANNOTATIONS, MAX_ANNOTATION_VALUE = 64, 8192
MAX_TITLE, MAX_DESCRIPTION = 300, 32_000


def labels_of(value: Json, *, flags: list[str]) -> dict[str, str]:
    return _texts(value, most=MAX_LABELS, longest=MAX_LABEL_VALUE, flag="labels_dropped", flags=flags)


def annotations_of(value: Json, *, flags: list[str]) -> dict[str, str]:
    return _texts(value, most=MAX_ANNOTATIONS, longest=MAX_ANNOTATION_VALUE, flag="annotations_dropped", flags=flags)


def _texts(value: Json, *, most: int, longest: int, flag: str, flags: list[str]) -> dict[str, str]:
    texts = {clip(name, 128): clip(text_of(item), longest) for name, item in mapping(value).items() if name}
    if len(texts) > most:
        flags.append(flag)
    return dict(sorted(texts.items())[:most])


def tags_of(value: Json) -> dict[str, Json]:
    """Read tags as labels: `a:b,c` in one text, a list of such, or a list of pairs or of {name, value}."""
    parts: list[Json] = list(value.split(",")) if isinstance(value, str) else value if isinstance(value, list) else []
    tags: dict[str, Json] = {}
    for part in parts:
        match part:
            case str():
                name, _, content = part.strip().partition(":")
                tags[name] = content or "true"
            case [str() as name, content]:
                tags[name] = content
            case dict():
                tags[first_text(part.get("name"), part.get("key"), part.get("label"))] = part.get("value")
    return {name: content for name, content in tags.items() if name}


def clip(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def title_of(candidates: Iterable[str], labels: Mapping[str, str]) -> str:
    title = next(
        (line for text in (*candidates, labels.get("alertname", "")) if (line := one_line(text))), "(no title)"
    )
    return clip(title, MAX_TITLE)


def safe_link(rel: str, href: Json) -> tuple[dict[str, str], ...]:
    """Keep a link that may be shown: http or https, of a sane length."""
    address = text_of(href)
    if re.match(r"https?://[^\s<>\"']+$", address) and len(address) <= 2048:
        return ({"rel": rel, "href": address},)
    return ()


# What the model, prompt, index … was: kept apart, because postmortems ask for it. The names are those of the usual
# exporters and of OpenTelemetry's conventions for generative AI.
_AI_LABELS = {
    "model": ("model", "model_name", "gen_ai.request.model", "gen_ai.response.model", "gen_ai_request_model"),
    "model_version": ("model_version", "model_revision", "version"),
    "dataset": ("dataset", "dataset_name", "data_set"),
    "feature": ("feature", "feature_name", "column"),
    "index": ("index", "index_name", "collection", "vector_store"),
    "prompt": ("prompt", "prompt_name", "prompt_version"),
    "agent": ("agent", "agent_name", "gen_ai.agent.name"),
    "tool": ("tool", "tool_name", "gen_ai.tool.name"),
    "provider": ("provider", "gen_ai.system", "gen_ai.provider.name"),
    "evaluation": ("evaluation", "evaluator", "gen_ai.evaluation.name"),
}


_AI_NAMES = frozenset(name for names in _AI_LABELS.values() for name in names)


def ai_facts(labels: Mapping[str, str]) -> dict[str, str]:
    """Say which model, prompt, index and so on the labels speak of."""
    if _AI_NAMES.isdisjoint(labels):
        return {}
    facts = {fact: first_text(*(labels.get(name) for name in names)) for fact, names in _AI_LABELS.items()}
    return {fact: clip(text, 200) for fact, text in facts.items() if text}


# Where OpenTelemetry's resources say what they are, as Prometheus keeps the names since version 3 and wrote them before.
_OTEL_SERVICE = """
    service.name k8s.deployment.name k8s_deployment_name k8s.statefulset.name k8s_statefulset_name k8s.daemonset.name
    k8s_daemonset_name k8s.cronjob.name k8s_cronjob_name service.namespace service_namespace
    """.split()
_OTEL_ENVIRONMENT = """
    deployment.environment.name deployment.environment deployment_environment_name deployment_environment
    """.split()
_OTEL_SERVICE_NAMES, _OTEL_ENVIRONMENT_NAMES = frozenset(_OTEL_SERVICE), frozenset(_OTEL_ENVIRONMENT)


def otel_service(labels: Mapping[str, str]) -> str:
    if _OTEL_SERVICE_NAMES.isdisjoint(labels):
        return ""
    return first_text(*(labels.get(name) for name in _OTEL_SERVICE))


def otel_environment(labels: Mapping[str, str]) -> str:
    if _OTEL_ENVIRONMENT_NAMES.isdisjoint(labels):
        return ""
    return first_text(*(labels.get(name) for name in _OTEL_ENVIRONMENT))


def number_of(value: Json) -> float | None:
    """Read a finite number, or None."""
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
