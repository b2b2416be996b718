"""The common base of events."""

import re

from msgspec import Struct


def _name(of: str) -> str:
    """Return the name in JSON: `AgentStarted` is `agent_started`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", of).lower()


class BaseEvent(
    Struct, frozen=True, kw_only=True, tag_field="event", tag=_name, forbid_unknown_fields=True
):
    """The base of all events; `at` is 0 until the engine stamps it."""

    at: float = 0.0
