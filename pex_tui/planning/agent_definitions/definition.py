"""What the library knows of an agent: its prompt, its tools, and the defaults of its tasks."""

from collections.abc import Mapping

from msgspec import Struct

from pex_tui.core.model.ids import AgentName
from pex_tui.core.model.plan import Expects, PermissionRules


class AgentDefinition(Struct, frozen=True):
    """One agent. None means that the definition leaves it open.

    `argv` is the command of an agent that is one, `prefers` the runner that suits it best.

    Durations are seconds, `memory_bytes` bytes, `cpu_cores` cores. `layer` says which folder of
    the library it comes from ("repository", "user", "configuration", "shipped"), `path` which file.
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
        """Return whether it has promised to change nothing."""
        return self.writes == ()

    @property
    def runner(self) -> str | None:
        """What starts it: "command" for one with a command, else the runner that it names."""
        return self.prefers if self.argv is None else "command"


AgentLibrary = Mapping[AgentName, AgentDefinition]
