"""Which headers of a request are stored with its delivery: those that reading needs, in lower case. Pure."""

from collections.abc import Mapping

from incidents.alerts.bodies import clean_text

# What HTTP/1 has no header for is written as HTTP/2 does, with a colon first.
PATH, METHOD = ":path", ":method"
# A key that was made up for an event without one, because its sender was told it in the answer.
DEDUP_KEY = ":dedup-key"

_STORED = frozenset(
    f"""
    {PATH} {METHOD} {DEDUP_KEY} content-type user-agent x-request-id x-grafana-org-id sentry-hook-resource
    x-amz-sns-message-type x-mlflow-delivery-id webhook-id
    """.split()
)


def stored_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Choose what reading needs; credentials are not among it. Names are in lower case."""
    wanted = {name: value for name, value in headers.items() if name in _STORED or name.startswith("ce-")}
    return {name[:100]: clean_text(value)[:2000] for name, value in list(wanted.items())[:60]}
