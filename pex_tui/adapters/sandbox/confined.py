"""A sandbox for one command of the engine's own, such as a check of the gate."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from pex_tui.adapters.sandbox.enter import confined_argv
from pex_tui.adapters.sandbox.policy import Grant, SandboxPolicy
from pex_tui.adapters.sandbox.temporary import make_temporary, remove_temporary


@asynccontextmanager
async def confined(
    policy: SandboxPolicy | None, argv: tuple[str, ...], folder: Path, env: Mapping[str, str]
) -> AsyncIterator[tuple[tuple[str, ...], Mapping[str, str]]]:
    """Yield the argv and environment that run the program with nothing but its folder to change.

    Without a policy they stay the same. Raises OSError if the program can't start.
    """
    if policy is None:
        yield argv, env
        return
    sandbox = policy.sandbox(Grant(writes=(folder,)))
    begun = confined_argv(sandbox, argv, str(folder), env)
    make_temporary(sandbox.temporary)
    try:
        yield begun, policy.environment(sandbox, env)
    finally:
        await asyncio.to_thread(remove_temporary, sandbox.temporary)
