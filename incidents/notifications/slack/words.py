"""What is answered in Slack: plain text in blocks, so that nothing people wrote marks, links or calls anybody. Pure."""

from collections.abc import Iterable
from typing import Any

from incidents.notifications.channels.slack import FALLBACK, SECTION, button, escaped, plain_text

Message = dict[str, Any]


def sentence(text: str, *links: tuple[str, str]) -> Message:
    """A sentence that only whoever asked reads, with buttons that lead somewhere."""
    blocks: list[dict[str, Any]] = [{"type": "section", "text": plain_text(text, SECTION)}]
    if links:
        elements = [button(label, f"open-{number}", url=url) for number, (label, url) in enumerate(links)]
        blocks.append({"type": "actions", "elements": elements})
    return ephemeral(text, blocks)


def listed(heading: str, rows: Iterable[tuple[str, str, str]]) -> Message:
    """Rows of a text, the label of a button and where it leads."""
    blocks: list[dict[str, Any]] = [{"type": "section", "text": plain_text(heading, SECTION)}]
    for number, (text, label, url) in enumerate(rows):
        section = {
            "type": "section",
            "text": plain_text(text, 500),
            "accessory": button(label, f"open-{number}", url=url),
        }
        blocks.append(section)
    return ephemeral(heading, blocks)


def ephemeral(text: str, blocks: list[dict[str, Any]]) -> Message:
    """What nobody else in the channel sees, and what no later answer takes away."""
    return {
        "response_type": "ephemeral",
        "replace_original": False,
        "text": escaped(text, FALLBACK),
        "blocks": blocks,
        "unfurl_links": False,
        "unfurl_media": False,
    }


def replacing(text: str, blocks: list[dict[str, Any]]) -> Message:
    """What takes the place of the message whose button was pressed."""
    return {"replace_original": True, "text": escaped(text, FALLBACK), "blocks": blocks}
