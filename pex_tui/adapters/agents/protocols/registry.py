"""The protocols by name; each is the module of that name, imported on first use."""

from functools import cache
from importlib import import_module
from typing import cast

from pex_tui.adapters.agents.protocols.agent_protocol import AgentProtocol
from pex_tui.adapters.agents.protocols.protocol import ProtocolMachine
from pex_tui.adapters.agents.record import AgentRecord
from pex_tui.planning.agent_definitions.runners import TALKS


@cache
def protocol_of(talk: str) -> AgentProtocol:
    """Return the protocol; raise ValueError for an unknown name."""
    if talk not in TALKS:
        raise ValueError(f"there is no protocol {talk}")
    return cast("AgentProtocol", import_module(f"{__package__}.{talk}").PROTOCOL)


def machine_of(record: AgentRecord) -> ProtocolMachine:
    """Return the machine of an attempt."""
    return protocol_of(record.talk).machine(record)
