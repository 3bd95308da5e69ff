"""Splunk's webhook alert action: a fixed body with the first result's row. It never resolves."""

from collections.abc import Mapping

from incidents.alerts.bodies import Unreadable, first_text, mapping, payload, text_of
from incidents.alerts.claims import Statement, claim_from


def read(body: bytes, headers: Mapping[str, str]) -> list[Statement]:
    sent = mapping(payload(body, headers))
    result, search = mapping(sent.get("result")), text_of(sent.get("search_name"))
    if not result and not search and not sent.get("sid"):
        raise Unreadable("This is no Splunk alert: it has neither a search’s name nor a result.")
    app, owner = text_of(sent.get("app")), text_of(sent.get("owner"))
    about = [text_of(result.get(column)) for column in ("key", "system", "service", "environment", "model")]
    return [
        claim_from(
            title=(search, f"Splunk search in {app or 'an app'} of {owner or 'somebody'}"),
            description=(result.get("_raw"), result.get("message")),
            # Not the sid: it is new on each run. A search may notify once for each result.
            identity=("splunk/2", app, owner, search, *about) if search else (),
            former=[("splunk/1", app, owner, search)] if search else (),
            severity=first_text(result.get("severity"), result.get("level")),
            system=result.get("system"),
            service=first_text(result.get("service"), result.get("host")),
            names=(result.get("metric"), search),
            labels=result,
            metric=result.get("metric"),
            value=first_text(result.get("value"), result.get("count")),
            starts_at=result.get("_time"),
            links=(("source", sent.get("results_link")),),
            upstream_id=search,
        )
    ]
