"""One command of the engine's own, such as a check of the gate, confined as tasks are."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

from msgspec import Struct, field

from pex_tui.adapters.network.gateway import Gateway
from pex_tui.adapters.network.refused_log import RefusedHosts
from pex_tui.adapters.sandbox.enter import confined_argv
from pex_tui.adapters.sandbox.policy import Grant, SandboxPolicy
from pex_tui.adapters.sandbox.temporary import make_temporary, remove_temporary
from pex_tui.core.model.sandbox import Tier
from pex_tui.core.network_rules import NetworkRules
from pex_tui.core.passed_variables import passed_variables, withheld_variables
from pex_tui.core.sanitize import clean


class Confinement(Struct, frozen=True):
    """The bounds of all commands that a project names: of its gate, and of its setup.

    They get the variables of `user` that tasks get, with `passed` the patterns of
    `safety.env_pass`. Without `sandboxes` they have all rights of the user; without `network` they
    may reach any host.
    """

    user: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    passed: tuple[str, ...] = ()
    sandboxes: SandboxPolicy | None = None
    network: NetworkRules | None = None

    @property
    def variables(self) -> dict[str, str]:
        """The variables of the user that a command gets."""
        return passed_variables(self.user, self.passed)

    def withheld(self, output: str) -> str:
        """Return a hint at variables that the command's output names and that it did not get."""
        names = withheld_variables(self.user, output, self.passed)
        if not names:
            return ""
        are, them = ("is", "it") if len(names) == 1 else ("are", "them")
        named = clean(", ".join(names))
        return f" {named} {are} set, but not passed on: name {them} in safety.env_pass."


class ConfinedCommand:
    """A command that is to be started with these arguments, variables and descriptors."""

    def __init__(
        self, argv: tuple[str, ...], env: Mapping[str, str], gateway: Gateway | None, log: str
    ) -> None:
        self.argv = argv
        self.env = env
        self._gateway = gateway
        self._refused = RefusedHosts(Path(log))

    @property
    def descriptors(self) -> tuple[int, ...]:
        """The descriptors that the command has to inherit."""
        return () if self._gateway is None else self._gateway.descriptors

    def started(self) -> None:
        """Let the command reach the network; it has just been started."""
        if self._gateway is not None:
            self._gateway.started()

    def refused(self) -> str:
        """Return words for the hosts that the command was kept from, or an empty text."""
        hosts = "" if self._gateway is None else self._refused.news()
        return f" It was kept from {hosts} (safety.network.allow)." if hosts else ""


@asynccontextmanager
async def confined(
    bounds: Confinement, argv: tuple[str, ...], folder: Path, env: Mapping[str, str]
) -> AsyncIterator[ConfinedCommand]:
    """Yield the command that runs the program with nothing but its folder to change.

    `env` are variables besides the user's. Raises OSError if the program can't start.
    """
    policy, network = bounds.sandboxes, bounds.network
    env = {**bounds.variables, "PWD": str(folder), **env}
    log = nullcontext("") if network is None else tempfile.TemporaryDirectory()
    with log as place:
        gateway = None
        if network is not None:
            is_apart = policy is not None and policy.tier is Tier.BWRAP
            gateway = Gateway(network, Path(place), is_apart=is_apart)
            env |= gateway.environment
        try:
            if policy is None:
                yield ConfinedCommand(argv, env, gateway, place)
                return
            sandbox = policy.sandbox(Grant(writes=(folder,)))
            begun = confined_argv(sandbox, argv, str(folder), env, gateway)
            make_temporary(sandbox.temporary)
            try:
                adapted = policy.environment(sandbox, env)
                yield ConfinedCommand(begun, adapted, gateway, place)
            finally:
                await asyncio.to_thread(remove_temporary, sandbox.temporary)
        finally:
            if gateway is not None:
                gateway.close()
