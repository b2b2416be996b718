"""The declaration of an agent protocol, made by the module that bears the protocol's name."""

from collections.abc import Callable

from msgspec import Struct

from pex_tui.adapters.agents.protocols.protocol import ProtocolMachine
from pex_tui.adapters.agents.record import AgentRecord
from pex_tui.adapters.sandbox.policy import Grant
from pex_tui.core.model.plan import Brief

Environment = dict[str, str]


def no_options(brief: Brief, record: AgentRecord) -> tuple[str, ...]:
    """Return no options: the program receives everything through its protocol."""
    del brief, record
    return ()


def as_passed(talk: str, passed: Environment) -> Environment:
    """Return the environment unchanged."""
    del talk
    return passed


class AgentProtocol(Struct, frozen=True, kw_only=True):
    """The start and the output format of the agents of one protocol.

    `options` are the arguments after the runner's own. `variables` are patterns of the user's
    variables that agents of this provider need under any protocol, and `environment` adapts the
    environment that they get. `grant` is what they need of the home in a sandbox. With `is_spoken`,
    the engine writes to the agent's stdin. With `is_bound_to_folder`, a session can only be
    continued in the folder it began in. With `takes_preamble`, the options carry the definition's
    prompt. With `asks_by_mode`, the agent knows neither rules nor leases and is told to ask
    whenever there are any.
    """

    machine: Callable[[AgentRecord], ProtocolMachine]
    options: Callable[[Brief, AgentRecord], tuple[str, ...]] = no_options
    variables: tuple[str, ...] = ()
    grant: Grant = Grant()
    environment: Callable[[str, Environment], Environment] = as_passed
    is_spoken: bool = False
    is_bound_to_folder: bool = True
    takes_preamble: bool = False
    asks_by_mode: bool = False


def as_argument(prompt: str) -> str:
    """Return the prompt in a form that no program takes for an option."""
    return f"\n{prompt}" if prompt.startswith("-") else prompt
