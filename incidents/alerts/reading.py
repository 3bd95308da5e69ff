"""What a stored delivery says: its bytes read by the right adapter, and settled against the moment of its receipt."""

from dataclasses import replace
from datetime import datetime, timedelta

from incidents.alerts import bodies
from incidents.alerts.bodies import Unreadable
from incidents.alerts.claims import Claim, Statement
from incidents.alerts.models import Delivery, Source
from incidents.alerts.sources.readers import reader_of


def understand(source: Source, delivery: Delivery) -> list[Statement]:
    """Read what a delivery says, as its source and the API it came by say it is read. Raises Unreadable."""
    body = bytes(delivery.body)
    read = reader_of(source.kind, api=delivery.door, field_map=source.field_map)
    statements = read(body, delivery.headers)
    if len(statements) > source.alert_limit:
        raise Unreadable(f"It holds {len(statements):,} alerts; at most {source.alert_limit:,} are taken at once.")
    lost = ("replaced_characters",) if bodies.was_replaced(body) else ()
    lease = timedelta(minutes=source.auto_resolve_minutes) if source.auto_resolve_minutes else None
    return [_settled(statement, delivery.received_at, lost, lease) for statement in statements]


def _settled(statement: Statement, received_at: datetime, lost: tuple[str, ...], lease: timedelta | None) -> Statement:
    if not isinstance(statement, Claim):
        return statement
    own_lease = statement.lease if statement.lease or statement.expires_at else lease
    return replace(statement, flags=(*statement.flags, *lost), lease=own_lease).at(received_at)
