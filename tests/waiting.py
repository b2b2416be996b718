"""Wait for another process: for conditions, never for durations.

A loaded machine is slow, so patience is long; pytest's own limit for a test is longer still.
"""

import asyncio
import time
from collections.abc import Callable

PATIENCE_SECONDS = 240.0


async def until(condition: Callable[[], object]) -> None:
    """Let the loop run until the condition holds; fail if it never does."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < give_up_at, "the condition never came true"
        await asyncio.sleep(0.005)


def wait_until(condition: Callable[[], object]) -> None:
    """Wait, without a loop, until the condition holds; fail if it never does."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < give_up_at, "the condition never came true"
        time.sleep(0.02)


def patience() -> asyncio.Timeout:
    """Return a time limit for what is awaited directly."""
    return asyncio.timeout(PATIENCE_SECONDS)
