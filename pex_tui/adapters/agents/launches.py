"""Makes the circumstances of an attempt's process: its folders, its ports, its environment."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pex_tui.adapters.agents.environment import attempt_environment
from pex_tui.adapters.agents.ports import PortLeases
from pex_tui.core.ids import SlotId
from pex_tui.core.plan import TaskSpec
from pex_tui.engine.places import Places
from pex_tui.engine.ports import AttemptKey, Launch, LaunchError, Workspace


@dataclass(frozen=True, slots=True)
class CommandLaunches:
    """Launches of tasks that are commands.

    `user` is the environment that the user started us with, `passed` the patterns of
    `safety.env_pass`, `socket` where the engine's control socket listens.
    """

    places: Places
    leases: PortLeases
    user: Mapping[str, str]
    grace_seconds: float
    passed: Iterable[str] = ()
    socket: Path | None = None

    def build(self, key: AttemptKey, spec: TaskSpec, slot: SlotId, workspace: Workspace) -> Launch:
        """All that is needed to start the attempt; raise LaunchError."""
        outputs = self.places.outputs(key.run, key.task)
        try:
            outputs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LaunchError(f"no folder for its outputs: {error}", permanent=False) from error
        env = attempt_environment(
            self.user,
            key,
            spec,
            slot=slot,
            workspace=workspace.path,
            port=self.leases.lease(slot),
            outputs=outputs,
            inputs=[self.places.outputs(key.run, need) for need in spec.needs],
            socket=self.socket,
            passed=self.passed,
        )
        return Launch(key, spec.argv, workspace.path, env, self.grace_seconds)
