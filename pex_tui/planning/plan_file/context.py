"""The context that a plan is parsed in: library, repository, history and configuration."""

from collections.abc import Callable, Mapping
from functools import cached_property

from msgspec import Struct, field

from pex_tui.core.figures.experience import Experience
from pex_tui.core.model.ids import AgentName
from pex_tui.core.model.plan import Isolation
from pex_tui.planning.agent_definitions.definition import AgentDefinition
from pex_tui.planning.agent_definitions.runners import COMMAND, Runners

ProgramFinder = Callable[[str], str | None]
"""Finds a program, or None: a name with a slash in the repository, any other on the PATH."""

DEFAULT_ESTIMATE_SECONDS = 60.0


def _trust_programs(program: str) -> str | None:
    return program


class PlanContext(Struct, frozen=True, dict=True):
    """Everything that parsing needs besides the plan's text.

    `tracked` are the paths that git tracks, `experience` durations learned from earlier runs.
    `isolation` is the configured default; `break_cycles` drops needs instead of refusing a cycle.
    `folder` is the location of the plan, the default for its tasks. `memory_bytes` is the machine's
    total memory, None if unknown.
    """

    agents: Mapping[AgentName, AgentDefinition] = field(default_factory=dict)
    find_program: ProgramFinder = _trust_programs
    tracked: frozenset[str] = frozenset()
    experience: Experience = field(default_factory=Experience)
    isolation: Isolation = Isolation.AUTO
    runners: Runners = field(default_factory=Runners)
    estimate_seconds: float = DEFAULT_ESTIMATE_SECONDS
    break_cycles: bool = False
    memory_bytes: int | None = None
    folder: str = ""

    @cached_property
    def folders(self) -> frozenset[str]:
        """Return every folder that holds a tracked file."""
        return frozenset(
            path[:end]
            for path in self.tracked
            for end, character in enumerate(path)
            if character == "/"
        )


def runs_by(agent: AgentDefinition, context: PlanContext) -> str | None:
    """Name what runs the agent on this machine; None when nothing can."""
    if agent.argv is not None and context.runners.names_for(agent) == COMMAND:
        there = context.find_program(agent.argv[0]) is not None
        return "its own command" if there else None
    runner = context.runners.find(agent, context.find_program)
    return None if isinstance(runner, str) else runner.name
