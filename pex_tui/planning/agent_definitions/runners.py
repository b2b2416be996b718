"""Runners of agents with a model: known ones, installed ones, and the choice for an agent."""

from collections.abc import Callable, Mapping

from msgspec import Struct, field

from pex_tui.core.model.plan import PermissionMode, PermissionRules
from pex_tui.planning.agent_definitions.definition import AgentDefinition
from pex_tui.planning.fields.validation_text import nearest

AUTO = "auto"
COMMAND = "command"
EVERYONE = "*"
SHARED = "acp"
"""The protocol that several providers' agents share."""


class Runner(Struct, frozen=True):
    """A program that runs agents, and its protocol."""

    name: str
    talk: str
    argv: tuple[str, ...]

    @property
    def provider(self) -> str:
        """Return the provider: the protocol's, or for a shared protocol the program's name."""
        if self.talk != SHARED:
            return self.talk
        programs = [word.rpartition("/")[2] for word in self.argv]
        vendors = [talk for talk in TALKS if talk != SHARED]
        known = (one for one in vendors for word in programs if word.startswith(one))
        return next(known, self.name.partition("-")[0])


PRESETS = (  # in order of preference: runners that ask before they act come first
    Runner("claude", "claude", ("claude",)),
    Runner("claude-acp", "acp", ("claude-agent-acp",)),
    Runner("codex-acp", "acp", ("codex-acp",)),
    Runner("codex", "codex", ("codex",)),
    Runner("gemini-acp", "acp", ("gemini", "--experimental-acp")),
    Runner("gemini", "gemini", ("gemini",)),
    Runner("opencode-acp", "acp", ("opencode", "acp")),
    Runner("opencode", "opencode", ("opencode",)),
)
"""The runners that need no configuration."""
TALKS = tuple(dict.fromkeys(runner.talk for runner in PRESETS))
"""The protocols; each is a module in `adapters/agents/protocols`."""


class Runners(Struct, frozen=True):
    """The configured choice of runners.

    `own` are runners of the configuration, which may replace a preset of the same name; `chosen`
    maps agents, or "*" for all, to runners; `default` applies to the rest, "auto" being the first
    installed one. `permissions` apply to all agents, besides those of their definitions.
    """

    own: tuple[Runner, ...] = ()
    chosen: Mapping[str, str] = field(default_factory=dict)
    default: str = AUTO
    permissions: PermissionRules = field(default_factory=PermissionRules)

    @property
    def known(self) -> Mapping[str, Runner]:
        """Return all runners by name."""
        return {runner.name: runner for runner in (*PRESETS, *self.own)}

    def names_for(self, agent: AgentDefinition) -> str:
        """Return the agent's runner by name: the user's choice, the definition's or the default."""
        said = self.chosen.get(agent.name) or self.chosen.get(EVERYONE)
        return said or agent.runner or self.default

    def find(
        self, agent: AgentDefinition, find_program: Callable[[str], str | None]
    ) -> Runner | str:
        """Return the agent's runner, or why there is none on this machine."""
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
        """Return the configuration's rules and the definition's; the stricter mode applies."""
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
    """Return every known runner with the path of its program."""
    return tuple((runner, find_program(runner.argv[0])) for runner in runners.known.values())
