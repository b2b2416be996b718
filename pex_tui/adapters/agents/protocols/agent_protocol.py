"""What a protocol of agents declares of itself, in the module that bears its name."""

from collections.abc import Callable

from msgspec import Struct

from pex_tui.adapters.agents.protocols.protocol import Dialect
from pex_tui.adapters.agents.record import AgentRecord
from pex_tui.core.model.plan import Brief

Environment = dict[str, str]


def no_options(brief: Brief, record: AgentRecord) -> tuple[str, ...]:
    """Return no options: the program is told everything through its protocol."""
    del brief, record
    return ()


def as_passed(talk: str, passed: Environment) -> Environment:
    """Return the environment as it is."""
    del talk
    return passed


class AgentProtocol(Struct, frozen=True, kw_only=True):
    """How the agents of one protocol are started and understood.

    `options` are the arguments after the runner's own. `variables` are patterns of those of the
    user's environment that agents of this provider need under any protocol, and `environment`
    makes the environment that they get. With `is_spoken` the engine writes to the agent's stdin,
    with `is_bound_to_folder` a session can only be continued in the folder where it began, and
    with `takes_preamble` the options carry the definition's prompt. An agent that `asks_by_mode`
    knows neither rules nor leases itself, and is told to ask where there are any.
    """

    dialect: Callable[[AgentRecord], Dialect]
    options: Callable[[Brief, AgentRecord], tuple[str, ...]] = no_options
    variables: tuple[str, ...] = ()
    environment: Callable[[str, Environment], Environment] = as_passed
    is_spoken: bool = False
    is_bound_to_folder: bool = True
    takes_preamble: bool = False
    asks_by_mode: bool = False


def as_argument(prompt: str) -> str:
    """Return the prompt such that no program takes it for an option."""
    return f"\n{prompt}" if prompt.startswith("-") else prompt
