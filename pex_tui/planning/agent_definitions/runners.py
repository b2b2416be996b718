"""What runs agents with a model: the runners that are known, found here, and chosen for whom."""

from collections.abc import Callable, Mapping

from msgspec import Struct, field

from pex_tui.core.model.plan import PermissionMode, PermissionRules
from pex_tui.planning.agent_definitions.definition import AgentDefinition
from pex_tui.planning.fields.validation_text import nearest

AUTO = "auto"
COMMAND = "command"
EVERYONE = "*"
SHARED = "acp"
"""The protocol that agents of several providers talk."""


class Runner(Struct, frozen=True):
    """A program that runs agents, and the protocol that it talks."""

    name: str
    talk: str
    argv: tuple[str, ...]

    @property
    def provider(self) -> str:
        """Whose model it uses: the protocol tells, or with a shared one the program's name."""
        if self.talk != SHARED:
            return self.talk
        programs = [word.rpartition("/")[2] for word in self.argv]
        vendors = [talk for talk in TALKS if talk != SHARED]
        known = (one for one in vendors for word in programs if word.startswith(one))
        return next(known, self.name.partition("-")[0])


PRESETS = (  # in the order in which one is chosen: those that ask before they act come first
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
        """Return all runners by name."""
        return {runner.name: runner for runner in (*PRESETS, *self.own)}

    def names_for(self, agent: AgentDefinition) -> str:
        """What the agent is to be run by: the user's word, its definition's, the default."""
        said = self.chosen.get(agent.name) or self.chosen.get(EVERYONE)
        return said or agent.runner or self.default

    def find(
        self, agent: AgentDefinition, find_program: Callable[[str], str | None]
    ) -> Runner | str:
        """Return the agent's runner, or in words why there is none here."""
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
    """Return every known runner, and where its program is."""
    return tuple((runner, find_program(runner.argv[0])) for runner in runners.known.values())
