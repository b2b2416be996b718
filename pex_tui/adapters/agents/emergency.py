"""End attempts without their engine: it is dead, does not answer, or its journal is lost."""

import asyncio
from collections.abc import Sequence

from pex_tui.adapters.process.fence import is_alive
from pex_tui.adapters.process.runner import ShimRunner
from pex_tui.adapters.system.clock import SystemClock
from pex_tui.core.model.ids import RunId, TaskId
from pex_tui.engine.attempt import AttemptKey
from pex_tui.engine.run_paths import RunPaths


def live_attempts(places: RunPaths, run: RunId | None = None) -> list[AttemptKey]:
    """Return the attempts at work, of all runs or of one, by the locks that their shims hold."""
    folders = (places.root / "runs").glob(f"{run or '*'}/*/[0-9]*")
    return [
        AttemptKey(RunId(folder.parts[-3]), TaskId(folder.parts[-2]), int(folder.name))
        for folder in sorted(folders)
        if folder.name.isdecimal() and is_alive(folder)
    ]


async def end_attempts(places: RunPaths, keys: Sequence[AttemptKey], grace_seconds: float) -> None:
    """End the attempts, politely and by force after the grace; return once none is left.

    Their workspaces stay as they are, to be captured when the run is resumed.
    """
    runner = ShimRunner(places, SystemClock())
    try:
        async with asyncio.TaskGroup() as group:
            for key in keys:
                group.create_task(_end(runner, key, grace_seconds))
    finally:
        await runner.close()


async def _end(runner: ShimRunner, key: AttemptKey, grace_seconds: float) -> None:
    await runner.adopt(key)
    await runner.stop(key, grace_seconds)
    await runner.wait(key)
