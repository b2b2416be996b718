"""A lock between processes on a file, held until every process that inherited it has ended."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pex_tui.core.sanitize import clean
from pex_tui.engine.ports import LandingError

_POLL_SECONDS = 0.02


@asynccontextmanager
async def file_lock(path: Path, patience_seconds: float) -> AsyncIterator[int]:
    """Hold the lock; yields its descriptor, for children that are to hold it as well.

    A child that outlives us keeps the lock: whoever gets it next knows that no such child is left.
    Raises LandingError when the lock isn't free within `patience_seconds`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        await _acquire(descriptor, path, patience_seconds)
        yield descriptor
    finally:
        # Closed, never unlocked: an unlock would take it from a child that still lives.
        os.close(descriptor)


async def _acquire(descriptor: int, path: Path, patience_seconds: float) -> None:
    try:
        async with asyncio.timeout(patience_seconds):
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    await asyncio.sleep(_POLL_SECONDS)
                else:
                    return
    except TimeoutError:
        raise LandingError(
            f"Another landing has held {clean(str(path))} for {patience_seconds:.0f} s. "
            "Wait for it, or end the git process that hangs, then try again."
        ) from None
