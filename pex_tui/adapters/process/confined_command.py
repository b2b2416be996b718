"""One command of the engine's own, such as a check of the gate, confined as tasks are."""

import asyncio
import json
import os
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import astuple

from pex_tui.adapters.limits.scopes import LEFT_BEHIND, scope_environment
from pex_tui.adapters.limits.tiers import available_tier, scope_prefix
from pex_tui.adapters.limits.values import LimitRequest
from pex_tui.adapters.limits.values import Tier as LimitTier
from pex_tui.adapters.network.refused_log import RefusedHosts
from pex_tui.adapters.process.held_command import Hold
from pex_tui.adapters.sandbox.enter import check_program, confined_argv
from pex_tui.adapters.sandbox.policy import Grant, SandboxPolicy
from pex_tui.adapters.sandbox.temporary import make_temporary, remove_temporary
from pex_tui.core.model.sandbox import Tier
from pex_tui.core.network_rules import NetworkRules
from pex_tui.core.passed_variables import passed_variables, withheld_variables
from pex_tui.core.sanitize import clean
from pex_tui.engine.attempt import Breach, Limits

if TYPE_CHECKING:  # only a limited network needs it
    from pex_tui.adapters.network.gateway import Gateway

_LONGEST_REPORT = 4096


class Confinement(Struct, frozen=True):
    """The bounds of all commands that a project names: of its gate, and of its setup.

    They get the variables of `user` that tasks get, with `passed` the patterns of
    `safety.env_pass`. Each is held to the `limits`. Without `sandboxes` they have all rights of the
    user; without `network` they may reach any host.
    """

    user: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    passed: tuple[str, ...] = ()
    sandboxes: SandboxPolicy | None = None
    network: NetworkRules | None = None
    limits: Limits = Limits()

    def withheld(self, output: str) -> str:
        """Return a hint at variables that the command's output names and that it did not get."""
        names = withheld_variables(self.user, output, self.passed)
        if not names:
            return ""
        are, them = ("is", "it") if len(names) == 1 else ("are", "them")
        named = clean(", ".join(names))
        return f" {named} {are} set, but not passed on: name {them} in safety.env_pass."


class ConfinedCommand:
    """A command that is to be started with these arguments, variables and descriptors.

    It runs `argv` in the folder. The `gateway`, whose log is in the first of the folders
    `temporary`, is its only way to the network.
    """

    def __init__(
        self,
        argv: tuple[str, ...],
        folder: Path,
        env: Mapping[str, str],
        limits: Limits,
        gateway: "Gateway | None",
        temporary: Sequence[str],
    ) -> None:
        prefix = scope_prefix()
        found = scope_environment() if prefix else {}
        self.env = {**env, **found}
        self._gateway = gateway
        self._refused = RefusedHosts(Path(temporary[0])) if gateway is not None else None
        self._reader, self._report = os.pipe()
        sockets = () if gateway is None else gateway.descriptors
        self.descriptors = (self._report, *sockets)
        tier = available_tier()
        polls = limits.polls or tier is LimitTier.POLLING
        hold = Hold(
            limits=LimitRequest(*astuple(limits))._replace(polls=polls),
            tier=tier,
            folder=str(folder),
            report=self._report,
            descriptors=sockets,
            variables={name: env.get(name) for name in (*found, LEFT_BEHIND)},
            engine=os.getpid(),
            temporary=tuple(temporary),
        )
        self.argv = (*prefix, *hold.argv(argv))

    def started(self) -> None:
        """Let the command reach the network; it has just been started."""
        os.close(self._report)
        self._report = -1
        if self._gateway is not None:
            self._gateway.started()

    def breach(self) -> Breach | None:
        """Return the limit for which the command, which has ended, was ended."""
        report = os.read(self._reader, _LONGEST_REPORT)
        return Breach(**json.loads(report)) if report else None

    def refused(self) -> str:
        """Return words for the hosts that the command was kept from, or an empty text."""
        hosts = self._refused.news() if self._refused is not None else ""
        return f" It was kept from {hosts} (safety.network.allow)." if hosts else ""

    def close(self) -> None:
        """Close its descriptors."""
        for descriptor in (self._reader, self._report):
            if descriptor >= 0:
                os.close(descriptor)


@asynccontextmanager
async def confined(
    bounds: Confinement, argv: tuple[str, ...], folder: Path, env: Mapping[str, str]
) -> AsyncIterator[ConfinedCommand]:
    """Yield the command that runs the program with nothing but its folder to change.

    `env` are variables besides the user's. Raises OSError if the program can't start.
    """
    policy, network = bounds.sandboxes, bounds.network
    env = {**passed_variables(bounds.user, bounds.passed), "PWD": str(folder), **env}
    await asyncio.to_thread(scope_prefix)  # finds out once what the machine has
    async with AsyncExitStack() as stack:
        gateway, temporary = None, []
        if network is not None:
            from pex_tui.adapters.network.gateway import Gateway  # noqa: PLC0415  # rarely needed

            temporary.append(stack.enter_context(tempfile.TemporaryDirectory()))
            is_apart = policy is not None and policy.tier is Tier.BWRAP
            gateway = Gateway(network, Path(temporary[0]), is_apart=is_apart)
            stack.callback(gateway.close)
            env |= gateway.environment
        if policy is None:
            check_program(argv[0], str(folder), env)
        else:
            sandbox = policy.sandbox(Grant(writes=(folder,)))
            argv = confined_argv(sandbox, argv, str(folder), env, gateway)
            make_temporary(sandbox.temporary)
            stack.push_async_callback(asyncio.to_thread, remove_temporary, sandbox.temporary)
            temporary.append(sandbox.temporary)
            env = policy.environment(sandbox, env)
        command = ConfinedCommand(argv, folder, env, bounds.limits, gateway, temporary)
        stack.callback(command.close)
        yield command
