"""What must never stand in a log line."""

import re
from typing import Any

_SECRETS = re.compile(
    r"(?<=/ingest/)[0-9a-fA-F]{32}"  # a source's token in an address
    r"|(?<=/pagers/)[0-9a-fA-F]{32}"  # where a pager answers
    r"|(?<=/slack/connect/)[\w-]{16,}"  # what connects an account of Slack
    r"|(?<=/act/)[\w-]{16,}"  # what lets somebody act from a message
    r"|(?<=/unsubscribe/)[\w:.-]{16,}"
    r"|(?<=/shared/)[\w-]{16,}"  # the secret of a shared postmortem
    r"|(?<=/calendars/)[\w-]{16,}"  # that of a calendar of shifts
    r"|(?<=/password/reset/key/)[\w-]+"  # the way to a new password
    r"|\bflk_[0-9a-f]{16,}"  # an API key
    r"|(?<=Bearer )\S+|(?<=Basic )\S+"
    r"|(?<=[/\w])\?[\w%.~-]+=[^\s\"'<>]*",  # what somebody searched for
)


def cut_secrets(_logger: Any, _method: str, line: Any) -> Any:
    """Cut tokens and keys out of a rendered line. The last processor, so that nothing can slip in behind it."""
    return _SECRETS.sub("[cut]", line) if isinstance(line, str) else line
