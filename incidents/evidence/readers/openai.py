"""Messages as OpenAI's API takes and gives them: a line each, with the answer last or beside them."""

from incidents.alerts.bodies import Json
from incidents.alerts.times import time_of
from incidents.evidence.exchange import Exchange
from incidents.evidence.readers import names
from incidents.evidence.readers.messages import conversation, messages, tool_calls
from incidents.evidence.readers.values import first, passages, written


def recognizes(value: Json) -> bool:
    return isinstance(value, dict) and (isinstance(_asked(value), list) or isinstance(value.get("choices"), list))


def exchange(value: dict[str, Json]) -> Exchange:
    rows = messages(_asked(value))
    answered = _answered(value)
    while not answered and rows and rows[-1].get("role") == "assistant":
        answered = [rows.pop()]
    return Exchange(
        input=conversation(rows),
        output=conversation(answered),
        context=passages(first(value, names.COLUMNS["context"])),
        tool_calls=tool_calls([*rows, *answered]),
        expected=written(first(value, names.COLUMNS["expected"])),
        must_not=written(first(value, names.COLUMNS["must_not"])),
        reference=written(first(value, ("custom_id", "id", "reference")))[:200],
        occurred_at=time_of(first(value, ("created", *names.COLUMNS["occurred_at"]))),
    )


def _asked(value: dict[str, Json]) -> Json:
    request = value.get("request")
    body = request.get("body", request) if isinstance(request, dict) else None
    inner = body.get("messages") if isinstance(body, dict) else None
    return first(value, ("messages",)) or inner


def _answered(value: dict[str, Json]) -> list[dict[str, Json]]:
    response = value.get("response")
    body = response.get("body", response) if isinstance(response, dict) else value
    choices = body.get("choices") if isinstance(body, dict) else None
    found = (
        [choice.get("message") for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []
    )
    return messages([message for message in found if message])
