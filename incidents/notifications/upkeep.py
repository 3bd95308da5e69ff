"""All of being told, in order: who is concerned, who is next, and what is due. Workers do it, and the sweeper without them."""

from incidents.notifications.announcing import announce
from incidents.notifications.escalation import climb
from incidents.notifications.sending import send


def notify() -> int:
    """Announce, climb and send; returns how many messages went out. Safe to run anywhere, at any time, by several at once."""
    announce()
    climb()
    return send()
