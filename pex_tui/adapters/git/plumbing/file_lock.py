"""A file lock between processes, held until every process that inherited it has ended.

Implemented here because filelock unlocks on release: the lock was free while a child still held its
descriptor (tried with 4.3.1).
"""

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
    """Hold the lock; yield its descriptor, for children that are to hold it as well.

    A child that outlives this process keeps the lock: its next holder knows that no such child is
    left. Raises LandingError if the lock is not free within `patience_seconds`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        await _acquire(descriptor, path, patience_seconds)
        yield descriptor
    finally:
        # Close only, never unlock: that would take the lock from a live child.
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
