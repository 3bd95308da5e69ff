"""What went wrong at the example, by system: each story with its cause and what was learnt from it."""

from incidents.demonstration.stories.assistants import ASSISTANTS
from incidents.demonstration.stories.discovery import DISCOVERY
from incidents.demonstration.stories.operations import OPERATIONS
from incidents.demonstration.stories.platform import PLATFORM
from incidents.demonstration.stories.risk import RISK
from incidents.demonstration.stories.telling import Cost, Failure, Happening, Signal

__all__ = ["FAILURES", "Cost", "Failure", "Happening", "Signal"]

FAILURES = (*ASSISTANTS, *RISK, *DISCOVERY, *OPERATIONS, *PLATFORM)
