"""Prepare the launch of an attempt: its folders, ports and environment."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from pex_tui.adapters.agents.attempt_environment import attempt_environment
from pex_tui.adapters.agents.invocations import (
    argv_of,
    grant_of,
    is_spoken,
    needed_environment,
    network_of,
    own_environment,
)
from pex_tui.adapters.agents.lock_server import LockServer
from pex_tui.adapters.agents.port_leases import PortLeases
from pex_tui.adapters.agents.record import write_agent_record
from pex_tui.adapters.agents.sessions import next_record
from pex_tui.adapters.limits.policy import LimitPolicy
from pex_tui.adapters.sandbox.policy import SandboxPolicy
from pex_tui.core.model.ids import SlotId
from pex_tui.core.model.plan import Isolation, TaskSpec
from pex_tui.core.model.sandbox import Sandbox
from pex_tui.core.network_rules import NetworkRules
from pex_tui.core.sanitize import raw
from pex_tui.engine.attempt import AttemptKey, Launch, LaunchError, Limits
from pex_tui.engine.ports import Workspace
from pex_tui.engine.run_paths import RunPaths


class AgentLaunches(Struct, frozen=True):
    """Launches of commands and of agents with a model.

    `user` is the environment that pex-tui was started in, `passed` the patterns of
    `safety.env_pass`, `lock_server` the agents' socket, and `programs` a folder that holds
    `pex-tui`. With `ties`, launched processes end together with this one. Without `sandboxes`,
    they have all rights of the user; without `network`, they may reach any host.
    """

    places: RunPaths
    leases: PortLeases
    user: Mapping[str, str]
    grace_seconds: float
    passed: Iterable[str] = ()
    lock_server: LockServer | None = None
    programs: Path | None = None
    write_leases: bool = False
    ties: bool = False
    sandboxes: SandboxPolicy | None = None
    limits: LimitPolicy | None = None
    network: NetworkRules | None = None

    def build(
        self,
        key: AttemptKey,
        spec: TaskSpec,
        slot: SlotId,
        workspace: Workspace,
        lesson: str = "",
    ) -> Launch:
        """Return all that is needed to start the attempt; raise LaunchError.

        The agent record is written to the attempt's folder.
        """
        outputs = self.places.outputs(key.run, key.task)
        inputs = [self.places.outputs(key.run, need) for need in spec.needs]
        argv, folder = spec.argv, _folder(workspace.path, spec)
        try:
            outputs.mkdir(parents=True, exist_ok=True)
            prompt_file = self._write_prompt(key, spec)
            record = next_record(
                self.places, key, spec, workspace, lesson, leases=self.write_leases
            )
            if record is not None:
                record = replace(record, sandboxed=self.sandboxes is not None)
                argv = argv_of(spec, record)
                write_agent_record(self.places.attempt(key.run, key.task, key.attempt), record)
            token = self.lock_server.token(key) if self.lock_server else ""
        except OSError as error:
            raise LaunchError(f"no folder for its records: {error}", permanent=False) from error
        env = attempt_environment(
            self.user,
            key,
            spec,
            slot=slot,
            workspace=workspace.path,
            port=self.leases.lease(slot),
            outputs=outputs,
            prompt_file=prompt_file,
            inputs=inputs,
            socket=self.lock_server.path if self.lock_server else None,
            token=token,
            passed=(*self.passed, *needed_environment(spec)),
        )
        if self.programs is not None:
            env["PATH"] = os.pathsep.join(filter(None, (env.get("PATH"), str(self.programs))))
        env = own_environment(spec, env)
        sandbox = None
        if self.sandboxes is not None:
            reads = [prompt_file, *inputs, *self._own_folders()]
            sandbox = _sandbox(self.sandboxes, spec, workspace.path, outputs, reads)
            env = self.sandboxes.environment(sandbox, env)
        grace, speaks = self.grace_seconds, is_spoken(spec)
        limits = Limits() if self.limits is None else self.limits.limits(spec)
        network = network_of(spec, self.network, env)
        return Launch(key, argv, folder, env, grace, speaks, self.ties, sandbox, limits, network)

    def _own_folders(self) -> Iterator[Path]:
        """Yield the folders of pex-tui that an attempt needs to read."""
        if self.programs is not None:
            yield self.programs
        if self.lock_server is not None:
            yield self.lock_server.path.parent

    def _write_prompt(self, key: AttemptKey, spec: TaskSpec) -> Path:
        """Write the whole prompt to a file that only its owner can read; raise OSError."""
        path = self.places.prompt(key.run, key.task, key.attempt)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw(spec.prompt))
        path.chmod(0o600)
        return path


def _sandbox(
    policy: SandboxPolicy, spec: TaskSpec, workspace: Path, outputs: Path, reads: list[Path]
) -> Sandbox:
    """Return the attempt's sandbox; raise LaunchError. A shared checkout is only read."""
    writes = [outputs]
    (reads if spec.isolation is Isolation.SHARED else writes).append(workspace)
    grant = replace(grant_of(spec), writes=tuple(writes), reads=tuple(reads))
    try:
        return policy.sandbox(grant)
    except OSError as error:
        raise LaunchError(f"no sandbox can be made: {error}", permanent=False) from error


def _folder(workspace: Path, spec: TaskSpec) -> Path:
    """Return the folder the task runs in; raise LaunchError if the workspace has no such folder."""
    folder = workspace / spec.folder
    if not folder.is_dir():
        why = f'"{spec.folder}", which its dir: names, is not in its workspace'
        raise LaunchError(why, permanent=True)
    if not folder.resolve().is_relative_to(workspace.resolve()):
        why = f'"{spec.folder}", which its dir: names, is a link out of its workspace'
        raise LaunchError(why, permanent=True)
    return folder
