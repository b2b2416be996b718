"""An agent's definition: its prompt, its tools, and the defaults of its tasks."""

from msgspec import Struct

from pex_tui.core.model.ids import AgentName
from pex_tui.core.model.plan import Expects, PermissionRules


class AgentDefinition(Struct, frozen=True):
    """One agent. None leaves a field to other sources.

    `argv` is the command of an agent without a model, `prefers` the runner that suits it best.
    Durations are in seconds, `memory_bytes` in bytes, `cpu_cores` in cores. `layer` is the library
    folder of the file ("repository", "user", "configuration", "shipped"), `path` its path.
    """

    name: AgentName
    description: str = ""
    prompt: str = ""
    tools: tuple[str, ...] | None = None
    model: str | None = None
    argv: tuple[str, ...] | None = None
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] | None = None
    cluster: str | None = None
    estimate_seconds: float | None = None
    timeout_seconds: float | None = None
    memory_bytes: int | None = None
    cpu_cores: float | None = None
    expects: Expects | None = None
    prefers: str | None = None
    permissions: PermissionRules | None = None
    layer: str = ""
    path: str = ""

    @property
    def is_read_only(self) -> bool:
        """Return whether the agent promises to change nothing."""
        return self.writes == ()

    @property
    def runner(self) -> str | None:
        """Return the runner: "command" for an agent with a command, else the one it names."""
        return self.prefers if self.argv is None else "command"
