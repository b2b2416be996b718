"""What runs agents with a model: the runners that are known, found here, and chosen for whom."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pex_tui.core.model.plan import PermissionMode, PermissionRules, Talk
from pex_tui.planning.agent_definitions.definition import AgentDefinition
from pex_tui.planning.fields.validation_text import nearest

AUTO = "auto"
COMMAND = "command"
EVERYONE = "*"


@dataclass(frozen=True, slots=True)
class Runner:
    """A program that runs agents, and how it is spoken with."""

    name: str
    talk: Talk
    argv: tuple[str, ...]


PRESETS = (  # in the order in which one is chosen: those that ask before they act come first
    Runner("claude", Talk.CLAUDE, ("claude",)),
    Runner("claude-acp", Talk.ACP, ("claude-agent-acp",)),
    Runner("codex-acp", Talk.ACP, ("codex-acp",)),
    Runner("codex", Talk.CODEX, ("codex",)),
    Runner("gemini-acp", Talk.ACP, ("gemini", "--experimental-acp")),
    Runner("gemini", Talk.GEMINI, ("gemini",)),
    Runner("opencode-acp", Talk.ACP, ("opencode", "acp")),
    Runner("opencode", Talk.OPENCODE, ("opencode",)),
)
"""The runners that need no configuration."""


@dataclass(frozen=True)
class Runners:
    """Which runner is for whom.

    `own` are those of the configuration, which may replace a preset of the same name; `chosen` maps
    agents, or "*" for all of them, to runners; `default` is for the rest, "auto" being the first
    one that is installed. `permissions` hold for all agents, with what their definitions add.
    """

    own: tuple[Runner, ...] = ()
    chosen: Mapping[str, str] = field(default_factory=dict)
    default: str = AUTO
    permissions: PermissionRules = field(default_factory=PermissionRules)

    @property
    def known(self) -> Mapping[str, Runner]:
        """All runners by name."""
        return {runner.name: runner for runner in (*PRESETS, *self.own)}

    def names_for(self, agent: AgentDefinition) -> str:
        """What the agent is to be run by: the user's word, its definition's, the default."""
        said = self.chosen.get(agent.name) or self.chosen.get(EVERYONE)
        return said or agent.runner or self.default

    def find(
        self, agent: AgentDefinition, find_program: Callable[[str], str | None]
    ) -> Runner | str:
        """The agent's runner, or in words why there is none here."""
        name, known = self.names_for(agent), self.known
        if name == AUTO:
            installed = (one for one in known.values() if find_program(one.argv[0]) is not None)
            found = next(installed, None)
            if found is not None:
                return found
            programs = ", ".join(dict.fromkeys(one.argv[0] for one in PRESETS))
            return f"it needs a coding agent, and none of {programs} is on the PATH"
        if name == COMMAND:
            return "it is to be run by a command, and its definition has none"
        if name not in known:
            guess = nearest(name, known)
            return f'there is no runner "{name}"{f" ({guess})" if guess else ""}'
        runner = known[name]
        if find_program(runner.argv[0]) is None:
            return f'its runner {name} needs the program "{runner.argv[0]}", which is not there'
        return runner

    def permissions_of(self, agent: AgentDefinition) -> PermissionRules:
        """The configuration's rules and the definition's; of two modes the stricter counts."""
        own = agent.permissions
        if own is None:
            return self.permissions
        return PermissionRules(
            mode=min(self.permissions.mode, own.mode, key=list(PermissionMode).index),
            allow=(*self.permissions.allow, *own.allow),
            deny=(*self.permissions.deny, *own.deny),
        )


def installed(
    runners: Runners, find_program: Callable[[str], str | None]
) -> tuple[tuple[Runner, str | None], ...]:
    """Every known runner, and where its program is."""
    return tuple((runner, find_program(runner.argv[0])) for runner in runners.known.values())
